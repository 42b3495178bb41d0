/* A release as tables: every row is a cell, none stands for a person or an entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"
#include "kinds.h"

/* -- columns --------------------------------------------------------------------------------------------- */

enum {
  C_RELEASE,
  C_MONTH,
  C_MEASURE,
  C_UNIT,
  C_SOURCE,
  C_SCALE,
  C_CODE,
  C_CODE_LABEL,
  C_LEVEL,
  C_NETWORK,
  C_NETWORK_NAME,
  C_NETWORK_TYPE,
  C_TOLD,
  C_CLIENTS,
  C_ORGANISATIONS,
  C_BASELINE,
  C_FOLLOW_UP,
  C_VALUE,
  C_SD,
  C_MEDIAN,
  C_Q1,
  C_Q3,
  C_CONFLICTS,
  C_HELD,
  C_REFUSED,
  C_COUNT
};

static const exp_column all_columns[C_COUNT] = {
    {"release", "Uitgave", "Release", EXP_TEXT, 16, NULL, 0},
    {"month", "Maand (eerste dag)", "Month (first day)", EXP_DATE, 0, NULL, 0},
    {"measure", "Maat", "Measure, see the codebook", EXP_TEXT, 32, NULL, 0},
    {"unit", "Eenheid", "Unit of value", EXP_TEXT, 16, NULL, 0},
    {"source", "Bron", "Source of sleep; sources are never merged", EXP_CODE, 0, NULL, 0},
    {"scale", "Schaal", "Points of the goal scale; scales are never pooled", EXP_CODE, 0, NULL, 0},
    {"code", "Code", "Code that value is the share of", EXP_NUMBER, 0, NULL, 0},
    {"code_label", "Antwoord", "What the code stands for", EXP_TEXT, 120, NULL, 0},
    {"level", "Niveau", "What the cell is about", EXP_CODE, 0, NULL, 0},
    {"network", "Themanetwerk", "Theme network", EXP_CODE, 0, NULL, 0},
    {"network_name", "Naam van het themanetwerk", "Name of the theme network", EXP_TEXT, 200, NULL, 0},
    {"network_type", "Soort netwerk", "Type of network", EXP_CODE, 0, NULL, 0},
    {"told", "Getoond", "Is the cell told?", EXP_CODE, 0, NULL, 0},
    {"clients", "Cliënten (op 5 afgerond)", "Clients, to the nearest 5", EXP_NUMBER, 0, NULL, 0},
    {"organisations", "Organisaties", "Organisations", EXP_NUMBER, 0, NULL, 0},
    {"baseline", "Nulmeting, gemiddelde", "Baseline: mean of clients' means", EXP_NUMBER, 0, NULL, 0},
    {"follow_up", "Nameting, gemiddelde", "Follow-up: mean of clients' means", EXP_NUMBER, 0, NULL, 0},
    {"value", "Waarde", "Mean of clients' values, or total, or mean difference", EXP_NUMBER, 0, NULL, 0},
    {"sd", "Spreiding", "Standard deviation between clients", EXP_NUMBER, 0, NULL, 0},
    {"median", "Mediaan", "Median; from 20 clients", EXP_NUMBER, 0, NULL, 0},
    {"q1", "Eerste kwartiel", "First quartile; from 40 clients", EXP_NUMBER, 0, NULL, 0},
    {"q3", "Derde kwartiel", "Third quartile; from 40 clients", EXP_NUMBER, 0, NULL, 0},
    {"conflicts_pct", "Tegenspraak, % van de invoer", "Entries in conflict, % to 5", EXP_NUMBER, 0, NULL, 0},
    {"held_pct", "Vastgehouden, % van de invoer", "Entries with a held part, % to 5", EXP_NUMBER, 0, NULL, 0},
    {"refused_pct", "Onmogelijk, % van de invoer", "Entries with impossible values, % to 5", EXP_NUMBER, 0,
     NULL, 0}};

static bool wanted(unsigned c, unsigned family, bool paired) {
  switch (c) {
  case C_SOURCE: return family == SV_FAM_SLEEP || paired;
  case C_SCALE: return family == SV_FAM_GOAL;
  case C_CODE:
  case C_CODE_LABEL: return !paired && family != SV_FAM_ROUNDS;
  case C_BASELINE:
  case C_FOLLOW_UP: return paired;
  case C_MEDIAN:
  case C_Q1:
  case C_Q3:
  case C_CONFLICTS:
  case C_HELD:
  case C_REFUSED: return !paired;
  default: return true;
  }
}

