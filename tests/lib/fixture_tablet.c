/* Tablets: logs written and pushed as a client would. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void start_log(fx_tablet *t) {
  FX_OK(t->w->sys.random(t->w, t->writer.b, OV_ID_BYTES));
  t->n = 0;
  t->heads = realloc(t->heads, sizeof *t->heads);
  FX_MUST(t->heads);
  FX_OK(ov_chain_start(t->w->hasher, &t->org->id, &t->writer, &t->heads[0]));
  t->cap = 0;
}

fx_tablet *fx_tablet_new(fx_world *w, sv_org *org, const uint32_t *teams, uint32_t n, const ov_name *author) {
  fx_tablet *t = calloc(1, sizeof *t);
  FX_MUST(t);
  t->w = w;
  t->org = org;
  t->scope = n ? teams[0] : 1;
  if (author) t->author = *author;
  FX_OK(ov_p256_generate(&t->key));
  int64_t v[OV_SCOPES_MAX];
  for (uint32_t i = 0; i < n; i++) v[i] = teams[i];
  ov_field f[] = {fx_text(SV_DEVICE_NAME, "tablet"), fx_set(w, SV_DEVICE_TEAMS, v, n, NULL, 0),
                  FX_INT(SV_DEVICE_STATUS, 1)};
  t->device.record = fx_local(
      w, org,
      (ov_op){.scope = 1, .creates = true, .kind = OV_KIND_DEVICE, .version = 1, .fields = f, .n_fields = 3},
      NULL);
  FX_OK(w->sys.random(w, t->device.id.b, OV_ID_BYTES));
  ov_p256_public(t->key, t->device.pubkey);
  t->device.organisation = org->id;
  t->device.enrolled_ms = w->now_ms;
  sv_txn *txn = NULL;
  FX_OK(sv_txn_write(org->env, &txn));
  FX_OK(sv_device_record_teams(txn, &t->device.record, &w->arena, t->device.teams, &t->device.n_teams));
  FX_OK(sv_device_put(txn, &t->device));
  FX_OK(sv_txn_commit(txn));
  start_log(t);
  return t;
}

fx_tablet *fx_tablet_clone(const fx_tablet *t) {
  fx_tablet *c = calloc(1, sizeof *c);
  FX_MUST(c);
  *c = *t;
  c->shared_key = true;
  c->ops = calloc(t->cap + 1, sizeof *c->ops);
  c->heads = calloc(t->cap + 1, sizeof *c->heads);
  FX_MUST(c->ops && c->heads);
  for (uint32_t i = 0; i < t->n; i++) c->ops[i] = t->ops[i];
  memcpy(c->heads, t->heads, (t->n + 1) * sizeof *c->heads);
  return c;
}

void fx_tablet_new_writer(fx_tablet *t) { start_log(t); }

void fx_tablet_free(fx_tablet *t) {
  if (!t) return;
  if (!t->shared_key) ov_p256_free(t->key);
  free(t->ops);
  free(t->heads);
  free(t);
}

/* -- writing ----------------------------------------------------------------------------------- */

static void find_key(const fx_tablet *t, const ov_op *op, uint8_t key[OV_KEY_BYTES]) {
  ov_name id = {0};
  uint32_t scope = 0;
  sv_key_type type = SV_KEY_COMMIT_ORG;
  memset(key, 0, OV_KEY_BYTES);
  switch (ov_chain_key_owner(op, &id, &scope)) {
  case OV_KEYOF_ZERO: return;
  case OV_KEYOF_PARTICIPANT: type = SV_KEY_COMMIT_PARTICIPANT; break;
  case OV_KEYOF_TEAM:
    type = SV_KEY_COMMIT_TEAM;
    id.seq = scope;
    break;
  case OV_KEYOF_ORGANISATION: break;
  }
  for (uint32_t i = 0; i < t->n_keys; i++) {
    if (!ov_name_equal(&t->keys[i].participant, &id)) continue;
    memcpy(key, t->keys[i].key, OV_KEY_BYTES);
    return;
  }
  bool own = type == SV_KEY_COMMIT_PARTICIPANT && ov_id_equal(&id.writer, &t->writer) && id.seq <= t->n;
  const ov_field *f = own ? ov_op_field(t->ops[id.seq - 1], SV_PARTICIPANT_KEY) : NULL;
  if (f) { /* one that this tablet made itself */
    memcpy(key, f->v.s.p, OV_KEY_BYTES);
    return;
  }
  FX_OK(sv_keyring_get(t->org->keyring, type, &id, key));
}

