/* From what a clock showed to a moment: the night a time of day belongs to, and the hours that are skipped or
 * come twice. */
#include "import_internal.h"

/* Two times of one night lie less than this apart; a time of day that needs more has been written out of
 * order. */
enum { STEP_S_MAX = 18 * HOUR_S };

int64_t night_of(int64_t local) { return oc_day_of(local - NOON_S); }

static bool placed(value *v, int64_t utc, int64_t local) {
  *v = (value){.kind = V_INT, .i = utc, .local = local, .has_local = true};
  return true;
}

/* Places v (V_LOCAL). before: a moment that it should not precede, if has_before. */
bool place_one(importer *im, const char *name, value *v, bool has_before, int64_t before) {
  int64_t at[2], local = v->i;
  char shown[40];
  int n = oc_zone_to_utc(im->zone, local, at);
  if (n == 1) return placed(v, at[0], local);
  show_local(local, true, shown);
  if (n == 0) {
    if (!im->m->gap_forward)
      return import_no(im, name, "%s does not exist: clocks go forward that night", shown);
    import_note(im, im->rec.line, name,
                "%s does not exist (clocks go forward that night); taken an hour later", shown);
    return placed(v, at[0], at[0] + oc_zone_offset(im->zone, at[0]));
  }
  if (im->m->over == OVERLAP_REJECT)
    return import_no(im, name, "%s comes twice: clocks go back that night", shown);
  bool second = im->m->over == OVERLAP_SECOND || (has_before && at[0] < before);
  import_note(im, im->rec.line, name, "%s comes twice (clocks go back that night); taken as the %s", shown,
              second ? "second" : "first");
  return placed(v, at[second], local);
}

/* A time of day after `before` (shown as before_local): the first time that clocks show it from there on. */
static bool place_clock_after(importer *im, const char *name, value *v, int64_t before,
                              int64_t before_local) {
  int64_t at[2], local = oc_day_of(before_local) * DAY_S + v->i;
  char shown[40], last[40];
  if (oc_zone_to_utc(im->zone, local, at) > 0 ? at[1] < before : local < before_local) local += DAY_S;
  if (local - before_local > STEP_S_MAX) {
    show_local(v->i, false, shown);
    show_local(before_local, false, last);
    return import_no(im, name, "%s (%s) comes before the time that precedes it (%s)", name, shown, last);
  }
  *v = (value){.kind = V_LOCAL, .i = local};
  return place_one(im, name, v, true, before);
}

static bool place_clock(importer *im, const char *name, value *v, const value *night) {
  if (!night || night->kind != V_INT)
    return import_no(im, name, "%s is a time of day, but the row has no date of the night", name);
  *v = (value){.kind = V_LOCAL, .i = night->i * DAY_S + v->i + (v->i < NOON_S ? DAY_S : 0)};
  return place_one(im, name, v, false, 0);
}

static bool place_value(importer *im, unsigned slot, value *v, const value *before) {
  const oc_import_map *m = im->m;
  const value *night = m->night < m->n_slots ? &v[m->night] : NULL;
  const char *name = m->slots[slot].name;
  if (v[slot].kind == V_LOCAL) return place_one(im, name, &v[slot], before != NULL, before ? before->i : 0);
  if (v[slot].kind != V_CLOCK) return true;
  return before ? place_clock_after(im, name, &v[slot], before->i, before->local)
                : place_clock(im, name, &v[slot], night);
}

static void derive_nights(importer *im, value *v) {
  for (unsigned i = 0; i < im->m->n_fields; i++) {
    const map_field *f = &im->m->fields[i];
    if (f->type == FT_NIGHT && v[f->slot].kind == V_NONE && v[f->of_slot].has_local &&
        (!f->when.set || cond_holds(im, &f->when)))
      v[f->slot] = (value){.kind = V_INT, .i = night_of(v[f->of_slot].local)};
  }
}

bool place_times(importer *im, value *v) {
  const value *before = NULL;
  for (unsigned i = 0; i < im->m->sequence.n; i++) {
    unsigned s = im->m->sequence.slot[i];
    if (!place_value(im, s, v, before)) return false;
    if (v[s].kind == V_INT && v[s].has_local) before = &v[s];
  }
  for (unsigned s = 0; s < im->m->n_slots; s++)
    if (!place_value(im, s, v, NULL)) return false;
  derive_nights(im, v);
  return true;
}
