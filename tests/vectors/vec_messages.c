/* messages.json: every message, least and full, as plain bytes and as a frame; signatures.json: what is
 * signed, byte by byte. */
#include <stdio.h>
#include <string.h>

#include "vec.h"

#define SERVER_NAME "zorg.example"
#define HELLO_MS 1763800100123
#define BASE_S 1763800100

typedef struct story {
  vec *v;
  ov_id organisation, device, writer, server;
  ov_op ops[3];
  ov_hash before, after;
  ov_buf rows;
  uint8_t hello_sig[2][OV_SIG_BYTES], proof_sig[OV_SIG_BYTES], push_sig[OV_SIG_BYTES],
      ack_sig[2][OV_SIG_BYTES];
  json_t *signatures;
} story;

static void fill(uint8_t *p, size_t n, uint8_t first) {
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(first + i);
}

static void chain_ops(story *s) {
  uint8_t key[OV_KEY_BYTES];
  memset(key, 0x33, sizeof key);
  ov_buf scratch;
  ov_buf_init(&scratch, 0);
  const ov_field night[] = {{2, ov_int(20414)}, {40, ov_text("rustige nacht")}},
                 edit[] = {{40, ov_text("om 3 uur wakker")}};
  memset(s->before.b, 0x77, OV_HASH_BYTES);
  ov_hash head = s->before;
  for (uint32_t i = 0; i < 3; i++) {
    s->ops[i] = *vec_new_op(s->v, 0x10, 41 + i, i == 1 ? &s->ops[0].name : NULL, i == 1 ? edit : night,
                            i == 1 ? 1 : 2);
    s->ops[i].has_author = true;
    s->ops[i].author = vec_sample_name(0x50, 3);
    if (i == 1) vec_replace(s->v, &s->ops[1], &s->ops[0].name, 1);
    vec_need(ov_chain_op(s->v->hasher, &s->ops[i], key, &head, &scratch) == 0, "chain");
    s->ops[i].header_bytes = s->ops[i].payload_bytes = NULL;
  }
  s->after = head;
  ov_rows_ctx push = {.writer = s->writer, .first_seq = 41, .server = s->server, .base_time = BASE_S};
  ov_buf_init(&s->rows, 0);
  vec_need(ov_rows_encode(&push, s->ops, 3, &s->rows) == 0, "rows");
  ov_buf_free(&scratch);
}

/* -- the messages -- */

static ov_hello hello(story *s, bool full) {
  ov_hello m = {.version_min = 1,
                .version_max = 1,
                .device = s->device,
                .writer = s->writer,
                .own = {40, s->before},
                .time_ms = HELLO_MS,
                .credit = OV_CREDIT_DEFAULT,
                .frame_bytes = OV_FRAME_BYTES_DEFAULT};
  fill(m.nonce, sizeof m.nonce, 0xc0);
  if (!full) return m;
  m.server = s->server;
  m.n_cursors = 3;
  m.cursors = ov_arena_array(&s->v->arena, 3, sizeof *m.cursors);
  for (uint32_t i = 0; i < 3; i++) {
    m.cursors[i].scope = i;
    m.cursors[i].pos = 5000 * i + 17;
    memset(m.cursors[i].hash, (int)(0xd0 + i), OV_POSHASH_BYTES);
  }
  m.wants = OV_WANTS_LIVE;
  m.push_follows = m.closed = true;
  m.credit = 8;
  m.frame_bytes = 4096;
  return m;
}

static ov_ack ack(story *s, bool full) {
  ov_ack m = {.up_to = 43, .head = s->after, .n_receipts = full ? 2 : 1};
  m.receipts = ov_arena_array(&s->v->arena, 2, sizeof *m.receipts);
  m.receipts[0] = (ov_ack_receipt){full ? 41 : 43, 1763800100500, 377};
  m.receipts[1] = (ov_ack_receipt){43, 1763800160000, -60500};
  if (!full) return m;
  m.safe_up_to = 12;
  m.n_held = 2;
  m.held = ov_arena_array(&s->v->arena, 2, sizeof *m.held);
  m.held[0] = (ov_ack_held){41, OV_HELD_RANGE};
  m.held[1] = (ov_ack_held){43, OV_HELD_AUTHOR};
  m.refused = true;
  m.refused_seq = 44;
  m.refused_err = OV_E_OP_FORMAT;
  return m;
}

