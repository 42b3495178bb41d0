/* Every function of every table on a real environment. */
#include <stdio.h>
#include <string.h>

#include "store_world.h"

static void assert_names(const ov_name *got, uint32_t n, const ov_name *want, uint32_t m) {
  assert_int_equal(n, m);
  for (uint32_t i = 0; i < n; i++) assert_true(ov_name_equal(&got[i], &want[i]));
}

static void assert_op_row(const sv_op_row *a, const sv_op_row *b) {
  ov_buf x, y;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  ov_op_header_encode(&a->op, &x);
  ov_op_header_encode(&b->op, &y);
  ov_op_payload_encode(&a->op, &x);
  ov_op_payload_encode(&b->op, &y);
  assert_int_equal(x.n, y.n);
  assert_memory_equal(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
  assert_true(ov_name_equal(&a->op.name, &b->op.name));
  assert_true(ov_name_equal(&a->op.record, &b->op.record));
  assert_memory_equal(a->op.commitment.b, b->op.commitment.b, OV_HASH_BYTES);
  assert_memory_equal(a->head.b, b->head.b, OV_HASH_BYTES);
  assert_memory_equal(a->prev_tag, b->prev_tag, OV_TAG_BYTES);
  assert_int_equal(a->n_receipts, b->n_receipts);
  for (uint32_t i = 0; i < a->n_receipts; i++) {
    assert_true(ov_id_equal(&a->receipts[i].server, &b->receipts[i].server));
    assert_int_equal(a->receipts[i].server_time_ms, b->receipts[i].server_time_ms);
    assert_int_equal(a->receipts[i].offset_ms, b->receipts[i].offset_ms);
    assert_int_equal(a->receipts[i].verdict, b->receipts[i].verdict);
    assert_int_equal(a->receipts[i].reason, b->receipts[i].reason);
  }
  assert_int_equal(a->has_sig, b->has_sig);
  assert_memory_equal(a->sig, b->sig, OV_SIG_BYTES);
  assert_true(ov_id_equal(&a->device, &b->device));
  assert_int_equal(a->waiting, b->waiting);
}

/* -- ops ------------------------------------------------------------------------------------------------- */

static void ops_come_back_as_they_were_put(void **state) {
  world *w = *state;
  ov_name participant = make_name(3, 1);
  sv_op_row plain = make_op(1, 1, NULL), owned = make_op(1, 2, &participant), got;
  owned.has_sig = true;
  memset(owned.sig, 0x77, sizeof owned.sig);
  owned.device = make_id(8);
  owned.waiting = true;
  memset(owned.prev_tag, 1, sizeof owned.prev_tag);
  owned.receipts[owned.n_receipts++] = (sv_receipt){
      .server = make_id(6), .server_time_ms = 1, .offset_ms = 9, .verdict = OV_HELD, .reason = 3};
  sv_txn *t = must_write(w);
  assert_false(sv_op_has(t, &plain.op.name));
  assert_int_equal(sv_op_put(t, &plain), 0);
  assert_int_equal(sv_op_put(t, &owned), 0);
  must_commit(t);
  t = must_read(w);
  assert_true(sv_op_has(t, &plain.op.name));
  assert_int_equal(sv_op_get(t, &plain.op.name, &w->arena, &got), 0);
  assert_op_row(&got, &plain);
  assert_false(got.op.has_commitment);
  assert_int_equal(sv_op_get(t, &owned.op.name, &w->arena, &got), 0);
  assert_op_row(&got, &owned);
  ov_hash h;
  assert_int_equal(ov_sha256(sv_txn_hasher(t), got.op.header_bytes, got.op.header_len, &h), 0);
  assert_memory_equal(h.b, got.op.header_hash.b, OV_HASH_BYTES);
  ov_name missing = make_name(1, 3);
  assert_int_equal(sv_op_get(t, &missing, &w->arena, &got), OV_E_NOTFOUND);
  assert_int_equal(sv_txn_error(t), 0);
  sv_txn_abort(t);
}

static void a_void_is_stored_and_filled_later(void **state) {
  world *w = *state;
  sv_op_row full = make_op(1, 1, NULL), hollow = {.head = full.head, .n_receipts = 0}, got;
  hollow.op = (ov_op){.name = full.op.name,
                      .is_void = true,
                      .has_commitment = true,
                      .header_hash = make_hash(3),
                      .commitment = make_hash(4)};
  sv_txn *t = must_write(w);
  sv_op_put(t, &hollow);
  assert_int_equal(sv_op_get(t, &hollow.op.name, &w->arena, &got), 0);
  assert_true(got.op.is_void && got.op.has_commitment);
  assert_memory_equal(got.op.header_hash.b, hollow.op.header_hash.b, OV_HASH_BYTES);
  assert_memory_equal(got.op.commitment.b, hollow.op.commitment.b, OV_HASH_BYTES);
  sv_op_put(t, &full);
  assert_int_equal(sv_op_get(t, &full.op.name, &w->arena, &got), 0);
  assert_op_row(&got, &full);
  must_commit(t);
}

static void ops_of_a_writer_are_listed_with_branches_side_by_side(void **state) {
  world *w = *state;
  sv_txn *t = must_write(w);
  for (uint64_t seq = 1; seq <= 5; seq++) {
    sv_op_row row = make_op(2, seq, NULL);
    sv_op_put(t, &row);
  }
  sv_op_row branch = make_op(2, 3, NULL), other = make_op(3, 3, NULL);
  memset(branch.op.name.tag, 0xee, OV_TAG_BYTES);
  sv_op_put(t, &branch);
  sv_op_put(t, &other);
  must_commit(t);
  t = must_read(w);
  ov_name got[8], want[] = {make_name(2, 2), make_name(2, 3), branch.op.name, make_name(2, 4)};
  uint32_t n;
  ov_id writer = make_id(2);
  assert_int_equal(sv_ops_of_writer(t, &writer, 2, 4, got, 8, &n), 0);
  assert_names(got, n, want, 4);
  assert_int_equal(sv_ops_of_writer(t, &writer, 2, 4, got, 2, &n), 0);
  assert_names(got, n, want, 2);
  uint32_t count = 0;
  ov_name at;
  for (int err = sv_op_next(t, NULL, &at); !err; err = sv_op_next(t, &at, &at)) count++;
  assert_int_equal(count, 7);
  assert_true(ov_name_equal(&at, &other.op.name));
  sv_txn_abort(t);
}

static void an_op_of_an_erased_participant_keeps_header_and_commitment_only(void **state) {
  world *w = *state;
  ov_name participant = make_name(3, 1);
  sv_op_row row = make_op(1, 1, &participant), later = make_op(1, 2, &participant), got;
  sv_txn *t = must_write(w);
  sv_op_put(t, &row);
  must_commit(t);
  assert_int_equal(sv_keyring_destroy(w->keyring, &participant), 0);
  t = must_write(w);
  sv_op_put(t, &later);
  for (uint64_t seq = 1; seq <= 2; seq++) {
    ov_name name = make_name(1, seq);
    assert_int_equal(sv_op_get(t, &name, &w->arena, &got), 0);
    assert_true(got.erased && got.op.has_commitment);
    assert_null(got.op.payload_bytes);
    assert_int_equal(got.op.n_fields, 0);
    assert_true(ov_name_equal(&got.op.participant, &participant));
    assert_memory_equal(got.op.commitment.b, make_hash((uint8_t)(seq + 1)).b, OV_HASH_BYTES);
  }
  must_commit(t);
}

static void the_creating_op_of_a_participant_is_sealed_for_that_participant(void **state) {
  world *w = *state;
  sv_op_row row = make_op(1, 1, NULL), got;
  row.op.kind = OV_KIND_PARTICIPANT;
  sv_txn *t = must_write(w);
  sv_op_put(t, &row);
  must_commit(t);
  assert_int_equal(sv_keyring_destroy(w->keyring, &row.op.name), 0);
  t = must_read(w);
  assert_int_equal(sv_op_get(t, &row.op.name, &w->arena, &got), 0);
  assert_true(got.erased);
  sv_txn_abort(t);
}

/* -- tips ------------------------------------------------------------------------------------------------ */

static sv_tip make_tip(uint8_t writer, uint64_t seq, uint8_t head) {
  return (sv_tip){.writer = make_id(writer),
                  .head = {.seq = seq, .head = make_hash(head)},
                  .device = make_id(5),
                  .safe_seq = seq / 2};
}

static void tips_follow_their_branch(void **state) {
  world *w = *state;
  sv_tip got[4], first = make_tip(1, 3, 30), next = make_tip(1, 9, 20), fork = make_tip(1, 12, 40),
                 short_one = make_tip(1, 2, 10), other = make_tip(2, 1, 1);
  uint32_t n;
  sv_txn *t = must_write(w);
  sv_tip_put(t, NULL, &first);
  sv_tip_put(t, NULL, &other);
  sv_tip_put(t, &first.head.head, &next);
  assert_int_equal(sv_tips_get(t, &first.writer, got, 4, &n), 0);
  assert_int_equal(n, 1);
  assert_int_equal(got[0].head.seq, next.head.seq);
  assert_memory_equal(got[0].head.head.b, next.head.head.b, OV_HASH_BYTES);
  assert_int_equal(got[0].safe_seq, next.safe_seq);
  assert_true(ov_id_equal(&got[0].device, &next.device));
  sv_tip_put(t, NULL, &fork);
  sv_tip_put(t, NULL, &short_one);
  must_commit(t);
  t = must_read(w);
  assert_int_equal(sv_tips_get(t, &first.writer, got, 4, &n), 0);
  assert_int_equal(n, 3);
  assert_int_equal(got[0].head.seq, 12);
  assert_int_equal(got[1].head.seq, 9);
  assert_int_equal(got[2].head.seq, 2);
  assert_int_equal(sv_tips_get(t, &first.writer, got, 2, &n), 0);
  assert_int_equal(n, 2);
  assert_int_equal(got[0].head.seq, 12);
  assert_int_equal(got[1].head.seq, 9);
  ov_id nobody = make_id(77);
  assert_int_equal(sv_tips_get(t, &nobody, got, 4, &n), 0);
  assert_int_equal(n, 0);
  sv_tip at;
  uint32_t index, count = 0;
  for (int err = sv_tip_next(t, NULL, 0, &at, &index); !err;
       err = sv_tip_next(t, &at.writer, index, &at, &index))
    count++;
  assert_int_equal(count, 4);
  assert_true(ov_id_equal(&at.writer, &other.writer));
  sv_txn_abort(t);
  t = must_write(w);
  assert_int_equal(sv_tip_put(t, &first.head.head, &next), OV_E_INTERNAL); /* that tip has moved on */
  sv_txn_abort(t);
}

/* -- devices and codes ----------------------------------------------------------------------------------- */

static void assert_device(const sv_device *a, const sv_device *b) {
  assert_true(ov_id_equal(&a->id, &b->id) && ov_name_equal(&a->record, &b->record) &&
              ov_id_equal(&a->organisation, &b->organisation));
  assert_memory_equal(a->pubkey, b->pubkey, sizeof a->pubkey);
  assert_int_equal(a->revoked, b->revoked);
  assert_int_equal(a->enrolled_ms, b->enrolled_ms);
  assert_int_equal(a->last_seen_ms, b->last_seen_ms);
  assert_int_equal(a->all_sent_ms, b->all_sent_ms);
  assert_string_equal(a->name, b->name);
  assert_int_equal(a->n_teams, b->n_teams);
  assert_memory_equal(a->teams, b->teams, sizeof a->teams);
  assert_int_equal(a->has_person, b->has_person);
  assert_true(ov_name_equal(&a->person, &b->person));
  assert_int_equal(a->expires_ms, b->expires_ms);
  assert_int_equal(a->hello_ahead_ms, b->hello_ahead_ms);
  assert_int_equal(a->purged_ms, b->purged_ms);
  assert_int_equal(a->quarantined, b->quarantined);
}

static void assert_code(const sv_code *a, const sv_code *b) {
  assert_memory_equal(a->hash, b->hash, sizeof a->hash);
  assert_memory_equal(a->secret, b->secret, sizeof a->secret);
  assert_true(ov_id_equal(&a->organisation, &b->organisation) &&
              ov_name_equal(&a->device_record, &b->device_record));
  assert_int_equal(a->expires_ms, b->expires_ms);
  assert_int_equal(a->tries, b->tries);
}

static void devices_and_codes(void **state) {
  world *w = *state;
  sv_device got, d, e;
  memset(&d, 0, sizeof d);
  d.id = make_id(4);
  memset(d.pubkey, 4, sizeof d.pubkey);
  d.record = make_name(7, 7);
  d.organisation = w->organisation;
  d.revoked = true;
  d.enrolled_ms = 12;
  d.last_seen_ms = -3;
  d.all_sent_ms = -4;
  strcpy(d.name, PLANTED);
  d.teams[0] = 2;
  d.teams[1] = 9;
  d.n_teams = 2;
  d.has_person = true;
  d.person = make_name(7, 9);
  d.expires_ms = 1760000000001;
  d.hello_ahead_ms = 1760000000002;
  d.purged_ms = 1760000000003;
  d.quarantined = 70000;
  memset(&e, 0, sizeof e);
  e.id = make_id(5);
  sv_code c, code;
  memset(&c, 0, sizeof c);
  c.organisation = w->organisation;
  c.device_record = make_name(7, 8);
  c.expires_ms = 99;
  c.tries = 4;
  memset(c.hash, 1, sizeof c.hash);
  memset(c.secret, 2, sizeof c.secret);
  sv_txn *t = must_write(w);
  sv_device_put(t, &e);
  sv_device_put(t, &d);
  sv_code_put(t, &c);
  must_commit(t);
  t = must_write(w);
  assert_int_equal(sv_device_get(t, &d.id, &got), 0);
  assert_device(&got, &d);
  assert_int_equal(sv_device_next(t, NULL, &got), 0);
  assert_device(&got, &d);
  assert_int_equal(sv_device_next(t, &got.id, &got), 0);
  assert_device(&got, &e);
  assert_int_equal(sv_device_next(t, &got.id, &got), OV_E_NOTFOUND);
  assert_int_equal(sv_code_get(t, c.hash, &code), 0);
  assert_code(&code, &c);
  assert_int_equal(sv_code_next(t, NULL, &code), 0);
  assert_int_equal(sv_code_next(t, code.hash, &code), OV_E_NOTFOUND);
  assert_int_equal(sv_code_del(t, c.hash), 0);
  assert_int_equal(sv_code_get(t, c.hash, &code), OV_E_NOTFOUND);
  assert_int_equal(sv_code_del(t, c.hash), OV_E_NOTFOUND);
  must_commit(t);
}

/* -- records --------------------------------------------------------------------------------------------- */

static void assert_record(const sv_record_row *a, const sv_record_row *b) {
  ov_buf x, y;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  ov_record_encode(&a->rec, &x);
  ov_record_encode(&b->rec, &y);
  assert_int_equal(x.n, y.n);
  assert_memory_equal(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
  assert_int_equal(a->changed, b->changed);
  assert_int_equal(a->n_places, b->n_places);
  for (uint32_t i = 0; i < a->n_places; i++) {
    assert_int_equal(a->places[i].scope, b->places[i].scope);
    assert_int_equal(a->places[i].pos, b->places[i].pos);
  }
  assert_int_equal(a->day, b->day);
  assert_int_equal(a->index_kind, b->index_kind);
  assert_int_equal(a->indexed, b->indexed);
  assert_int_equal(a->has_natural_key, b->has_natural_key);
  assert_memory_equal(a->natural_key, b->natural_key, OV_HASH_BYTES);
}

static void records_come_back_as_they_were_put(void **state) {
  world *w = *state;
  ov_name participant = make_name(3, 1), a = make_name(1, 1), b = make_name(1, 2), at;
  sv_record_row x = make_record(w, &a, 20, &participant, 19000), y = make_record(w, &b, 21, NULL, -5), got;
  x.has_natural_key = true;
  memset(x.natural_key, 3, sizeof x.natural_key);
  x.places[1] = (sv_place){.scope = 7, .pos = 1};
  x.n_places = 2;
  sv_txn *t = must_write(w);
  sv_record_put(t, &x);
  sv_record_put(t, &y);
  must_commit(t);
  t = must_read(w);
  assert_int_equal(sv_record_get(t, &a, &w->arena, &got), 0);
  assert_record(&got, &x);
  assert_int_equal(sv_record_get(t, &b, &w->arena, &got), 0);
  assert_record(&got, &y);
  assert_int_equal(sv_record_next(t, NULL, &at), 0);
  assert_true(ov_name_equal(&at, &a));
  assert_int_equal(sv_record_next(t, &at, &at), 0);
  assert_true(ov_name_equal(&at, &b));
  assert_int_equal(sv_record_next(t, &at, &at), OV_E_NOTFOUND);
  assert_int_equal(sv_record_get(t, &participant, &w->arena, &got), OV_E_NOTFOUND);
  sv_txn_abort(t);
}

static void indexes_follow_the_record(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1), q = make_name(3, 2), a = make_name(1, 1), b = make_name(1, 2),
          c = make_name(1, 3), out[4], *many;
  sv_record_row x = make_record(w, &a, 20, &p, 100), y = make_record(w, &b, 20, &p, -7),
                z = make_record(w, &c, 21, &p, 50);
  uint32_t n;
  x.has_natural_key = y.has_natural_key = true;
  sv_txn *t = must_write(w);
  sv_record_put(t, &x);
  sv_record_put(t, &y);
  sv_record_put(t, &z);
  assert_int_equal(sv_by_participant(t, &p, NULL, out, 4, &n), 0);
  ov_name by_day[] = {b, a, c};
  assert_names(out, n, by_day, 3);
  assert_int_equal(sv_by_participant(t, &p, NULL, out, 1, &n), 0);
  assert_int_equal(sv_by_participant(t, &p, &out[0], out, 4, &n), 0);
  assert_names(out, n, by_day + 1, 2);
  assert_int_equal(sv_by_kind_day(t, 20, INT64_MIN, INT64_MAX, &w->arena, &many, 100, &n), 0);
  assert_names(many, n, by_day, 2);
  assert_int_equal(sv_by_kind_day(t, 20, -7, 99, &w->arena, &many, 100, &n), 0);
  assert_names(many, n, by_day, 1);
  assert_int_equal(sv_by_natural_key(t, 20, x.natural_key, out, 4, &n), 0);
  ov_name twins[] = {a, b};
  assert_names(out, n, twins, 2);
  /* Another day, another participant, another key; and one that leaves the indexes. */
  x.day = -100;
  x.rec.participant = q;
  memset(x.natural_key, 9, sizeof x.natural_key);
  y.indexed = y.has_natural_key = false;
  sv_record_put(t, &x);
  sv_record_put(t, &y);
  assert_int_equal(sv_by_participant(t, &p, NULL, out, 4, &n), 0);
  ov_name left[] = {b, c};
  assert_names(out, n, left, 2);
  assert_int_equal(sv_by_participant(t, &q, NULL, out, 4, &n), 0);
  assert_names(out, n, &a, 1);
  assert_int_equal(sv_by_kind_day(t, 20, INT64_MIN, INT64_MAX, &w->arena, &many, 100, &n), 0);
  assert_names(many, n, &a, 1);
  uint8_t zero[OV_HASH_BYTES] = {0};
  assert_int_equal(sv_by_natural_key(t, 20, zero, out, 4, &n), 0);
  assert_int_equal(n, 0);
  assert_int_equal(sv_by_natural_key(t, 20, x.natural_key, out, 4, &n), 0);
  assert_names(out, n, &a, 1);
  must_commit(t);
}

static void a_record_of_an_erased_participant_keeps_its_place_only(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1), a = make_name(1, 1);
  sv_record_row x = make_record(w, &a, 20, &p, 100), got;
  sv_txn *t = must_write(w);
  sv_record_put(t, &x);
  must_commit(t);
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  t = must_write(w);
  for (int put = 0; put < 2; put++) {
    assert_int_equal(sv_record_get(t, &a, &w->arena, &got), 0);
    assert_true(got.erased);
    assert_int_equal(got.rec.kind, 20);
    assert_int_equal(got.rec.n_live, 0);
    assert_int_equal(got.places[0].pos, 5);
    sv_record_put(t, &x);
  }
  must_commit(t);
}

