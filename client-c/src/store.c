/* A store: open and close, what it knows of itself, what its status is. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "oc_internal.h"
#include "oc_text.h"

const char *oc_version(void) { return OV_VERSION; }

const char *oc_err_name(int err) {
  static const char *const names[] = {
      [0] = "ok",         [3] = "invalid",    [4] = "not_found", [5] = "store",
      [6] = "locked",     [7] = "full",       [8] = "net",       [9] = "refused",
      [10] = "busy",      [11] = "cancelled", [12] = "enrol",    [13] = "conflict",
      [14] = "no_memory", [15] = "internal",  [16] = "lease",    [17] = "closed"};
  int i = -err;
  return i >= 0 && i < (int)(sizeof names / sizeof names[0]) && names[i] ? names[i] : "internal";
}

void oc_free(void *p) { free(p); }

int oc_say(oc_error *e, int err, const char *fmt, ...) {
  if (!e) return err;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(e->message, sizeof e->message, fmt, ap);
  va_end(ap);
  oc_whole_chars(e->message);
  e->err = err;
  e->message_nl[0] = 0;
  return err;
}

int oc_say_nl(oc_error *e, const char *fmt, ...) {
  if (!e) return 0;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(e->message_nl, sizeof e->message_nl, fmt, ap);
  va_end(ap);
  oc_whole_chars(e->message_nl);
  return e->err;
}

static int class_of(int ov) {
  switch (ov) {
  case OV_E_NOTFOUND: return OC_E_NOTFOUND;
  case OV_E_LOCKED: return OC_E_LOCKED;
  case OV_E_FULL:
  case OV_E_SPACE: return OC_E_FULL;
  case OV_E_NOMEM: return OC_E_NOMEM;
  case OV_E_CORRUPT:
  case OV_E_NEWER:
  case OV_E_IO: return OC_E_STORE;
  case OV_E_NET:
  case OV_E_TIMEOUT:
  case OV_E_SHUTDOWN: return OC_E_NET;
  case OV_E_BUSY:
  case OV_E_READONLY:
  case OV_E_FLOOD: return OC_E_BUSY;
  case OV_E_CANCELLED: return OC_E_CANCELLED;
  case OV_E_INVALID:
  case OV_E_OP_FORMAT:
  case OV_E_OP_LIMIT: return OC_E_INVALID;
  case OV_E_INTERNAL: return OC_E_INTERNAL;
  case OV_E_DENIED: return OC_E_CLOSED;
  /* what the other side says, also in a later version, is no bug of ours */
  default: return ov <= -1 && ov >= -99 ? OC_E_REFUSED : OC_E_INTERNAL;
  }
}

int oc_from_ov(oc_error *e, int ov) {
  if (!ov) return 0;
  int err = class_of(ov);
  if (e && e->err && e->message[0]) return e->err;
  if (err == OC_E_CLOSED) return oc_strict_say(e);
  return oc_say(e, err, "%s", ov_err_text(ov));
}