static void lists(story *s, ov_head **tips, uint32_t *n_tips, ov_rung **ladder, uint32_t *n_ladder) {
  static const uint64_t seqs[] = {40, 39, 37, 33, 25, 9};
  *n_tips = 2;
  *tips = ov_arena_array(&s->v->arena, 2, sizeof **tips);
  (*tips)[0].seq = 40;
  (*tips)[1].seq = 31;
  *n_ladder = sizeof seqs / sizeof *seqs;
  *ladder = ov_arena_array(&s->v->arena, *n_ladder, sizeof **ladder);
  for (uint32_t i = 0; i < *n_ladder; i++) {
    (*ladder)[i].seq = seqs[i];
    memset((*ladder)[i].head, (int)(0x60 + i), 8);
  }
  memset((*tips)[0].head.b, 0x60, OV_HASH_BYTES);
  memset((*tips)[1].head.b, 0x6f, OV_HASH_BYTES);
}

static ov_delta_rec *records(story *s) {
  ov_delta_rec *recs = ov_arena_array(&s->v->arena, 3, sizeof *recs);
  ov_fold_in in[2] = {
      {.op = &s->ops[0], .verdict = OV_APPLIED, .server_time = BASE_S, .clock_offset = 400},
      {.op = &s->ops[1], .verdict = OV_APPLIED, .server_time = BASE_S + 1, .clock_offset = 400}};
  vec_need(ov_fold(in, 2, &s->v->arena, &recs[0].rec) == 0, "fold");
  in[0].op = &s->ops[2];
  vec_need(ov_fold(in, 1, &s->v->arena, &recs[1].rec) == 0, "fold");
  ov_op *held = ov_op_dup(&s->ops[2], &s->v->arena), *applied = ov_op_dup(&s->ops[2], &s->v->arena);
  held->name = held->record = vec_sample_name(0x20, 5);
  applied->name = vec_sample_name(0x20, 6);
  applied->creates = false;
  applied->record = held->name;
  in[0] = (ov_fold_in){.op = held, .verdict = OV_HELD, .reason = OV_HELD_RANGE, .server_time = BASE_S};
  in[1] = (ov_fold_in){.op = applied, .verdict = OV_APPLIED, .server_time = BASE_S};
  vec_need(ov_fold(in, 2, &s->v->arena, &recs[2].rec) == 0, "fold");
  recs[0].changed = recs[1].changed = BASE_S - 20;
  recs[2].changed = BASE_S - 5;
  return recs;
}

static void make_enrol(story *s, bool full, ov_enrol *m) {
  *m = (ov_enrol){.version_min = 1,
                  .version_max = 1,
                  .code = "7K3M-QX9F-0AB2",
                  .code_len = 14,
                  .device_name = full ? "Tablet nacht" : "",
                  .device_name_len = full ? 12 : 0};
  ov_p256_public(s->v->device_key, m->pubkey);
}

static void make_enrolled(story *s, bool full, ov_enrolled *m) {
  *m = (ov_enrolled){.version = 1,
                     .device = s->device,
                     .organisation = s->organisation,
                     .server = s->server,
                     .device_record = vec_sample_name(0x50, 12),
                     .n_scopes = full ? 2 : 1,
                     .has_pin = full,
                     .time_ms = HELLO_MS,
                     .zone = "Europe/Amsterdam",
                     .zone_len = 16};
  ov_p256_public(s->v->server_key, m->server_pubkey);
  m->scopes = ov_arena_array(&s->v->arena, 2, sizeof *m->scopes);
  m->scopes[0].scope = 1;
  m->scopes[1].scope = 2;
  memset(m->scopes[0].key, 0x55, OV_KEY_BYTES);
  memset(m->scopes[1].key, 0x33, OV_KEY_BYTES);
  memset(m->pin, 0x9a, full ? OV_HASH_BYTES : 0);
}