static void ops_of_a_record(void **state) {
  world *w = *state;
  ov_name a = make_name(1, 1), *ops;
  uint32_t n;
  sv_txn *t = must_write(w);
  for (uint64_t seq = 40; seq > 0; seq--) {
    ov_name op = make_name(1, seq);
    sv_record_op_add(t, &a, &op);
    sv_record_op_add(t, &a, &op);
  }
  assert_int_equal(sv_record_ops(t, &a, &w->arena, &ops, &n), 0);
  assert_int_equal(n, 40);
  for (uint32_t i = 0; i < n; i++) assert_int_equal(ops[i].seq, i + 1);
  ov_name none = make_name(8, 1);
  assert_int_equal(sv_record_ops(t, &none, &w->arena, &ops, &n), 0);
  assert_int_equal(n, 0);
  must_commit(t);
}

static void natural_hashes_are_keyed(void **state) {
  world *w = *state;
  const ov_record none = {.kind = 20};
  uint8_t a[OV_HASH_BYTES], b[OV_HASH_BYTES];
  ov_hash plain;
  sv_txn *t = must_read(w);
  assert_int_equal(sv_natural_hash(t, &none, (const uint8_t *)"night", 5, a), 0);
  assert_int_equal(sv_natural_hash(t, &none, (const uint8_t *)"night", 5, b), 0);
  assert_memory_equal(a, b, sizeof a);
  assert_int_equal(ov_sha256(sv_txn_hasher(t), "night", 5, &plain), 0);
  assert_memory_not_equal(a, plain.b, sizeof a);
  sv_txn_abort(t);
}

