/* What a line of the audit says, where the chain begins and ends, and the walk over it. The chain itself and
 * its rows are store/tab_audit.c's. */
#include "sv_audit.h"

#include <stdio.h>
#include <string.h>

#include "ov_p256.h"
#include "sv_consent.h"
#include "sv_limits.h"

#define LINE_VERSION 1
#define YEAR_MS (365LL * 86400000 + 86400000 / 4)
static const char start_key[] = "audit/start";
static const char label[] = "overdracht audit start 1";

/* -- a line ---------------------------------------------------------------------------------------------- */

static void put_text(ov_buf *b, const char *text, size_t cap) { ov_mpw_bin(b, text, strnlen(text, cap - 1)); }

static void put_name(ov_buf *b, bool has, const ov_name *name) {
  if (has) ov_mpw_name(b, name);
  else ov_mpw_nil(b);
}

static void put_id(ov_buf *b, bool has, const ov_id *id) {
  if (has) ov_mpw_bin(b, id->b, OV_ID_BYTES);
  else ov_mpw_nil(b);
}

static void encode(const sv_audit_event *e, int64_t now_ms, const ov_id *source, ov_buf *b) {
  ov_mpw_uint(b, LINE_VERSION);
  ov_mpw_uint(b, (uint64_t)e->type);
  ov_mpw_uint(b, (uint8_t)e->action);
  ov_mpw_uint(b, e->outcome);
  ov_mpw_int(b, e->time_ms ? e->time_ms : now_ms);
  ov_mpw_int(b, e->claim_ms);
  put_name(b, e->has_person, &e->person);
  ov_mpw_uint(b, e->role);
  put_id(b, e->has_device, &e->device);
  put_text(b, e->address, sizeof e->address);
  put_text(b, e->user, sizeof e->user);
  ov_mpw_bool(b, e->requestor);
  ov_mpw_uint(b, e->purpose);
  put_name(b, e->has_participant, &e->participant);
  put_name(b, e->has_object, &e->object);
  ov_mpw_uint(b, e->kind);
  ov_mpw_uint(b, e->count);
  put_text(b, e->detail, sizeof e->detail);
  ov_mpw_uint(b, e->team);
  ov_mpw_uint(b, e->consent);
  ov_mpw_bool(b, e->emergency);
  put_id(b, e->has_export, &e->export_id);
  ov_mpw_bin(b, source->b, OV_ID_BYTES);
}

static void read_text(ov_mpr *r, char *out, size_t cap) {
  uint32_t n = 0;
  const uint8_t *p = ov_mpr_bin(r, &n);
  if (n >= cap) ov_mpr_fail(r, OV_E_FORMAT);
  else if (n) memcpy(out, p, n);
}

static bool read_name(ov_mpr *r, ov_name *out) {
  if (ov_mpr_nil(r)) return false;
  ov_mpr_name(r, out);
  return true;
}

static bool read_id(ov_mpr *r, ov_id *out) {
  if (ov_mpr_nil(r)) return false;
  ov_mpr_bytes(r, out->b, OV_ID_BYTES);
  return true;
}

int sv_audit_read(const uint8_t *p, size_t n, sv_audit_event *e) {
  ov_mpr r;
  memset(e, 0, sizeof *e);
  ov_mpr_init_scanned(&r, p, n);
  if (ov_mpr_uint(&r, UINT8_MAX) != LINE_VERSION) ov_mpr_fail(&r, OV_E_FORMAT);
  e->type = (sv_audit_type)ov_mpr_uint(&r, UINT8_MAX);
  e->action = (char)ov_mpr_uint(&r, 127);
  e->outcome = (uint8_t)ov_mpr_uint(&r, UINT8_MAX);
  e->time_ms = ov_mpr_int(&r);
  e->claim_ms = ov_mpr_int(&r);
  e->has_person = read_name(&r, &e->person);
  e->role = (uint8_t)ov_mpr_uint(&r, UINT8_MAX);
  e->has_device = read_id(&r, &e->device);
  read_text(&r, e->address, sizeof e->address);
  read_text(&r, e->user, sizeof e->user);
  e->requestor = ov_mpr_bool(&r);
  e->purpose = (uint8_t)ov_mpr_uint(&r, UINT8_MAX);
  e->has_participant = read_name(&r, &e->participant);
  e->has_object = read_name(&r, &e->object);
  e->kind = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  e->count = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  read_text(&r, e->detail, sizeof e->detail);
  e->team = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  e->consent = (uint8_t)ov_mpr_uint(&r, UINT8_MAX);
  e->emergency = ov_mpr_bool(&r);
  e->has_export = read_id(&r, &e->export_id);
  ov_mpr_bytes(&r, e->source.b, OV_ID_BYTES);
  return ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
}

