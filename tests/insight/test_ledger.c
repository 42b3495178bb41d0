/* The ledger beside the records: who is in a release, and that nothing changes it afterwards. Cells of so few
 * are hidden; what is looked at is what the ledger keeps inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export_priv.h"
#include "fixture.h"
#include "kinds.h"
#include "release_priv.h"
#include "sv_kinds.h"
#include "sv_node.h"

#define FIRST_DAY (FX_START_MS / 86400000) /* 2025-10-09 */
#define DAY_MS 86400000ll

typedef struct place {
  fx_world w;
  sv_org *programme, *org;
  ov_name carer, anna, ben, cor;
  fx_tablet *tablet;
  uint32_t pushed;
  sv_insight in;
} place;

static sv_org *org_at(void *ctx, unsigned i) { return i ? NULL : ((place *)ctx)->org; }

static int write_now(void *ctx, sv_org *org, sv_insight_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

static void push(place *p) {
  fx_push_ok(p->tablet, p->org, p->pushed + 1, p->tablet->n);
  p->pushed = p->tablet->n;
}

static void night(place *p, const ov_name *who, int64_t day) {
  int64_t bed = day * 86400 + 22 * 3600;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, day),        FX_INT(SLEEP_SOURCE, 1),       FX_INT(SLEEP_BED, bed),
                  FX_INT(SLEEP_TRY, bed + 1800),   FX_INT(SLEEP_SOL, 18),         FX_INT(SLEEP_WASO, 30),
                  FX_INT(SLEEP_WAKE, bed + 30600), FX_INT(SLEEP_OUT, bed + 31500)};
  fx_create(p->tablet, KIND_SLEEP, who, f, 8);
  push(p);
}

static ov_name consent(place *p, const ov_name *who) {
  ov_field f[] = {FX_INT(SV_CONSENT_PURPOSE, 3), FX_INT(3, 1), FX_INT(SV_CONSENT_GIVEN_ON, FIRST_DAY - 30),
                  fx_text(8, "v1"), FX_INT(SV_CONSENT_VALID, 1)};
  ov_name name = fx_create(p->tablet, SV_KIND_CONSENT, who, f, 5);
  push(p);
  return name;
}

/* Anna agreed to research, Ben was never asked, Cor took it back. */
static void open_place(place *p) {
  memset(p, 0, sizeof *p);
  fx_open(&p->w, 31);
  const char *data = fx_data(&p->w);
  p->programme = fx_programme(&p->w, data);
  p->org = fx_org(&p->w, data, "De Linde");
  uint32_t team = fx_team(&p->w, p->org, "Beuk");
  p->carer = fx_person(&p->w, p->org, "carer", &team, 1);
  p->anna = fx_participant(&p->w, p->org, "Anna", &team, 1);
  p->ben = fx_participant(&p->w, p->org, "Ben", &team, 1);
  p->cor = fx_participant(&p->w, p->org, "Cor", &team, 1);
  p->tablet = fx_tablet_new(&p->w, p->org, &team, 1, &p->carer);
  p->in = (sv_insight){.programme = p->programme,
                       .org_at = org_at,
                       .write = write_now,
                       .ctx = p,
                       .now_ms = FX_START_MS + 60 * DAY_MS};
  night(p, &p->anna, FIRST_DAY);
  night(p, &p->ben, FIRST_DAY);
  night(p, &p->cor, FIRST_DAY);
  consent(p, &p->anna);
  ov_name taken_back = consent(p, &p->cor);
  ov_field f[] = {FX_INT(SV_CONSENT_VALID, 0), FX_INT(SV_CONSENT_WITHDRAWN, FIRST_DAY - 5)};
  fx_edit(p->tablet, p->org, &taken_back, f, 2);
  push(p);
}

static void close_place(place *p) {
  fx_tablet_free(p->tablet);
  sv_org_close(p->org);
  sv_org_close(p->programme);
  fx_close(&p->w);
}