static void room(fx_tablet *t) {
  if (t->n < t->cap) return;
  t->cap = t->cap ? t->cap * 2 : 64;
  t->ops = realloc(t->ops, t->cap * sizeof *t->ops);
  t->heads = realloc(t->heads, (t->cap + 1) * sizeof *t->heads);
  FX_MUST(t->ops && t->heads);
}

ov_name fx_add(fx_tablet *t, ov_op op) {
  uint8_t key[OV_KEY_BYTES];
  ov_buf b;
  ov_buf_init(&b, 0);
  room(t);
  op.name = (ov_name){.writer = t->writer, .seq = t->n + 1};
  if (op.device_time == 0) op.device_time = t->w->now_ms / 1000 + t->clock_off_s;
  if (!op.has_author && !ov_name_is_zero(&t->author)) {
    op.has_author = true;
    op.author = t->author;
  }
  ov_op *own = ov_op_dup(&op, &t->w->arena);
  FX_MUST(own);
  find_key(t, own, key);
  t->heads[t->n + 1] = t->heads[t->n];
  FX_OK(ov_chain_op(t->w->hasher, own, key, &t->heads[t->n + 1], &b));
  ov_buf_free(&b);
  t->ops[t->n++] = own;
  return own->name;
}

ov_name fx_add_raw(fx_tablet *t, ov_op op, const uint8_t *payload, uint32_t n) {
  op.fields = NULL;
  op.n_fields = 0;
  op.payload_bytes = payload;
  op.payload_len = n;
  return fx_add(t, op);
}

ov_name fx_create(fx_tablet *t, uint16_t kind, const ov_name *participant, ov_field *fields, uint32_t n) {
  ov_op op = {
      .scope = t->scope, .creates = true, .kind = kind, .version = 1, .fields = fields, .n_fields = n};
  if (participant) {
    op.has_participant = true;
    op.participant = *participant;
  }
  return fx_add(t, op);
}

ov_name fx_edit_of(fx_tablet *t, const ov_op *header, const ov_name *record, ov_field *fields, uint32_t n,
                   const ov_name *replaces, uint32_t n_replaces) {
  ov_op op = {.scope = header->scope,
              .kind = header->kind,
              .version = header->version,
              .record = *record,
              .fields = fields,
              .n_fields = n,
              .has_participant = header->has_participant,
              .participant = header->participant,
              .n_replaces = n_replaces};
  op.replaces = ov_arena_dup(&t->w->arena, replaces, n_replaces * sizeof *replaces);
  FX_MUST(op.replaces);
  return fx_add(t, op);
}

ov_name fx_edit(fx_tablet *t, sv_org *org, const ov_name *record, ov_field *fields, uint32_t n) {
  sv_record_row row;
  ov_name all[OV_OP_REPLACES_MAX], *names;
  uint32_t n_all = 0, k = 0;
  FX_MUST(fx_record(t->w, org, record, &row));
  for (uint32_t i = 0; i < n; i++) {
    FX_OK(ov_record_replaces(&row.rec, fields[i].id, &t->w->arena, &names, &k));
    for (uint32_t j = 0; j < k; j++) {
      uint32_t at = n_all;
      while (at && ov_name_compare(&all[at - 1], &names[j]) > 0) at--;
      if (at && ov_name_equal(&all[at - 1], &names[j])) continue;
      memmove(&all[at + 1], &all[at], (n_all - at) * sizeof *all);
      all[at] = names[j];
      n_all++;
    }
  }
  ov_op header = {.scope = row.rec.scope,
                  .kind = row.rec.kind,
                  .version = 1,
                  .has_participant = row.rec.has_participant,
                  .participant = row.rec.participant};
  if (row.rec.kind == OV_KIND_PARTICIPANT) {
    header.has_participant = true;
    header.participant = *record;
  }
  return fx_edit_of(t, &header, record, fields, n, all, n_all);
}

