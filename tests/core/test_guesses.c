/* A hundred thousand guesses at an enrolment code, on the server itself with its clock in the test's hand:
 * none gets in, few are even looked at, and the code's owner is told to ask for another. */
#include "ingest_world.h"
#include "sv_enrol.h"
#include "sv_limits.h"
#include "sv_server.h"

#define GUESSES 100000u
#define GUESS_MS 20 /* 100,000 guesses in 33 minutes: longer than a code lives, faster than any person */

typedef struct guesser {
  fx_world w;
  sv_org *programme, *org;
  sv_server *server;
  ov_name record;
  uint8_t pubkey[OV_PUBKEY_BYTES];
  unsigned closed;
} guesser;

static void wake(void *ctx) { (void)ctx; }
static void want_write(void *ctx) { (void)ctx; }
static void pause_reading(void *ctx, bool paused) { (void)ctx, (void)paused; }
static void close_it(void *ctx, unsigned code, const char *reason) {
  (void)code, (void)reason;
  ((guesser *)ctx)->closed++;
}

static void open_all(guesser *g) {
  static const char *const names[] = {"localhost"};
  memset(g, 0, sizeof *g);
  fx_open(&g->w, 31);
  const char *data = fx_data(&g->w);
  g->programme = fx_programme(&g->w, data);
  g->org = fx_org(&g->w, data, "De Linde");
  uint32_t team = fx_team(&g->w, g->org, "Beuk");
  ov_name carer = fx_person(&g->w, g->org, "carer", &team, 1);
  fx_tablet *t = fx_tablet_new(&g->w, g->org, &team, 1, &carer);
  g->record = t->device.record;
  memcpy(g->pubkey, t->device.pubkey, sizeof g->pubkey);
  fx_tablet_free(t);
  sv_server_options o = {.sys = &g->w.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = g->programme,
                         .schemas = g->w.schemas,
                         .wake = wake};
  FX_OK(sv_server_new(&o, &g->server));
  FX_OK(sv_server_add_org(g->server, g->org));
}

static void close_all(guesser *g) {
  sv_server_shutdown(g->server);
  while (sv_writer_step(sv_server_writer(g->server))) continue;
  sv_server_poll(g->server);
  sv_server_free(g->server);
  sv_org_close(g->org);
  sv_org_close(g->programme);
  fx_close(&g->w);
}

static void new_code(guesser *g, char code[SV_CODE_TEXT]) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(g->programme->env, &t));
  FX_OK(sv_code_make(t, &g->w.sys, &g->org->id, &g->record, code));
  FX_OK(sv_txn_commit(t));
}