int64_t oc_now_ms(const oc_store *s) {
  if (s->o.now_ms) return s->o.now_ms(s->o.ctx);
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int oc_random(const oc_store *s, void *p, size_t n) {
  if (s->o.random) return s->o.random(s->o.ctx, p, n) ? OV_E_CRYPTO : 0;
  return RAND_bytes(p, (int)n) == 1 ? 0 : OV_E_CRYPTO;
}

static int random_fn(void *ctx, void *p, size_t n) { return oc_random(ctx, p, n); }

/* -- self: one row, MessagePack, so that later versions can add to its end ------------------------------- */

enum { SELF_PARTS = 26 };

static void encode_self(const oc_self *m, ov_buf *b) {
  ov_mpw_array(b, SELF_PARTS);
  ov_mpw_bool(b, m->enrolled);
  ov_mpw_bool(b, m->revoked);
  ov_mpw_bool(b, m->forked);
  ov_mpw_bool(b, m->new_writer);
  ov_mpw_bin(b, m->device.b, OV_ID_BYTES);
  ov_mpw_bin(b, m->organisation.b, OV_ID_BYTES);
  ov_mpw_bin(b, m->server.b, OV_ID_BYTES);
  ov_mpw_bin(b, m->server_pubkey, OV_PUBKEY_BYTES);
  ov_mpw_bin(b, m->device_scalar, OV_KEY_BYTES);
  uint8_t name[OV_NAME_BYTES];
  ov_name_write(&m->device_record, name);
  ov_mpw_bin(b, name, sizeof name);
  ov_mpw_bool(b, m->has_pin);
  ov_mpw_bin(b, m->pin, OV_HASH_BYTES);
  ov_mpw_array(b, 2 * m->n_scopes);
  for (uint32_t i = 0; i < m->n_scopes; i++) {
    ov_mpw_uint(b, m->scopes[i].scope);
    ov_mpw_bin(b, m->scopes[i].key, OV_KEY_BYTES);
  }
  ov_mpw_bin(b, m->writer.b, OV_ID_BYTES);
  ov_mpw_uint(b, m->last.seq);
  ov_mpw_bin(b, m->last.head.b, OV_HASH_BYTES);
  ov_mpw_cstr(b, m->url);
  ov_mpw_cstr(b, m->zone);
  ov_mpw_int(b, m->last_sync_ms);
  ov_mpw_int(b, m->retry_at_ms);
  ov_mpw_int(b, m->server_time_ms);
  ov_mpw_int(b, m->clock_offset_ms);
  ov_mpw_int(b, m->purged_ms);
  ov_mpw_int(b, m->seen_ms);
  ov_mpw_uint(b, m->lease_days);
  ov_mpw_nil(b);
}

static void read_text(ov_mpr *r, char *out, size_t cap) {
  uint32_t n = 0;
  const uint8_t *p = ov_mpr_str(r, &n);
  if (n >= cap) ov_mpr_fail(r, OV_E_FORMAT);
  if (r->err) return;
  memcpy(out, p, n);
  out[n] = 0;
}

static int decode_self(const uint8_t *p, size_t n, oc_self *m) {
  ov_mpr r;
  uint8_t name[OV_NAME_BYTES];
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, SELF_PARTS);
  m->enrolled = ov_mpr_bool(&r);
  m->revoked = ov_mpr_bool(&r);
  m->forked = ov_mpr_bool(&r);
  m->new_writer = ov_mpr_bool(&r);
  ov_mpr_bytes(&r, m->device.b, OV_ID_BYTES);
  ov_mpr_bytes(&r, m->organisation.b, OV_ID_BYTES);
  ov_mpr_bytes(&r, m->server.b, OV_ID_BYTES);
  ov_mpr_bytes(&r, m->server_pubkey, OV_PUBKEY_BYTES);
  ov_mpr_bytes(&r, m->device_scalar, OV_KEY_BYTES);
  ov_mpr_bytes(&r, name, sizeof name);
  if (!r.err) ov_name_read(name, &m->device_record);
  m->has_pin = ov_mpr_bool(&r);
  ov_mpr_bytes(&r, m->pin, OV_HASH_BYTES);
  m->n_scopes = ov_mpr_array(&r) / 2;
  if (m->n_scopes > OV_SCOPES_MAX) ov_mpr_fail(&r, OV_E_FORMAT);
  for (uint32_t i = 0; !r.err && i < m->n_scopes; i++) {
    m->scopes[i].scope = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
    ov_mpr_bytes(&r, m->scopes[i].key, OV_KEY_BYTES);
  }
  ov_mpr_bytes(&r, m->writer.b, OV_ID_BYTES);
  m->last.seq = ov_mpr_uint(&r, OV_SEQ_MAX);
  ov_mpr_bytes(&r, m->last.head.b, OV_HASH_BYTES);
  read_text(&r, m->url, sizeof m->url);
  read_text(&r, m->zone, sizeof m->zone);
  m->last_sync_ms = ov_mpr_int(&r);
  m->retry_at_ms = ov_mpr_int(&r);
  m->server_time_ms = ov_mpr_int(&r);
  m->clock_offset_ms = ov_mpr_int(&r);
  m->purged_ms = ov_mpr_int(&r);
  m->seen_ms = ov_mpr_int(&r);
  m->lease_days = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  ov_mpr_nil(&r);
  return ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
}

int oc_self_save(oc_store *s, oc_txn *t) {
  ov_buf b;
  ov_buf_init(&b, 0);
  encode_self(&s->self, &b);
  int err = b.err ? b.err : oc_put(t, OC_T_META, "self", 4, b.p, b.n);
  if (b.p) OPENSSL_cleanse(b.p, b.n);
  ov_buf_free(&b);
  return err;
}

