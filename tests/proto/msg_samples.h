/* One message of every type, full and least, with real chained ops and folded records in PUSH and DELTA. For
 * tests only: every id and signature is a pattern. */
#ifndef OV_TEST_MSG_SAMPLES_H
#define OV_TEST_MSG_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ov/msg.h"

#define MAYBE __attribute__((unused))
#define SAMPLE_TIME 1763800000

static MAYBE ov_id sample_id(uint8_t fill) {
  ov_id id;
  for (unsigned i = 0; i < OV_ID_BYTES; i++) id.b[i] = (uint8_t)(fill + i * 17u);
  return id;
}

static MAYBE void sample_fill(uint8_t *p, size_t n, uint8_t seed) {
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(seed + i * 37u + i * i);
}

static MAYBE ov_name sample_name(uint8_t writer, uint64_t seq) {
  ov_name n = {.writer = sample_id(writer), .seq = seq};
  sample_fill(n.tag, sizeof n.tag, (uint8_t)(seq * 7 + writer));
  return n;
}

typedef struct samples {
  ov_arena arena;
  ov_hasher *hasher;
  ov_id writer, server, organisation;
  ov_op *ops; /* three ops of one writer, chained from seq 41: creates, edits, creates */
  ov_hash before, after;
  ov_buf push_rows;
  ov_rows_ctx delta_ctx;
} samples;

static MAYBE void samples_chain(samples *s) {
  static const uint8_t key[OV_KEY_BYTES] = {7};
  s->ops = ov_arena_array(&s->arena, 3, sizeof *s->ops);
  ov_hash head;
  sample_fill(head.b, sizeof head.b, 99);
  s->before = head;
  ov_buf scratch;
  ov_buf_init(&scratch, 0);
  for (unsigned i = 0; i < 3; i++) {
    ov_op *op = &s->ops[i];
    *op = (ov_op){.scope = 2,
                  .creates = i != 1,
                  .kind = 20,
                  .version = 1,
                  .has_author = true,
                  .author = sample_name(1, 3),
                  .has_participant = true,
                  .participant = sample_name(1, 9),
                  .device_time = SAMPLE_TIME - 3600 + 60 * i};
    op->name = (ov_name){.writer = s->writer, .seq = 41 + i};
    op->fields = ov_arena_array(&s->arena, 2, sizeof *op->fields);
    op->n_fields = 2;
    op->fields[0] = (ov_field){2, ov_int(20414 + i)};
    op->fields[1] = (ov_field){5, ov_text(i == 1 ? "twee keer wakker" : "rustige nacht")};
    if (i == 1) {
      op->record = s->ops[0].name;
      op->replaces = &s->ops[0].name;
      op->n_replaces = 1;
    }
    assert_int_equal(ov_chain_op(s->hasher, op, key, &head, &scratch), 0);
    /* The chained bytes are in the scratch buffer: they are not verbatim parts of the op. */
    op->header_bytes = op->payload_bytes = NULL;
    op->header_len = op->payload_len = 0;
  }
  s->after = head;
  ov_buf_free(&scratch);
}

static MAYBE void samples_init(samples *s) {
  memset(s, 0, sizeof *s);
  ov_arena_init(&s->arena, 8u << 20);
  s->hasher = ov_hasher_new();
  assert_non_null(s->hasher);
  s->writer = sample_id(0x10);
  s->server = sample_id(0x50);
  s->organisation = sample_id(0x90);
  s->delta_ctx = (ov_rows_ctx){.named = true, .writer = s->server, .server = s->server};
  samples_chain(s);
  ov_buf_init(&s->push_rows, 0);
  ov_rows_ctx push = {.writer = s->writer, .first_seq = 41, .server = s->server, .base_time = SAMPLE_TIME};
  assert_int_equal(ov_rows_encode(&push, s->ops, 3, &s->push_rows), 0);
}

static MAYBE void samples_free(samples *s) {
  ov_buf_free(&s->push_rows);
  ov_hasher_free(s->hasher);
  ov_arena_free(&s->arena);
}

