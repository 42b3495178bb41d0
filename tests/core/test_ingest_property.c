/* Random histories of several tablets, delivered in many interleavings: every server that holds the same ops
 * shows the same records in the same scopes, and every cache equals its fold. Failures print their seed. */
#include "ingest_world.h"

#define TABLETS 4
#define STEPS 140
#define PEOPLE_MAX 6
#define RECORDS_MAX 64

typedef struct history {
  small_world s;
  sv_org *source; /* where it happened */
  fx_tablet *t[TABLETS];
  ov_name people[PEOPLE_MAX];
  unsigned n_people;
  ov_name records[RECORDS_MAX];
  unsigned n_records;
  uint64_t rnd;
} history;

static uint32_t below(history *h, uint32_t n) {
  h->rnd = h->rnd * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(h->rnd >> 33) % n;
}

static void history_open(history *h, uint64_t seed) {
  memset(h, 0, sizeof *h);
  small_open(&h->s, seed);
  h->rnd = seed;
  uint32_t ab[] = {h->s.a, h->s.b};
  for (int i = 0; i < TABLETS; i++) {
    h->t[i] = fx_tablet_new(&h->s.w, h->s.org, ab, 2, &h->s.both);
    h->t[i]->send_keys = true;
  }
  h->source = fx_org_copy(&h->s.w, h->s.org);
  h->people[h->n_people++] = h->s.anna;
}

static void history_close(history *h) {
  for (int i = 0; i < TABLETS; i++) fx_tablet_free(h->t[i]);
  sv_org_close(h->source);
  small_close(&h->s);
}

static void make_person(history *h, fx_tablet *t) {
  if (h->n_people == PEOPLE_MAX) return;
  uint8_t *key = ov_arena_alloc(&h->s.w.arena, OV_KEY_BYTES);
  FX_OK(h->s.w.sys.random(&h->s.w, key, OV_KEY_BYTES));
  ov_field f[] = {fx_text(SV_PARTICIPANT_LABEL, "client"),
                  fx_set(&h->s.w, SV_PARTICIPANT_TEAMS, (int64_t[]){h->s.a}, 1, NULL, 0),
                  {SV_PARTICIPANT_KEY, ov_bytes(key, OV_KEY_BYTES)}};
  ov_name name = fx_create(t, OV_KIND_PARTICIPANT, NULL, f, 3);
  h->people[h->n_people++] = name;
  for (int i = 0; i < TABLETS; i++) {
    ov_push_key *k = &h->t[i]->keys[h->t[i]->n_keys++];
    k->participant = name;
    memcpy(k->key, key, OV_KEY_BYTES);
  }
}

static void make_record(history *h, fx_tablet *t) {
  if (h->n_records == RECORDS_MAX) return;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT - below(h, 5)),
                  FX_INT(SLEEP_SOURCE, 1 + below(h, 7)) /* 7: no such code */,
                  fx_set(&h->s.w, SLEEP_DISTURBANCE, (int64_t[]){1, 3}, 2, NULL, 0)};
  h->records[h->n_records++] = fx_create(t, SLEEP, &h->people[below(h, h->n_people)], f, 3);
}

/* An edit that saw what the source shows now, or nothing. */
static void change_record(history *h, fx_tablet *t) {
  if (!h->n_records) return;
  const ov_name *record = &h->records[below(h, h->n_records)];
  sv_record_row row;
  ov_field f[2];
  uint32_t n = 1;
  switch (below(h, 5)) {
  case 0: f[0] = fx_text(OV_FIELD_RETRACTED, "mistake"); break;
  case 1: f[0] = (ov_field){OV_FIELD_RETRACTED, ov_nil()}; break;
  case 2:
    f[0] = fx_set(&h->s.w, SLEEP_DISTURBANCE, (int64_t[]){2 + below(h, 3)}, 1, (int64_t[]){1}, 1);
    break;
  default:
    f[0] = (ov_field)FX_INT(SLEEP_SOL, below(h, 700)); /* above 600: held */
    f[1] = (ov_field)FX_INT(SLEEP_WAKE, below(h, 10));
    n = 2;
  }
  FX_MUST(fx_record(&h->s.w, h->source, record, &row));
  if (below(h, 3)) {
    fx_edit(t, h->source, record, f, n);
  } else {
    ov_op header = {.scope = row.rec.scope,
                    .kind = SLEEP,
                    .version = 1,
                    .has_participant = true,
                    .participant = row.rec.participant};
    fx_edit_of(t, &header, record, f, n, NULL, 0);
  }
}

static void move_person(history *h, fx_tablet *t) {
  int64_t a = h->s.a, b = h->s.b;
  bool to_b = below(h, 2);
  ov_field f[] = {to_b ? fx_set(&h->s.w, SV_PARTICIPANT_TEAMS, &b, 1, &a, 1)
                       : fx_set(&h->s.w, SV_PARTICIPANT_TEAMS, &a, 1, &b, 1)};
  fx_edit(t, h->source, &h->people[below(h, h->n_people)], f, 1);
}