static bool make(place *p, unsigned breakdowns, uint32_t *number) {
  char why[OV_ERROR_TEXT_MAX];
  sv_release_ask ask = {.month = sv_month_of_day(FIRST_DAY), .breakdowns = breakdowns};
  bool made;
  FX_OK(sv_release_make(&p->in, NULL, &ask, number, &made, why));
  return made;
}

/* Who stands behind the sleep of all networks in this release: one client, Anna. */
static void only_anna(place *p, uint32_t number) {
  sv_release *r = NULL;
  FX_OK(sv_release_load(p->programme, number, &r));
  const sv_cell *c = sv_release_cell(r, "sleep_se:1@all");
  assert_non_null(c);
  assert_int_equal(c->n, 1);
  assert_int_equal(c->hidden, SV_HID_CLIENTS);
  assert_true(ov_name_equal(&r->clients[c->clients[0]].name, &p->anna));
  sv_release_free(r);
}

/* The whole file, on the heap of the tests. */
static char *file(place *p, const char *dataset) {
  sv_export_file x;
  size_t n = 0;
  FX_OK(sv_export_open(p->programme, "2025-10", dataset, SV_FORMAT_CSV, false, &x));
  char *all = test_calloc(1, x.bytes + 1);
  for (uint64_t at = 0; at < x.bytes; at += n)
    FX_OK(sv_export_read(&x, at, (uint8_t *)all + at, x.bytes - at, &n));
  return all;
}

static void only_who_agreed_to_research(void **state) {
  (void)state;
  place p;
  uint32_t number = 0;
  open_place(&p);
  assert_true(make(&p, 0, &number));
  only_anna(&p, number);
  close_place(&p);
}

/* A late night, consent that came later, and an erasure: the release is what it was, to the byte. */
static void nothing_changes_a_release(void **state) {
  (void)state;
  place p;
  uint32_t number = 0, again = 0;
  open_place(&p);
  assert_true(make(&p, 0, &number));
  char *before = file(&p, "sleep");
  night(&p, &p.anna, FIRST_DAY + 1);
  consent(&p, &p.ben);
  assert_false(make(&p, 0, &again));
  assert_int_equal(again, number);
  FX_OK(sv_keyring_destroy(p.org->keyring, &p.anna));
  assert_false(make(&p, 0, &again));
  only_anna(&p, number);
  char *after = file(&p, "sleep");
  assert_string_equal(after, before);
  test_free(before);
  test_free(after);
  /* What is added to the month later repeats what was released of it. */
  assert_true(make(&p, 1u << SV_BY_TYPE, &again));
  assert_int_equal(again, number + 1);
  only_anna(&p, again);
  close_place(&p);
}

/* The grace of 14 days, to the second. */
static void a_month_closes_on_its_day(void **state) {
  (void)state;
  place p;
  char why[OV_ERROR_TEXT_MAX];
  uint32_t number = 0, month = sv_month_of_day(FIRST_DAY);
  bool made;
  sv_release_ask ask = {.month = month};
  open_place(&p);
  int64_t closes = (sv_month_first_day(month + 1) + SV_GRACE_DAYS) * DAY_MS;
  p.in.now_ms = closes - 1;
  assert_int_equal(sv_release_make(&p.in, NULL, &ask, &number, &made, why), OV_E_INVALID);
  assert_non_null(strstr(why, "2025-11-15"));
  p.in.now_ms = closes;
  assert_int_equal(sv_release_make(&p.in, NULL, &ask, &number, &made, why), 0);
  assert_true(made);
  close_place(&p);
}

/* -- cohorts --------------------------------------------------------------------------------------------- */

#define CLIENTS 1500u /* more than the first table of numbers takes */

static ov_name client_name(uint32_t i) { return (ov_name){.writer = {{7}}, .seq = 1 + i}; }

