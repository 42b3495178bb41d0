/* The hashes below come from chain_vectors.py beside this file, which shares no code with ov_proto. */
#include "util.h"

#include "faults.h"
#include "ov/chain.h"

#define HEAD_0 "47702953152745adc76e51e5ebd4b1f8451b4e37284dba20dab52991d3eeba95"
#define COMMITMENT_1 "67f2dfb1fce0a4dfe542ad962c6f3eaea9238311e2ae616e6165b08568a9e174"
#define HEAD_1 "a43fbf6f7f6040423e20633e547a10364343a63d29c00025600cfbbdf5a95736"
#define COMMITMENT_2 "25087aa3526c4ece9daecb8d9e9f73c83dec79a19c8f5680ab7ca2d972f3a759"
#define HEAD_2 "8fb7087193c60511e583e93079a4142d8bdb44307443783aba88fcf8ff8b0a17"
#define HEADER_HASH_3 "0edda801e1c4a03123929037fb77f2a339b57b06ac3fa7a1f65bfde93a8d95c0"
#define COMMITMENT_3 "05be37f427c9a0b2166dcb6181b94775692414e0acf839181be1ba998c0f6a48"
#define HEAD_3 "5ac78084094881720f1a3062c23c2c7717d64f11b2e30065f1674cbf0ef95e6d"

typedef struct fixture {
  ov_hasher *h;
  ov_id organisation, writer;
  uint8_t key[OV_KEY_BYTES], zero_key[OV_KEY_BYTES];
  ov_hash head;
  ov_buf scratch;
  ov_op ops[3];
  ov_field fields[4];
  ov_name replaces[1];
} fixture;

/* The three ops of the vectors, not yet chained. */
static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->h = ov_hasher_new();
  for (uint8_t i = 0; i < OV_ID_BYTES; i++) {
    f->organisation.b[i] = (uint8_t)(0x10 + i);
    f->writer.b[i] = (uint8_t)(0xa0 + i);
  }
  for (uint8_t i = 0; i < OV_KEY_BYTES; i++) f->key[i] = (uint8_t)(0x40 + i);
  ov_buf_init(&f->scratch, 0);
  f->fields[0] = (ov_field){2, ov_bytes(f->key, OV_KEY_BYTES)};
  f->fields[1] = (ov_field){3, ov_int(-98)};
  f->fields[2] = (ov_field){7, ov_text("rustig")};
  f->fields[3] = (ov_field){7, ov_text("onrustig")};
  for (uint64_t i = 0; i < 3; i++)
    f->ops[i] = (ov_op){
        .name = {.writer = f->writer, .seq = i + 1}, .scope = 2, .kind = 20, .version = 1, .creates = i < 2};
  f->ops[0].kind = OV_KIND_PARTICIPANT;
  f->ops[0].device_time = 0x69000000;
  f->ops[0].fields = &f->fields[0], f->ops[0].n_fields = 1;
  f->ops[1].has_participant = f->ops[1].has_author = f->ops[2].has_participant = true;
  f->ops[1].device_time = 0x6900003c;
  f->ops[1].fields = &f->fields[1], f->ops[1].n_fields = 2;
  f->ops[2].device_time = 0x69000e10;
  f->ops[2].fields = &f->fields[3], f->ops[2].n_fields = 1;
  f->ops[2].replaces = f->replaces, f->ops[2].n_replaces = 1;
  *state = f;
  return f->h ? ov_chain_start(f->h, &f->organisation, &f->writer, &f->head) : -1;
}

static int tear_down(void **state) {
  fixture *f = *state;
  ov_buf_free(&f->scratch);
  ov_hasher_free(f->h);
  free(f);
  return 0;
}

/* Chains op i as its author does: with names of the ops before it. */
static int chain(fixture *f, size_t i) {
  if (i >= 1) f->ops[i].participant = f->ops[i].author = f->ops[0].name;
  if (i == 2) f->ops[i].record = f->replaces[0] = f->ops[1].name;
  return ov_chain_op(f->h, &f->ops[i], i == 0 ? f->zero_key : f->key, &f->head, &f->scratch);
}

#define ASSERT_HASH(hash, text) assert_hex((hash).b, OV_HASH_BYTES, text)