/* Two plain records, one whose creating op is held, one retracted by a device with a suspect clock. */
static MAYBE ov_delta_rec *sample_records(samples *s, uint32_t *n) {
  ov_delta_rec *recs = ov_arena_array(&s->arena, 4, sizeof *recs);
  ov_fold_in in[4];
  for (unsigned i = 0; i < 3; i++)
    in[i] = (ov_fold_in){
        .op = &s->ops[i], .verdict = OV_APPLIED, .server_time = SAMPLE_TIME, .clock_offset = 1};
  assert_int_equal(ov_fold(in, 2, &s->arena, &recs[0].rec), 0);
  assert_int_equal(ov_fold(&in[2], 1, &s->arena, &recs[1].rec), 0);
  ov_op *held = ov_op_dup(&s->ops[0], &s->arena), *retraction = ov_op_dup(&s->ops[2], &s->arena);
  held->name = held->record = sample_name(0x20, 5);
  in[0] = (ov_fold_in){.op = held, .verdict = OV_HELD, .reason = OV_HELD_RANGE, .server_time = SAMPLE_TIME};
  assert_int_equal(ov_fold(in, 1, &s->arena, &recs[2].rec), 0);
  ov_op *created = ov_op_dup(&s->ops[2], &s->arena);
  created->name = created->record = sample_name(0x20, 6);
  retraction->name = sample_name(0x20, 7);
  retraction->creates = false;
  retraction->record = created->name;
  retraction->n_fields = 1;
  retraction->fields[0] = (ov_field){OV_FIELD_RETRACTED, ov_text("verkeerde cliënt")};
  retraction->replaces = &created->name;
  retraction->n_replaces = 1;
  in[0] = (ov_fold_in){.op = created, .verdict = OV_APPLIED, .server_time = SAMPLE_TIME};
  in[1] = (ov_fold_in){
      .op = retraction, .verdict = OV_APPLIED, .server_time = SAMPLE_TIME, .clock_offset = 9000};
  assert_int_equal(ov_fold(in, 2, &s->arena, &recs[3].rec), 0);
  recs[0].changed = recs[1].changed = SAMPLE_TIME - 100;
  recs[2].changed = SAMPLE_TIME - 40;
  recs[3].changed = SAMPLE_TIME - 41;
  *n = 4;
  return recs;
}

static MAYBE void sample_lists(samples *s, ov_head **tips, uint32_t *n_tips, ov_rung **ladder,
                               uint32_t *n_ladder) {
  *n_tips = 2;
  *tips = ov_arena_array(&s->arena, *n_tips, sizeof **tips);
  *n_ladder = 5;
  *ladder = ov_arena_array(&s->arena, *n_ladder, sizeof **ladder);
  for (uint8_t i = 0; i < 2; i++) {
    (*tips)[i].seq = 40u - i;
    sample_fill((*tips)[i].head.b, OV_HASH_BYTES, i);
  }
  for (uint8_t i = 0; i < 5; i++) {
    (*ladder)[i].seq = 40u - (1u << i) + 1u;
    sample_fill((*ladder)[i].head, 8, i);
  }
}

static MAYBE void sample_hello(samples *s, bool full, ov_hello *m) {
  *m = (ov_hello){.version_min = 1,
                  .version_max = full ? 3 : 1,
                  .device = sample_id(0x30),
                  .writer = s->writer,
                  .time_ms = 1763800000123,
                  .own = {.seq = 40, .head = s->before},
                  .credit = OV_CREDIT_DEFAULT,
                  .frame_bytes = OV_FRAME_BYTES_DEFAULT};
  sample_fill(m->nonce, sizeof m->nonce, 5);
  sample_fill(m->sig, sizeof m->sig, 6);
  if (!full) return;
  m->server = s->server;
  m->n_cursors = 3;
  m->cursors = ov_arena_array(&s->arena, 3, sizeof *m->cursors);
  for (uint8_t i = 0; i < 3; i++) {
    m->cursors[i] = (ov_cursor){.scope = i, .pos = 1000u * i + 40000u};
    sample_fill(m->cursors[i].hash, OV_POSHASH_BYTES, i);
  }
  m->wants = OV_WANTS_LIVE;
  m->push_follows = m->closed = true;
  m->credit = 8;
  m->frame_bytes = 4096;
}