/* What the client agreed to then: part of the ground on which it was done. */
static uint8_t consent_of(sv_txn *t, const sv_org *org, const sv_audit_event *e, int64_t now_ms) {
  bool data = e->type >= SV_AUDIT_ENTRY && e->type <= SV_AUDIT_EXPORT;
  uint8_t bits = e->consent;
  if (!data || !e->has_participant || bits) return bits;
  sv_txn_fail(t, sv_consent_profile(t, org, &e->participant, now_ms / 1000, &bits));
  return bits;
}

int sv_audit_put(sv_txn *t, const sv_org *org, const sv_audit_event *e) {
  uint64_t seq;
  ov_buf line;
  int64_t now_ms = org->sys->now_ms(org->sys->ctx);
  sv_audit_event full = *e;
  ov_buf_init(&line, 0);
  full.consent = consent_of(t, org, e, now_ms);
  encode(&full, now_ms, &org->server, &line);
  sv_txn_fail(t, line.err);
  int err = sv_audit_add(t, line.p, line.n, e->has_participant ? &e->participant : NULL, &seq);
  ov_buf_free(&line);
  return err;
}

static int get(sv_txn *t, uint64_t seq, ov_hash *prev, ov_buf *line, sv_audit_event *out) {
  memset(out, 0, sizeof *out);
  ov_buf_reset(line);
  int err = sv_audit_line(t, seq, prev, line);
  if (!err) err = sv_audit_read(line->p, line->n, out);
  out->seq = seq;
  return err;
}

int sv_audit_get(sv_txn *t, uint64_t seq, sv_audit_event *out) {
  ov_buf line;
  ov_hash prev;
  ov_buf_init(&line, 0);
  int err = get(t, seq, &prev, &line, out);
  ov_buf_free(&line);
  return err;
}

/* -- where it begins ------------------------------------------------------------------------------------- */

static void signed_start(const sv_org *org, const sv_audit_start *s, ov_buf *b) {
  uint8_t number[16];
  for (unsigned i = 0; i < 8; i++) {
    number[i] = (uint8_t)(s->before.seq >> (56 - 8 * i));
    number[8 + i] = (uint8_t)((uint64_t)s->time_ms >> (56 - 8 * i));
  }
  ov_buf_put(b, label, sizeof label);
  ov_buf_put(b, org->id.b, OV_ID_BYTES);
  ov_buf_put(b, number, sizeof number);
  ov_buf_put(b, s->before.head.b, OV_HASH_BYTES);
}

static int put_start(sv_txn *t, sv_org *org, sv_audit_start *s) {
  ov_buf b;
  ov_buf_init(&b, 0);
  memcpy(s->pubkey, org->server_pubkey, sizeof s->pubkey);
  signed_start(org, s, &b);
  int err = b.err ? b.err : ov_p256_sign(org->sign_key, b.p, b.n, s->sig);
  ov_buf_reset(&b);
  ov_mpw_uint(&b, s->before.seq);
  ov_mpw_bin(&b, s->before.head.b, OV_HASH_BYTES);
  ov_mpw_int(&b, s->time_ms);
  ov_mpw_bin(&b, s->sig, OV_SIG_BYTES);
  ov_mpw_bin(&b, s->pubkey, OV_PUBKEY_BYTES);
  if (!err) err = b.err;
  if (!err) err = sv_meta_put(t, start_key, b.p, b.n);
  ov_buf_free(&b);
  sv_txn_fail(t, err);
  return err;
}

