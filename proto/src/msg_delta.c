/* DELTA [9, scope, from, to, hash, time s, more, rows?, [changed ...]?, [extra ...]?, [gone ...]?]
 *
 * rows      the records' rows one after the other (rows.h, named form, base time = time). Boundaries cost
 *           nothing: a row that names another record than the row before it starts the next record.
 * changed   runs of records that changed at the same server second: (number of records, time less that of the
 *           run before; for the first run less `time`). What was pushed together is one run.
 * extra     [index of the record, bits, flags?, [held name, verdict, reason ...]?, [seen name ...]?] for
 *           records that need one. bits: 1 = the creating op is not among the applied ones. flags: a bin with
 *           one byte for each op in order of names. */
#include "msg_parts.h"

#include <string.h>

enum { DELTA_MUST = 7, DELTA_MOST = 11, EXTRA_MUST = 2, EXTRA_MOST = 5, EXTRA_NOT_CREATED = 1 };

/* -- encode -- */

/* All rows of all records in one array. */
static int collect_rows(const ov_delta *m, ov_arena *a, ov_op **all, size_t *n_all) {
  ov_op **rows = ov_arena_array(a, m->n_records, sizeof *rows);
  size_t *n = ov_arena_array(a, m->n_records, sizeof *n);
  if (!rows || !n) return OV_E_NOMEM;
  *n_all = 0;
  for (uint32_t i = 0; i < m->n_records; i++) {
    const ov_record *r = &m->records[i].rec;
    if (i > 0 && ov_name_equal(&r->name, &m->records[i - 1].rec.name)) return OV_E_INVALID;
    int err = ov_record_to_rows(r, a, &rows[i], &n[i]);
    if (err) return err;
    *n_all += n[i];
    if (*n_all > OV_FRAME_ROWS_MAX) return OV_E_LIMIT;
  }
  *all = ov_arena_array(a, *n_all, sizeof **all);
  if (!*all) return OV_E_NOMEM;
  ov_op *at = *all;
  for (uint32_t i = 0; i < m->n_records; i++) {
    memcpy(at, rows[i], n[i] * sizeof **all);
    at += n[i];
  }
  return 0;
}

static int encode_rows(const ov_rows_ctx *ctx, const ov_delta *m, ov_arena *a, ov_buf *out) {
  ov_rows_ctx c = {.named = true, .writer = ctx->writer, .server = ctx->server, .base_time = m->time};
  ov_op *ops = NULL;
  size_t n = 0;
  int err = m->n_records ? collect_rows(m, a, &ops, &n) : 0;
  if (err) return err;
  ov_buf rows;
  ov_buf_init(&rows, OV_FRAME_BYTES_MAX);
  if (n) err = ov_rows_encode(&c, ops, n, &rows);
  if (!err) err = rows.err;
  if (!err) ov_mpw_bin(out, rows.p, rows.n);
  ov_buf_free(&rows);
  return err;
}

static uint32_t run_length(const ov_delta *m, uint32_t at) {
  uint32_t n = 1;
  while (at + n < m->n_records && m->records[at + n].changed == m->records[at].changed) n++;
  return n;
}

static void encode_changed(const ov_delta *m, ov_buf *out) {
  int64_t before = m->time;
  uint32_t runs = 0;
  for (uint32_t i = 0; i < m->n_records; i += run_length(m, i)) runs++;
  ov_mpw_array(out, 2 * runs);
  for (uint32_t i = 0; i < m->n_records; i += run_length(m, i)) {
    ov_mpw_uint(out, run_length(m, i));
    ov_mpw_int(out, m->records[i].changed - before);
    before = m->records[i].changed;
  }
}

static bool has_flags(const ov_record *r) {
  for (uint32_t i = 0; i < r->n_ops; i++)
    if (r->ops[i].flags) return true;
  return false;
}

/* Elements of a record's extra; 0 when it needs none. */
static uint32_t extra_elements(const ov_record *r) {
  if (r->n_seen) return 5;
  if (r->n_held) return 4;
  if (has_flags(r)) return 3;
  return r->created ? 0 : EXTRA_MUST;
}

static void encode_flags(const ov_record *r, ov_buf *out) {
  uint32_t n = has_flags(r) ? r->n_ops : 0;
  uint8_t bytes[OV_RECORD_OPS_MAX];
  for (uint32_t i = 0; i < n; i++) bytes[i] = r->ops[i].flags;
  ov_mpw_bin(out, bytes, n);
}

/* A record that somebody floods with held ops must still fit into a frame; their author hears of each in an
 * ACK. */