/* -- positions ------------------------------------------------------------------------------------------- */

static void positions_hold_each_record_once(void **state) {
  world *w = *state;
  ov_name a = make_name(1, 1), b = make_name(1, 2);
  ov_hash h = make_hash(1);
  sv_scope scope = {.scope = 2, .record = make_name(6, 6)}, got;
  uint64_t pos, old;
  uint8_t hash1[OV_POSHASH_BYTES], hash[OV_POSHASH_BYTES], zero[OV_POSHASH_BYTES] = {0};
  sv_posent list[4];
  uint32_t n;
  sv_txn *t = must_write(w);
  assert_int_equal(sv_pos_append(t, 2, &a, &h, 0, false, &pos), OV_E_NOTFOUND);
  sv_scope_put(t, &scope);
  assert_int_equal(sv_pos_append(t, 2, &a, &h, 0, false, &old), 0);
  assert_int_equal(old, 1);
  sv_pos_hash(t, 2, 1, hash1);
  assert_int_equal(sv_pos_append(t, 2, &b, &h, 0, false, &pos), 0);
  assert_int_equal(sv_pos_append(t, 2, &a, &h, old, false, &pos), 0);
  assert_int_equal(pos, 3);
  assert_int_equal(sv_pos_list(t, 2, 0, list, 4, &n), 0);
  assert_int_equal(n, 2);
  assert_int_equal(list[0].pos, 2);
  assert_true(ov_name_equal(&list[0].record, &b));
  assert_int_equal(list[1].pos, 3);
  assert_true(ov_name_equal(&list[1].record, &a));
  assert_int_equal(sv_pos_list(t, 2, 2, list, 4, &n), 0);
  assert_int_equal(n, 1);
  assert_int_equal(sv_pos_hash(t, 2, 1, hash), 0);
  assert_memory_equal(hash, hash1, sizeof hash);
  assert_int_equal(sv_pos_hash(t, 2, 0, hash), 0);
  assert_memory_equal(hash, zero, sizeof hash);
  assert_int_equal(sv_pos_hash(t, 2, 4, hash), OV_E_NOTFOUND);
  assert_int_equal(sv_scope_get(t, 2, &got), 0);
  assert_int_equal(got.pos, 3);
  sv_pos_hash(t, 2, 3, hash);
  assert_memory_equal(got.hash, hash, sizeof hash);
  assert_true(ov_name_equal(&got.record, &scope.record));
  must_commit(t);
}

