/* What an administrator does or looks at leaves a line in the audit of the organisation: which command, by
 * which user of the machine, about which record. Never what was typed. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_audit.h"

/* By the command's name, else by its last word. What shows nothing about anybody leaves no line. */
static const struct {
  const char *verb;
  sv_audit_type type;
  char action;
  sv_audit_purpose purpose;
} verbs[] = {
    {"audit list", SV_AUDIT_READ_LOG, 'R', SV_FOR_ADMINISTRATION},
    {"audit export", SV_AUDIT_READ_LOG, 'R', SV_FOR_ADMINISTRATION},
    {"audit verify", SV_AUDIT_READ_LOG, 'R', SV_FOR_OPERATION},
    {"audit cut", SV_AUDIT_ADMIN, 'E', SV_FOR_OPERATION},
    {"list", SV_AUDIT_SEARCH, 'R', SV_FOR_ADMINISTRATION},
    {"show", SV_AUDIT_SHOW, 'R', SV_FOR_ADMINISTRATION},
    {"dump", SV_AUDIT_EXPORT, 'R', SV_FOR_OPERATION},
    {"copy", SV_AUDIT_EXPORT, 'R', SV_FOR_CLIENT_RIGHTS},
    {"export", SV_AUDIT_EXPORT, 'R', SV_FOR_RESEARCH},
    {"page", SV_AUDIT_EXPORT, 'R', SV_FOR_RESEARCH},
    {"erase", SV_AUDIT_ERASE, 'D', SV_FOR_CLIENT_RIGHTS},
    {"restore", SV_AUDIT_COPY, 'E', SV_FOR_OPERATION},
    {"backup", SV_AUDIT_COPY, 'R', SV_FOR_OPERATION},
    {"backup-keys", SV_AUDIT_COPY, 'R', SV_FOR_OPERATION},
    {"backup-epochs", SV_AUDIT_COPY, 'R', SV_FOR_OPERATION},
    {"admit", SV_AUDIT_RULING, 'U', SV_FOR_ADMINISTRATION},
    {"dismiss", SV_AUDIT_RULING, 'U', SV_FOR_ADMINISTRATION},
    {"revoke", SV_AUDIT_REVOKE, 'E', SV_FOR_ADMINISTRATION},
    {"code", SV_AUDIT_ADMIN, 'E', SV_FOR_ADMINISTRATION},
    {"add", SV_AUDIT_ADMIN, 'C', SV_FOR_ADMINISTRATION},
    {"retract", SV_AUDIT_ADMIN, 'D', SV_FOR_ADMINISTRATION},
};
static const char *const silent[] = {"organisation list", "kind list", "team list", "rights"};

static bool describe(const adm *m, sv_audit_event *e) {
  const char *last = strrchr(m->cmd->name, ' ');
  const char *verb = last ? last + 1 : m->cmd->name;
  *e = (sv_audit_event){.action = 'U', .purpose = SV_FOR_ADMINISTRATION, .requestor = true};
  for (unsigned i = 0; i < sizeof silent / sizeof *silent; i++) {
    if (!strcmp(m->cmd->name, silent[i])) return false;
  }
  if (m->cmd->changes) e->type = SV_AUDIT_ADMIN;
  for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    if (strcmp(m->cmd->name, verbs[i].verb) != 0 && strcmp(verb, verbs[i].verb) != 0) continue;
    e->type = verbs[i].type;
    e->action = verbs[i].action;
    e->purpose = (uint8_t)verbs[i].purpose;
    break;
  }
  return e->type != 0;
}

/* Whom the record that was named is about, and of which kind it is. */
static void fill_object(adm *m, sv_txn *t, sv_audit_event *e) {
  sv_record_row row;
  e->has_participant = m->names_participant;
  e->participant = m->participant;
  if (!m->names_object) return;
  e->has_object = true;
  e->object = m->object;
  ov_arena_reset(&m->audit_arena);
  if (sv_record_get(t, &m->object, &m->audit_arena, &row)) return;
  e->kind = row.rec.kind;
  if (row.rec.kind == OV_KIND_PARTICIPANT) {
    e->has_participant = true;
    e->participant = m->object;
  }
  if (!row.rec.has_participant) return;
  e->has_participant = true;
  e->participant = row.rec.participant;
}

typedef struct line_job {
  adm *m;
  sv_org *org;
  sv_audit_event event;
  uint32_t from, to; /* of the clients shown */
} line_job;

static int put_line(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  line_job *j = arg;
  sv_audit_event e = j->event;
  (void)a;
  (void)touches;
  fill_object(j->m, t, &e);
  return sv_audit_put(t, j->org, &e);
}

static int put_shown(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  line_job *j = arg;
  sv_audit_event e = j->event;
  int err = 0;
  (void)a;
  (void)touches;
  for (uint32_t i = j->from; i < j->to && !err; i++) {
    const adm_shown *s = &j->m->shown[i];
    e.has_participant = !ov_name_is_zero(&s->who);
    e.participant = s->who;
    e.count = s->count;
    err = sv_audit_put(t, j->org, &e);
  }
  return err;
}

/* In transactions of a page, so that a list of a whole organisation holds up nobody's sync. */
static int put_all_shown(line_job *j) {
  adm *m = j->m;
  int err = 0;
  for (; j->from < m->n_shown && !err; j->from = j->to) {
    uint32_t left = m->n_shown - j->from;
    j->to = j->from + (left < ADM_PAGE ? left : ADM_PAGE);
    err = m->h->write(m->h->ctx, m->looked_at, put_shown, j);
  }
  return err;
}

int adm_audit(adm *m, const char *what, uint32_t count) {
  line_job j = {.m = m, .org = m->looked_at};
  if (!m->looked_at || m->audited || !describe(m, &j.event)) return 0;
  m->audited = true;
  snprintf(j.event.user, sizeof j.event.user, "%s", m->h->user);
  snprintf(j.event.address, sizeof j.event.address, "local");
  snprintf(j.event.detail, sizeof j.event.detail, "%s%s%s", m->cmd->name, what ? ": " : "", what ? what : "");
  j.event.outcome = m->err == 0                                       ? SV_DONE
                    : m->err == OV_E_DENIED || m->err == OV_E_INVALID ? SV_REFUSED
                                                                      : SV_FAILED;
  j.event.count = count;
  if (m->n_shown) return put_all_shown(&j);
  ov_arena_init(&m->audit_arena, SV_LOOK_ARENA_BYTES_MAX);
  int err = m->h->write(m->h->ctx, m->looked_at, put_line, &j);
  ov_arena_free(&m->audit_arena);
  return err;
}

void adm_audit_end(adm *m) {
  int err = m->cmd ? adm_audit(m, NULL, (uint32_t)json_array_size(m->items)) : 0;
  if (!err) return;
  if (m->cmd->changes || m->err) {
    adm_note(m, "this could not be written to the audit (%s)", ov_err_text(err));
    return;
  }
  /* what nobody will know was seen is not shown */
  json_object_clear(m->reply);
  m->items = m->notes = NULL;
  adm_failed(m, err, "writing to the audit");
}

void adm_audit_org(adm *m, sv_org *org) {
  m->looked_at = org;
  m->audited = false;
  int err = adm_audit(m, NULL, 0);
  if (err) adm_note(m, "%s: this could not be written to the audit (%s)", org->name, ov_err_text(err));
}
