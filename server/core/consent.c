/* Consent; see sv_consent.h. */
#include "sv_consent.h"

#include "sv_kinds.h"
#include "sv_limits.h"

#define PURPOSES (SV_PURPOSE_STORY + 1u)

/* What the records of one purpose come to. Days since 1970. */
typedef struct verdict {
  bool unclear;
  int64_t granted, blocked; /* latest day of each; INT64_MIN: none */
} verdict;

static bool shown(const ov_record *r, uint16_t field, int64_t *out) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->v.type != OV_V_INT) return false;
  *out = l->v.i;
  return true;
}

/* One of the values that are live says so: in a conflict it may be the right one. */
static bool may_be_about(const ov_record *r, sv_purpose purpose) {
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, SV_CONSENT_PURPOSE, &n);
  for (uint32_t i = 0; i < n; i++) {
    if (l[i].v.type == OV_V_INT && l[i].v.i == (int64_t)purpose) return true;
  }
  return false;
}

static bool is_unclear(const ov_record *r) {
  static const uint16_t fields[] = {SV_CONSENT_PURPOSE, SV_CONSENT_GIVEN_ON, SV_CONSENT_VALID,
                                    SV_CONSENT_WITHDRAWN, SV_CONSENT_RESISTANCE};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    if (ov_record_field_conflict(r, fields[i])) return true;
  }
  return ov_record_retracted(r) == OV_RETRACT_CONFLICT;
}

/* A withdrawal whose day nobody noted counts from the day its record last changed. */
static int64_t withdrawal_day(const sv_record_row *row) {
  int64_t day;
  if (shown(&row->rec, SV_CONSENT_WITHDRAWN, &day) && day >= 0) return day;
  return row->changed / 86400;
}

static void weigh(const ov_skind *k, const sv_record_row *row, int64_t today, verdict *v) {
  const ov_record *r = &row->rec;
  int64_t valid = 0, given = 0, resists = 0, day = 0;
  uint16_t lacking;
  if (is_unclear(r)) {
    v->unclear = true;
    return;
  }
  if (ov_record_retracted(r) != OV_LIVE || !r->created) return;
  shown(r, SV_CONSENT_VALID, &valid);
  shown(r, SV_CONSENT_RESISTANCE, &resists);
  bool withdrawn = !valid || (shown(r, SV_CONSENT_WITHDRAWN, &day) && day <= today);
  if (withdrawn || resists) {
    day = withdrawn ? withdrawal_day(row) : row->changed / 86400;
    if (day > v->blocked) v->blocked = day;
    return;
  }
  bool complete = ov_schema_missing(k, r, &lacking, 1) == 0;
  if (!complete || !shown(r, SV_CONSENT_GIVEN_ON, &given) || given > today) return;
  if (given > v->granted) v->granted = given;
}

/* One record counts for each purpose that it may be about. */
static void weigh_record(const ov_skind *k, const sv_record_row *row, int64_t today, verdict v[PURPOSES]) {
  for (unsigned p = 1; p < PURPOSES; p++) {
    if (row->erased) v[p].unclear = true;
    else if (may_be_about(&row->rec, (sv_purpose)p)) weigh(k, row, today, &v[p]);
  }
}

static int weigh_all(sv_txn *t, const ov_skind *k, const ov_name *participant, int64_t today, ov_arena *a,
                     verdict v[PURPOSES]) {
  ov_name page[SV_CONSENT_PAGE], after;
  const ov_name *from = NULL;
  uint32_t n = 0;
  for (;;) {
    int err = sv_by_participant_kind(t, participant, SV_KIND_CONSENT, from, page, SV_CONSENT_PAGE, &n);
    for (uint32_t i = 0; !err && i < n; i++) {
      sv_record_row row;
      ov_arena_reset(a);
      err = sv_record_get(t, &page[i], a, &row);
      if (!err) weigh_record(k, &row, today, v);
    }
    if (err || n < SV_CONSENT_PAGE) return err;
    after = page[n - 1];
    from = &after;
  }
}

int sv_consent_profile(sv_txn *t, const sv_org *org, const ov_name *participant, int64_t at, uint8_t *bits) {
  const ov_skind *k = ov_schemas_kind(org->schemas, SV_KIND_CONSENT);
  verdict v[PURPOSES];
  int64_t today = at >= 0 ? at / 86400 : -1;
  ov_arena a;
  *bits = SV_CONSENT_LOOKED_AT;
  if (!k || sv_keyring_destroyed(org->keyring, participant)) return sv_txn_error(t);
  for (unsigned p = 0; p < PURPOSES; p++) v[p] = (verdict){.granted = INT64_MIN, .blocked = INT64_MIN};
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  int err = weigh_all(t, k, participant, today, &a, v);
  ov_arena_free(&a);
  for (unsigned p = 1; !err && p < PURPOSES; p++) {
    if (!v[p].unclear && v[p].granted > v[p].blocked) *bits |= (uint8_t)(1u << p);
  }
  return err;
}

int sv_consent(sv_txn *t, const sv_org *org, const ov_name *participant, sv_purpose purpose, int64_t at,
               bool *yes) {
  uint8_t bits;
  int err = sv_consent_profile(t, org, participant, at, &bits);
  *yes = !err && (bits & 1u << purpose);
  return err;
}