static void a_leave_marker_stands_until_the_record_returns(void **state) {
  world *w = *state;
  ov_name a = make_name(1, 1);
  ov_hash h = make_hash(1);
  sv_scope scope = {.scope = 3};
  uint64_t first, left, again, back, at;
  sv_posent list[4];
  uint32_t n;
  sv_txn *t = must_write(w);
  sv_scope_put(t, &scope);
  sv_pos_append(t, 3, &a, &h, 0, false, &first);
  assert_int_equal(sv_gone_get(t, 3, &a, &at), OV_E_NOTFOUND);
  sv_pos_append(t, 3, &a, &h, first, true, &left);
  assert_int_equal(sv_gone_get(t, 3, &a, &at), 0);
  assert_int_equal(at, left);
  sv_pos_append(t, 3, &a, &h, 0, true, &again); /* gone once more (erased): one marker, at the later place */
  assert_int_equal(sv_gone_get(t, 3, &a, &at), 0);
  assert_int_equal(at, again);
  sv_pos_list(t, 3, 0, list, 4, &n);
  assert_int_equal(n, 1);
  assert_true(list[0].gone);
  sv_pos_append(t, 3, &a, &h, 0, false, &back);
  assert_int_equal(sv_gone_get(t, 3, &a, &at), OV_E_NOTFOUND);
  sv_pos_list(t, 3, 0, list, 4, &n);
  assert_int_equal(n, 1);
  assert_int_equal(list[0].pos, back);
  assert_false(list[0].gone);
  must_commit(t);
}

