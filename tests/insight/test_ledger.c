/* The ledger beside the records: who is in a release, and that nothing changes it afterwards. Cells of so few
 * are hidden; what is looked at is what the ledger keeps inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "export_priv.h"
#include "fixture.h"
#include "kinds.h"
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_who_agreed_to_research),
      cmocka_unit_test(nothing_changes_a_release),
      cmocka_unit_test(a_month_closes_on_its_day),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