static MAYBE void sample_welcome(samples *s, bool full, ov_welcome *m) {
  *m = (ov_welcome){.version = 1,
                    .server = s->server,
                    .time_ms = 1763800000456,
                    .credit = OV_CREDIT_DEFAULT,
                    .frame_bytes = OV_FRAME_BYTES_DEFAULT};
  if (!full) return;
  m->own = OV_OWN_LADDER;
  sample_lists(s, &m->tips, &m->n_tips, &m->ladder, &m->n_ladder);
  m->n_scopes = 2;
  m->scopes = ov_arena_array(&s->arena, 2, sizeof *m->scopes);
  m->scopes[0] = (ov_scope_status){1, OV_SCOPE_REFETCH};
  m->scopes[1] = (ov_scope_status){7, OV_SCOPE_NEW};
  m->safe_up_to = 38;
  m->frame_bytes = 8192;
  m->credit = 4;
  m->retry_s = 90;
  m->strict = m->has_share = true;
  sample_fill(m->share, sizeof m->share, 9);
}

static MAYBE void sample_enrolled(samples *s, bool full, ov_enrolled *m) {
  *m = (ov_enrolled){.version = 1,
                     .device = sample_id(0x30),
                     .organisation = s->organisation,
                     .server = s->server,
                     .device_record = sample_name(0x50, 12),
                     .time_ms = 1763800000000,
                     .zone = "Europe/Amsterdam",
                     .zone_len = 16,
                     .has_pin = full,
                     .n_scopes = full ? 2 : 1};
  sample_fill(m->server_pubkey, OV_PUBKEY_BYTES, 4);
  m->scopes = ov_arena_array(&s->arena, m->n_scopes, sizeof *m->scopes);
  for (uint8_t i = 0; i < m->n_scopes; i++) {
    m->scopes[i].scope = 1u + i;
    sample_fill(m->scopes[i].key, OV_KEY_BYTES, i);
  }
  if (full) sample_fill(m->pin, OV_HASH_BYTES, 77);
}

static MAYBE void sample_push(samples *s, bool full, ov_push *m) {
  *m = (ov_push){.first_seq = 41, .rows = s->push_rows.p, .rows_len = s->push_rows.n, .more = full};
  sample_fill(m->sig, sizeof m->sig, 8);
  if (!full) return;
  m->has_prev = true;
  m->prev = s->before;
  m->n_keys = 1;
  m->keys = ov_arena_array(&s->arena, 1, sizeof *m->keys);
  m->keys[0].participant = sample_name(1, 9);
  sample_fill(m->keys[0].key, OV_KEY_BYTES, 3);
}

static MAYBE void sample_ack(samples *s, bool full, ov_ack *m) {
  *m = (ov_ack){.up_to = 43, .head = s->after, .n_receipts = 1};
  m->receipts = ov_arena_array(&s->arena, 2, sizeof *m->receipts);
  m->receipts[0] = (ov_ack_receipt){43, 1763800000789, -1234};
  sample_fill(m->sig, sizeof m->sig, 9);
  if (!full) return;
  m->n_receipts = 2;
  m->receipts[0] = (ov_ack_receipt){41, 1763800009000, 400 * 86400000ll};
  m->receipts[1] = (ov_ack_receipt){43, 1763800000789, 0};
  m->safe_up_to = 12;
  m->n_held = 2;
  m->held = ov_arena_array(&s->arena, 2, sizeof *m->held);
  m->held[0] = (ov_ack_held){41, OV_HELD_RANGE};
  m->held[1] = (ov_ack_held){43, OV_HELD_AUTHOR};
  m->refused = true;
  m->refused_seq = 44;
  m->refused_err = OV_E_OP_FORMAT;
}

