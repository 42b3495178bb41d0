/* The chain of a push: which commit key covers each op, the heads, and the device's signature over the last.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "ingest_priv.h"

/* PROTO-32 */
const uint8_t *chain_carried_key(const ov_op *op) {
  uint16_t id = op->kind == OV_KIND_ORGANISATION  ? SV_ORGANISATION_KEY
                : op->kind == OV_KIND_TEAM        ? SV_TEAM_KEY
                : op->kind == OV_KIND_PARTICIPANT ? SV_PARTICIPANT_KEY
                                                  : 0;
  const ov_field *f = id && op->creates ? ov_op_field(op, id) : NULL;
  return f && f->v.type == OV_V_BYTES && f->v.s.n == OV_KEY_BYTES ? f->v.s.p : NULL;
}

/* Keyring type and id of an op's commit key; false when it is the zero key. */
static bool key_id(const ov_op *op, sv_key_type *type, ov_name *id) {
  uint32_t scope = 0;
  *id = (ov_name){0};
  switch (ov_chain_key_owner(op, id, &scope)) {
  case OV_KEYOF_PARTICIPANT: *type = SV_KEY_COMMIT_PARTICIPANT; return true;
  case OV_KEYOF_ORGANISATION: *type = SV_KEY_COMMIT_ORG; return true;
  case OV_KEYOF_TEAM:
    *type = SV_KEY_COMMIT_TEAM;
    *id = ingest_scope_name(scope);
    return true;
  case OV_KEYOF_ZERO: break;
  }
  return false;
}

int chain_key(const ingest *g, const ov_op *op, uint8_t key[OV_KEY_BYTES]) {
  sv_key_type type;
  ov_name id;
  memset(key, 0, OV_KEY_BYTES);
  return key_id(op, &type, &id) ? sv_keyring_get(g->org->keyring, type, &id, key) : 0;
}

static const uint8_t *given_key(const sv_push_in *in, const ov_name *id) {
  for (uint32_t i = 0; i < in->push.n_keys; i++) {
    if (ov_name_equal(&in->push.keys[i].participant, id)) return in->push.keys[i].key;
  }
  return NULL;
}

/* A participant or team that an earlier op of this push creates. */
static const uint8_t *pushed_key(const ov_op *ops, uint32_t i, sv_key_type type, const ov_name *id) {
  for (uint32_t k = 0; k < i; k++) {
    bool fits = type == SV_KEY_COMMIT_PARTICIPANT
                    ? ov_name_equal(&ops[k].name, id) && ops[k].kind == OV_KIND_PARTICIPANT
                    : ops[k].kind == OV_KIND_TEAM && ops[k].scope == id->seq;
    if (fits && ops[k].creates) return chain_carried_key(&ops[k]);
  }
  return NULL;
}