int sv_audit_start_get(sv_txn *t, sv_audit_start *out) {
  ov_buf b;
  ov_mpr r;
  ov_buf_init(&b, 0);
  memset(out, 0, sizeof *out);
  int err = sv_meta_get(t, start_key, &b);
  if (!err) {
    ov_mpr_init_scanned(&r, b.p, b.n);
    out->before.seq = ov_mpr_uint(&r, INT64_MAX);
    ov_mpr_bytes(&r, out->before.head.b, OV_HASH_BYTES);
    out->time_ms = ov_mpr_int(&r);
    ov_mpr_bytes(&r, out->sig, OV_SIG_BYTES);
    ov_mpr_bytes(&r, out->pubkey, OV_PUBKEY_BYTES);
    err = ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
  }
  ov_buf_free(&b);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int cut_lines(sv_txn *t, int64_t before_ms, uint32_t max, sv_audit_start *start, uint32_t *n) {
  ov_buf line;
  int err = 0;
  ov_buf_init(&line, 0);
  while (*n < max && !err) {
    sv_audit_event e;
    ov_hash prev, hash;
    uint64_t seq = start->before.seq + 1;
    err = get(t, seq, &prev, &line, &e);
    if (err || e.time_ms >= before_ms) break;
    err = sv_audit_chain(t, &prev, seq, line.p, line.n, &hash);
    if (!err) err = sv_audit_del(t, seq, e.has_participant ? &e.participant : NULL);
    start->before = (ov_head){.seq = seq, .head = hash};
    (*n)++;
  }
  ov_buf_free(&line);
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_audit_cut(sv_txn *t, sv_org *org, int64_t before_ms, uint32_t max, uint32_t *n) {
  sv_audit_start start;
  int64_t now = org->sys->now_ms(org->sys->ctx);
  *n = 0;
  if (before_ms > now - SV_AUDIT_YEARS_MIN * YEAR_MS) return OV_E_INVALID;
  int err = sv_audit_start_get(t, &start);
  if (!err) err = cut_lines(t, before_ms, max, &start, n);
  sv_txn_fail(t, err);
  if (err || !*n) return err;
  sv_audit_event e = {.type = SV_AUDIT_CUT, .action = 'D', .purpose = SV_FOR_ADMINISTRATION, .count = *n};
  snprintf(e.detail, sizeof e.detail, "lines up to %llu, past their term",
           (unsigned long long)start.before.seq);
  err = sv_audit_put(t, org, &e);
  start.time_ms = now;
  return err ? err : put_start(t, org, &start);
}

/* -- the walk -------------------------------------------------------------------------------------------- */

static void bad(sv_audit_check *c, uint64_t seq, const char *why) {
  c->done = true;
  c->bad = seq ? seq : 1;
  snprintf(c->why, sizeof c->why, "%s", why);
}

static int begin(sv_txn *t, const sv_org *org, sv_audit_check *c) {
  sv_audit_start s;
  ov_buf b;
  c->started = true;
  int err = sv_audit_start_get(t, &s);
  if (err) bad(c, 1, "the checkpoint where it begins cannot be read");
  if (err || !s.before.seq) return 0;
  ov_buf_init(&b, 0);
  signed_start(org, &s, &b);
  if (b.err || ov_p256_verify(NULL, s.pubkey, b.p, b.n, s.sig) ||
      memcmp(s.pubkey, org->server_pubkey, sizeof s.pubkey) != 0)
    bad(c, s.before.seq, "the checkpoint where it begins is not signed by this server");
  ov_buf_free(&b);
  c->at = s.before;
  return 0;
}

/* The next line follows the one before; at the end it is where the store says it ends. */
static int step(sv_txn *t, sv_audit_check *c, ov_buf *line) {
  sv_audit_event e;
  ov_hash prev, hash;
  ov_head last;
  uint64_t seq;
  int err = sv_audit_next(t, c->at.seq, &seq);
  if (err == OV_E_NOTFOUND) {
    c->done = true;
    err = sv_audit_last(t, &last);
    if (!err && (last.seq != c->at.seq || memcmp(&last.head, &c->at.head, sizeof last.head) != 0))
      bad(c, c->at.seq + 1, "lines at the end are missing");
    return err;
  }
  if (err) return err;
  if (seq != c->at.seq + 1) {
    bad(c, c->at.seq + 1, "a line is missing");
    return 0;
  }
  err = get(t, seq, &prev, line, &e);
  if (err) {
    bad(c, seq, "a line cannot be read");
    return sv_txn_error(t);
  }
  err = sv_audit_chain(t, &c->at.head, seq, line->p, line->n, &hash);
  if (memcmp(&prev, &c->at.head, sizeof prev) != 0) bad(c, seq, "a line does not follow the one before");
  c->at = (ov_head){.seq = seq, .head = hash};
  c->lines++;
  return err;
}

int sv_audit_verify(sv_txn *t, const sv_org *org, sv_audit_check *c, uint32_t max) {
  ov_buf line;
  ov_buf_init(&line, 0);
  int err = c->started ? 0 : begin(t, org, c);
  for (uint32_t i = 0; i < max && !err && !c->done; i++) err = step(t, c, &line);
  ov_buf_free(&line);
  return err;
}

/* -- names ----------------------------------------------------------------------------------------------- */

const char *sv_audit_type_name(unsigned type) {
  static const char *const names[SV_AUDIT_TYPES] = {
      "?",     "entry",   "sync",  "offline", "search", "show",   "export",   "copy",
      "enrol", "sign-in", "admin", "ruling",  "erase",  "revoke", "read-log", "cut"};
  return names[type < SV_AUDIT_TYPES ? type : 0];
}

const char *sv_audit_outcome_name(unsigned outcome) {
  switch (outcome) {
  case SV_DONE: return "done";
  case SV_HELD_BACK: return "held";
  case SV_REFUSED: return "refused";
  case SV_FAILED: return "failed";
  default: return "?";
  }
}

const char *sv_audit_purpose_name(unsigned purpose) {
  static const char *const names[] = {"", "care", "administration", "research", "client rights", "operation"};
  return names[purpose <= SV_FOR_OPERATION ? purpose : 0];
}
