/* A shift of the real kinds, beside the one that is compared with others: 40 entries of nights, days and
 * contacts of a team, 12 edits, a note with every fourth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "world.h"

#define CLIENTS 12
#define STAFF 6

static uint32_t state_;
static uint32_t pick(uint32_t n) {
  state_ = state_ * 1664525u + 1013904223u;
  return (state_ >> 16) % n;
}

static const char *const notes[] = {
    "note=heeft goed geslapen, was vrolijk bij het ontbijt", "note=onrustig, twee keer naar de wc geholpen",
    "note=wilde niet meedoen, had hoofdpijn", "note=belde met zijn zus, daarna rustig",
    "note=sensor gaf een vals alarm om half vier"};

typedef struct home {
  world w;
  uint32_t team;
  ov_name clients[CLIENTS], staff[STAFF];
  tablet t;
  char project[OV_NAME_TEXT_MAX + 9];
} home;

static void open_home(home *h) {
  char label[32];
  world_open(&h->w, 3);
  h->team = fx_team(&h->w.fx, h->w.org, "Woning");
  for (unsigned i = 0; i < CLIENTS; i++) {
    snprintf(label, sizeof label, "Client %u", i);
    h->clients[i] = fx_participant(&h->w.fx, h->w.org, label, &h->team, 1);
  }
  for (unsigned i = 0; i < STAFF; i++) {
    snprintf(label, sizeof label, "Carer %u", i);
    h->staff[i] = fx_person(&h->w.fx, h->w.org, label, &h->team, 1);
  }
  ov_field f[1] = {fx_text(2, "Project")};
  ov_name project = fx_local(
      &h->w.fx, h->w.org,
      (ov_op){.scope = 1, .creates = true, .kind = 8, .version = 1, .fields = f, .n_fields = 1}, NULL);
  char name[OV_NAME_TEXT_MAX];
  ov_name_text(&project, name);
  snprintf(h->project, sizeof h->project, "project=%s", name);
  tablet_open(&h->t, &h->w, "tablet");
  tablet_enrol(&h->t, "tablet", &h->team, 1);
  tablet_sync_ok(&h->t);
}

/* The organisation's zone is two hours ahead of UTC on this day. */
static const char *at(char out[48], const char *field, int64_t utc) {
  time_t s = (time_t)utc;
  struct tm tm;
  char when[24];
  gmtime_r(&s, &tm);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
  snprintf(out, 48, "%s=%s", field, when);
  return out;
}

static void add_night(home *h, const ov_name *client, const ov_name *author, char id[OC_ID_TEXT]) {
  int64_t now = h->w.fx.now_ms / 1000 / 60 * 60, wake = now - pick(40) * 60,
          bed = wake - (int64_t)(420 + pick(120)) * 60;
  char b[48], s[48], f[48], o[48], sol[24], wakes[24], waso[24], q[16];
  snprintf(sol, sizeof sol, "sol_min=%u", 5 + pick(8) * 5);
  snprintf(wakes, sizeof wakes, "wake_count=%u", pick(4));
  snprintf(waso, sizeof waso, "waso_min=%u", pick(12) * 5);
  snprintf(q, sizeof q, "quality=%u", 1 + pick(5));
  tablet_add(&h->t, "sleep", client, author, id, h->project, "night_date=2025-10-08", "source=1",
             at(b, "bed_at", bed), at(s, "sleep_try_at", bed + 600), sol, wakes, waso,
             at(f, "final_wake_at", wake), at(o, "out_of_bed_at", now), q,
             pick(4) ? "help_count=0" : notes[pick(5)], NULL);
}

static void add_day(home *h, const ov_name *client, const ov_name *author, char id[OC_ID_TEXT]) {
  char when[48], c[24], p[24];
  snprintf(c, sizeof c, "category=%u", 1 + pick(8));
  snprintf(p, sizeof p, "prompt_level=%u", pick(6));
  tablet_add(&h->t, "day_structure", client, author, id, h->project,
             at(when, "occurred_at", h->w.fx.now_ms / 1000 / 60 * 60), c, "planned=0", "realised=1", p,
             pick(2) ? "initiative=1" : "initiative=3", pick(4) ? "prompt_by=1" : notes[pick(5)], NULL);
}

static void add_contact(home *h, const ov_name *client, const ov_name *author, char id[OC_ID_TEXT]) {
  char when[48], m[16], p[16], d[24], v[24];
  snprintf(m, sizeof m, "mode=%u", 1 + pick(6));
  snprintf(p, sizeof p, "partner=%u", 1 + pick(10));
  snprintf(d, sizeof d, "duration_band=%u", 1 + pick(5));
  snprintf(v, sizeof v, "valence=%d", (int)pick(5) - 2);
  tablet_add(&h->t, "social_contact", client, author, id, h->project,
             at(when, "occurred_at", h->w.fx.now_ms / 1000 / 60 * 60), m, p, "initiator=1", d, v,
             pick(4) ? "reciprocity=2" : notes[pick(5)], NULL);
}

static void a_shift_of_the_real_kinds(void **state) {
  (void)state;
  static home h;
  char ids[40][OC_ID_TEXT];
  open_home(&h);
  for (unsigned i = 0; i < 40; i++) {
    const ov_name *client = &h.clients[pick(CLIENTS)], *author = &h.staff[pick(2)];
    h.w.fx.now_ms += (int64_t)(30 + pick(870)) * 1000;
    if (i < 10) add_night(&h, client, author, ids[i]);
    else if (i < 28) add_day(&h, client, author, ids[i]);
    else add_contact(&h, client, author, ids[i]);
  }
  for (unsigned i = 0; i < 12; i++) {
    h.w.fx.now_ms += (int64_t)(30 + pick(870)) * 1000;
    unsigned k = pick(40);
    tablet_edit(&h.t, ids[k], &h.staff[pick(2)],
                k < 10   ? "quality=2"
                : k < 28 ? "category=9"
                         : "valence=1",
                NULL);
  }
  link_seen seen;
  assert_int_equal(tablet_sync(&h.t, NULL, &seen), 0);
  assert_int_equal(tablet_status(&h.t).unsent, 0);
  printf("shift of the real kinds: up %llu bytes (PUSH %llu in %u), down %llu\n",
         (unsigned long long)seen.up_bytes, (unsigned long long)seen.up_bytes_of[OV_M_PUSH],
         seen.up_of[OV_M_PUSH], (unsigned long long)seen.down_bytes);
  assert_int_equal(seen.up_of[OV_M_PUSH], 1);
  assert_true(seen.up_bytes_of[OV_M_PUSH] <= 1448);
  assert_true(seen.up_bytes <= 1820);
  assert_int_equal(tablet_status(&h.t).attention, 0);
  tablet_close(&h.t);
  world_close(&h.w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_shift_of_the_real_kinds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