/* A key that a device gave is believed only until the op that carries the real one is here. PROTO-57 */
static int is_provisional(ingest *g, sv_key_type type, const ov_name *id, bool *provisional) {
  brief b = {0};
  sv_scope s;
  int err = 0;
  *provisional = false;
  if (type == SV_KEY_COMMIT_PARTICIPANT) {
    err = ingest_brief(g, id, &b);
    *provisional = !b.known || b.is_void;
  } else if (type == SV_KEY_COMMIT_TEAM) {
    err = sv_scope_get(g->t, (uint32_t)id->seq, &s);
    *provisional = err == OV_E_NOTFOUND || ov_name_is_zero(&s.record);
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* The key of ops[i], taken down in keys once. OV_E_NOTFOUND when it is nowhere. */
static int find_key(ingest *g, const sv_push_in *in, const ov_op *ops, uint32_t i, used_keys *keys,
                    used_key **out) {
  sv_key_type type;
  ov_name id;
  *out = NULL;
  if (!key_id(&ops[i], &type, &id)) return 0;
  ov_name shown = type == SV_KEY_COMMIT_ORG ? ingest_scope_name(1) : id;
  for (uint32_t k = 0; k < keys->n; k++) {
    if (ov_name_equal(&keys->v[k].id, &shown)) *out = &keys->v[k];
  }
  if (*out) return 0;
  used_key k = {.id = shown, .team = type == SV_KEY_COMMIT_TEAM, .first_op = i};
  bool provisional = false;
  const uint8_t *given = given_key(in, &shown), *pushed = pushed_key(ops, i, type, &id);
  int err = sv_keyring_get(g->org->keyring, type, &id, k.key);
  bool have = !err;
  if (err && err != OV_E_NOTFOUND) return err;
  if ((err = is_provisional(g, type, &id, &provisional))) return err;
  if (provisional && pushed) {
    memcpy(k.key, pushed, sizeof k.key);
  } else if ((!have || provisional) && given) {
    memcpy(k.key, given, sizeof k.key);
    k.given = true;
    k.keep = !have && type != SV_KEY_COMMIT_ORG;
  } else if (!have) {
    return OV_E_NOTFOUND;
  } else {
    k.unvouched = provisional;
  }
  keys->v[keys->n] = k;
  *out = &keys->v[keys->n++];
  return 0;
}

static void need_key(sv_push_out *out, const ov_name *id) {
  for (uint32_t i = 0; i < out->n_need_keys; i++) {
    if (ov_name_equal(&out->need_keys[i], id)) return;
  }
  if (out->n_need_keys < OV_PUSH_KEYS_MAX) out->need_keys[out->n_need_keys++] = *id;
  out->err = OV_E_NEED_KEYS;
}

/* Once one key is missing the chain cannot go on; the names of the other missing keys are collected all the
 * same, except those that this push itself creates further on (their tags are not known). PROTO-57 */
static int collect_missing(ingest *g, const sv_push_in *in, const ov_op *ops, uint32_t from, uint32_t n,
                           used_keys *keys, sv_push_out *out) {
  for (uint32_t i = from; i < n; i++) {
    used_key *k;
    sv_key_type type;
    ov_name id;
    if (ops[i].is_void || ops[i].has_commitment || !key_id(&ops[i], &type, &id)) continue;
    bool own = ov_id_equal(&id.writer, &in->writer) && id.seq >= in->push.first_seq;
    int err = own && i > from ? 0 : find_key(g, in, ops, i, keys, &k);
    if (err == OV_E_NOTFOUND) {
      ov_name shown = type == SV_KEY_COMMIT_ORG ? ingest_scope_name(1) : id;
      need_key(out, &shown);
    } else if (err) {
      return err;
    }
  }
  return 0;
}

static int verify(ingest *g, const sv_push_in *in, uint64_t seq, const ov_hash *head, const used_keys *keys,
                  sv_push_out *out) {
  ov_buf_reset(&g->b1);
  ov_signed_push(&g->b1, &g->org->id, &g->device.id, &in->writer, seq, head);
  int err = g->b1.err ? g->b1.err
                      : in->verify(in->verify_ctx, g->device.pubkey, g->b1.p, g->b1.n, in->push.sig);
  if (err != OV_E_AUTH) return err;
  /* A key that some device gave may be wrong: then this one is asked for its own, instead of being thrown
   * out. */
  for (uint32_t k = 0; k < keys->n; k++) {
    if (keys->v[k].unvouched) need_key(out, &keys->v[k].id);
  }
  if (!out->err) out->err = OV_E_AUTH;
  return 0;
}

int chain_push(ingest *g, const sv_push_in *in, ov_op *ops, uint32_t n, ov_hash *heads, used_keys *keys,
               sv_push_out *out) {
  ov_rows_ctx rows = {.writer = in->writer,
                      .first_seq = in->push.first_seq,
                      .server = g->org->server,
                      .base_time = in->base_time};
  keys->v = ov_arena_array(g->a, n + 1u, sizeof *keys->v);
  if (!keys->v) out->err = OV_E_BUSY; /* the batch's memory is used up; the next one has its own */
  if (!keys->v) return 0;
  heads[0] = in->prev.head;
  for (uint32_t i = 0; i < n; i++) {
    used_key *k = NULL;
    int err = ov_rows_resolve(&rows, ops, i);
    if (!err && !ops[i].is_void && !ops[i].has_commitment) err = find_key(g, in, ops, i, keys, &k);
    if (err == OV_E_NOTFOUND) return collect_missing(g, in, ops, i, n, keys, out);
    static const uint8_t zero[OV_KEY_BYTES];
    heads[i + 1] = heads[i];
    if (!err) err = ov_chain_op(sv_txn_hasher(g->t), &ops[i], k ? k->key : zero, &heads[i + 1], &g->b1);
    if (err && ov_err_classify(err) != OV_CLASS_ABORT) {
      out->err = OV_E_FORMAT; /* no encoding that its own chain could cover */
      return 0;
    }
    if (err) return err;
  }
  return verify(g, in, in->push.first_seq + n - 1, &heads[n], keys, out);
}

void chain_keep_keys(ingest *g, const used_keys *keys, uint32_t new_from, uint32_t n_taken) {
  for (uint32_t i = 0; i < keys->n; i++) {
    const used_key *k = &keys->v[i];
    if (!k->given || !k->keep || k->first_op < new_from || k->first_op >= n_taken) continue;
    if (!k->team && ingest_erased(g, &k->id)) continue; /* used for this chain only, never kept */
    int err = sv_keyring_put(g->org->keyring, k->team ? SV_KEY_COMMIT_TEAM : SV_KEY_COMMIT_PARTICIPANT,
                             &k->id, k->key);
    if (err) sv_txn_fail(g->t, err);
  }
}