static void make_welcome(story *s, bool full, ov_welcome *m) {
  *m = (ov_welcome){.version = 1,
                    .server = s->server,
                    .time_ms = 1763800100500,
                    .credit = OV_CREDIT_DEFAULT,
                    .frame_bytes = OV_FRAME_BYTES_DEFAULT,
                    .safe_up_to = full ? 12 : 0};
  if (full) {
    m->own = OV_OWN_LADDER;
    lists(s, &m->tips, &m->n_tips, &m->ladder, &m->n_ladder);
    m->n_scopes = 3;
    m->scopes = ov_arena_array(&s->v->arena, 3, sizeof *m->scopes);
    m->scopes[0] = (ov_scope_status){1, OV_SCOPE_REFETCH};
    m->scopes[1] = (ov_scope_status){3, OV_SCOPE_NEW};
    m->scopes[2] = (ov_scope_status){2, OV_SCOPE_GONE};
    m->frame_bytes = 4096;
    m->credit = 8;
    m->retry_s = 90;
    m->strict = m->has_share = true;
    memset(m->share, 0x77, OV_KEY_BYTES);
  }
}

static void make_push(story *s, bool full, ov_push *m) {
  *m = (ov_push){.first_seq = 41,
                 .rows = s->rows.p,
                 .rows_len = s->rows.n,
                 .more = full,
                 .has_prev = full,
                 .prev = s->before,
                 .n_keys = full ? 1 : 0};
  memcpy(m->sig, s->push_sig, OV_SIG_BYTES);
  m->keys = ov_arena_array(&s->v->arena, 1, sizeof *m->keys);
  m->keys[0].participant = vec_sample_name(0x50, 9);
  memset(m->keys[0].key, 0x44, OV_KEY_BYTES);
}

static void make_delta(story *s, bool full, ov_delta *m) {
  *m = (ov_delta){.scope = 2, .from = 10017, .to = full ? 10020 : 10017, .more = full, .time = BASE_S};
  memset(m->hash, 0xd2, OV_POSHASH_BYTES);
  if (full) {
    m->records = records(s);
    m->n_records = 3;
    m->n_gone = 1;
    m->gone = ov_arena_array(&s->v->arena, 1, sizeof *m->gone);
    m->gone[0] = vec_sample_name(0x20, 2);
  }
}

static void make_acked(story *s, bool full, ov_acked *m) {
  m->n_cursors = full ? 2 : 0;
  m->cursors = ov_arena_array(&s->v->arena, 2, sizeof *m->cursors);
  m->cursors[0] = (ov_cursor){.scope = 0, .pos = 17};
  m->cursors[1] = (ov_cursor){.scope = 2, .pos = 10020};
}

static void make_error(story *s, bool full, ov_error *m) {
  *m = (ov_error){.err = full ? OV_E_BRANCH : OV_E_BUSY};
  if (full) {
    m->seq = 41;
    m->retry_s = 20;
    m->text = "the head before this push is not stored";
    m->text_len = 39;
    lists(s, &m->tips, &m->n_tips, &m->ladder, &m->n_ladder);
    m->n_names = 1;
    m->names = ov_arena_array(&s->v->arena, 1, sizeof *m->names);
    m->names[0] = vec_sample_name(0x50, 9);
  }
}

static ov_msg make(story *s, ov_msg_type type, bool full) {
  ov_msg m = {.type = type};
  switch (type) {
  case OV_M_ENROL: make_enrol(s, full, &m.enrol); break;
  case OV_M_ENROLLED: make_enrolled(s, full, &m.enrolled); break;
  case OV_M_HELLO:
    m.hello = hello(s, full);
    memcpy(m.hello.sig, s->hello_sig[full], OV_SIG_BYTES);
    break;
  case OV_M_WELCOME: make_welcome(s, full, &m.welcome); break;
  case OV_M_CHALLENGE:
    m.challenge.time_ms = 1763800100500;
    fill(m.challenge.nonce, sizeof m.challenge.nonce, 0xe0);
    break;
  case OV_M_PROOF: memcpy(m.proof.sig, s->proof_sig, OV_SIG_BYTES); break;
  case OV_M_PUSH: make_push(s, full, &m.push); break;
  case OV_M_ACK:
    m.ack = ack(s, full);
    memcpy(m.ack.sig, s->ack_sig[full], OV_SIG_BYTES);
    break;
  case OV_M_DELTA: make_delta(s, full, &m.delta); break;
  case OV_M_ACKED: make_acked(s, full, &m.acked); break;
  case OV_M_BYE: m.bye = full ? (ov_bye){OV_E_SHUTDOWN, 30} : (ov_bye){0}; break;
  case OV_M_ERROR: make_error(s, full, &m.error); break;
  default: break;
  }
  return m;
}