static void encode_held(const ov_record *r, ov_buf *out) {
  uint32_t n = r->n_held < OV_DELTA_HELD_MAX ? r->n_held : OV_DELTA_HELD_MAX;
  ov_mpw_array(out, 3 * n);
  for (uint32_t i = 0; i < n; i++) {
    ov_mpw_name(out, &r->held[i].name);
    ov_mpw_uint(out, r->held[i].verdict);
    ov_mpw_uint(out, r->held[i].reason);
  }
}

static int encode_extras(const ov_delta *m, ov_buf *out) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < m->n_records; i++) count += extra_elements(&m->records[i].rec) > 0;
  ov_mpw_array(out, count);
  for (uint32_t i = 0; i < m->n_records; i++) {
    const ov_record *r = &m->records[i].rec;
    uint32_t n = extra_elements(r);
    if (n == 0) continue;
    if (r->n_ops > OV_RECORD_OPS_MAX) return OV_E_LIMIT;
    ov_mpw_array(out, n);
    ov_mpw_uint(out, i);
    ov_mpw_uint(out, r->created ? 0 : EXTRA_NOT_CREATED);
    if (n > 2) encode_flags(r, out);
    if (n > 3) encode_held(r, out);
    if (n > 4) ov_part_names(out, r->seen, r->n_seen);
  }
  return 0;
}

static uint32_t elements(const ov_delta *m) {
  if (m->n_gone) return DELTA_MOST;
  for (uint32_t i = 0; i < m->n_records; i++)
    if (extra_elements(&m->records[i].rec)) return 10;
  return m->n_records ? 9 : DELTA_MUST;
}

static int encode(const ov_rows_ctx *ctx, const ov_delta *m, ov_arena *scratch, ov_buf *out) {
  uint32_t n = elements(m);
  int err = 0;
  ov_mpw_array(out, n);
  ov_mpw_uint(out, OV_M_DELTA);
  ov_mpw_uint(out, m->scope);
  ov_mpw_uint(out, m->from);
  ov_mpw_uint(out, m->to);
  ov_mpw_bin(out, m->hash, OV_POSHASH_BYTES);
  ov_mpw_int(out, m->time);
  ov_mpw_uint(out, m->more);
  if (n > 7) err = encode_rows(ctx, m, scratch, out);
  if (n > 8) encode_changed(m, out);
  if (n > 9 && !err) err = encode_extras(m, out);
  if (n > 10) ov_part_names(out, m->gone, m->n_gone);
  return err ? err : out->err;
}

/* PROTO-10 */
int ov_delta_encode(const ov_rows_ctx *ctx, const ov_delta *m, ov_arena *scratch, ov_buf *out) {
  if (out->err) return out->err;
  size_t start = out->n;
  int err = encode(ctx, m, scratch, out);
  if (err) {
    /* Too much is an answer, not a fault: the caller tries again with fewer records. */
    out->n = start;
    out->err = 0;
  }
  return err;
}

/* -- decode -- */

/* Cuts the rows into records, which must be exactly max. PROTO-46 */
static int fold_back(const ov_op *ops, size_t n_ops, ov_delta_rec *recs, uint32_t max, ov_arena *a) {
  uint32_t n = 0;
  for (size_t i = 0, end; i < n_ops; i = end, n++) {
    for (end = i + 1; end < n_ops && ov_name_equal(&ops[end].record, &ops[i].record);) end++;
    if (n == max) return OV_E_FORMAT;
    int err = ov_record_from_rows(ops + i, end - i, a, &recs[n].rec);
    if (err) return err == OV_E_NOMEM || err == OV_E_LIMIT ? err : OV_E_FORMAT;
  }
  return n == max ? 0 : OV_E_FORMAT;
}

static void decode_rows(ov_mcur *c, ov_delta *m, const uint8_t *rows, uint32_t rows_len) {
  ov_rows_ctx ctx = {.named = true, .base_time = m->time};
  ov_op *ops = NULL;
  size_t n = 0;
  if (c->r.err) return;
  if (c->ctx) {
    ctx.writer = c->ctx->writer;
    ctx.server = c->ctx->server;
  }
  int err = rows_len ? ov_rows_decode(&ctx, rows, rows_len, c->arena, &ops, &n) : 0;
  if (!err) err = fold_back(ops, n, m->records, m->n_records, c->arena);
  if (err) ov_mpr_fail(&c->r, err);
}

