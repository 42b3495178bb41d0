/* The scrub: reads everything once, so that damage is found before somebody needs the row. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tables.h"

/* One op or record with all its values decoded. */
#define ROW_ARENA_BYTES ((size_t)64 << 20)

typedef struct scrub {
  sv_txn *t;
  sv_scrub *out;
  ov_arena arena;
  uint64_t counts[SV_T_COUNT];
} scrub;

static void __attribute__((format(printf, 2, 3))) found_bad(scrub *s, const char *text, ...) {
  if (s->out->bad++ > 0) return;
  va_list ap;
  va_start(ap, text);
  vsnprintf(s->out->first, sizeof s->out->first, text, ap);
  va_end(ap);
}

static bool one_part(sv_txn *t, sv_part part, const sv_key *k, const MDB_val *v) {
  int err = sv_row_open(t, part, k, v);
  t->err = 0;
  return !err;
}

/* A key of meta does not tell what kind of row it is. */
static bool meta_row(sv_txn *t, const sv_key *k, const MDB_val *v) {
  return one_part(t, SV_PART_META, k, v) || one_part(t, SV_PART_COUNTER, k, v) ||
         one_part(t, SV_PART_TOTALS, k, v);
}

static bool op_row(scrub *s, const MDB_val *key) {
  sv_op_row row;
  ov_name name;
  sv_key_read_name(key, 0, &name);
  return !sv_op_get(s->t, &name, &s->arena, &row);
}

static bool record_row(scrub *s, const MDB_val *key) {
  sv_record_row row;
  ov_name name;
  sv_key_read_name(key, 0, &name);
  return !sv_record_get(s->t, &name, &s->arena, &row) && sv_record_marks_there(s->t, &name, s->counts);
}

/* A spoilt branch of the tree leads a search past a row that a walk still meets. */
static bool is_found(sv_txn *t, sv_table tab, const sv_key *k, const MDB_val *v) {
  MDB_val found;
  return !sv_tab_get(t, tab, k, &found) && found.mv_data == v->mv_data;
}

static bool check_row(scrub *s, sv_table tab, const MDB_val *key, const MDB_val *v) {
  sv_key k = {.n = key->mv_size};
  if (key->mv_size > SV_KEY_MAX || (sv_key_length(tab) && key->mv_size != sv_key_length(tab))) return false;
  memcpy(k.b, key->mv_data, k.n);
  if (!is_found(s->t, tab, &k, v)) return false;
  if (sv_table_is_marks(tab)) return sv_mark_fits(tab, key, v);
  switch (tab) {
  case SV_T_META: return meta_row(s->t, &k, v);
  case SV_T_OPS: return op_row(s, key);
  case SV_T_RECORDS: return record_row(s, key);
  case SV_T_TIPS: return one_part(s->t, SV_PART_TIP, &k, v);
  case SV_T_DEVICES: return one_part(s->t, SV_PART_DEVICE, &k, v);
  case SV_T_CODES: return one_part(s->t, SV_PART_CODE, &k, v);
  case SV_T_SCOPES: return one_part(s->t, SV_PART_SCOPE, &k, v);
  case SV_T_POS_HASH: return one_part(s->t, SV_PART_POS_HASH, &k, v);
  case SV_T_POS: return one_part(s->t, SV_PART_POS, &k, v);
  case SV_T_LOGINS: return one_part(s->t, SV_PART_LOGIN, &k, v);
  case SV_T_ACCOUNTS: return one_part(s->t, SV_PART_ACCOUNT, &k, v);
  case SV_T_TOKENS: return one_part(s->t, SV_PART_TOKEN, &k, v);
  case SV_T_GONE: return one_part(s->t, SV_PART_GONE, &k, v);
  case SV_T_SUMS: return sv_sums_sound(s->t, &k, v);
  case SV_T_RELEASES: return one_part(s->t, SV_PART_RELEASE, &k, v);
  default: return false;
  }
}

/* A damaged row is counted and passed; a damaged tree ends the walk of its table. */
static uint64_t walk(scrub *s, sv_table tab) {
  sv_txn *t = s->t;
  MDB_cursor *c;
  MDB_val key, v;
  uint64_t rows = 0;
  int rc = mdb_cursor_open(t->m, t->e->dbi[tab], &c);
  if (rc) {
    found_bad(s, "table %s: %s", sv_table_name(tab), mdb_strerror(rc));
    return 0;
  }
  for (rc = mdb_cursor_get(c, &key, &v, MDB_FIRST); !rc; rc = mdb_cursor_get(c, &key, &v, MDB_NEXT)) {
    rows++;
    if (!check_row(s, tab, &key, &v)) {
      char hex[2 * 40 + 1];
      ov_hex(key.mv_data, key.mv_size < 40 ? key.mv_size : 40, hex);
      found_bad(s, "table %s, row %s: %s", sv_table_name(tab), hex, t->err ? ov_err_text(t->err) : "damaged");
    }
    t->err = 0;
    ov_arena_reset(&s->arena);
  }
  mdb_cursor_close(c);
  if (rc != MDB_NOTFOUND) found_bad(s, "table %s: %s", sv_table_name(tab), mdb_strerror(rc));
  return rows;
}

static void check_count(scrub *s, sv_table tab, uint64_t rows, uint64_t want, const char *by) {
  if (rows != want)
    found_bad(s, "table %s has %" PRIu64 " rows, %s says %" PRIu64, sv_table_name(tab), rows, by, want);
}

static void scrub_all(scrub *s) {
  uint64_t totals[SV_T_COUNT], rows[SV_T_COUNT];
  int err = sv_env_totals_get(s->t, totals);
  s->t->err = 0;
  if (err) found_bad(s, "table meta: the sealed counts cannot be read");
  for (sv_table tab = 0; tab < SV_T_COUNT; tab++) {
    rows[tab] = walk(s, tab);
    s->out->rows += rows[tab];
    if (!err) check_count(s, tab, rows[tab], totals[tab], "the last commit");
  }
  static const sv_table derived[] = {SV_T_PARTICIPANT, SV_T_KIND_DAY, SV_T_NATURAL};
  for (unsigned i = 0; i < 3; i++)
    check_count(s, derived[i], rows[derived[i]], s->counts[derived[i]], "the records");
}

int sv_env_scrub(sv_env *e, sv_scrub *out) {
  scrub s = {.out = out};
  memset(out, 0, sizeof *out);
  int err = sv_txn_read(e, &s.t);
  if (err) return err;
  ov_arena_init(&s.arena, ROW_ARENA_BYTES);
  scrub_all(&s);
  ov_arena_free(&s.arena);
  sv_txn_abort(s.t);
  return 0;
}
