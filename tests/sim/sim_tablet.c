/* Stores of tablets: opened, closed in the middle of things, copied, put back, thrown away. */
#include "sim.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sv_enrol.h"

static int64_t now(void *ctx) {
  sim_tablet *t = ctx;
  return t->w->true_ms + t->clock_off_ms;
}

/* No value of a store is written without a nonce: a source that fails is a store that fails. */
static int random_bytes(void *ctx, void *p, size_t n) {
  sim_tablet *t = ctx;
  uint8_t *out = p;
  if (t->failing) return -1;
  if (t->fail_in >= 0 && t->fail_in-- == 0) {
    t->failing = true;
    return -1;
  }
  for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(sim_u64(&t->random) >> 24);
  return 0;
}

/* Receipts of erasures are written by the store itself. */
static void model_receipts(sim_tablet *t) {
  oc_txn *x = NULL;
  const ov_id *writer = &t->s->self.writer;
  uint64_t seq = t->s->self.last.seq;
  oc_log_row row;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  for (; seq; seq--) {
    ov_arena_reset(&t->w->tmp);
    FX_OK(oc_log_get(x, writer, seq, &t->w->tmp, &row));
    if (sim_op_find(t->w, &row.op.name)) break;
  }
  for (seq++; seq <= t->s->self.last.seq; seq++) {
    ov_arena_reset(&t->w->tmp);
    FX_OK(oc_log_get(x, writer, seq, &t->w->tmp, &row));
    sim_op *o = sim_op_add(t->w, &row.op, &row.head);
    o->device = t->device;
    o->late = t->w->admin.devices[t->device].revoked;
    o->written_ms = t->w->true_ms;
    sim_say(t->w, "tablet %u has erased, and says so: %s", t->id, sim_name(&row.op.name));
  }
  oc_txn_abort(x);
}

int sim_store_open(sim_tablet *t) {
  oc_error e = {0};
  oc_options o = {.path = t->path,
                  .now_ms = now,
                  .random = random_bytes,
                  .ctx = t,
                  .map_bytes_max = t->map_bytes ? t->map_bytes : 64u << 20};
  t->fail_in = -1;
  t->failing = false;
  int err = oc_store_open(&o, &t->s, &e);
  if (err) sim_fail(t->w, "open", "tablet %u does not open: %s", t->id, e.message);
  if (t->s->self.enrolled) model_receipts(t);
  return err;
}

void sim_store_close(sim_tablet *t) {
  if (t->link) sim_link_cut(t->w, t->link, 1);
  oc_store_close(t->s);
  t->s = NULL;
}

static void count_log(sim_tablet *t, uint64_t *ops, uint64_t *acked) {
  oc_txn *x = NULL;
  oc_writer_row row;
  *ops = *acked = 0;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    *ops += row.last;
    *acked += row.acked;
  }
  oc_txn_abort(x);
}

void sim_tablet_crash(sim_tablet *t) {
  uint64_t before, acked, after;
  t->fail_in = -1;
  t->failing = false;
  count_log(t, &before, &acked);
  sim_store_close(t);
  sim_store_open(t);
  count_log(t, &after, &acked);
  if (after < before) /* more: receipts of an erasure that the crash had cut short */
    sim_fail(t->w, "local-loss", "tablet %u had %llu ops and has %llu after a crash", t->id,
             (unsigned long long)before, (unsigned long long)after);
}

sim_tablet *sim_tablet_new(sim *w) {
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) {
    sim_tablet *t = &w->tablets[i];
    if (t->used) continue;
    *t = (sim_tablet){.w = w, .id = i, .used = true, .fail_in = -1, .random = {sim_u64(&w->rng)}};
    snprintf(t->path, sizeof t->path, "%s/t%u-%u", w->dir, i, w->n_files++);
    return t;
  }
  return NULL;
}

sim_tablet *sim_tablet_pick(sim *w, uint32_t a) {
  unsigned n = 0;
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) n += w->tablets[i].used && w->tablets[i].enrolled;
  if (!n) return NULL;
  unsigned k = a % n;
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++)
    if (w->tablets[i].used && w->tablets[i].enrolled && k-- == 0) return &w->tablets[i];
  return NULL;
}

uint32_t sim_teams_of(const sim_tablet *t) { return sim_device_teams(t->w, t->device); }

void sim_tablet_afterwards(sim_tablet *t) {
  bool receipts = false;
  if (!t->enrolled || t->s->self.purged_ms) return;
  int err = oc_purge_finish(t->s, &receipts);
  if (err && !t->failing && err != OV_E_FULL)
    sim_fail(t->w, "purge", "tablet %u cannot finish an erasure: %s", t->id, ov_err_text(err));
  if (receipts) model_receipts(t);
}