/* The records that the runs add up to; the reader goes back to where it was. */
static uint32_t count_changed(ov_mcur *c, uint32_t runs) {
  ov_mpr start = c->r;
  uint32_t n = 0;
  for (uint32_t i = 0; i < runs && !c->r.err; i++) {
    uint32_t length = (uint32_t)ov_mpr_uint(&c->r, OV_FRAME_ROWS_MAX - n);
    if (length == 0) ov_mpr_fail(&c->r, OV_E_FORMAT);
    n += length;
    ov_mpr_int(&c->r);
  }
  if (c->r.err) return 0;
  c->r = start;
  return n;
}

static void decode_changed(ov_mcur *c, ov_delta *m) {
  int64_t at = m->time;
  uint32_t runs = ov_mcur_list(c, 2, OV_FRAME_ROWS_MAX);
  m->n_records = count_changed(c, runs);
  m->records = ov_mcur_alloc(c, m->n_records, sizeof *m->records);
  ov_delta_rec *rec = m->records;
  for (uint32_t i = 0; rec && i < runs; i++) {
    uint64_t length = ov_mpr_uint(&c->r, OV_FRAME_ROWS_MAX);
    if (__builtin_add_overflow(at, ov_mpr_int(&c->r), &at)) ov_mpr_fail(&c->r, OV_E_FORMAT);
    while (length-- > 0) rec++->changed = at;
  }
}

static ov_heldop *decode_held(ov_mcur *c, uint32_t *n_held) {
  uint32_t n = ov_mcur_list(c, 3, OV_DELTA_HELD_MAX);
  ov_heldop *held = ov_mcur_alloc(c, n, sizeof *held);
  for (uint32_t i = 0; held && i < n; i++) {
    ov_mpr_name(&c->r, &held[i].name);
    held[i].verdict = (uint8_t)ov_mpr_uint(&c->r, UINT8_MAX);
    held[i].reason = (uint8_t)ov_mpr_uint(&c->r, UINT8_MAX);
  }
  *n_held = held ? n : 0;
  return held;
}

/* PROTO-47, PROTO-48 */
static void decode_extra(ov_mcur *c, ov_record *r) {
  const uint8_t *flags = NULL;
  ov_heldop *held = NULL;
  ov_name *seen = NULL;
  uint32_t n_flags = 0, n_held = 0, n_seen = 0;
  bool not_created = ov_mcur_flags(c, EXTRA_NOT_CREATED) != 0;
  if (ov_mcur_more(c)) flags = ov_mpr_bin(&c->r, &n_flags);
  if (ov_mcur_more(c)) held = decode_held(c, &n_held);
  if (ov_mcur_more(c)) seen = ov_mcur_names(c, OV_RECORD_OPS_MAX, &n_seen);
  if (!c->r.err)
    ov_mpr_fail(&c->r, ov_record_put_beside(r, not_created, flags, n_flags, held, n_held, seen, n_seen));
}

static void decode_extras(ov_mcur *c, ov_delta *m) {
  uint32_t n = ov_mcur_list(c, 1, OV_FRAME_ROWS_MAX);
  uint64_t least = 0;
  for (uint32_t i = 0; i < n && !c->r.err; i++) {
    ov_mcur e = *c; /* with its own count of optional elements */
    ov_mcur_expect(&e, ov_mpr_array(&e.r), EXTRA_MUST, EXTRA_MOST);
    uint64_t at = ov_mpr_uint(&e.r, UINT32_MAX);
    if (at < least || at >= m->n_records) ov_mpr_fail(&e.r, OV_E_FORMAT);
    if (!e.r.err) decode_extra(&e, &m->records[at].rec);
    least = at + 1;
    c->r = e.r;
  }
}

void ov_delta_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_delta *m = &msg->delta;
  const uint8_t *rows = NULL;
  uint32_t rows_len = 0;
  ov_mcur_expect(c, count, DELTA_MUST, DELTA_MOST);
  m->scope = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
  m->from = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  m->to = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  ov_mpr_bytes(&c->r, m->hash, OV_POSHASH_BYTES);
  m->time = ov_mpr_int_in(&c->r, -OV_TIME_S_MAX, OV_TIME_S_MAX);
  m->more = ov_mpr_uint(&c->r, 1) == 1;
  if (ov_mcur_more(c)) rows = ov_mpr_bin(&c->r, &rows_len);
  if (ov_mcur_more(c)) decode_changed(c, m);
  decode_rows(c, m, rows, rows_len);
  if (ov_mcur_more(c)) decode_extras(c, m);
  if (ov_mcur_more(c)) m->gone = ov_mcur_names(c, OV_FRAME_ROWS_MAX, &m->n_gone);
}
