/* Attacks on what is released, and the control: without rule 7 or rule 8 the same attacks succeed.
 *
 * The attackers know every told figure of every release (researchers who put their tables together, page and
 * exports alike, since both are these cells), the rules, and how the programme is built; an insider also
 * knows everything about the own organisation's clients. They do not know who is in which cell: the attack
 * knows it, and counts as a success whatever would tell of a group of 1 to 9 clients, whoever they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <glpk.h>
#include <cmocka.h>

#include "sdc_algebra.h"
#include "sdc_world.h"

#define SMALL 10
#define SEEDS 3

typedef struct findings {
  unsigned groups;     /* derived by linear algebra, by anybody who reads the releases */
  unsigned by_insider; /* ... by an organisation that takes out its own clients */
  unsigned row_groups; /* the one code of a row that the others give away */
  unsigned narrow;     /* hidden counts whose interval spans less than 10 */
  unsigned mixed;      /* clients who stand in told figures both before and after a late sync */
  unsigned hidden;     /* hidden counts that were bounded */
  unsigned told;
} findings;

/* -- linear algebra over the atoms of one question and month --------------------------------------------- */

static bool same_question(const sw_told *a, const sw_told *b) {
  return a->measure == b->measure && a->cell.split == b->cell.split && a->cell.paired == b->cell.paired &&
         a->month == b->month;
}

/* A client's month is one atom, or two when late entries changed what it says. */
static uint32_t atom(al_system *s, const sw_world *w, uint32_t client, bool late) {
  for (uint32_t i = 0; i < s->n_atoms; i++) {
    if (s->person[i] == 2 * client + late) return i;
  }
  if (s->n_atoms == AL_ATOMS_MAX) abort();
  uint32_t at = s->n_atoms++;
  s->in[at] = 0;
  s->person[at] = 2 * client + late;
  s->org[at] = w->clients[client].org;
  return at;
}

static void add_row(al_system *s, const sw_world *w, const sw_told *t) {
  if (s->n_rows == AL_ROWS_MAX) return; /* what is left out can only help the library */
  for (uint32_t k = 0; k < t->cell.n; k++) {
    uint32_t who = t->cell.clients[k];
    bool late = t->late && !t->cell.paired && sw_changes(&w->clients[who], t->month, t->measure);
    s->in[atom(s, w, who, late)] |= (uint64_t)1 << s->n_rows;
  }
  s->n_rows++;
}

/* The ledger gives out what it gave out before: such a cell is no new row. */
static bool told_before(const sw_world *w, uint32_t at) {
  const sw_told *t = &w->told[at];
  for (uint32_t i = 0; i < at; i++) {
    const sw_told *o = &w->told[i];
    if (!same_question(o, t) || !sv_cell_same(&o->cell, &t->cell) || o->cell.hidden != SV_SHOWN) continue;
    if (o->cell.n == t->cell.n && o->cell.sum == t->cell.sum && o->cell.value == t->cell.value &&
        !memcmp(o->cell.clients, t->cell.clients, t->cell.n * sizeof *t->cell.clients))
      return true;
  }
  return false;
}

static void attack_question(const sw_world *w, uint32_t first, findings *f) {
  al_system *s = calloc(1, sizeof *s);
  for (uint32_t i = first; i < w->n_told; i++) {
    if (!same_question(&w->told[first], &w->told[i]) || w->told[i].cell.hidden != SV_SHOWN) continue;
    if (!told_before(w, i)) add_row(s, w, &w->told[i]);
  }
  f->groups += al_smallest(s, -1, SMALL) > 0;
  for (int org = 0; org < SW_ORGS; org++) f->by_insider += al_smallest(s, org, SMALL) > 0;
  for (uint32_t i = 0; i < s->n_atoms; i++) {
    for (uint32_t k = 0; k < i; k++) f->mixed += s->person[i] / 2 == s->person[k] / 2;
  }
  free(s);
}

/* -- rows of codes: shares make 100 % together ----------------------------------------------------------- */