static void happen(history *h) {
  uint32_t sent[TABLETS] = {0};
  for (int i = 0; i < STEPS; i++) {
    uint32_t who = below(h, TABLETS);
    fx_tablet *t = h->t[who];
    h->s.w.now_ms += 1000 * (1 + below(h, 600));
    uint32_t dice = below(h, 20);
    if (dice == 0) make_person(h, t);
    else if (dice < 7) make_record(h, t);
    else if (dice < 18) change_record(h, t);
    else move_person(h, t);
    /* At the source everything arrives in order, so that later edits can have seen it. */
    if (t->n > sent[who]) fx_push_ok(t, h->source, sent[who] + 1, t->n);
    sent[who] = t->n;
  }
}

/* Logs in order, interleaved at random, in pushes of random length, some of them twice. */
static void deliver(history *h, sv_org *to, unsigned *waited) {
  uint32_t sent[TABLETS] = {0};
  unsigned left = TABLETS;
  while (left) {
    uint32_t who = below(h, TABLETS);
    fx_tablet *t = h->t[who];
    if (sent[who] == t->n) continue;
    uint32_t n = 1 + below(h, 9);
    if (n > t->n - sent[who]) n = t->n - sent[who];
    uint32_t again = below(h, 4) == 0 && sent[who] ? 1 + below(h, sent[who]) : 0;
    fx_push_ok(t, to, sent[who] + 1 - again, sent[who] + n);
    *waited += small_waiting(to) != 0;
    sent[who] += n;
    if (sent[who] == t->n) left--;
  }
}

static bool same_scopes(const sv_record_row *a, const sv_record_row *b) {
  if (a->n_places != b->n_places) return false;
  for (uint32_t i = 0; i < a->n_places; i++) {
    if (a->places[i].scope != b->places[i].scope) return false;
  }
  return true;
}

static void same_record(history *h, sv_org *x, sv_org *y, const ov_name *name) {
  sv_record_row a, b;
  ov_buf p, q;
  ov_buf_init(&p, 0);
  ov_buf_init(&q, 0);
  assert_true(fx_record(&h->s.w, x, name, &a));
  assert_true(fx_record(&h->s.w, y, name, &b));
  ov_record_encode(&a.rec, &p);
  ov_record_encode(&b.rec, &q);
  assert_int_equal(p.n, q.n);
  assert_memory_equal(p.p, q.p, p.n);
  assert_true(same_scopes(&a, &b));
  assert_int_equal(a.day, b.day);
  assert_int_equal(a.has_natural_key, b.has_natural_key);
  ov_buf_free(&p);
  ov_buf_free(&q);
}

/* What the histories contained: without conflicts, held and waiting ops they would prove little. */
typedef struct seen {
  unsigned conflicts, held, retracted, in_b, waited;
} seen;

static void look(history *h, seen *c) {
  sv_record_row row;
  for (unsigned i = 0; i < h->n_records; i++) {
    FX_MUST(fx_record(&h->s.w, h->source, &h->records[i], &row));
    c->conflicts += ov_record_conflicts(&row.rec) != 0;
    c->held += row.rec.n_held;
    c->retracted += ov_record_retracted(&row.rec) != OV_LIVE;
    c->in_b += fx_in_scope(&row, h->s.b);
  }
}

static void servers_with_the_same_ops_show_the_same(void **state) {
  (void)state;
  seen c = {0};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    history h;
    history_open(&h, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    happen(&h);
    uint32_t n = fx_verify(&h.s.w, h.source);
    look(&h, &c);
    for (int way = 0; way < 4; way++) {
      sv_org *other = fx_org_copy(&h.s.w, h.s.org);
      deliver(&h, other, &c.waited);
      assert_int_equal(small_waiting(other), 0);
      for (unsigned i = 0; i < h.n_records; i++) same_record(&h, h.source, other, &h.records[i]);
      for (unsigned i = 0; i < h.n_people; i++) same_record(&h, h.source, other, &h.people[i]);
      assert_int_equal(fx_verify(&h.s.w, other), n);
      sv_org_close(other);
    }
    history_close(&h);
  }
  assert_true(c.conflicts > 10 && c.held > 10 && c.retracted > 5 && c.in_b > 10 && c.waited > 20);
}

/* Servers that each took a part reconcile by shipping ops with receipts; they judge nothing, and end up
 * equal. */
static void servers_that_took_parts_agree_after_shipping(void **state) {
  (void)state;
  for (uint64_t seed = 11; seed <= 13; seed++) {
    history h;
    history_open(&h, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    happen(&h);
    sv_org *x = fx_org_copy(&h.s.w, h.s.org), *y = fx_org_copy(&h.s.w, h.s.org);
    for (int i = 0; i < TABLETS; i++) {
      fx_tablet *t = h.t[i];
      uint32_t part = t->n / 2;
      if (part) fx_push_ok(t, i % 2 ? x : y, 1, part);
      fx_push_ok(t, i % 2 ? y : x, 1, t->n);
    }
    for (int round = 0; round < 3;
         round++) { /* a verdict that was open at one is settled there once the rest has come */
      ship(&h.s, x, y);
      ship(&h.s, y, x);
    }
    for (unsigned i = 0; i < h.n_records; i++) same_record(&h, x, y, &h.records[i]);
    for (unsigned i = 0; i < h.n_people; i++) same_record(&h, x, y, &h.people[i]);
    assert_int_equal(fx_verify(&h.s.w, x), fx_verify(&h.s.w, y));
    sv_org_close(x);
    sv_org_close(y);
    history_close(&h);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(servers_with_the_same_ops_show_the_same),
      cmocka_unit_test(servers_that_took_parts_agree_after_shipping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
