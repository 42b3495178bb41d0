/* chains.json: heads, salts, commitments, voids and absent payloads; which commit key covers which op. */
#include <string.h>

#include "vec.h"

typedef struct chain {
  vec *v;
  ov_id organisation, writer;
  ov_hash head;
  uint64_t seq;
  json_t *ops;
} chain;

static const char *const owners[] = {"zero", "participant", "organisation", "team"};

static json_t *covering_key(const ov_op *op) {
  ov_name participant = {.seq = 0};
  uint32_t scope = 0;
  ov_key_owner owner = ov_chain_key_owner(op, &participant, &scope);
  json_t *j = json_pack("{s:s}", "of", owners[owner]);
  if (owner == OV_KEYOF_PARTICIPANT) json_object_set_new(j, "participant", vec_name(&participant));
  if (owner == OV_KEYOF_TEAM) json_object_set_new(j, "scope", json_integer((json_int_t)scope));
  return j;
}

void vec_salt(vec *v, const uint8_t key[OV_KEY_BYTES], const ov_id *writer, uint64_t seq, ov_hash *salt) {
  static const char label[] = "overdracht salt 1";
  uint8_t be[8];
  for (unsigned i = 0; i < 8; i++) be[i] = (uint8_t)(seq >> (56 - 8 * i));
  ov_buf_reset(&v->scratch);
  ov_buf_put(&v->scratch, label, sizeof label - 1);
  ov_buf_put(&v->scratch, writer->b, OV_ID_BYTES);
  ov_buf_put(&v->scratch, be, sizeof be);
  vec_need(ov_hmac(v->hasher, key, OV_KEY_BYTES, v->scratch.p, v->scratch.n, salt) == 0, "salt");
}

/* Chains one op of the log; its name and, when it creates, its record are set. */
static void step(chain *c, ov_op *op, const uint8_t *key) {
  ov_buf scratch;
  ov_buf_init(&scratch, 0);
  op->name = (ov_name){.writer = c->writer, .seq = ++c->seq};
  json_t *j = json_object();
  bool hashed = !op->is_void && !op->has_commitment;
  if (hashed) {
    ov_hash salt;
    vec_salt(c->v, key, &c->writer, c->seq, &salt);
    json_object_set_new(j, "commit_key", vec_hex(key, OV_KEY_BYTES));
    json_object_set_new(j, "salt", vec_hex(salt.b, OV_HASH_BYTES));
  }
  vec_need(ov_chain_op(c->v->hasher, op, key, &c->head, &scratch) == 0, "chain");
  json_object_set_new(j, "op", vec_op(op));
  if (!op->is_void) json_object_set_new(j, "covered_by", covering_key(op));
  json_object_set_new(j, "header_hash", vec_hex(op->header_hash.b, OV_HASH_BYTES));
  json_object_set_new(j, "commitment", vec_hex(op->commitment.b, OV_HASH_BYTES));
  json_object_set_new(j, "head", vec_hex(c->head.b, OV_HASH_BYTES));
  json_array_append_new(c->ops, j);
  ov_buf_free(&scratch);
}

static chain start(vec *v, uint8_t organisation, uint8_t writer) {
  chain c = {.v = v, .organisation = vec_id(organisation), .writer = vec_id(writer), .ops = json_array()};
  vec_need(ov_chain_start(v->hasher, &c.organisation, &c.writer, &c.head) == 0, "chain");
  return c;
}

static void finish(json_t *out, const char *name, const ov_hash *first, chain *c) {
  json_array_append_new(out, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", name, "organisation",
                                       vec_hex(c->organisation.b, OV_ID_BYTES), "writer",
                                       vec_hex(c->writer.b, OV_ID_BYTES), "head_0",
                                       vec_hex(first->b, OV_HASH_BYTES), "ops", c->ops));
}