static unsigned with_code(const sw_world *w, const sw_told *const *v, unsigned n, uint32_t hidden,
                          int insider) {
  unsigned k = 0;
  for (uint32_t i = 0; n && i < v[0]->cell.n; i++) {
    const sw_client *c = &w->clients[v[0]->cell.clients[i]];
    bool some = false;
    for (unsigned x = 0; x < n; x++) some |= (hidden >> x & 1) && sw_code(c, v[x]->month, v[x]->cell.cat);
    k += some && c->org != insider;
  }
  return k;
}

static void attack_row(const sw_world *w, uint32_t first, findings *f) {
  const sw_told *v[16];
  unsigned n = 0;
  uint32_t hidden = 0;
  for (uint32_t i = first; i < w->n_told && n < 16; i++) {
    if (w->told[i].release != w->told[first].release || !same_question(&w->told[first], &w->told[i]))
      continue;
    hidden |= (uint32_t)(w->told[i].cell.hidden != SV_SHOWN) << n;
    v[n++] = &w->told[i];
  }
  if (!hidden || hidden == ((uint32_t)1 << n) - 1) return;
  /* The share of the hidden codes together is 100 % less the others: of whom does it tell? */
  unsigned group = with_code(w, v, n, hidden, -1);
  bool found = group >= 1 && group < SMALL;
  for (int org = 0; org < SW_ORGS; org++) {
    unsigned left = with_code(w, v, n, hidden, org);
    found |= left >= 1 && left < SMALL;
  }
  f->row_groups += found;
}

/* -- bounds on hidden counts, by linear programming ------------------------------------------------------ */

typedef struct program {
  glp_prob *p;
  int ia[4096], ja[4096];
  double ar[4096];
  int n;
} program;

/* Counts of networks, at or above zero; each told count is the rounding of a sum of them. */
static void lp_open(program *g) {
  g->p = glp_create_prob();
  g->n = 0;
  glp_add_cols(g->p, SW_NETWORKS);
  for (int k = 1; k <= SW_NETWORKS; k++) glp_set_col_bnds(g->p, k, GLP_LO, 0, 0);
}

static bool in_cell(const sw_world *w, const sv_cell *c, unsigned network) {
  if (c->breakdown == SV_BY_ALL) return true;
  return c->breakdown == SV_BY_NETWORK ? c->group == network : c->group == w->types[network];
}

static void lp_tell(program *g, const sw_world *w, const sv_cell *c) {
  int row = glp_add_rows(g->p, 1);
  glp_set_row_bnds(g->p, row, GLP_DB, c->n_told - 2.0, c->n_told + 2.0); /* whole numbers, rounded to 5 */
  for (unsigned k = 1; k <= SW_NETWORKS; k++) {
    if (!in_cell(w, c, k)) continue;
    g->n++;
    g->ia[g->n] = row;
    g->ja[g->n] = (int)k;
    g->ar[g->n] = 1;
  }
}

/* The highest or lowest value that a cell's count can have; a large number when there is no bound. */
static double lp_bound(program *g, const sw_world *w, const sv_cell *c, int direction) {
  glp_set_obj_dir(g->p, direction);
  for (unsigned k = 1; k <= SW_NETWORKS; k++) glp_set_obj_coef(g->p, (int)k, in_cell(w, c, k));
  glp_smcp o;
  glp_init_smcp(&o);
  o.msg_lev = GLP_MSG_OFF;
  assert_int_equal(glp_simplex(g->p, &o), 0);
  int status = glp_get_status(g->p);
  if (status == GLP_UNBND) return direction == GLP_MAX ? 1e9 : -1e9;
  assert_int_equal(status, GLP_OPT);
  return glp_get_obj_val(g->p);
}

