/* The audit's chain in a real store: every line follows the one before, and whatever is done to them
 * shows. */
#include "ingest_world.h"
#include "sv_audit.h"

static void put(small_world *s, int n, int64_t step_ms) {
  for (int i = 0; i < n; i++) {
    sv_txn *t = NULL;
    sv_audit_event e = {.type = SV_AUDIT_SHOW,
                        .action = 'R',
                        .has_participant = i % 2 == 0,
                        .participant = s->anna,
                        .has_person = true,
                        .person = s->carer,
                        .role = 1,
                        .purpose = SV_FOR_CARE,
                        .requestor = true,
                        .count = (uint32_t)i,
                        .team = s->a,
                        .consent = 2,
                        .emergency = i == 3,
                        .has_export = i == 4,
                        .export_id = {{4}},
                        .address = "10.0.0.1",
                        .user = "uid 0",
                        .detail = "record show"};
    FX_OK(sv_txn_write(s->org->env, &t));
    FX_OK(sv_audit_put(t, s->org, &e));
    FX_OK(sv_txn_commit(t));
    s->w.now_ms += step_ms;
  }
}

static sv_audit_check verify(small_world *s) {
  sv_audit_check c = {.lines = 0};
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(s->org->env, &t));
  while (!c.done) FX_OK(sv_audit_verify(t, s->org, &c, 3));
  sv_txn_abort(t);
  return c;
}

static void lines_keep_every_field(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  sv_audit_event e;
  uint64_t seqs[8];
  uint32_t n;
  small_open(&s, 80);
  int64_t at = s.w.now_ms;
  put(&s, 5, 1000);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_audit_get(t, 4, &e));
  assert_int_equal(e.seq, 4);
  assert_int_equal(e.type, SV_AUDIT_SHOW);
  assert_int_equal(e.action, 'R');
  assert_int_equal(e.time_ms, at + 3000);
  assert_false(e.has_participant);
  assert_true(e.has_person && ov_name_equal(&e.person, &s.carer) && e.requestor && e.emergency &&
              !e.has_export);
  assert_true(ov_id_equal(&e.source, &s.org->server));
  assert_int_equal(e.count, 3);
  assert_int_equal(e.team, s.a);
  assert_int_equal(e.consent, 2);
  assert_string_equal(e.address, "10.0.0.1");
  assert_string_equal(e.detail, "record show");
  FX_OK(sv_audit_get(t, 5, &e));
  assert_true(e.has_export && e.export_id.b[0] == 4 && ov_name_equal(&e.participant, &s.anna));
  FX_OK(sv_audit_of(t, &s.anna, 0, seqs, 8, &n));
  assert_int_equal(n, 3);
  assert_int_equal(seqs[0], 1);
  assert_int_equal(seqs[2], 5);
  FX_OK(sv_audit_of(t, &s.anna, 1, seqs, 1, &n));
  assert_int_equal(n, 1);
  assert_int_equal(seqs[0], 3);
  assert_int_equal(sv_audit_get(t, 6, &e), OV_E_NOTFOUND);
  sv_txn_abort(t);
  small_close(&s);
}

/* A device may tell a look at a time that no clock ever shows: it is held, and the line says when it was
 * written instead. */
static void a_look_at_no_time(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  sv_audit_event e;
  ov_head last;
  small_open(&s, 86);
  ov_field f[] = {FX_INT(SV_LOOK_FIRST, INT64_MAX), FX_INT(SV_LOOK_LAST, INT64_MIN),
                  FX_INT(SV_LOOK_TIMES, 1)};
  fx_create(s.ta, OV_KIND_LOOK, &s.anna, f, 3);
  fx_push_ok(s.ta, s.org, 1, 1);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_audit_last(t, &last));
  FX_OK(sv_audit_get(t, last.seq, &e));
  sv_txn_abort(t);
  assert_int_equal(e.type, SV_AUDIT_OFFLINE);
  assert_int_equal(e.claim_ms / 1000, s.w.now_ms / 1000);
  small_close(&s);
}