static MAYBE void sample_delta(samples *s, bool full, ov_delta *m) {
  *m = (ov_delta){.scope = 2, .from = 40000, .to = full ? 40004 : 40000, .time = SAMPLE_TIME};
  sample_fill(m->hash, sizeof m->hash, 1);
  if (!full) return;
  m->more = true;
  m->records = sample_records(s, &m->n_records);
  m->n_gone = 2;
  m->gone = ov_arena_array(&s->arena, 2, sizeof *m->gone);
  m->gone[0] = sample_name(0x10, 4);
  m->gone[1] = sample_name(0x20, 9);
}

static MAYBE void sample_error(samples *s, bool full, ov_error *m) {
  *m = (ov_error){.err = OV_E_BUSY};
  if (!full) return;
  *m = (ov_error){
      .err = OV_E_BRANCH, .seq = 41, .retry_s = 30, .text = "het vorige hoofd is onbekend", .text_len = 28};
  sample_lists(s, &m->tips, &m->n_tips, &m->ladder, &m->n_ladder);
  m->n_names = 1;
  m->names = ov_arena_array(&s->arena, 1, sizeof *m->names);
  m->names[0] = sample_name(1, 9);
}

/* The message of a type; full: every optional part is there. */
static MAYBE ov_msg sample_msg(samples *s, ov_msg_type type, bool full) {
  ov_msg m = {.type = type};
  switch (type) {
  case OV_M_ENROL:
    m.enrol = (ov_enrol){.version_min = 1,
                         .version_max = 1,
                         .code = full ? "ABCD-EFGH-JK" : "",
                         .code_len = full ? 12 : 0,
                         .device_name = full ? "Tablet nachtdienst" : "",
                         .device_name_len = full ? 18 : 0};
    sample_fill(m.enrol.pubkey, OV_PUBKEY_BYTES, 2);
    break;
  case OV_M_ENROLLED: sample_enrolled(s, full, &m.enrolled); break;
  case OV_M_HELLO: sample_hello(s, full, &m.hello); break;
  case OV_M_WELCOME: sample_welcome(s, full, &m.welcome); break;
  case OV_M_CHALLENGE:
    m.challenge.time_ms = 1763800000456;
    sample_fill(m.challenge.nonce, sizeof m.challenge.nonce, 11);
    break;
  case OV_M_PROOF: sample_fill(m.proof.sig, OV_SIG_BYTES, 12); break;
  case OV_M_PUSH: sample_push(s, full, &m.push); break;
  case OV_M_ACK: sample_ack(s, full, &m.ack); break;
  case OV_M_DELTA: sample_delta(s, full, &m.delta); break;
  case OV_M_ACKED:
    m.acked.n_cursors = full ? 1 : 0;
    m.acked.cursors = ov_arena_array(&s->arena, 1, sizeof *m.acked.cursors);
    m.acked.cursors[0] = (ov_cursor){.scope = 2, .pos = 40004};
    break;
  case OV_M_BYE: m.bye = full ? (ov_bye){OV_E_SHUTDOWN, 30} : (ov_bye){0}; break;
  case OV_M_ERROR: sample_error(s, full, &m.error); break;
  default: break;
  }
  return m;
}

/* Encodes a struct; HELLO and ACK with the signature they carry. */
static MAYBE void sample_encode(samples *s, const ov_msg *m, ov_buf *out) {
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
  case OV_M_DELTA: assert_int_equal(ov_delta_encode(&s->delta_ctx, &m->delta, &s->arena, out), 0); break;
  case OV_M_ACKED: ov_acked_encode(&m->acked, out); break;
  case OV_M_BYE: ov_bye_encode(&m->bye, out); break;
  case OV_M_ERROR: ov_error_encode(&m->error, out); break;
  case OV_M_SYNCED: ov_synced_encode(out); break;
  default: fail();
  }
  ov_buf_free(&body);
  assert_int_equal(out->err, 0);
}

#endif