static void encode(story *s, const ov_msg *m, ov_buf *out) {
  ov_rows_ctx ctx = {.named = true, .writer = s->server, .server = s->server};
  ov_buf body;
  ov_buf_init(&body, 0);
  switch (m->type) {
  case OV_M_ENROL: ov_enrol_encode(&m->enrol, out); break;
  case OV_M_ENROLLED: ov_enrolled_encode(&m->enrolled, out); break;
  case OV_M_HELLO:
    ov_hello_body(&m->hello, &body);
    ov_hello_encode(body.p, body.n, m->hello.sig, out);
    break;
  case OV_M_WELCOME: ov_welcome_encode(&m->welcome, out); break;
  case OV_M_CHALLENGE: ov_challenge_encode(&m->challenge, out); break;
  case OV_M_PROOF: ov_proof_encode(&m->proof, out); break;
  case OV_M_PUSH: ov_push_encode(&m->push, out); break;
  case OV_M_ACK:
    ov_ack_body(&m->ack, &body);
    ov_ack_encode(body.p, body.n, m->ack.sig, out);
    break;
  case OV_M_DELTA: vec_need(ov_delta_encode(&ctx, &m->delta, &s->v->arena, out) == 0, "DELTA"); break;
  case OV_M_ACKED: ov_acked_encode(&m->acked, out); break;
  case OV_M_BYE: ov_bye_encode(&m->bye, out); break;
  case OV_M_ERROR: ov_error_encode(&m->error, out); break;
  default: ov_synced_encode(out); break;
  }
  vec_need(out->err == 0, "message");
  ov_buf_free(&body);
}

/* -- as JSON -- */

static json_t *id(const ov_id *i) { return vec_hex(i->b, OV_ID_BYTES); }
static json_t *num(uint64_t n) { return json_integer((json_int_t)n); }
static json_t *text(const char *p, uint32_t n) { return json_stringn(p ? p : "", n); }

static json_t *heads_json(const ov_head *h, uint32_t n) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < n; i++)
    json_array_append_new(
        a, json_pack("{s:o, s:o}", "seq", num(h[i].seq), "head", vec_hex(h[i].head.b, OV_HASH_BYTES)));
  return a;
}

static json_t *ladder_json(const ov_rung *r, uint32_t n) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < n; i++)
    json_array_append_new(a, json_pack("{s:o, s:o}", "seq", num(r[i].seq), "head", vec_hex(r[i].head, 8)));
  return a;
}

static json_t *cursors_json(const ov_cursor *c, uint32_t n, bool hash) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < n; i++) {
    json_t *j = json_pack("{s:o, s:o}", "scope", num(c[i].scope), "pos", num(c[i].pos));
    if (hash) json_object_set_new(j, "hash", vec_hex(c[i].hash, OV_POSHASH_BYTES));
    json_array_append_new(a, j);
  }
  return a;
}

static json_t *hello_json(const ov_hello *m) {
  return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:b, s:b, s:b, s:i, s:i, s:o}",
                   "version_min", (int)m->version_min, "version_max", (int)m->version_max, "device",
                   id(&m->device), "writer", id(&m->writer), "own_seq", num(m->own.seq), "own_head",
                   vec_hex(m->own.head.b, OV_HASH_BYTES), "server",
                   ov_id_is_zero(&m->server) ? json_null() : id(&m->server), "cursors",
                   cursors_json(m->cursors, m->n_cursors, true), "time_ms", (json_int_t)m->time_ms, "nonce",
                   vec_hex(m->nonce, sizeof m->nonce), "live", (int)(m->wants == OV_WANTS_LIVE),
                   "push_follows", (int)m->push_follows, "closed", (int)m->closed, "credit", (int)m->credit,
                   "frame_bytes", (int)m->frame_bytes, "signature", vec_hex(m->sig, OV_SIG_BYTES));
}