/* PROTO-29 */
static void the_chain_follows_the_vectors(void **state) {
  fixture *f = *state;
  ASSERT_HASH(f->head, HEAD_0);
  assert_int_equal(chain(f, 0), 0);
  ASSERT_HASH(f->ops[0].commitment, COMMITMENT_1);
  ASSERT_HASH(f->head, HEAD_1);
  assert_int_equal(chain(f, 1), 0);
  ASSERT_HASH(f->ops[1].commitment, COMMITMENT_2);
  ASSERT_HASH(f->head, HEAD_2);
  assert_int_equal(chain(f, 2), 0);
  ASSERT_HASH(f->ops[2].header_hash, HEADER_HASH_3);
  ASSERT_HASH(f->ops[2].commitment, COMMITMENT_3);
  ASSERT_HASH(f->head, HEAD_3);
}

/* PROTO-29 */
static void the_tag_is_the_start_of_the_head(void **state) {
  fixture *f = *state;
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(chain(f, i), 0);
    assert_memory_equal(f->ops[i].name.tag, f->head.b, OV_TAG_BYTES);
    /* who creates is named like its record */
    assert_int_equal(ov_name_equal(&f->ops[i].record, &f->ops[i].name), i < 2);
  }
  assert_true(ov_name_equal(&f->ops[2].record, &f->ops[1].name));
}