/* Every third client; of both organisations. */
static sv_release *with_a_cohort(const place *p, const ov_id *gone) {
  sv_release *r = calloc(1, sizeof *r);
  sv_batch *b = calloc(1, sizeof *b);
  FX_MUST(r && b);
  *r = (sv_release){.number = 16 * 700, .month = 700, .made_ms = 5, .n_orgs = 2, .n_clients = CLIENTS};
  r->orgs = calloc(2, sizeof *r->orgs);
  r->clients = calloc(CLIENTS, sizeof *r->clients);
  *b = (sv_batch){.measure = 3,
                  .split = 1,
                  .group = 9,
                  .n = CLIENTS / 3,
                  .orgs_n = 2,
                  .base = -8000,
                  .follow = 91000,
                  .diff = 99000,
                  .diff2 = INT64_C(1) << 40};
  b->clients = calloc(b->n, sizeof *b->clients);
  b->orgs = calloc(2, sizeof *b->orgs);
  FX_MUST(r->orgs && r->clients && b->clients && b->orgs);
  r->orgs[0] = *gone;
  r->orgs[1] = p->org->id;
  for (uint32_t i = 0; i < CLIENTS; i++) r->clients[i] = (sv_client){.org = i % 2, .name = client_name(i)};
  for (uint32_t i = 0; i < b->n; i++) b->clients[i] = 3 * i;
  b->orgs[1] = 1;
  r->fresh = (sv_batches){.v = b, .n = 1, .cap = 1};
  return r;
}

static void keep_release(place *p, sv_release *r) {
  ov_buf parts[PART_BATCHES + 1];
  sv_txn *t = NULL;
  for (unsigned i = 0; i <= PART_BATCHES; i++) ov_buf_init(&parts[i], 0);
  FX_OK(rel_encode(r, parts));
  FX_OK(sv_txn_write(p->programme->env, &t));
  for (unsigned i = 0; i <= PART_BATCHES; i++) {
    FX_OK(sv_release_put(t, r->number, i, parts[i].p, parts[i].n));
    ov_buf_free(&parts[i]);
  }
  FX_OK(sv_txn_commit(t));
}

/* What was frozen stays so: later releases count on the very same people, whatever their numbers are then,
 * also when one of the organisations is not here any more. */
static void a_cohort_comes_back_with_its_people(void **state) {
  (void)state;
  place p;
  open_place(&p);
  const ov_id gone = {{0x12, 0x34}};
  sv_release *made = with_a_cohort(&p, &gone), *r = NULL;
  keep_release(&p, made);
  FX_OK(sv_release_load(p.programme, made->number, &r));
  const sv_batch *was = &made->fresh.v[0], *is = &r->fresh.v[0];
  assert_int_equal(r->n_clients, CLIENTS);
  assert_int_equal(r->fresh.n, 1);
  assert_int_equal(is->measure, was->measure);
  assert_int_equal(is->split, was->split);
  assert_int_equal(is->group, was->group);
  assert_int_equal(is->n, was->n);
  assert_memory_equal(is->clients, was->clients, was->n * sizeof *was->clients);
  assert_int_equal(is->orgs_n, 2);
  assert_memory_equal(is->orgs, was->orgs, 2 * sizeof *was->orgs);
  assert_true(is->base == was->base && is->follow == was->follow && is->diff == was->diff &&
              is->diff2 == was->diff2);
  rel_job *j = calloc(1, sizeof *j);
  uint32_t other;
  FX_MUST(j);
  j->month = 701;
  j->orgs[0].org = p.org;
  j->n_orgs = 1;
  FX_OK(rel_client(&j->clients, 0, &p.anna, &other)); /* numbered before: the others shift */
  FX_OK(rel_take(j, r));
  const sv_batch *mine = &j->batches.v[0];
  assert_int_equal(j->batches.n, 1);
  assert_int_equal(mine->n, was->n);
  for (uint32_t i = 0; i < mine->n; i++) {
    const sv_client *c = &j->clients.v[mine->clients[i]];
    assert_true(!i || mine->clients[i] > mine->clients[i - 1]);
    assert_int_equal((c->name.seq - 1) % 3, 0);
    assert_int_equal(c->org, (c->name.seq - 1) % 2 ? 0 : 0x9234); /* a number that no organisation here has */
  }
  assert_int_equal(mine->orgs[0], 0x9234);
  assert_int_equal(mine->orgs[1], 0);
  assert_int_equal(j->prior.n, 0); /* of another month */
  sv_batches_free(&j->batches);
  rel_clients_free(&j->clients);
  free(j);
  sv_release_free(made);
  sv_release_free(r);
  close_place(&p);
}