static json_t *welcome_json(const ov_welcome *m) {
  static const char *const own[] = {"same", "tips", "ladder"}, *const states[] = {"continue", "refetch",
                                                                                  "new", "gone"};
  json_t *scopes = json_array();
  for (uint32_t i = 0; i < m->n_scopes; i++)
    json_array_append_new(scopes, json_pack("{s:o, s:s}", "scope", num(m->scopes[i].scope), "state",
                                            states[m->scopes[i].state]));
  return json_pack("{s:i, s:o, s:I, s:s, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:b, s:o}", "version",
                   (int)m->version, "server", id(&m->server), "time_ms", (json_int_t)m->time_ms, "own",
                   own[m->own], "safe_up_to", num(m->safe_up_to), "scopes", scopes, "frame_bytes",
                   (int)m->frame_bytes, "credit", (int)m->credit, "retry_s", (int)m->retry_s, "tips",
                   heads_json(m->tips, m->n_tips), "ladder", ladder_json(m->ladder, m->n_ladder), "strict",
                   (int)m->strict, "share", m->has_share ? vec_hex(m->share, OV_KEY_BYTES) : json_null());
}

static json_t *enrolled_json(const ov_enrolled *m) {
  json_t *scopes = json_array();
  for (uint32_t i = 0; i < m->n_scopes; i++)
    json_array_append_new(scopes, json_pack("{s:o, s:o}", "scope", num(m->scopes[i].scope), "commit_key",
                                            vec_hex(m->scopes[i].key, OV_KEY_BYTES)));
  return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "version", (int)m->version, "device",
                   id(&m->device), "organisation", id(&m->organisation), "server", id(&m->server),
                   "server_key", vec_hex(m->server_pubkey, OV_PUBKEY_BYTES), "device_record",
                   vec_name(&m->device_record), "scopes", scopes, "time_ms", (json_int_t)m->time_ms, "zone",
                   text(m->zone, m->zone_len), "pin",
                   m->has_pin ? vec_hex(m->pin, OV_HASH_BYTES) : json_null());
}

static json_t *push_json(const ov_push *m) {
  json_t *keys = json_array();
  for (uint32_t i = 0; i < m->n_keys; i++)
    json_array_append_new(keys, json_pack("{s:o, s:o}", "of", vec_name(&m->keys[i].participant), "commit_key",
                                          vec_hex(m->keys[i].key, OV_KEY_BYTES)));
  return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o}", "first_seq", num(m->first_seq), "more", (int)m->more,
                   "rows", vec_hex(m->rows, m->rows_len), "signature", vec_hex(m->sig, OV_SIG_BYTES), "prev",
                   m->has_prev ? vec_hex(m->prev.b, OV_HASH_BYTES) : json_null(), "keys", keys);
}

static json_t *ack_json(const ov_ack *m) {
  json_t *receipts = json_array(), *held = json_array();
  for (uint32_t i = 0; i < m->n_receipts; i++)
    json_array_append_new(receipts, json_pack("{s:o, s:I, s:I}", "up_to", num(m->receipts[i].up_to),
                                              "server_time_ms", (json_int_t)m->receipts[i].server_time_ms,
                                              "offset_ms", (json_int_t)m->receipts[i].offset_ms));
  for (uint32_t i = 0; i < m->n_held; i++)
    json_array_append_new(
        held, json_pack("{s:o, s:i}", "seq", num(m->held[i].seq), "reason", (int)m->held[i].reason));
  return json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "up_to", num(m->up_to), "head",
      vec_hex(m->head.b, OV_HASH_BYTES), "safe_up_to", num(m->safe_up_to), "receipts", receipts, "held", held,
      "refused",
      m->refused ? json_pack("{s:o, s:s}", "seq", num(m->refused_seq), "error", ov_err_slug(m->refused_err))
                 : json_null(),
      "signature", vec_hex(m->sig, OV_SIG_BYTES));
}

static json_t *delta_json(const ov_delta *m) {
  json_t *recs = json_array(), *gone = json_array();
  for (uint32_t i = 0; i < m->n_records; i++)
    json_array_append_new(recs, json_pack("{s:I, s:o}", "changed", (json_int_t)m->records[i].changed,
                                          "record", vec_record(&m->records[i].rec)));
  for (uint32_t i = 0; i < m->n_gone; i++) json_array_append_new(gone, vec_name(&m->gone[i]));
  return json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o}", "scope", num(m->scope), "from", num(m->from),
                   "to", num(m->to), "hash", vec_hex(m->hash, OV_POSHASH_BYTES), "time", (json_int_t)m->time,
                   "more", (int)m->more, "records", recs, "gone", gone);
}