static void hashes_follow_the_vectors(void **state) {
  fixture *f = *state;
  ov_hash out;
  uint8_t long_key[100];
  memset(long_key, 'k', sizeof long_key);
  for (int again = 0; again < 2; again++) { /* the contexts are reused */
    assert_int_equal(ov_sha256(f->h, NULL, 0, &out), 0);
    ASSERT_HASH(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(ov_hmac(f->h, long_key, sizeof long_key, "abc", 3, &out), 0);
    ASSERT_HASH(out, "b58b2b694fdba0dd76da3ebe99174f728d327560f36ece224e90867972479922");
    assert_int_equal(ov_hmac(f->h, NULL, 0, NULL, 0, &out), 0); /* not the last key again */
    ASSERT_HASH(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  }
}

/* A replica that holds only hashes of an op, or a header and the commitment of an erased participant's, gets
 * the same head. PROTO-30, PROTO-33 */
static void voids_and_erased_ops_chain_the_same(void **state) {
  fixture *f = *state;
  ov_op voided, erased;
  assert_int_equal(chain(f, 0), 0);
  assert_int_equal(chain(f, 1), 0);
  ov_hash before = f->head;
  assert_int_equal(chain(f, 2), 0);

  voided = (ov_op){.name = {.writer = f->writer, .seq = 3},
                   .is_void = true,
                   .header_hash = f->ops[2].header_hash,
                   .commitment = f->ops[2].commitment};
  ov_hash head = before;
  assert_int_equal(ov_chain_op(f->h, &voided, NULL, &head, &f->scratch), 0);
  ASSERT_HASH(head, HEAD_3);
  assert_true(ov_name_equal(&voided.name, &f->ops[2].name));
  assert_true(ov_name_is_zero(&voided.record));

  erased = f->ops[2];
  erased.fields = NULL, erased.n_fields = 0, erased.replaces = NULL, erased.n_replaces = 0;
  erased.has_commitment = true;
  memset(erased.header_hash.b, 0, OV_HASH_BYTES);
  head = before;
  assert_int_equal(ov_chain_op(f->h, &erased, NULL, &head, &f->scratch), 0);
  ASSERT_HASH(head, HEAD_3);
  ASSERT_HASH(erased.header_hash, HEADER_HASH_3);
}

/* A payload nobody can read is chained over its bytes as they are. */
static void verbatim_bytes_are_chained_as_they_are(void **state) {
  fixture *f = *state;
  ov_buf bytes;
  ov_buf_init(&bytes, 0);
  ov_op_payload_encode(&f->ops[0], &bytes);
  ov_op op = f->ops[0];
  op.fields = NULL, op.n_fields = 0;
  op.payload_bytes = bytes.p, op.payload_len = (uint32_t)bytes.n;
  ov_hash head = f->head;
  assert_int_equal(ov_chain_op(f->h, &op, f->zero_key, &head, &f->scratch), 0);
  ASSERT_HASH(head, HEAD_1);
  bytes.p[0] = 0xc1;
  op.payload_err = OV_E_OP_FORMAT;
  head = f->head;
  assert_int_equal(ov_chain_op(f->h, &op, f->zero_key, &head, &f->scratch), 0);
  ov_hash commitment;
  assert_int_equal(ov_chain_commitment(f->h, f->zero_key, &f->writer, 1, bytes.p, bytes.n, &commitment), 0);
  assert_memory_equal(op.commitment.b, commitment.b, OV_HASH_BYTES);
  ov_buf_free(&bytes);
}

static void every_input_of_the_chain_counts(void **state) {
  fixture *f = *state;
  ov_hash base, other, header = {{1}}, commitment = {{2}}, head = {{3}};
  ov_id w = f->writer;
  uint8_t key[OV_KEY_BYTES];
  memcpy(key, f->key, sizeof key);
#define STEP(seq, out) (out = head, ov_chain_step(f->h, seq, &header, &commitment, &out))
#define CHANGES(change, undo, call)                                                                          \
  do {                                                                                                       \
    change;                                                                                                  \
    assert_int_equal(call, 0);                                                                               \
    undo;                                                                                                    \
    assert_memory_not_equal(base.b, other.b, OV_HASH_BYTES);                                                 \
  } while (0)
  assert_int_equal(STEP(5, base), 0);
  CHANGES((void)0, (void)0, STEP(6, other));
  CHANGES((void)0, (void)0, STEP(5ull << 56, other));
  CHANGES(header.b[31] ^= 1, header.b[31] ^= 1, STEP(5, other));
  CHANGES(commitment.b[31] ^= 1, commitment.b[31] ^= 1, STEP(5, other));
  CHANGES(head.b[31] ^= 1, head.b[31] ^= 1, STEP(5, other));
#define COMMIT(seq, text, n, out) ov_chain_commitment(f->h, key, &w, seq, (const uint8_t *)text, n, &out)
  assert_int_equal(COMMIT(5, "abc", 3, base), 0);
  CHANGES((void)0, (void)0, COMMIT(6, "abc", 3, other));
  CHANGES((void)0, (void)0, COMMIT(5, "abd", 3, other));
  CHANGES((void)0, (void)0, COMMIT(5, "abc", 2, other));
  CHANGES(key[0] ^= 1, key[0] ^= 1, COMMIT(5, "abc", 3, other));
  CHANGES(w.b[15] ^= 1, w.b[15] ^= 1, COMMIT(5, "abc", 3, other));
#define START(out) ov_chain_start(f->h, &f->organisation, &w, &out)
  assert_int_equal(START(base), 0);
  CHANGES(w.b[15] ^= 1, w.b[15] ^= 1, START(other));
  CHANGES(f->organisation.b[0] ^= 1, f->organisation.b[0] ^= 1, START(other));
}

static void without_a_key_nothing_changes(void **state) {
  fixture *f = *state;
  ov_op before = f->ops[0];
  assert_int_equal(ov_chain_op(f->h, &f->ops[0], NULL, &f->head, &f->scratch), OV_E_CRYPTO);
  assert_memory_equal(&f->ops[0], &before, sizeof before);
  ASSERT_HASH(f->head, HEAD_0);
}

static void a_scratch_that_is_too_small_changes_nothing(void **state) {
  fixture *f = *state;
  ov_op before = f->ops[0];
  for (size_t max = 1; max < 38; max++) { /* the header takes 12 bytes, the payload 38 */
    ov_buf small;
    ov_buf_init(&small, max);
    assert_int_equal(ov_chain_op(f->h, &f->ops[0], f->zero_key, &f->head, &small), OV_E_LIMIT);
    assert_memory_equal(&f->ops[0], &before, sizeof before);
    ASSERT_HASH(f->head, HEAD_0);
    ov_buf_free(&small);
  }
}

static void when_any_call_fails_nothing_changes(void **state) {
  fixture *f = *state;
  ov_op before = f->ops[0];
  unsigned failures = 0;
  FOR_EACH_FAULT(k) {
    ov_buf fresh;
    f->ops[0] = before;
    ov_hash head = f->head;
    ov_buf_init(&fresh, 0);
    int err = ov_chain_op(f->h, &f->ops[0], f->zero_key, &head, &fresh);
    if (fault_hit()) {
      failures++;
      assert_true(err == OV_E_CRYPTO || err == OV_E_NOMEM);
      assert_memory_equal(&f->ops[0], &before, sizeof before);
      ASSERT_HASH(head, HEAD_0);
    } else {
      assert_int_equal(err, 0);
      ASSERT_HASH(head, HEAD_1); /* the contexts are fine again after all those failures */
    }
    ov_buf_free(&fresh);
  }
  assert_true(failures >= 13); /* one buffer, twice SHA-256 and twice HMAC of three calls each */
}

static void no_hasher_when_any_call_fails(void **state) {
  (void)state;
  unsigned failures = 0;
  FOR_EACH_FAULT(k) {
    ov_hasher *h = ov_hasher_new();
    bool hit = fault_hit();
    failures += hit;
    assert_int_equal(h == NULL, hit);
    ov_hasher_free(h);
  }
  assert_true(failures >= 8);
}

/* PROTO-31 */
static void whose_key_covers_an_op(void **state) {
  (void)state;
  ov_name record = {.seq = 1}, about = {.seq = 2};
  const struct {
    uint16_t kind;
    bool creates, has_participant;
    uint32_t scope;
    ov_key_owner owner;
    uint64_t participant;
    uint32_t team;
  } rows[] = {
      {OV_KIND_ORGANISATION, true, false, 1, OV_KEYOF_ZERO, 0, 0},
      {OV_KIND_TEAM, true, false, 2, OV_KEYOF_ZERO, 0, 0},
      {OV_KIND_PARTICIPANT, true, false, 2, OV_KEYOF_ZERO, 0, 0},
      {OV_KIND_PARTICIPANT, true, true, 2, OV_KEYOF_ZERO, 0, 0},
      {OV_KIND_ORGANISATION, false, false, 1, OV_KEYOF_ORGANISATION, 0, 0},
      {OV_KIND_TEAM, false, false, 1, OV_KEYOF_ORGANISATION, 0, 0},
      {OV_KIND_TEAM, false, false, 7, OV_KEYOF_TEAM, 0, 7},
      {OV_KIND_PARTICIPANT, false, false, 2, OV_KEYOF_PARTICIPANT, 1, 0},
      {OV_KIND_PARTICIPANT, false, true, 2, OV_KEYOF_PARTICIPANT, 1,
       0}, /* names another: the record counts */
      {OV_KIND_PERSON, true, false, 1, OV_KEYOF_ORGANISATION, 0, 0},
      {20, true, true, 2, OV_KEYOF_PARTICIPANT, 2, 0},
      {20, false, true, 2, OV_KEYOF_PARTICIPANT, 2, 0},
      {20, true, false, 0, OV_KEYOF_ORGANISATION, 0, 0},
      {20, true, false, 1, OV_KEYOF_ORGANISATION, 0, 0},
      {20, true, false, 2, OV_KEYOF_TEAM, 0, 2},
      {20, false, false, UINT32_MAX, OV_KEYOF_TEAM, 0, UINT32_MAX},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    ov_op op = {.kind = rows[i].kind,
                .creates = rows[i].creates,
                .has_participant = rows[i].has_participant,
                .scope = rows[i].scope,
                .record = record,
                .participant = about};
    ov_name participant = {0};
    uint32_t scope = 0;
    assert_int_equal(ov_chain_key_owner(&op, &participant, &scope), rows[i].owner);
    assert_int_equal(participant.seq, rows[i].participant);
    assert_int_equal(scope, rows[i].team);
  }
}

/* PROTO-35, PROTO-36 */
static void what_is_signed_byte_by_byte(void **state) {
  fixture *f = *state;
  ov_buf b;
  ov_id device = {{0xd0}};
  ov_hash hash = {{0xee}};
  static const uint8_t nonce[16] = {1, 2, 3};
  ov_buf_init(&b, 0);
  ov_signed_hello(&b, "sync.test", (const uint8_t *)"\x91\x01", 2);
  /* "overdracht hello 1", 0, 9, "sync.test", body */
  assert_hex(b.p, b.n, "6f766572647261636874 2068656c6c6f 2031 00 09 73796e632e74657374 9101");
  ov_buf_reset(&b);
  ov_signed_proof(&b, "sync.test", nonce, &hash);
  assert_hex(
      b.p, b.n,
      "6f766572647261636874 2070726f6f66 2031 00 09 73796e632e74657374 01020300000000000000000000000000"
      "ee00000000000000000000000000000000000000000000000000000000000000");
  ov_buf_reset(&b);
  ov_signed_push(&b, &f->organisation, &device, &f->writer, 0x0102, &hash);
  assert_hex(b.p, b.n,
             "6f766572647261636874 2070757368 2031 00 101112131415161718191a1b1c1d1e1f"
             "d0000000000000000000000000000000 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 0000000000000102"
             "ee00000000000000000000000000000000000000000000000000000000000000");
  ov_buf_free(&b);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(the_chain_follows_the_vectors),
      TEST(the_tag_is_the_start_of_the_head),
      TEST(hashes_follow_the_vectors),
      TEST(voids_and_erased_ops_chain_the_same),
      TEST(verbatim_bytes_are_chained_as_they_are),
      TEST(every_input_of_the_chain_counts),
      TEST(without_a_key_nothing_changes),
      TEST(a_scratch_that_is_too_small_changes_nothing),
      TEST(when_any_call_fails_nothing_changes),
      cmocka_unit_test(no_hasher_when_any_call_fails),
      cmocka_unit_test(whose_key_covers_an_op),
      TEST(what_is_signed_byte_by_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
