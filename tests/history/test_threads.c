/* The server with its worker threads: tablets push and follow while others commit for the same organisation.
 * Meant for the thread sanitizer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "home.h"

#define TABLETS 6
#define ROUNDS 12

typedef struct stranger {
  home *h;
  atomic_bool stop, ended;
  unsigned made;
} stranger;

typedef struct person_job {
  sv_job job;
  home *h;
  stranger *s;
  sv_touches touches;
  atomic_bool *done;
} person_job;

static int make_person(sv_job *job, sv_txn *t, ov_arena *a) {
  person_job *j = (person_job *)job;
  ov_value team = ov_int(j->h->team);
  ov_field f[2] = {fx_text(SV_PERSON_NAME, "Invaller"),
                   {SV_PERSON_TEAMS, {.type = OV_V_SET, .set = {.add = &team, .n_add = 1}}}};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = f, .n_fields = 2};
  ov_name name;
  sv_touches_free(&j->touches);
  return sv_ingest_local(t, job->org, &op, a, &j->touches, &name);
}

static void person_done(sv_job *job, void *server) {
  person_job *j = (person_job *)job;
  uint32_t scope = 1;
  if (server && !job->err) sv_server_changed(server, job->org, &scope, 1);
  sv_touches_free(&j->touches);
  atomic_store(j->done, true);
  free(j);
}

/* Another thread that has work committed, as the administration socket does. */
static void *strange_main(void *arg) {
  stranger *s = arg;
  while (!atomic_load(&s->stop)) {
    atomic_bool done = false;
    person_job *j = calloc(1, sizeof *j);
    FX_MUST(j);
    *j = (person_job){
        .h = s->h,
        .s = s,
        .done = &done,
        .job = {.org = s->h->w.org, .bytes = sizeof *j, .run = make_person, .done = person_done}};
    FX_OK(sv_writer_submit(sv_server_writer(s->h->w.server), &j->job));
    while (!atomic_load(&done)) usleep(100);
    s->made++;
  }
  atomic_store(&s->ended, true);
  return NULL;
}

static void many_at_once(void **state) {
  (void)state;
  home h;
  home_open(&h);
  h.w.workers = 2;
  h.w.fx.map_bytes = 1u << 20; /* grows while it is read */
  world_restart(&h.w);
  tablet t[TABLETS];
  char name[16], night[40];
  for (int i = 0; i < TABLETS; i++) {
    snprintf(name, sizeof name, "t%d", i);
    tablet_open(&t[i], &h.w, name);
    tablet_enrol(&t[i], name, &h.team, 1);
    tablet_sync_ok(&t[i]);
  }
  stranger s = {.h = &h};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, strange_main, &s), 0);
  for (int r = 0; r < ROUNDS; r++) {
    for (int i = 0; i < TABLETS; i++) {
      snprintf(night, sizeof night, "night_date=2025-09-%02d", 1 + (r * TABLETS + i) % 28);
      tablet_add(&t[i], "sleep", &h.client, &h.ann, NULL, night, "source=1", NULL);
      assert_int_equal(tablet_sync(&t[i], NULL, NULL), 0);
    }
  }
  atomic_store(&s.stop, true);
  while (!atomic_load(&s.ended)) { /* its last job needs somebody who polls */
    sv_server_poll(h.w.server);
    usleep(100);
  }
  pthread_join(thread, NULL);
  assert_true(s.made > 0);
  uint32_t scopes[3] = {0, 1, h.team};
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < TABLETS; i++) tablet_sync_ok(&t[i]);
  }
  ov_hash want = world_digest(&h.w, scopes, 3);
  for (int i = 0; i < TABLETS; i++) {
    ov_hash got = tablet_digest(&t[i]);
    assert_memory_equal(&want, &got, sizeof want);
    tablet_close(&t[i]);
  }
  all_agree(&h);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(many_at_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