void fx_drop(fx_tablet *t, uint32_t seq) {
  const ov_op *op = t->ops[seq - 1];
  ov_op v = {.name = op->name,
             .is_void = true,
             .has_commitment = true,
             .header_hash = op->header_hash,
             .commitment = op->commitment};
  t->ops[seq - 1] = ov_arena_dup(&t->w->arena, &v, sizeof v);
  FX_MUST(t->ops[seq - 1]);
}

/* -- pushing ----------------------------------------------------------------------------------- */

void fx_push_in(fx_tablet *t, uint32_t from, uint32_t to, ov_buf *rows, sv_push_in *in) {
  FX_MUST(from >= 1 && to + 1 >= from && to <= t->n);
  uint32_t n = to + 1 - from;
  ov_op *ops = ov_arena_array(&t->w->arena, n + 1u, sizeof *ops);
  FX_MUST(ops);
  for (uint32_t i = 0; i < n; i++) ops[i] = *t->ops[from - 1 + i];
  ov_rows_ctx ctx = {
      .writer = t->writer, .first_seq = from, .server = t->org->server, .base_time = t->w->now_ms / 1000};
  ov_buf_init(rows, 0);
  FX_OK(ov_rows_encode(&ctx, ops, n, rows));
  FX_OK(rows->err);
  *in = (sv_push_in){.device = t->device,
                     .writer = t->writer,
                     .prev = {.seq = from - 1, .head = t->heads[from - 1]},
                     .offset_ms = -t->clock_off_s * 1000,
                     .base_time = ctx.base_time,
                     .rows_server = ctx.server,
                     .verify = ov_p256_verify,
                     .push = {.first_seq = from, .rows = rows->p, .rows_len = rows->n}};
  if (t->send_keys) {
    in->push.keys = t->keys;
    in->push.n_keys = t->n_keys;
  }
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_signed_push(&b, &t->org->id, &t->device.id, &t->writer, to, &t->heads[to]);
  FX_OK(ov_p256_sign(t->key, b.p, b.n, in->push.sig));
  ov_buf_free(&b);
}

int fx_push(fx_tablet *t, sv_org *org, uint32_t from, uint32_t to, sv_push_out *out) {
  ov_buf rows;
  sv_push_in in;
  sv_txn *txn = NULL;
  ov_arena a;
  int err;
  sv_org *home = t->org;
  ov_arena_init(&a, 64u << 20);
  t->org = org; /* its server id is what this session's rows are coded against */
  fx_push_in(t, from, to, &rows, &in);
  t->org = home;
  memset(out, 0, sizeof *out);
  do {
    sv_touches_free(&out->touches);
    ov_arena_reset(&a);
    FX_OK(sv_txn_write(org->env, &txn));
    (void)sv_ingest_push(txn, org, &in, &a, out);
    err = sv_txn_commit(txn);
  } while (err == OV_E_MAPFULL);
  FX_OK(err);
  ov_arena_free(&a);
  ov_buf_free(&rows);
  return out->err;
}

void fx_push_ok(fx_tablet *t, sv_org *org, uint32_t from, uint32_t to) {
  sv_push_out out;
  FX_OK(fx_push(t, org, from, to, &out));
  FX_MUST(out.up_to == to);
  sv_touches_free(&out.touches);
}