static void a_wrong_old_position_takes_nothing_out(void **state) {
  world *w = *state;
  ov_name a = make_name(1, 1), b = make_name(1, 2);
  ov_hash h = make_hash(1);
  sv_scope scope = {.scope = 2};
  uint64_t pos;
  sv_txn *t = must_write(w);
  sv_scope_put(t, &scope);
  sv_pos_append(t, 2, &a, &h, 0, false, &pos);
  assert_int_equal(sv_pos_append(t, 2, &b, &h, 1, false, &pos), OV_E_INTERNAL);
  assert_int_equal(sv_txn_commit(t), OV_E_INTERNAL);
}

static void scopes_are_walked(void **state) {
  world *w = *state;
  sv_txn *t = must_write(w);
  uint32_t scopes[] = {0, 1, 2, 4000000000u};
  sv_scope s;
  for (unsigned i = 0; i < 4; i++) {
    s = (sv_scope){.scope = scopes[i]};
    sv_scope_put(t, &s);
  }
  int64_t after = -1;
  for (unsigned i = 0; i < 4; i++) {
    assert_int_equal(sv_scope_next(t, after, &s), 0);
    assert_int_equal(s.scope, scopes[i]);
    after = s.scope;
  }
  assert_int_equal(sv_scope_next(t, after, &s), OV_E_NOTFOUND);
  assert_int_equal(sv_scope_get(t, 5, &s), OV_E_NOTFOUND);
  must_commit(t);
}