static json_t *error_json(const ov_error *m) {
  json_t *names = json_array();
  for (uint32_t i = 0; i < m->n_names; i++) json_array_append_new(names, vec_name(&m->names[i]));
  return json_pack("{s:s, s:o, s:i, s:o, s:o, s:o, s:o}", "error", ov_err_slug(m->err), "seq", num(m->seq),
                   "retry_s", (int)m->retry_s, "text", text(m->text, m->text_len), "tips",
                   heads_json(m->tips, m->n_tips), "ladder", ladder_json(m->ladder, m->n_ladder), "names",
                   names);
}

json_t *vec_message(const ov_msg *m) {
  switch (m->type) {
  case OV_M_ENROL:
    return json_pack("{s:i, s:i, s:o, s:o, s:o}", "version_min", (int)m->enrol.version_min, "version_max",
                     (int)m->enrol.version_max, "code", text(m->enrol.code, m->enrol.code_len), "public_key",
                     vec_hex(m->enrol.pubkey, OV_PUBKEY_BYTES), "device_name",
                     text(m->enrol.device_name, m->enrol.device_name_len));
  case OV_M_ENROLLED: return enrolled_json(&m->enrolled);
  case OV_M_HELLO: return hello_json(&m->hello);
  case OV_M_WELCOME: return welcome_json(&m->welcome);
  case OV_M_CHALLENGE:
    return json_pack("{s:o, s:I}", "nonce", vec_hex(m->challenge.nonce, sizeof m->challenge.nonce), "time_ms",
                     (json_int_t)m->challenge.time_ms);
  case OV_M_PROOF: return json_pack("{s:o}", "signature", vec_hex(m->proof.sig, OV_SIG_BYTES));
  case OV_M_PUSH: return push_json(&m->push);
  case OV_M_ACK: return ack_json(&m->ack);
  case OV_M_DELTA: return delta_json(&m->delta);
  case OV_M_ACKED:
    return json_pack("{s:o}", "cursors", cursors_json(m->acked.cursors, m->acked.n_cursors, false));
  case OV_M_BYE:
    return json_pack("{s:s, s:i}", "reason", ov_err_slug(m->bye.reason), "retry_s", (int)m->bye.retry_s);
  case OV_M_ERROR: return error_json(&m->error);
  default: return json_object();
  }
}

/* -- signatures -- */

static void sign(story *s, const char *name, const ov_p256 *key, ov_buf *bytes, json_t *parts,
                 uint8_t sig[OV_SIG_BYTES]) {
  uint8_t pubkey[OV_PUBKEY_BYTES];
  ov_p256_public(key, pubkey);
  vec_sign(s->v, name, key, bytes, sig);
  json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", name, "public_key",
                        vec_hex(pubkey, sizeof pubkey), "parts", parts, "signed", vec_hex(bytes->p, bytes->n),
                        "signature", vec_hex(sig, OV_SIG_BYTES));
  json_array_append_new(s->signatures, j);
  ov_buf_reset(bytes);
}

static void sign_hello(story *s, bool full, ov_buf *bytes) {
  ov_buf body;
  ov_buf_init(&body, 0);
  ov_hello m = hello(s, full);
  ov_hello_body(&m, &body);
  ov_signed_hello(bytes, SERVER_NAME, body.p, body.n);
  sign(s, full ? "hello, full" : "hello, least", s->v->device_key, bytes,
       json_pack("{s:s, s:o}", "server_name", SERVER_NAME, "body", vec_hex(body.p, body.n)),
       s->hello_sig[full]);
  if (!full) {
    ov_hash hash;
    uint8_t nonce[16];
    fill(nonce, sizeof nonce, 0xe0);
    vec_need(ov_sha256(s->v->hasher, body.p, body.n, &hash) == 0, "hash");
    ov_signed_proof(bytes, SERVER_NAME, nonce, &hash);
    sign(s, "proof", s->v->device_key, bytes,
         json_pack("{s:s, s:o, s:o}", "server_name", SERVER_NAME, "nonce", vec_hex(nonce, sizeof nonce),
                   "hello_body_hash", vec_hex(hash.b, OV_HASH_BYTES)),
         s->proof_sig);
  }
  ov_buf_free(&body);
}