static unsigned which(const exp_table *t, unsigned column) {
  for (unsigned c = 0; c < C_COUNT; c++) {
    if (!strcmp(all_columns[c].name, t->columns[column].name)) return c;
  }
  return C_COUNT;
}

/* -- value labels ---------------------------------------------------------------------------------------- */

#define SPLIT_LABELS_MAX 32u

static void label(exp_table *t, int value, const char *text) {
  exp_label *l = &t->labels[t->n_labels++];
  l->value = value;
  snprintf(l->text, sizeof l->text, "%s", text);
}

/* Missing codes end every list: .sav and .csv hold them as numbers, .dta as .a to .c. */
static void end_labels(exp_table *t, exp_column *c, unsigned from) {
  label(t, MISSING_HIDDEN, "suppressed (onderdrukt)");
  label(t, MISSING_NOT_ASKED, "not asked (niet gevraagd)");
  label(t, MISSING_UNKNOWN, "unknown (onbekend)");
  c->labels = &t->labels[from];
  c->n_labels = t->n_labels - from;
}

/* As the schema has them, so that a codebook says the same. */
static void label_codes(exp_table *t, const ov_sfield *f) {
  for (uint32_t i = 0; f && i < f->n_codes && i < SPLIT_LABELS_MAX; i++)
    label(t, f->codes[i].code, f->codes[i].en);
}

static void make_labels(exp_table *t, unsigned c, exp_column *col, const ov_schemas *schemas) {
  unsigned from = t->n_labels;
  if (col->type == EXP_TEXT || col->type == EXP_DATE) return;
  if (c == C_SOURCE) label_codes(t, sv_split_field(schemas, SV_SPLIT_SOURCE));
  else if (c == C_SCALE) label_codes(t, sv_split_field(schemas, SV_SPLIT_SCALE));
  else if (c == C_LEVEL) {
    label(t, 0, "all networks");
    label(t, 1, "one network");
    label(t, 2, "networks of one type");
  } else if (c == C_NETWORK) {
    for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
      if (t->r->networks[g].type) label(t, (int)g, t->r->networks[g].name);
    }
  } else if (c == C_NETWORK_TYPE) {
    label(t, 1, "content");
    label(t, 2, "remote");
  } else if (c == C_TOLD) {
    label(t, 0, "no");
    label(t, 1, "yes");
  }
  end_labels(t, col, from);
}

/* -- rows ------------------------------------------------------------------------------------------------ */

static unsigned family_of(const char *dataset) {
  for (unsigned f = 1; f < SV_FAM_END; f++) {
    if (!strcmp(sv_family_name(f), dataset)) return f;
  }
  return 0;
}

static bool in_dataset(const sv_cell *c, unsigned family) {
  const sv_measure *m = sv_measure_by_id(c->measure);
  return m && (family ? m->family == family && !c->paired : c->paired);
}

int exp_table_open(const sv_release *r, const ov_schemas *schemas, const char *dataset, exp_table *t) {
  unsigned family = family_of(dataset);
  bool paired = !strcmp(dataset, "paired");
  memset(t, 0, sizeof *t);
  if (!family && !paired) return OV_E_INVALID;
  t->dataset = dataset;
  t->r = r;
  char id[SV_RELEASE_ID_MAX];
  sv_release_id(r->number, id);
  snprintf(t->label, sizeof t->label, "overdracht %s %s", id, dataset);
  t->rows = calloc(r->cells.n + 1u, sizeof *t->rows);
  t->labels = calloc((size_t)C_COUNT * 8 + 2 * SPLIT_LABELS_MAX + SV_GROUP_MAX, sizeof *t->labels);
  if (!t->rows || !t->labels) {
    exp_table_close(t);
    return OV_E_NOMEM;
  }
  for (unsigned c = 0; c < C_COUNT; c++) {
    if (!wanted(c, family, paired)) continue;
    t->columns[t->n_columns] = all_columns[c];
    make_labels(t, c, &t->columns[t->n_columns++], schemas);
  }
  for (uint32_t i = 0; i < r->cells.n; i++) {
    if (in_dataset(&r->cells.v[i], family)) t->rows[t->n_rows++] = &r->cells.v[i];
  }
  return 0;
}