/* -- the rest -------------------------------------------------------------------------------------------- */

static void waiting_rulings_and_held(void **state) {
  world *w = *state;
  ov_name missing = make_name(1, 1), a = make_name(2, 1), b = make_name(2, 2), out[4], at;
  uint64_t count;
  uint32_t n;
  sv_txn *t = must_write(w);
  sv_waiting_add(t, &missing, &b);
  sv_waiting_add(t, &missing, &a);
  sv_waiting_count(t, &count);
  assert_int_equal(count, 2);
  ov_name both[] = {a, b};
  assert_int_equal(sv_waiting_list(t, &missing, out, 4, &n), 0);
  assert_names(out, n, both, 2);
  assert_int_equal(sv_waiting_del(t, &missing, &a), 0);
  assert_int_equal(sv_waiting_del(t, &missing, &a), OV_E_NOTFOUND);
  sv_waiting_list(t, &missing, out, 4, &n);
  assert_names(out, n, &b, 1);
  sv_ruling_add(t, &a, &b);
  assert_int_equal(sv_rulings_of(t, &a, out, 4, &n), 0);
  assert_names(out, n, &b, 1);
  sv_rulings_of(t, &b, out, 4, &n);
  assert_int_equal(n, 0);
  sv_held_add(t, &b);
  sv_held_add(t, &a);
  assert_int_equal(sv_held_next(t, NULL, &at), 0);
  assert_true(ov_name_equal(&at, &a));
  assert_int_equal(sv_held_next(t, &at, &at), 0);
  assert_true(ov_name_equal(&at, &b));
  assert_int_equal(sv_held_next(t, &at, &at), OV_E_NOTFOUND);
  assert_int_equal(sv_held_del(t, &a), 0);
  must_commit(t);
}

