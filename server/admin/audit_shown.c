/* Whom a list showed something of: the audit gets a line for each. */
#include <string.h>

#include "admin_priv.h"

static uint32_t place_of(const adm *m, const ov_name *who) {
  uint32_t from = 0, to = m->n_shown;
  while (from < to) {
    uint32_t mid = from + (to - from) / 2;
    if (ov_name_compare(&m->shown[mid].who, who) < 0) from = mid + 1;
    else to = mid;
  }
  return from;
}

static bool room(adm *m) {
  if (m->n_shown < m->cap_shown) return true;
  uint32_t cap = m->cap_shown ? 2 * m->cap_shown : 32;
  adm_shown *v = ov_arena_array(&m->a, cap, sizeof *v);
  if (!v) {
    adm_failed(m, OV_E_NOMEM, "listing");
    return false;
  }
  if (m->n_shown) memcpy(v, m->shown, m->n_shown * sizeof *v);
  m->shown = v;
  m->cap_shown = cap;
  return true;
}

void adm_shows_of(adm *m, const ov_name *participant) {
  static const ov_name nobody;
  const ov_name *who = participant ? participant : &nobody;
  uint32_t i = place_of(m, who);
  if (i == m->n_shown || !ov_name_equal(&m->shown[i].who, who)) {
    if (!room(m)) return;
    memmove(&m->shown[i + 1], &m->shown[i], (m->n_shown - i) * sizeof *m->shown);
    m->shown[i] = (adm_shown){.who = *who};
    m->n_shown++;
  }
  m->shown[i].count++;
}

void adm_shows(adm *m, const ov_record *r) {
  bool self = r->kind == OV_KIND_PARTICIPANT;
  adm_shows_of(m, self ? &r->name : r->has_participant ? &r->participant : NULL);
}