/* A project of theme network 1. */
static ov_name project(place *p) {
  ov_field n[] = {FX_INT(2, 1), fx_text(3, "Slaap"), FX_INT(4, 1)};
  ov_name network = fx_local(
      &p->w, p->programme,
      (ov_op){.scope = 0, .creates = true, .kind = 11, .version = 1, .fields = n, .n_fields = 3}, NULL);
  ov_field f[] = {fx_text(2, "P"), fx_ref(&p->w, SV_PROJECT_NETWORK, &network)};
  return fx_local(
      &p->w, p->org,
      (ov_op){.scope = 1, .creates = true, .kind = SV_KIND_PROJECT, .version = 1, .fields = f, .n_fields = 2},
      NULL);
}

static void phase_night(place *p, const ov_name *proj, int64_t day, int64_t phase, int64_t sol) {
  int64_t bed = day * 86400 + 22 * 3600;
  ov_field f[] = {fx_ref(&p->w, 2, proj),        FX_INT(3, phase),       FX_INT(SLEEP_NIGHT, day),
                  FX_INT(SLEEP_SOURCE, 1),       FX_INT(SLEEP_BED, bed), FX_INT(SLEEP_TRY, bed + 1800),
                  FX_INT(SLEEP_SOL, sol),        FX_INT(SLEEP_WASO, 30), FX_INT(SLEEP_WAKE, bed + 30600),
                  FX_INT(SLEEP_OUT, bed + 31500)};
  fx_create(p->tablet, KIND_SLEEP, &p->anna, f, 10);
  push(p);
}

static void paired_is(place *p, uint32_t month, uint32_t fresh) {
  char why[OV_ERROR_TEXT_MAX];
  /* rules that tell of one: what they hide otherwise is tested apart (test_sdc.c) */
  sv_sdc_rules r = sv_sdc_rules_usual();
  r.clients_min = r.orgs_left_min = 0;
  r.orgs_min = 1;
  r.category_max_pct = r.two_max_pct = 100;
  r.p_pct = 0;
  r.secondary = false;
  sv_release_ask ask = {.month = month};
  uint32_t number = 0;
  bool made;
  sv_release *x = NULL;
  FX_OK(sv_release_make(&p->in, &r, &ask, &number, &made, why));
  assert_true(made);
  FX_OK(sv_release_load(p->programme, number, &x));
  const sv_cell *c = sv_release_cell(x, "paired/sleep_se:1@all");
  assert_non_null(c);
  assert_int_equal(c->n, 1);
  assert_true(ov_name_equal(&x->clients[c->clients[0]].name, &p->anna));
  assert_true(c->follow > c->base); /* asleep sooner */
  assert_true((x->fresh.n > 0) == (fresh > 0));
  sv_release_free(x);
}

/* Who was compared once stays compared, by what was there then: a month later it is the same people, frozen
 * by the earlier release. */
static void who_was_compared_stays_compared(void **state) {
  (void)state;
  place p;
  open_place(&p);
  ov_name proj = project(&p);
  for (int64_t i = 1; i <= 10; i++) phase_night(&p, &proj, FIRST_DAY + i, PHASE_BASELINE, 60);
  for (int64_t i = 11; i <= 20; i++) phase_night(&p, &proj, FIRST_DAY + i, PHASE_FOLLOW_UP, 20);
  uint32_t month = sv_month_of_day(FIRST_DAY);
  paired_is(&p, month, 1);
  p.in.now_ms += 40 * DAY_MS;
  paired_is(&p, month + 1, 0);
  close_place(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_who_agreed_to_research),
      cmocka_unit_test(nothing_changes_a_release),
      cmocka_unit_test(a_month_closes_on_its_day),
      cmocka_unit_test(a_cohort_comes_back_with_its_people),
      cmocka_unit_test(who_was_compared_stays_compared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