/* A write that is undone leaves no line, and the next one takes its number. */
static void a_line_stands_or_falls_with_its_transaction(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  small_open(&s, 81);
  put(&s, 2, 1);
  sv_audit_event e = {.type = SV_AUDIT_ADMIN, .action = 'C'};
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_audit_put(t, s.org, &e));
  FX_OK(sv_audit_put(t, s.org, &e));
  sv_txn_abort(t);
  put(&s, 1, 1);
  sv_audit_check c = verify(&s);
  assert_int_equal(c.bad, 0);
  assert_int_equal(c.lines, 3);
  small_close(&s);
}

/* Somebody with the keys and the database file, who cannot sign. */
static void what_is_done_to_lines_shows(void **state) {
  (void)state;
  for (int how = 0; how < 4; how++) {
    small_world s;
    sv_txn *t = NULL;
    ov_buf line;
    ov_hash prev;
    uint64_t seq;
    small_open(&s, 82);
    put(&s, 8, 1);
    assert_int_equal(verify(&s).bad, 0);
    FX_OK(sv_txn_write(s.org->env, &t));
    ov_buf_init(&line, 0);
    FX_OK(sv_audit_line(t, 3, &prev, &line));
    if (how == 0) FX_OK(sv_audit_del(t, 3, &s.anna));                 /* left out */
    if (how == 1) FX_OK(sv_audit_del(t, 8, NULL));                    /* the last one */
    if (how == 2) FX_OK(sv_audit_del(t, 1, &s.anna));                 /* the first one */
    if (how == 3) FX_OK(sv_audit_add(t, line.p, line.n, NULL, &seq)); /* repeated: a line like any other */
    FX_OK(sv_txn_commit(t));
    ov_buf_free(&line);
    sv_audit_check c = verify(&s);
    assert_int_equal(c.bad, how == 0 ? 3 : how == 1 ? 8 : how == 2 ? 1 : 0);
    small_close(&s);
  }
}

#define YEAR_MS 31557600000LL

static void old_lines_go_and_the_chain_still_verifies(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  uint32_t n;
  uint64_t seqs[64];
  small_open(&s, 83);
  put(&s, 24, YEAR_MS / 3); /* eight years */
  FX_OK(sv_txn_write(s.org->env, &t));
  assert_int_equal(sv_audit_cut(t, s.org, s.w.now_ms - 4 * YEAR_MS, 100, &n), OV_E_INVALID);
  FX_OK(sv_audit_cut(t, s.org, s.w.now_ms - 6 * YEAR_MS, 4, &n));
  assert_int_equal(n, 4);
  FX_OK(sv_txn_commit(t));
  sv_audit_check c = verify(&s);
  assert_int_equal(c.bad, 0);
  assert_int_equal(c.lines, 21); /* and one about the cut */
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_audit_cut(t, s.org, s.w.now_ms - 6 * YEAR_MS, 100, &n));
  FX_OK(sv_audit_of(t, &s.anna, 0, seqs, 64, &n));
  assert_true(n > 0 && seqs[0] > 4);
  FX_OK(sv_txn_commit(t));
  assert_int_equal(verify(&s).bad, 0);
  /* a checkpoint that nobody signed */
  sv_audit_start start;
  ov_buf b;
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_audit_start_get(t, &start));
  ov_buf_init(&b, 0);
  FX_OK(sv_meta_get(t, "audit/start", &b));
  b.p[b.n - OV_PUBKEY_BYTES - 10] ^= 1; /* in the signature */
  FX_OK(sv_meta_put(t, "audit/start", b.p, b.n));
  ov_buf_free(&b);
  FX_OK(sv_txn_commit(t));
  assert_int_equal(verify(&s).bad, start.before.seq);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_keep_every_field),
                                     cmocka_unit_test(a_look_at_no_time),
                                     cmocka_unit_test(a_line_stands_or_falls_with_its_transaction),
                                     cmocka_unit_test(what_is_done_to_lines_shows),
                                     cmocka_unit_test(old_lines_go_and_the_chain_still_verifies)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