/* -- enrolment ------------------------------------------------------------------------------------------- */

bool sim_tablet_enrol(sim_tablet *t, unsigned device) {
  sim *w = t->w;
  char code[SV_CODE_TEXT];
  sv_txn *x = NULL;
  oc_error e = {0};
  if (!t->s) sim_store_open(t);
  t->device = device;
  FX_OK(sv_txn_write(w->programme->env, &x));
  const sim_device *d = &w->admin.devices[device];
  sv_code what = {.organisation = w->org->id, .device_record = d->record, .has_person = d->personal};
  if (d->personal) what.person = w->admin.people[d->person].name;
  FX_OK(sv_code_make_for(x, &w->fx.sys, &what, code));
  FX_OK(sv_txn_commit(x));
  sim_link *l = sim_connect(t, &w->rng, true);
  FX_MUST(l);
  if (oc_session_enrol(t->s, SIM_URL, code, "tablet", &l->cs, &e)) sim_fail(w, "enrol", "%s", e.message);
  l->enrolling = true;
  while (t->link && sim_net_move(w, &w->rng)) {}
  if (!t->s->self.enrolled) sim_fail(w, "enrol", "tablet %u is not enrolled", t->id);
  t->enrolled = true;
  return true;
}

/* -- folders --------------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to, const char *name) {
  char a[600], b[600];
  snprintf(a, sizeof a, "%s/%s", from, name);
  snprintf(b, sizeof b, "%s/%s", to, name);
  sim_copy_file(a, b);
}

static void remove_folder(const char *path) {
  char file[600];
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));) {
    snprintf(file, sizeof file, "%s/%s", path, e->d_name);
    if (e->d_name[0] != '.') remove(file);
  }
  if (d) closedir(d);
  rmdir(path);
}

static void copy_folder(const char *from, const char *to) {
  remove_folder(to);
  FX_MUST(!mkdir(to, 0700));
  DIR *d = opendir(from);
  FX_MUST(d);
  for (struct dirent *e; (e = readdir(d));)
    if (e->d_name[0] != '.' && strcmp(e->d_name, "lock.mdb") != 0) copy_file(from, to, e->d_name);
  closedir(d);
}

void sim_tablet_clone(sim *w, sim_tablet *t) {
  sim_tablet *c = sim_tablet_new(w);
  if (!c) return;
  c->device = t->device;
  c->clock_off_ms = t->clock_off_ms;
  c->enrolled = true;
  c->lost_admin = t->lost_admin;
  sim_store_close(t);
  copy_folder(t->path, c->path);
  sim_store_open(t);
  sim_store_open(c);
  sim_say(w, "tablet %u is cloned as tablet %u", t->id, c->id);
}

void sim_tablet_evict(sim_tablet *t) {
  sim *w = t->w;
  sim_store_close(t);
  remove_folder(t->path);
  t->used = t->enrolled = false;
  for (unsigned i = 0; i < SIM_IMAGES_MAX; i++) {
    if (!w->images[i].used || w->images[i].tablet != t->id) continue;
    remove_folder(w->images[i].path);
    w->images[i].used = false;
  }
}

void sim_image_take(sim *w, sim_tablet *t) {
  unsigned i = 0;
  while (i < SIM_IMAGES_MAX && w->images[i].used) i++;
  if (i == SIM_IMAGES_MAX) return;
  sim_image *m = &w->images[i];
  *m = (sim_image){.used = true, .tablet = t->id, .device = t->device};
  snprintf(m->path, sizeof m->path, "%s/image%u", w->dir, w->n_files++);
  sim_store_close(t);
  copy_folder(t->path, m->path);
  sim_store_open(t);
  sim_say(w, "image %u is taken of tablet %u", i, t->id);
}

static void put_back(sim *w, unsigned i) {
  sim_tablet *t = &w->tablets[w->images[i].tablet];
  sim_note_dropped(t);
  sim_store_close(t);
  copy_folder(w->images[i].path, t->path);
  sim_store_open(t);
  sim_say(w, "image %u is put back on tablet %u", i, t->id);
}

void sim_image_back(sim *w, uint32_t pick) {
  for (unsigned k = 0; k < SIM_IMAGES_MAX; k++) {
    unsigned i = (k + pick) % SIM_IMAGES_MAX;
    if (!w->images[i].used) continue;
    put_back(w, i);
    return;
  }
}

bool sim_image_back_on(sim *w, const sim_tablet *t) {
  for (unsigned i = SIM_IMAGES_MAX; i-- > 0;) {
    if (!w->images[i].used || w->images[i].tablet != t->id) continue;
    put_back(w, i);
    return true;
  }
  return false;
}
