/* Sums of a participant's month, what is due to be summed again, and the release ledger. */
#include <string.h>

#include "tables.h"

/* -- months: the civil calendar, by the days-from-civil arithmetic over eras of 400 years ---------------- */

uint32_t sv_month_of_day(int64_t day) {
  int64_t z = sv_key_day(day) + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
  int64_t m = 12 * year + month - 1;
  return m < 0 ? 0 : (uint32_t)m;
}

int64_t sv_month_first_day(uint32_t month) {
  int64_t y = month / 12, m = month % 12 + 1;
  y -= m <= 2;
  int64_t era = y >= 0 ? y / 400 : (y - 399) / 400, yoe = y - era * 400;
  int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* -- sums ------------------------------------------------------------------------------------------------ */

int sv_sums_put(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant, const void *p,
                size_t n) {
  uint8_t key[OV_KEY_BYTES];
  bool erased;
  sv_key k = sv_key_sums(month, family, participant);
  sv_owner owner = {true, *participant};
  if (sv_owner_key(t, &owner, true, key, &erased)) return t->err;
  if (erased) return OV_E_NOTFOUND;
  ov_buf_reset(&t->row);
  sv_part_seal(t, SV_PART_SUMS, &k, key, p, n, &t->row);
  return sv_tab_put(t, SV_T_SUMS, &k, t->row.p, t->row.n);
}

/* Opens v into t->plain; OV_E_NOTFOUND when the participant is erased. */
static int open_sums(sv_txn *t, const sv_key *k, const MDB_val *v) {
  uint8_t key[OV_KEY_BYTES];
  bool erased;
  sv_owner owner = {.has_participant = true};
  MDB_val whole = {k->n, (void *)(uintptr_t)k->b};
  sv_key_read_name(&whole, 5, &owner.participant);
  if (sv_owner_key(t, &owner, false, key, &erased)) return t->err;
  if (erased) return OV_E_NOTFOUND;
  ov_buf_reset(&t->plain);
  return sv_part_open(t, SV_PART_SUMS, k, key, v->mv_data, v->mv_size, &t->plain);
}

bool sv_sums_sound(sv_txn *t, const sv_key *k, const MDB_val *v) {
  int err = open_sums(t, k, v);
  t->err = 0;
  return !err || err == OV_E_NOTFOUND;
}

int sv_sums_get(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant, ov_buf *out) {
  MDB_val v;
  sv_key k = sv_key_sums(month, family, participant);
  int err = sv_tab_get(t, SV_T_SUMS, &k, &v);
  if (!err) err = open_sums(t, &k, &v);
  if (err) return err;
  ov_buf_put(out, t->plain.p, t->plain.n);
  return sv_txn_stick(t, out->err);
}

int sv_sums_del(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant) {
  sv_key k = sv_key_sums(month, family, participant);
  int err = sv_tab_del(t, SV_T_SUMS, &k);
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_sums_each(sv_txn *t, uint32_t month, uint8_t family, sv_sums_fn each, void *ctx) {
  sv_scan s;
  sv_key from = sv_key_sums(month, family, NULL);
  int err = 0;
  sv_scan_open(&s, t, SV_T_SUMS, &from, from.n);
  while (!err && sv_scan_next(&s)) {
    sv_key k = {.n = s.key.mv_size};
    ov_name participant;
    memcpy(k.b, s.key.mv_data, k.n);
    sv_key_read_name(&s.key, 5, &participant);
    int opened = open_sums(t, &k, &s.value);
    if (opened == OV_E_NOTFOUND) continue;
    err = opened ? opened : each(ctx, &participant, t->plain.p, t->plain.n);
  }
  sv_scan_close(&s);
  return err ? err : t->err;
}

int sv_sums_next(sv_txn *t, bool started, uint32_t *month, uint8_t *family, ov_name *participant) {
  sv_key from = {.n = 0}, found;
  if (started) from = sv_key_after(sv_key_sums(*month, *family, participant));
  int err = sv_scan_first_key(t, SV_T_SUMS, &from, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *month = sv_key_read_u32(&v, 0);
  *family = found.b[4];
  sv_key_read_name(&v, 5, participant);
  return 0;
}

/* -- due ------------------------------------------------------------------------------------------------- */

static int mark_due(sv_txn *t, const ov_name *participant, uint32_t month) {
  sv_key k = sv_key_due(month, participant);
  if (t->err || sv_tab_has(t, SV_T_SUMS_DUE, &k)) return t->err;
  return sv_mark_put(t, SV_T_SUMS_DUE, &k);
}

int sv_sums_due_add(sv_txn *t, const ov_name *participant, int64_t day) {
  if (ov_name_is_zero(participant)) return mark_due(t, participant, 0);
  uint32_t month = sv_month_of_day(day), before = sv_month_of_day(day - 1), after = sv_month_of_day(day + 1);
  if (before != month) mark_due(t, participant, before);
  if (after != month) mark_due(t, participant, after);
  return mark_due(t, participant, month);
}

int sv_sums_due_first(sv_txn *t, uint32_t *month, ov_name *participant) {
  sv_key from = {.n = 0}, found;
  int err = sv_scan_first_key(t, SV_T_SUMS_DUE, &from, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *month = sv_key_read_u32(&v, 0);
  ov_name_read(found.b + 4, participant);
  return 0;
}

int sv_sums_due_has(sv_txn *t, uint32_t month, const ov_name *participant, bool *has) {
  sv_key k = sv_key_due(month, participant);
  *has = sv_tab_has(t, SV_T_SUMS_DUE, &k);
  return t->err;
}

int sv_sums_due_del(sv_txn *t, uint32_t month, const ov_name *participant) {
  sv_key k = sv_key_due(month, participant);
  return sv_tab_del(t, SV_T_SUMS_DUE, &k);
}

/* -- what a participant has ------------------------------------------------------------------------------ */

int sv_by_participant_days(sv_txn *t, const ov_name *participant, uint16_t kind, int64_t from, int64_t to,
                           ov_arena *a, ov_name **out, uint32_t max, uint32_t *n) {
  static const ov_name first;
  sv_scan s;
  sv_key k = sv_key_participant(participant, kind, from, &first);
  uint32_t count = 0, cap = 0;
  ov_name *names = NULL;
  *out = NULL;
  *n = 0;
  sv_scan_open(&s, t, SV_T_PARTICIPANT, &k, OV_NAME_BYTES + 2);
  while (count < max && sv_scan_next(&s) && sv_key_read_day(&s.key, OV_NAME_BYTES + 2) <= sv_key_day(to)) {
    if (count == cap) names = sv_names_room(a, names, count, &cap);
    if (!names) {
      sv_txn_stick(t, OV_E_NOMEM);
      break;
    }
    sv_key_read_name(&s.key, OV_NAME_BYTES + 2 + 4, &names[count++]);
  }
  sv_scan_close(&s);
  if (t->err) return t->err;
  *out = names;
  *n = count;
  return 0;
}

int sv_participant_next(sv_txn *t, const ov_name *after, ov_name *out) {
  sv_key k = {.n = 0};
  if (after) { /* behind the last key that this participant can have */
    k = sv_key_name(after);
    memset(k.b + k.n, 0xff, 2 + 4 + OV_NAME_BYTES);
    k.n += 2 + 4 + OV_NAME_BYTES;
    k = sv_key_after(k);
  }
  return sv_scan_first_name(t, SV_T_PARTICIPANT, &k, 0, 0, out);
}

int sv_participant_day(sv_txn *t, const ov_name *participant, uint16_t kind, int64_t from, int64_t *day) {
  static const ov_name first;
  sv_key k = sv_key_participant(participant, kind, from, &first), found;
  int err = sv_scan_first_key(t, SV_T_PARTICIPANT, &k, OV_NAME_BYTES + 2, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *day = sv_key_read_day(&v, OV_NAME_BYTES + 2);
  return 0;
}

/* -- releases -------------------------------------------------------------------------------------------- */

int sv_release_put(sv_txn *t, uint32_t release, uint32_t part, const void *p, size_t n) {
  sv_key k = sv_key_release(release, part);
  if (t->err) return t->err;
  if (sv_tab_has(t, SV_T_RELEASES, &k)) return OV_E_EXISTS;
  ov_buf_reset(&t->plain);
  ov_buf_put(&t->plain, p, n);
  return sv_row_put(t, SV_T_RELEASES, SV_PART_RELEASE, &k);
}

int sv_release_get(sv_txn *t, uint32_t release, uint32_t part, ov_buf *out) {
  sv_key k = sv_key_release(release, part);
  if (t->err) return t->err;
  int err = sv_row_get(t, SV_T_RELEASES, SV_PART_RELEASE, &k);
  if (err) return err;
  ov_buf_put(out, t->plain.p, t->plain.n);
  return sv_txn_stick(t, out->err);
}

int sv_release_next(sv_txn *t, bool started, uint32_t *release, uint32_t *part) {
  sv_key from = {.n = 0}, found;
  if (started) from = sv_key_after(sv_key_release(*release, *part));
  int err = sv_scan_first_key(t, SV_T_RELEASES, &from, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *release = sv_key_read_u32(&v, 0);
  *part = sv_key_read_u32(&v, 4);
  return 0;
}