void exp_table_close(exp_table *t) {
  free(t->rows);
  free(t->labels);
  memset(t, 0, sizeof *t);
}

/* -- values ---------------------------------------------------------------------------------------------- */

static void set_text(exp_value *v, const char *text) { snprintf(v->text, sizeof v->text, "%s", text); }

static void code_text(const sv_cell *c, const ov_schemas *schemas, exp_value *v) {
  const sv_measure *m = sv_measure_by_id(c->measure);
  const ov_skind *k = m && m->type == SV_M_CATEGORY ? ov_schemas_kind(schemas, m->kind) : NULL;
  const ov_sfield *f = k ? ov_skind_field(k, m->field) : NULL;
  for (uint32_t i = 0; f && i < f->n_codes; i++) {
    if (f->codes[i].code == c->cat) set_text(v, f->codes[i].en);
  }
  if (m && m->id == M_REMOTE_REASON && c->cat == REASON_MEASURE)
    set_text(v, "measures against coronavirus, or quarantine");
}

/* A value that happens to be one of the missing codes could not be told from it. */
static int64_t told(int64_t milli) {
  bool clash = milli <= MISSING_HIDDEN * 1000 && milli >= MISSING_UNKNOWN * 1000;
  return milli == SV_UNKNOWN || clash ? MISSING_HIDDEN * 1000 : milli;
}

static int64_t number(const sv_cell *c, unsigned column) {
  bool shown = c->hidden == SV_SHOWN;
  const sv_measure *m = sv_measure_by_id(c->measure);
  switch (column) {
  case C_SOURCE: return (m && m->split == SV_SPLIT_SOURCE ? c->split : MISSING_NOT_ASKED) * 1000;
  case C_SCALE: return c->split * 1000;
  case C_CODE: return (m && m->type == SV_M_CATEGORY ? c->cat : MISSING_NOT_ASKED) * 1000;
  case C_LEVEL: return c->breakdown * 1000;
  case C_NETWORK: return (c->breakdown == SV_BY_NETWORK ? c->group : MISSING_NOT_ASKED) * 1000;
  case C_TOLD: return shown * 1000;
  case C_CLIENTS: return shown ? (int64_t)c->n_told * 1000 : MISSING_HIDDEN * 1000;
  case C_ORGANISATIONS: return shown ? (int64_t)c->orgs_told * 1000 : MISSING_HIDDEN * 1000;
  case C_BASELINE: return told(c->base);
  case C_FOLLOW_UP: return told(c->follow);
  case C_VALUE: return told(c->value);
  case C_SD: return told(c->sd);
  case C_MEDIAN: return told(c->median);
  case C_Q1: return told(c->q1);
  case C_Q3: return told(c->q3);
  case C_CONFLICTS: return shown ? c->conflicts * 1000 : MISSING_HIDDEN * 1000;
  case C_HELD: return shown ? c->held * 1000 : MISSING_HIDDEN * 1000;
  case C_REFUSED: return shown ? c->refused * 1000 : MISSING_HIDDEN * 1000;
  default: return MISSING_UNKNOWN * 1000;
  }
}

void exp_value_at(const exp_table *t, const ov_schemas *schemas, uint32_t row, unsigned column,
                  exp_value *out) {
  const sv_cell *c = t->rows[row];
  const sv_measure *m = sv_measure_by_id(c->measure);
  *out = (exp_value){.milli = 0};
  switch (which(t, column)) {
  case C_RELEASE: sv_release_id(t->r->number, out->text); break;
  case C_MONTH: out->milli = sv_month_first_day(t->r->month) * 1000; break;
  case C_MEASURE: set_text(out, m ? m->name : "unknown"); break;
  case C_UNIT: set_text(out, m ? m->unit : ""); break;
  case C_CODE_LABEL: code_text(c, schemas, out); break;
  case C_NETWORK_NAME:
    if (c->breakdown == SV_BY_NETWORK) set_text(out, t->r->networks[c->group].name);
    break;
  case C_NETWORK_TYPE:
    out->milli = c->breakdown == SV_BY_TYPE      ? c->group * 1000
                 : c->breakdown == SV_BY_NETWORK ? t->r->networks[c->group].type * 1000
                                                 : MISSING_NOT_ASKED * 1000;
    break;
  default: out->milli = number(c, which(t, column)); break;
  }
}