/* All told figures of one question and month, whatever release they are in. */
static void attack_counts(const sw_world *w, uint32_t first, findings *f) {
  program *g = calloc(1, sizeof *g);
  lp_open(g);
  for (uint32_t i = first; i < w->n_told; i++) {
    const sw_told *t = &w->told[i];
    bool counts = same_question(&w->told[first], t) && t->cell.hidden == SV_SHOWN && !t->late;
    if (counts && g->n + SW_NETWORKS < 4095) lp_tell(g, w, &t->cell);
  }
  if (g->n) glp_load_matrix(g->p, g->n, g->ia, g->ja, g->ar);
  for (uint32_t i = first; g->n && i < w->n_told; i++) {
    const sw_told *t = &w->told[i];
    if (!same_question(&w->told[first], t) || t->cell.hidden == SV_SHOWN || t->late) continue;
    double span = lp_bound(g, w, &t->cell, GLP_MAX) - lp_bound(g, w, &t->cell, GLP_MIN);
    f->hidden++;
    f->narrow += span < SMALL;
  }
  glp_delete_prob(g->p);
  free(g);
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static findings attack(uint64_t seed, const sv_sdc_rules *rules) {
  sw_world *w = calloc(1, sizeof *w);
  findings f = {.groups = 0};
  sw_run(w, seed, rules);
  for (uint32_t i = 0; i < w->n_told; i++) {
    const sw_told *t = &w->told[i];
    bool first = true, first_of_release = true;
    f.told += t->cell.hidden == SV_SHOWN;
    for (uint32_t k = 0; k < i; k++) {
      first &= !same_question(&w->told[k], t);
      first_of_release &= !same_question(&w->told[k], t) || w->told[k].release != t->release;
    }
    if (t->measure->type == SV_M_CATEGORY) {
      if (first_of_release) attack_row(w, i, &f);
      continue;
    }
    if (first) attack_question(w, i, &f);
    if (first && !t->cell.paired) attack_counts(w, i, &f);
  }
  sw_free(w);
  free(w);
  return f;
}

static void nothing_small_is_derived(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    sv_sdc_rules r = sv_sdc_rules_usual();
    findings f = attack(seed, &r);
    print_message("seed %u: %u cells told, %u hidden counts bounded\n", (unsigned)seed, f.told, f.hidden);
    assert_true(f.told > 300); /* hiding everything would be no art */
    assert_true(f.hidden > 50);
    assert_int_equal(f.groups, 0);
    assert_int_equal(f.by_insider, 0);
    assert_int_equal(f.row_groups, 0);
    assert_int_equal(f.mixed, 0);
    assert_int_equal(f.narrow, 0);
  }
}

static void without_rule_7_the_attack_succeeds(void **state) {
  (void)state;
  sv_sdc_rules r = sv_sdc_rules_usual();
  r.secondary = false;
  findings f = attack(1, &r);
  print_message("without rule 7: %u groups, %u by insiders, %u codes, %u of %u counts narrow\n", f.groups,
                f.by_insider, f.row_groups, f.narrow, f.hidden);
  assert_true(f.groups > 0 && f.by_insider > 0 && f.row_groups > 0 && f.narrow > 0);
}

static void without_rule_8_the_attack_succeeds(void **state) {
  (void)state;
  sv_sdc_rules r = sv_sdc_rules_usual();
  r.overlap = false;
  findings f = attack(1, &r);
  print_message("without rule 8: %u groups, %u by insiders, %u clients twice\n", f.groups, f.by_insider,
                f.mixed);
  assert_true(f.groups > 0 && f.by_insider > 0 && f.mixed > 0);
}

/* The attacker's algebra finds what is there: else the tests above would show nothing. */
static void the_algebra_finds_planted_groups(void **state) {
  (void)state;
  al_system *s = calloc(1, sizeof *s);
  s->n_atoms = 60;
  s->n_rows = 3;
  for (uint32_t i = 0; i < 60; i++) {
    s->person[i] = i;
    s->org[i] = (uint16_t)(i % 4);
    s->in[i] = 1u | (i < 30 ? 2u : 0u) | (i >= 30 && i < 56 ? 4u : 0u); /* whole, part, part: 4 are left */
  }
  assert_int_equal(al_smallest(s, -1, SMALL), 4);
  for (uint32_t i = 56; i < 60; i++) s->in[i] = 1u | 4u; /* the second part takes them in: nothing is left */
  assert_int_equal(al_smallest(s, -1, SMALL), 0);
  for (uint32_t i = 30; i < 60; i++)
    s->org[i] = i < 52 ? 0 : 1; /* without organisation 0 eight are left of it */
  assert_int_equal(al_smallest(s, 0, SMALL), 8);
  assert_int_equal(al_smallest(s, 1, SMALL), 0);
  free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_algebra_finds_planted_groups),
      cmocka_unit_test(nothing_small_is_derived),
      cmocka_unit_test(without_rule_7_the_attack_succeeds),
      cmocka_unit_test(without_rule_8_the_attack_succeeds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