static int load_self(oc_store *s) {
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  oc_txn *t = NULL;
  const uint8_t *p = NULL;
  size_t n = 0;
  int err = oc_txn_begin(s->db, false, &t);
  if (!err) err = oc_get(t, OC_T_META, "self", 4, &a, &p, &n);
  oc_txn_abort(t);
  if (!err) err = decode_self(p, n, &s->self);
  ov_arena_free(&a);
  if (err == OV_E_NOTFOUND) return 0;
  if (!err && s->self.enrolled) err = ov_p256_load(s->self.device_scalar, &s->key);
  return err;
}

/* -- schemas --------------------------------------------------------------------------------------------- */

/* `schema` records have day 0 in the index (they are found by kind), so the day table lists them first. */
static int add_schema(oc_store *s, oc_txn *t, const ov_name *record, ov_schemas *set, ov_arena *a) {
  oc_view v;
  int err = oc_view_get(s, t, record, a, &v);
  const ov_live *body = err ? NULL : ov_record_field(&v.rec, OV_SCHEMA_FIELD_BODY, NULL);
  if (!body || body->v.type != OV_V_BYTES) return err == OV_E_NOTFOUND ? 0 : err;
  int bad = ov_schemas_add(set, body->v.s.p, body->v.s.n, NULL);
  /* a schema newer than this program understands: its records are kept and shown as they are */
  return bad == OV_E_NOMEM ? bad : 0;
}

