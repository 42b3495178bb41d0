/* Making an organisation: cut short anywhere it is completed by the next try under the same id, and nothing
 * that is half made is served. */
#include <stdlib.h>
#include <unistd.h>

#include "ingest_world.h"

typedef struct source {
  fx_world *w;
  unsigned left; /* numbers that it still gives */
} source;

static int give(void *ctx, void *out, size_t n) {
  source *s = ctx;
  if (!s->left) return OV_E_CRYPTO;
  s->left--;
  return s->w->sys.random(s->w, out, n);
}

static void what_was_cut_short_is_completed_by_the_next_try(void **state) {
  (void)state;
  fx_world w;
  bool whole = false;
  unsigned never = 0;
  fx_open(&w, 5);
  for (unsigned k = 0; !whole && k < 200; k++) {
    const ov_id id = {{1, (uint8_t)k}};
    char why[OV_ERROR_TEXT_MAX] = "";
    source from = {.w = &w, .left = k};
    sv_sys sys = w.sys;
    sv_org *org = NULL;
    sys.random = give;
    sys.ctx = &from;
    sv_org_options o = fx_org_options(&w, fx_data(&w)), cut = o;
    cut.sys = &sys;
    whole = !sv_org_create(&cut, &id, "De Es", "Europe/Amsterdam", &org, why);
    if (whole) {
      sv_org_close(org);
      break;
    }
    assert_null(org);
    assert_int_not_equal(sv_org_open(&o, &id, &org, why), 0);
    never += strstr(why, "never completed") != NULL;
    FX_OK(sv_org_create(&o, &id, "De Es", "Europe/Amsterdam", &org, why));
    assert_string_equal(org->name, "De Es");
    uint32_t team = fx_team(&w, org, "Beuk");
    fx_person(&w, org, "Jan", &team, 1);
    fx_verify(&w, org);
    sv_org_close(org);
    FX_OK(sv_org_open(&o, &id, &org, why));
    sv_org_close(org);
  }
  assert_true(whole);
  assert_true(never > 0);
  fx_close(&w);
}

static void a_store_that_begins_too_small_grows(void **state) {
  (void)state;
  fx_world w;
  fx_open(&w, 6);
  w.map_bytes = (size_t)16 * (size_t)sysconf(_SC_PAGESIZE);
  sv_org *org = fx_org(&w, fx_data(&w), "De Es");
  uint32_t team = fx_team(&w, org, "Beuk");
  fx_person(&w, org, "Jan", &team, 1);
  fx_verify(&w, org);
  sv_org_close(org);
  fx_close(&w);
}

static void a_name_that_fits_nowhere_makes_nothing(void **state) {
  (void)state;
  fx_world w;
  const ov_id id = {{7}};
  char why[OV_ERROR_TEXT_MAX] = "", name[2000];
  sv_org *org = NULL;
  ov_id found[4];
  uint32_t n = 0;
  fx_open(&w, 7);
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  sv_org_options o = fx_org_options(&w, fx_data(&w));
  assert_int_equal(sv_org_create(&o, &id, name, "Europe/Amsterdam", &org, why), OV_E_INVALID);
  assert_non_null(strstr(why, "too long"));
  assert_null(org);
  int err = sv_org_list(o.data, found, 4, &n);
  assert_true(err == OV_E_NOTFOUND || (!err && n == 0));
  fx_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_cut_short_is_completed_by_the_next_try),
                                     cmocka_unit_test(a_store_that_begins_too_small_grows),
                                     cmocka_unit_test(a_name_that_fits_nowhere_makes_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