static void the_queue_never_uses_a_number_twice(void **state) {
  world *w = *state;
  ov_name a = make_name(2, 1), b = make_name(1, 1), got;
  uint64_t first, second;
  sv_txn *t = must_write(w);
  assert_int_equal(sv_queue_peek(t, &first, &got), OV_E_NOTFOUND);
  sv_queue_push(t, &a);
  sv_queue_push(t, &b);
  assert_int_equal(sv_queue_peek(t, &first, &got), 0);
  assert_true(ov_name_equal(&got, &a));
  assert_int_equal(sv_queue_pop(t, first), 0);
  assert_int_equal(sv_queue_peek(t, &second, &got), 0);
  assert_true(ov_name_equal(&got, &b));
  assert_int_equal(sv_queue_pop(t, second), 0);
  assert_int_equal(sv_queue_pop(t, second), OV_E_NOTFOUND);
  sv_queue_push(t, &a);
  assert_int_equal(sv_queue_peek(t, &first, &got), 0);
  assert_true(first > second);
  must_commit(t);
}

static void meta_and_counters(void **state) {
  world *w = *state;
  ov_buf b;
  uint64_t v;
  char longest[66];
  memset(longest, 'k', sizeof longest);
  longest[65] = 0;
  ov_buf_init(&b, 0);
  sv_txn *t = must_write(w);
  assert_int_equal(sv_meta_get(t, "zone", &b), OV_E_NOTFOUND);
  sv_meta_put(t, "zone", PLANTED, sizeof PLANTED);
  sv_meta_put(t, "empty", NULL, 0);
  assert_int_equal(sv_meta_get(t, "zone", &b), 0);
  assert_int_equal(b.n, sizeof PLANTED);
  assert_memory_equal(b.p, PLANTED, b.n);
  assert_int_equal(sv_meta_get(t, "empty", &b), 0);
  assert_int_equal(b.n, sizeof PLANTED);
  for (uint64_t i = 1; i <= 3; i++) {
    assert_int_equal(sv_counter_next(t, "scope", &v), 0);
    assert_int_equal(v, i);
  }
  must_commit(t);
  t = must_write(w);
  sv_counter_next(t, "scope", &v);
  assert_int_equal(v, 4);
  assert_int_equal(sv_meta_put(t, longest, "x", 1), OV_E_INVALID);
  sv_txn_abort(t);
  ov_buf_free(&b);
}

