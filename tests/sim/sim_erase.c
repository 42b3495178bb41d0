/* Erasure: a participant's keys are destroyed and all that was written about them goes, on the server, on
 * every tablet, and again after each restore of an older backup, with the keys of that time or without. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

#include "sv_erase.h"
#include "sv_erasures.h"

bool sim_is_erased(const sim *w, const ov_name *participant) {
  for (unsigned i = 0; i < w->n_erased; i++)
    if (ov_name_equal(&w->erased[i], participant)) return true;
  return false;
}

bool sim_op_erased(const sim *w, const ov_op *op) {
  if (op->kind == OV_KIND_PARTICIPANT) return sim_is_erased(w, &op->record);
  return op->has_participant && sim_is_erased(w, &op->participant);
}

bool sim_rec_erased(const sim *w, const ov_record *rec) {
  if (rec->kind == OV_KIND_PARTICIPANT) return sim_is_erased(w, &rec->name);
  return rec->has_participant && sim_is_erased(w, &rec->participant);
}

/* -- doing it -------------------------------------------------------------------------------------------- */

typedef struct erasing {
  sim *w;
  int stops_in; /* transactions; < 0: it comes to its end */
} erasing;

static int write_one(void *ctx, sv_org *org, sv_erase_work work, void *arg) {
  erasing *e = ctx;
  if (e->stops_in == 0) return OV_E_IO;
  e->stops_in--;
  return fx_erase_write(NULL, org, work, arg);
}

/* The keyring as it was a moment ago, wherever somebody may have copied it to, opens no more. */
static void check_old_keyring(sim *w, const char *copy) {
  char epoch[512];
  sv_keyring *k = NULL;
  FX_OK(sv_org_epoch_path(w->data, &w->org->id, epoch, sizeof epoch));
  int err = sv_keyring_open(copy, epoch, w->fx.master, w->fx.sys.random, w->fx.sys.ctx, false, &k);
  sv_keyring_close(k);
  if (err != OV_E_CRYPTO)
    sim_fail(w, "old-keyring", "the keyring from before an erasure opens: %s",
             err ? ov_err_text(err) : "yes");
}

void sim_erase_again(sim *w) {
  char list[512];
  uint32_t n = 0;
  erasing e = {w, -1};
  FX_OK(sv_erase_list_path(w->data, list, sizeof list));
  FX_OK(sv_erase_replay(w->data, (const char *const[]){list, NULL}, w->org, write_one, &e, &n));
  if (n) sim_say(w, "%u participants are erased again", n);
}

static int pick(sim *w, sim_rng *r) {
  unsigned from = sim_below(r, w->admin.n_participants);
  for (unsigned k = 0; k < w->admin.n_participants; k++) {
    unsigned i = (from + k) % w->admin.n_participants;
    const sim_participant *p = &w->admin.participants[i];
    sv_record_row row;
    if (p->here && fx_record(&w->fx, w->org, &p->name, &row) && row.rec.created) return (int)i;
  }
  return -1;
}

/* The machine may stop anywhere in it: the next start goes on. */
void sim_erase(sim *w, sim_rng *r) {
  char copy[256], from[512];
  int i = w->n_erased < SIM_PARTICIPANTS_MAX / 2 ? pick(w, r) : -1;
  if (i < 0) return;
  sim_participant *p = &w->admin.participants[i];
  erasing e = {w, sim_chance(r, 40) ? (int)sim_below(r, 4) : -1};
  sv_erase what = {.participant = p->name, .ground = SV_ERASE_REQUEST, .at_ms = sim_server_ms(w)};
  w->rights_changed = true;
  p->here = false;
  w->erased[w->n_erased++] = p->name;
  w->st.erased++;
  snprintf(copy, sizeof copy, "%s/before%u.keyring", w->dir, w->n_files++);
  FX_OK(sv_keyring_save(w->org->keyring));
  FX_OK(sv_org_keyring_path(w->data, &w->org->id, from, sizeof from));
  sim_copy_file(from, copy);
  sim_say(w, "participant %d (%s) is erased", i, sim_name(&p->name));
  int err = sv_erase_run(w->data, w->org, &what, write_one, &e);
  if (err) {
    if (err != OV_E_IO || e.stops_in)
      sim_fail(w, "erase", "erasing participant %d fails: %s", i, ov_err_text(err));
    sim_say(w, "the machine stops in the middle of it");
    w->st.crashes++;
    sim_server_crash(w);
  }
  check_old_keyring(w, copy);
  remove(copy);
  sim_changed(w);
}

/* -- what must be gone ----------------------------------------------------------------------------------- */

void sim_check_erased_server(sim *w) {
  static const sv_key_type types[] = {SV_KEY_SEAL_PARTICIPANT, SV_KEY_COMMIT_PARTICIPANT};
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(w->org->env, &t));
  for (unsigned i = 0; i < w->n_erased; i++) {
    const ov_name *who = &w->erased[i];
    uint8_t key[OV_KEY_BYTES];
    ov_name name;
    uint32_t n = 0;
    for (unsigned k = 0; k < 2; k++)
      if (sv_keyring_get(w->org->keyring, types[k], who, key) != OV_E_NOTFOUND)
        sim_fail(w, "key-kept", "the keyring has a key of %s, who was erased", sim_name(who));
    int err = sv_by_participant(t, who, NULL, &name, 1, &n);
    if (err && err != OV_E_NOTFOUND) FX_OK(err);
    if (n)
      sim_fail(w, "erased-found", "%s is still found by %s, who was erased", sim_name(&name), sim_name(who));
    if (sv_erase_tombstone(t, who, &name))
      sim_fail(w, "no-tombstone", "nobody is told that %s was erased", sim_name(who));
  }
  sv_txn_abort(t);
}

static void check_parts(sim_tablet *t, oc_txn *x, oc_table table) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0, n = 0;
  const uint8_t *value = NULL;
  sim *w = t->w;
  for (;;) {
    oc_server_part part;
    ov_arena_reset(&w->tmp);
    if (oc_next(x, table, NULL, 0, key, key_n, key_n > 0, key, &key_n, &w->tmp, &value, &n)) return;
    FX_OK(oc_part_decode(value, n, &w->tmp, &part));
    if (sim_rec_erased(w, &part.rec))
      sim_fail(w, "erased-kept", "tablet %u still holds %s about somebody who was erased", t->id,
               sim_name(&part.rec.name));
  }
}

/* A tablet that synced since: neither what it received nor what it wrote. */
void sim_check_erased_tablet(sim_tablet *t) {
  sim *w = t->w;
  oc_txn *x = NULL;
  oc_writer_row row;
  if (!w->n_erased) return;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  check_parts(t, x, OC_T_RECORD);
  check_parts(t, x, OC_T_STAGE);
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    for (uint64_t seq = 1; seq <= row.last; seq++) {
      oc_log_row op;
      ov_arena_reset(&w->tmp);
      FX_OK(oc_log_get(x, &row.writer, seq, &w->tmp, &op));
      const sim_op *o = op.kept ? sim_op_find(w, &op.op.name) : NULL;
      if (o && sim_op_erased(w, &o->op))
        sim_fail(w, "erased-kept", "tablet %u still has the content of its %s about somebody who was erased",
                 t->id, sim_name(&op.op.name));
    }
  }
  oc_txn_abort(x);
}