/* One connection, one code. */
static void try_code(guesser *g, const char *code) {
  sv_link link = {.want_write = want_write, .close = close_it, .pause = pause_reading, .ctx = g};
  ov_enrol e = {.version_min = OV_PROTOCOL_VERSION,
                .version_max = OV_PROTOCOL_VERSION,
                .code = code,
                .code_len = (uint32_t)strlen(code),
                .device_name = "x",
                .device_name_len = 1};
  ov_buf frame, out;
  memcpy(e.pubkey, g->pubkey, sizeof e.pubkey);
  ov_buf_init(&frame, 1024);
  ov_buf_init(&out, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_put(&frame, "", 1); /* not packed */
  ov_enrol_encode(&e, &frame);
  sv_session *ss = sv_session_open(g->server, &link, "192.0.2.7");
  FX_MUST(ss);
  sv_session_message(ss, frame.p, frame.n);
  for (int half = 0; half < 2; half++) { /* the programme's transaction, then the organisation's */
    while (sv_writer_step(sv_server_writer(g->server))) continue;
    sv_server_poll(g->server);
  }
  while (sv_session_pull(ss, &out)) ov_buf_reset(&out);
  sv_session_closed(ss);
  ov_buf_free(&frame);
  ov_buf_free(&out);
}

static sv_server_stats stats(guesser *g) {
  sv_server_stats s;
  sv_server_stats_get(g->server, &s);
  return s;
}

/* A guess: the four letters that find the code are known to the attacker, the other eight are not. */
static void guess(const char *code, unsigned n, char out[SV_CODE_TEXT]) {
  static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  memcpy(out, code, SV_CODE_TEXT);
  for (int i = 13; i > 4; i--)
    if (out[i] != '-') {
      out[i] = letters[n & 31];
      n >>= 5;
    }
  if (!strcmp(out, code)) out[13] = out[13] == '0' ? '1' : '0';
}

static void a_hundred_thousand_guesses_get_nothing(void **state) {
  (void)state;
  guesser g;
  char code[SV_CODE_TEXT], typed[SV_CODE_TEXT];
  open_all(&g);
  new_code(&g, code);
  int64_t start = g.w.now_ms;
  for (unsigned i = 0; i < GUESSES; i++) {
    guess(code, i, typed);
    try_code(&g, typed);
    g.w.now_ms += GUESS_MS;
  }
  uint64_t minutes = (uint64_t)(g.w.now_ms - start) / 60000;
  assert_int_equal(stats(&g).enrolled, 0);
  assert_int_equal(g.closed, GUESSES);
  assert_true(stats(&g).refused_codes <= (minutes + 2) * SV_ENROL_WRONG_PER_MINUTE);
  assert_true(stats(&g).refused_codes >= minutes * SV_ENROL_WRONG_PER_MINUTE / 2); /* some were looked at */
  g.w.now_ms += 60000;
  try_code(&g, code); /* the true one died with the fifth wrong try */
  assert_int_equal(stats(&g).enrolled, 0);
  g.w.now_ms += 60000;
  new_code(&g, code);
  try_code(&g, code); /* the control: a right code does get in */
  assert_int_equal(stats(&g).enrolled, 1);
  try_code(&g, code);
  assert_int_equal(stats(&g).enrolled, 1);
  close_all(&g);
}

/* Each limit by itself. */
static void tries_and_life_of_a_code(void **state) {
  (void)state;
  guesser g;
  char code[SV_CODE_TEXT], typed[SV_CODE_TEXT];
  open_all(&g);
  for (unsigned wrong = SV_CODE_TRIES_MAX - 1; wrong <= SV_CODE_TRIES_MAX; wrong++) {
    uint64_t before = stats(&g).enrolled;
    new_code(&g, code);
    for (unsigned i = 0; i < wrong; i++) {
      guess(code, i, typed);
      try_code(&g, typed);
    }
    try_code(&g, code);
    assert_int_equal(stats(&g).enrolled - before, wrong < SV_CODE_TRIES_MAX);
    g.w.now_ms += 60000;
  }
  for (int late = 0; late < 2; late++) {
    uint64_t before = stats(&g).enrolled;
    new_code(&g, code);
    g.w.now_ms += SV_CODE_LIFE_MS + (late ? 1 : -1);
    try_code(&g, code);
    assert_int_equal(stats(&g).enrolled - before, !late);
  }
  close_all(&g);
}

static unsigned codes(guesser *g) {
  sv_txn *t = NULL;
  sv_code c = {.tries = 0};
  unsigned n = 0;
  FX_OK(sv_txn_read(g->programme->env, &t));
  while (!sv_code_next(t, n ? c.hash : NULL, &c)) n++;
  sv_txn_abort(t);
  return n;
}

/* Codes that nobody used do not pile up. */
static void what_expired_goes_with_the_next_code(void **state) {
  (void)state;
  guesser g;
  char first[SV_CODE_TEXT], code[SV_CODE_TEXT];
  open_all(&g);
  new_code(&g, first);
  for (int i = 0; i < 3; i++) new_code(&g, code);
  assert_int_equal(codes(&g), 4);
  g.w.now_ms += SV_CODE_LIFE_MS;
  new_code(&g, code);
  assert_int_equal(codes(&g), 5); /* they live to the last moment */
  g.w.now_ms += 1;
  new_code(&g, code);
  assert_int_equal(codes(&g), 2);
  try_code(&g, code);
  assert_int_equal(stats(&g).enrolled, 1);
  close_all(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_hundred_thousand_guesses_get_nothing),
                                     cmocka_unit_test(tries_and_life_of_a_code),
                                     cmocka_unit_test(what_expired_goes_with_the_next_code)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