static void an_error_sticks_and_not_found_does_not(void **state) {
  world *w = *state;
  sv_op_row row = make_op(1, 1, NULL), got;
  ov_name none = make_name(9, 9);
  sv_txn *t = must_write(w);
  sv_op_put(t, &row);
  assert_int_equal(sv_op_get(t, &none, &w->arena, &got), OV_E_NOTFOUND);
  assert_int_equal(sv_txn_error(t), 0);
  sv_txn_fail(t, OV_E_DENIED);
  sv_txn_fail(t, OV_E_IO);
  assert_int_equal(sv_txn_error(t), OV_E_DENIED);
  assert_int_equal(sv_op_put(t, &row), OV_E_DENIED);
  assert_int_equal(sv_op_get(t, &row.op.name, &w->arena, &got), OV_E_DENIED);
  assert_int_equal(sv_txn_commit(t), OV_E_DENIED);
  t = must_read(w);
  assert_false(sv_op_has(t, &row.op.name));
  assert_int_equal(sv_op_put(t, &row), OV_E_INTERNAL); /* no writing in a read transaction */
  sv_txn_abort(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(ops_come_back_as_they_were_put),
      TEST(a_void_is_stored_and_filled_later),
      TEST(ops_of_a_writer_are_listed_with_branches_side_by_side),
      TEST(an_op_of_an_erased_participant_keeps_header_and_commitment_only),
      TEST(the_creating_op_of_a_participant_is_sealed_for_that_participant),
      TEST(tips_follow_their_branch),
      TEST(devices_and_codes),
      TEST(records_come_back_as_they_were_put),
      TEST(indexes_follow_the_record),
      TEST(a_record_of_an_erased_participant_keeps_its_place_only),
      TEST(ops_of_a_record),
      TEST(natural_hashes_are_keyed),
      TEST(positions_hold_each_record_once),
      TEST(a_leave_marker_stands_until_the_record_returns),
      TEST(a_wrong_old_position_takes_nothing_out),
      TEST(scopes_are_walked),
      TEST(waiting_rulings_and_held),
      TEST(the_queue_never_uses_a_number_twice),
      TEST(meta_and_counters),
      TEST(an_error_sticks_and_not_found_does_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
