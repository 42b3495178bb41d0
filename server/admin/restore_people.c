/* People at a restore: who had left has left. An older copy would let somebody log and read again who was let
 * go since, and nobody would notice: the tablets only see a colleague come back. */
#include "restore.h"

typedef struct people_job {
  const ov_name *names; /* of the people who have left */
  uint32_t n, ended;
  sv_org *to;
} people_job;

/* Who is inactive, or was entered by mistake, in `from`. */
static int list_left(adm *m, sv_org *from, ov_name **names, uint32_t *n) {
  uint32_t all = 0;
  ov_arena a;
  sv_txn *t = adm_read(m, from);
  *n = 0;
  if (!t) return m->err;
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  int err = find_all(m, t, OV_KIND_PERSON, names, &all);
  for (uint32_t i = 0; !err && i < all; i++) {
    sv_record_row row;
    ov_arena_reset(&a);
    /* A damaged row tells nothing; what else is there still counts. */
    if (!sv_record_get(t, &(*names)[i], &a, &row) && !record_is_live(&row.rec))
      (*names)[(*n)++] = (*names)[i];
  }
  ov_arena_free(&a);
  sv_txn_abort(t);
  return err;
}

static int end_one(people_job *j, sv_txn *t, ov_arena *a, sv_touches *touches, const ov_name *person) {
  sv_record_row row;
  ov_name made, *replaces;
  uint32_t n = 0;
  int err = sv_record_get(t, person, a, &row);
  if (err == OV_E_NOTFOUND || (!err && !record_is_live(&row.rec))) return 0;
  if (!err) err = ov_record_replaces(&row.rec, SV_PERSON_ACTIVE, a, &replaces, &n);
  if (err) return err;
  ov_field inactive = {SV_PERSON_ACTIVE, ov_int(0)};
  ov_op op = {.scope = row.rec.scope,
              .record = *person,
              .kind = row.rec.kind,
              .version = 1,
              .fields = &inactive,
              .n_fields = 1,
              .replaces = replaces,
              .n_replaces = n};
  err = sv_ingest_local(t, j->to, &op, a, touches, &made);
  if (!err) j->ended++;
  return err;
}

static int people_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  people_job *j = arg;
  int err = 0;
  j->ended = 0;
  for (uint32_t i = 0; !err && i < j->n; i++) err = end_one(j, t, a, touches, &j->names[i]);
  return err;
}

int restore_people(adm *m, sv_org *from, sv_org *to) {
  ov_name *names = NULL;
  people_job j = {.to = to};
  if (list_left(m, from, &names, &j.n) || !j.n) return m->err;
  j.names = names;
  int err = restore_write(m, to, people_work, &j);
  if (err) return adm_failed(m, err, to->name);
  if (j.ended)
    adm_note(m, "%s: %u who had left since the backup, and whom it holds as active, were made inactive",
             to->name, j.ended);
  return 0;
}