static void add_log(vec *v, json_t *out) {
  chain c = start(v, 0x90, 0x10);
  ov_hash first = c.head;
  uint8_t organisation[OV_KEY_BYTES], team[OV_KEY_BYTES], participant[OV_KEY_BYTES], zero[OV_KEY_BYTES] = {0};
  memset(organisation, 0x55, sizeof organisation);
  memset(team, 0x33, sizeof team);
  memset(participant, 0x44, sizeof participant);

  const ov_field person[] = {{2, ov_text("Cli\xc3\xabnt 7")}, {5, ov_bytes(participant, sizeof participant)}};
  ov_op *p = vec_new_op(v, 0x10, 1, NULL, person, 2);
  p->kind = OV_KIND_PARTICIPANT;
  step(&c, p, zero);

  const ov_field night[] = {{2, ov_int(20414)}, {40, ov_text("rustig")}};
  ov_op *create = vec_new_op(v, 0x10, 2, NULL, night, 2);
  create->has_participant = create->has_author = true;
  create->participant = p->name;
  create->author = vec_sample_name(0x50, 3);
  step(&c, create, participant);

  const ov_field edit_fields[] = {{40, ov_text("om 3 uur wakker")}};
  ov_op *edit = vec_new_op(v, 0x10, 3, &create->name, edit_fields, 1);
  edit->has_participant = true;
  edit->participant = p->name;
  vec_replace(v, edit, &create->name, 1);
  step(&c, edit, participant);

  const ov_field lesson[] = {{10, ov_text("lamp bij het bed helpt")}};
  step(&c, vec_new_op(v, 0x10, 4, NULL, lesson, 1), team);

  const ov_field shared[] = {{10, ov_int(4)}};
  ov_op *programme = vec_new_op(v, 0x10, 5, NULL, shared, 1);
  programme->scope = 0;
  step(&c, programme, organisation);
  finish(out, "a log of five ops under four keys", &first, &c);
}

/* What stands for an op whose content is not sent gives the same head as the op itself. */
static void add_same_heads(vec *v, json_t *out) {
  uint8_t key[OV_KEY_BYTES];
  memset(key, 0x44, sizeof key);
  const ov_field fields[] = {{2, ov_int(7)}};
  ov_op *whole = vec_new_op(v, 0x20, 1, NULL, fields, 1);
  chain c = start(v, 0x90, 0x20);
  ov_hash first = c.head;
  step(&c, whole, key);
  finish(out, "the whole op", &first, &c);

  chain w = start(v, 0x90, 0x20);
  ov_op bare = {.is_void = true, .header_hash = whole->header_hash, .commitment = whole->commitment};
  step(&w, &bare, NULL);
  finish(out, "the same op as a void: two hashes", &first, &w);

  chain e = start(v, 0x90, 0x20);
  ov_op *erased = ov_op_dup(whole, &v->arena);
  erased->n_fields = 0;
  erased->has_commitment = true;
  erased->commitment = whole->commitment;
  step(&e, erased, NULL);
  finish(out, "the same op without its payload: header and commitment", &first, &e);
}

static void add_branches(vec *v, json_t *out) {
  uint8_t key[OV_KEY_BYTES];
  memset(key, 0x33, sizeof key);
  for (int i = 0; i < 2; i++) {
    chain c = start(v, 0x90, 0x30);
    ov_hash first = c.head;
    const ov_field same[] = {{2, ov_int(1)}}, other[] = {{2, ov_int(i + 10)}};
    step(&c, vec_new_op(v, 0x30, 1, NULL, same, 1), key);
    step(&c, vec_new_op(v, 0x30, 2, NULL, other, 1), key);
    finish(out, i ? "a cloned log: the other branch, other tag" : "a cloned log: one branch", &first, &c);
  }
}

json_t *vec_make_chains(vec *v) {
  json_t *out = json_array();
  add_log(v, out);
  add_same_heads(v, out);
  add_branches(v, out);
  return out;
}