int oc_schemas_reload(oc_store *s) {
  ov_schemas *set = ov_schemas_new();
  ov_arena a;
  oc_txn *t = NULL;
  uint8_t prefix[6] = {0, 0, 0, 0, 0, OV_KIND_SCHEMA}, key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_arena_init(&a, 16u << 20);
  int err = set ? oc_txn_begin(s->db, false, &t) : OV_E_NOMEM;
  while (!err) {
    err = oc_next(t, OC_T_DAY, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    ov_name record;
    if (err || n != sizeof prefix + OV_NAME_BYTES) break;
    ov_name_read(key + sizeof prefix, &record);
    err = add_schema(s, t, &record, set, &a);
    ov_arena_reset(&a);
  }
  oc_txn_abort(t);
  ov_arena_free(&a);
  if (err && err != OV_E_NOTFOUND) {
    ov_schemas_free(set);
    return err;
  }
  ov_schemas_free(s->schemas);
  s->schemas = set;
  return 0;
}

/* -- open, close, status --------------------------------------------------------------------------------- */

int oc_zone_load(oc_store *s) {
  oc_zone_free(s->zone);
  s->zone = NULL;
  const char *name = s->self.zone[0] ? s->self.zone : "Europe/Amsterdam";
  int err = oc_zone_open(name, &s->zone);
  return err == OV_E_NOTFOUND ? oc_zone_open("Europe/Amsterdam", &s->zone) : err;
}

int oc_store_open(const oc_options *o, oc_store **out, oc_error *e) {
  if (e) *e = (oc_error){0};
  *out = NULL;
  oc_store *s = calloc(1, sizeof *s);
  if (!s) return oc_from_ov(e, OV_E_NOMEM);
  char why[256];
  s->o = *o;
  oc_db_options d = {.path = o->path,
                     .must_exist = o->must_exist,
                     .map_bytes_max = o->map_bytes_max,
                     .random = random_fn,
                     .random_ctx = s};
  int err = oc_db_open(&d, &s->db, why);
  if (err) oc_say(e, class_of(err), "%s", why);
  if (!err && (!(s->packer = ov_packer_new()) || !(s->hasher = ov_hasher_new()))) err = OV_E_NOMEM;
  if (!err) err = load_self(s);
  if (!err) err = oc_zone_load(s);
  if (!err) err = oc_schemas_reload(s);
  bool receipts = false;
  if (!err) err = oc_purge_finish(s, &receipts); /* of a tombstone that came just before a crash */
  if (err == OV_E_FULL) {
    /* `erasing` says so; entries are not locked up for it. After a write that failed LMDB takes nothing more
     * until the store is opened anew. */
    oc_db_close(s->db);
    s->db = NULL;
    err = oc_db_open(&d, &s->db, why);
    if (err) oc_say(e, class_of(err), "%s", why);
  }
  s->o.path = NULL; /* the caller's string */
  if (err) {
    if (e && e->err)
      oc_say_nl(e, "De gegevens op deze tablet kunnen niet worden geopend. Er is niets gewist. Vraag hulp.");
    int said = oc_from_ov(e, err);
    oc_store_close(s);
    return said;
  }
  *out = s;
  return OC_OK;
}

void oc_store_close(oc_store *s) {
  if (!s) return;
  oc_wake_close(s);
  ov_p256_free(s->key);
  ov_schemas_free(s->schemas);
  oc_zone_free(s->zone);
  ov_packer_free(s->packer);
  ov_hasher_free(s->hasher);
  oc_db_close(s->db);
  OPENSSL_cleanse(&s->self, sizeof s->self);
  free(s);
}

static void count_unsent(const ov_op *op, oc_status *out) {
  if (!out->oldest_unsent || op->device_time < out->oldest_unsent) out->oldest_unsent = op->device_time;
  if (op->kind == OV_KIND_LOOK) {
    out->looks++;
    return;
  }
  out->unsent_entries++;
  if (!out->oldest_entry || op->device_time < out->oldest_entry) out->oldest_entry = op->device_time;
}

static int count_own(oc_store *s, oc_txn *t, oc_status *out) {
  oc_writer_row w = {0};
  int err = oc_writer_next(t, NULL, &w);
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  for (; !err; err = oc_writer_next(t, &w.writer, &w)) {
    uint64_t safe = w.safe < w.acked ? w.safe : w.acked;
    out->unsent += w.last - w.acked;
    out->on_server += w.acked - safe;
    out->safe += safe;
    for (uint64_t seq = w.acked + 1; seq <= w.last; seq++) {
      oc_log_row row = {0};
      ov_arena_reset(&a);
      if (oc_log_get(t, &w.writer, seq, &a, &row)) out->unsent_entries++;
      else count_unsent(&row.op, out);
    }
  }
  ov_arena_free(&a);
  (void)s;
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int count_rows(oc_txn *t, oc_status *out) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_arena a;
  ov_arena_init(&a, 1u << 16);
  int err = 0;
  while (!err) {
    err = oc_next(t, OC_T_ROW, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    ov_name record;
    oc_row row;
    if (err) break;
    ov_name_read(key, &record);
    err = oc_row_get(t, &record, &a, &row);
    if (!err) out->conflicts += (row.flags & OC_ROW_CONFLICT) != 0;
    if (!err) out->attention += (row.flags & OC_ROW_ATTENTION) != 0;
    out->records++;
    ov_arena_reset(&a);
  }
  ov_arena_free(&a);
  return err == OV_E_NOTFOUND ? 0 : err;
}

int oc_status_get(oc_store *s, oc_status *out, oc_error *e) {
  if (e) *e = (oc_error){0};
  const oc_self *m = &s->self;
  *out = (oc_status){.enrolled = m->enrolled,
                     .last_sync = m->last_sync_ms / 1000,
                     .retry_at = m->retry_at_ms / 1000,
                     .clock_offset = m->clock_offset_ms / 1000,
                     .new_writer = m->new_writer || m->forked,
                     .revoked = m->revoked,
                     .purged = m->purged_ms / 1000,
                     .lease_until = oc_lease_until_ms(s) / 1000,
                     .lease_over = oc_lease_over(s),
                     .strict = oc_db_strict(s->db),
                     .closed = oc_db_locked(s->db)};
  ov_hex(m->device.b, OV_ID_BYTES, out->device);
  ov_hex(m->organisation.b, OV_ID_BYTES, out->organisation);
  snprintf(out->server, sizeof out->server, "%s", m->url);
  snprintf(out->zone, sizeof out->zone, "%s", m->zone);
  oc_txn *t = NULL;
  int err = oc_txn_begin(s->db, false, &t);
  if (!err) err = count_own(s, t, out);
  if (!err) err = count_rows(t, out);
  if (!err && m->enrolled && !m->revoked) err = oc_looks_count(t, &out->looks);
  if (!err) err = oc_purge_due(t, &out->erasing);
  oc_txn_abort(t);
  return oc_from_ov(e, err);
}