static void sign_ack(story *s, bool full, ov_buf *bytes) {
  ov_buf body;
  ov_buf_init(&body, 0);
  ov_ack m = ack(s, full);
  ov_ack_body(&m, &body);
  ov_signed_ack(bytes, &s->server, &s->organisation, &s->writer, body.p, body.n);
  sign(s, full ? "ack, full" : "ack, least", s->v->server_key, bytes,
       json_pack("{s:o, s:o, s:o, s:o}", "server", id(&s->server), "organisation", id(&s->organisation),
                 "writer", id(&s->writer), "body", vec_hex(body.p, body.n)),
       s->ack_sig[full]);
  ov_buf_free(&body);
}

static void story_init(story *s, vec *v) {
  memset(s, 0, sizeof *s);
  s->v = v;
  s->organisation = vec_id(0x90);
  s->device = vec_id(0x30);
  s->writer = vec_id(0x10);
  s->server = vec_id(0x50);
  s->signatures = json_array();
  chain_ops(s);
  ov_buf bytes;
  ov_buf_init(&bytes, 0);
  sign_hello(s, false, &bytes);
  sign_hello(s, true, &bytes);
  ov_signed_push(&bytes, &s->organisation, &s->device, &s->writer, 43, &s->after);
  sign(s, "push", v->device_key, &bytes,
       json_pack("{s:o, s:o, s:o, s:i, s:o}", "organisation", id(&s->organisation), "device", id(&s->device),
                 "writer", id(&s->writer), "seq", 43, "head", vec_hex(s->after.b, OV_HASH_BYTES)),
       s->push_sig);
  sign_ack(s, false, &bytes);
  sign_ack(s, true, &bytes);
  ov_buf_free(&bytes);
}

json_t *vec_make_signatures(vec *v) {
  story s;
  story_init(&s, v);
  ov_buf_free(&s.rows);
  return s.signatures;
}

/* The checked-in frame while it still unpacks to these bytes: another zlib may compress otherwise, and that
 * is no fault. */
static json_t *frame_of(vec *v, const char *name, const ov_buf *plain) {
  json_t *old = vec_find(v->old_messages, name);
  ov_buf out;
  ov_buf_init(&out, 0);
  if (old) {
    size_t n;
    const uint8_t *frame = vec_read_hex(v, json_object_get(old, "frame"), &n);
    if (ov_frame_unpack(v->packer, frame, n, OV_FRAME_BYTES_MAX, &out) == 0 && out.n == plain->n &&
        !memcmp(out.p, plain->p, out.n)) {
      ov_buf_free(&out);
      return vec_hex(frame, n);
    }
  }
  ov_buf_free(&out);
  ov_buf_init(&out, 0);
  vec_need(ov_frame_pack(v->packer, plain->p, plain->n, &out) == 0, "frame");
  json_t *j = vec_hex(out.p, out.n);
  ov_buf_free(&out);
  return j;
}

json_t *vec_make_messages(vec *v) {
  static const char *const names[OV_M_COUNT] = {
      [OV_M_ENROL] = "ENROL",
      [OV_M_ENROLLED] = "ENROLLED",
      [OV_M_HELLO] = "HELLO",
      [OV_M_WELCOME] = "WELCOME",
      [OV_M_CHALLENGE] = "CHALLENGE",
      [OV_M_PROOF] = "PROOF",
      [OV_M_PUSH] = "PUSH",
      [OV_M_ACK] = "ACK",
      [OV_M_DELTA] = "DELTA",
      [OV_M_ACKED] = "ACKED",
      [OV_M_BYE] = "BYE",
      [OV_M_ERROR] = "ERROR",
      [OV_M_SYNCED] = "SYNCED",
  };
  json_t *out = json_array();
  story s;
  story_init(&s, v);
  for (int type = 1; type < OV_M_COUNT; type++)
    for (int full = 0; full < 2; full++) {
      if (full && (type == OV_M_CHALLENGE || type == OV_M_PROOF || type == OV_M_SYNCED)) continue;
      char name[40];
      ov_buf plain;
      ov_buf_init(&plain, 0);
      ov_msg m = make(&s, (ov_msg_type)type, full);
      encode(&s, &m, &plain);
      snprintf(name, sizeof name, "%s, %s", names[type], full ? "full" : "least");
      json_array_append_new(out, json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", name, "type", type, "fields",
                                           vec_message(&m), "plain", vec_hex(plain.p, plain.n), "frame",
                                           frame_of(v, name, &plain)));
      ov_buf_free(&plain);
    }
  ov_buf_free(&s.rows);
  json_decref(s.signatures);
  return out;
}
