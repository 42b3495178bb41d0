/* A backup is only as good as its restore: it is restored into a scratch folder and verified there, and only
 * then does *safe* move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "sv_json.h"
#include "verify.h"

/* Tips of one environment that are put into the live one per transaction. */
#define SAFE_BATCH 512u

/* -- moving safe ------------------------------------------------------------------------- */

typedef struct safe_job {
  sv_org *live;
  const sv_tip *tips;
  uint32_t n;
  const char *mark;
  uint64_t moved;
} safe_job;

/* Does the live branch go through this head? With one branch the op itself says so; with several the branch
 * is walked back. */
static int goes_through(sv_txn *t, ov_arena *a, const sv_tip *live, uint32_t n_live, const sv_tip *saved,
                        bool *yes) {
  ov_name at = {.writer = saved->writer, .seq = n_live == 1 ? saved->head.seq : live->head.seq};
  sv_op_row row;
  int err = 0;
  *yes = false;
  if (saved->head.seq > live->head.seq) return 0;
  memcpy(at.tag, n_live == 1 ? saved->head.head.b : live->head.head.b, OV_TAG_BYTES);
  while (!(err = sv_op_get(t, &at, a, &row)) && at.seq > saved->head.seq) {
    memcpy(at.tag, row.prev_tag, OV_TAG_BYTES);
    at.seq--;
    ov_arena_reset(a);
  }
  *yes = !err && !memcmp(row.head.b, saved->head.head.b, OV_HASH_BYTES);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int move_tip(sv_txn *t, ov_arena *a, const sv_tip *saved, uint64_t *moved) {
  sv_tip live[OV_TIPS_MAX];
  uint32_t n = 0;
  int err = sv_tips_get(t, &saved->writer, live, OV_TIPS_MAX, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    bool yes;
    err = goes_through(t, a, &live[i], n, saved, &yes);
    if (err || !yes || live[i].safe_seq >= saved->head.seq) continue;
    live[i].safe_seq = saved->head.seq;
    ov_hash head = live[i].head.head;
    err = sv_tip_put(t, &head, &live[i]);
    (*moved)++;
  }
  return err;
}

static int safe_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  safe_job *j = arg;
  (void)a;
  (void)touches;
  ov_arena work;
  ov_arena_init(&work, SV_LOOK_ARENA_BYTES_MAX);
  int err = 0;
  j->moved = 0;
  for (uint32_t i = 0; !err && i < j->n; i++) err = move_tip(t, &work, &j->tips[i], &j->moved);
  ov_arena_free(&work);
  return err ? err : sv_meta_put(t, BACKUP_MARK, j->mark, strlen(j->mark));
}

/* Up to a batch of tips of the verified copy, behind those of (writer, index). */
static uint32_t take_tips(sv_txn *t, ov_id *writer, bool *started, uint32_t *index, sv_tip out[SAFE_BATCH]) {
  uint32_t n = 0;
  while (n < SAFE_BATCH && !sv_tip_next(t, *started ? writer : NULL, *index, &out[n], index)) {
    *writer = out[n++].writer;
    *started = true;
  }
  return n;
}

static int move_safe(adm *m, sv_org *copy, sv_org *live, const char *mark, uint64_t *moved) {
  sv_tip *tips = calloc(SAFE_BATCH, sizeof *tips);
  ov_id writer;
  bool started = false;
  uint32_t index = 0, n = tips ? SAFE_BATCH : 0;
  if (!tips) adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  while (n == SAFE_BATCH && !m->err) {
    sv_txn *t = adm_read(m, copy);
    n = t ? take_tips(t, &writer, &started, &index, tips) : 0;
    sv_txn_abort(t);
    safe_job j = {.live = live, .tips = tips, .n = n, .mark = mark};
    int err = m->err ? m->err : m->h->write(m->h->ctx, live, safe_work, &j);
    if (err && !m->err) adm_failed(m, err, live->name);
    *moved += j.moved;
  }
  free(tips);
  return m->err;
}

/* -- checking the copy against its manifest ---------------------------------------------- */

static bool read_tip(const json_t *j, sv_tip *out) {
  const char *writer = json_string_value(json_object_get(j, "writer")),
             *head = json_string_value(json_object_get(j, "head"));
  json_int_t seq = json_integer_value(json_object_get(j, "seq"));
  *out = (sv_tip){.head.seq = (uint64_t)seq};
  return writer && head && seq > 0 && strlen(writer) == 2 * OV_ID_BYTES &&
         strlen(head) == 2 * OV_HASH_BYTES && !ov_unhex(writer, out->writer.b, OV_ID_BYTES) &&
         !ov_unhex(head, out->head.head.b, OV_HASH_BYTES);
}

static int check_tips(adm *m, sv_org *copy, const backup_env *e, uint64_t *findings) {
  const json_t *tips = json_object_get(e->json, "tips");
  sv_txn *t = adm_read(m, copy);
  ov_arena a;
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  for (size_t i = 0; t && i < json_array_size(tips); i++) {
    sv_tip tip;
    sv_op_row row;
    bool ok = read_tip(json_array_get(tips, i), &tip);
    ov_name name = {.writer = tip.writer, .seq = tip.head.seq};
    memcpy(name.tag, tip.head.head.b, OV_TAG_BYTES);
    ok = ok && !sv_op_get(t, &name, &a, &row) && !memcmp(row.head.b, tip.head.head.b, OV_HASH_BYTES);
    ov_arena_reset(&a);
    if (ok) continue;
    (*findings)++;
    adm_note(m, "FOUND: %s: the manifest names a log end that the copy does not hold", e->name);
    break;
  }
  ov_arena_free(&a);
  sv_txn_abort(t);
  return m->err;
}

/* -- the whole --------------------------------------------------------------------------- */

static sv_org *live_of(adm *m, const ov_id *id) {
  sv_org *o;
  if (ov_id_equal(id, &sv_programme_id)) return m->h->programme;
  for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++) {
    if (ov_id_equal(&o->id, id)) return o;
  }
  return NULL;
}

typedef struct check {
  adm *m;
  const char *dir, *mark;
  scratch s;
  sv_org *programme;
  uint64_t *findings, ops, records, moved;
} check;

static int check_env(check *c, const backup_env *e) {
  adm *m = c->m;
  char from[PATH_MAX_BYTES];
  sv_org *copy = NULL, *live = live_of(m, &e->id);
  bool programme = ov_id_equal(&e->id, &sv_programme_id);
  uint64_t before = *c->findings;
  if (!live) {
    adm_note(m, "%s is in the backup, but not open here: it was not verified", e->name);
    return 0;
  }
  if (backup_check_file(m, c->dir, e) || !files_join(m, from, c->dir, e->folder)) return m->err;
  if (!scratch_open(m, &c->s, from, &e->id, &copy) && !check_tips(m, copy, e, c->findings)) {
    vf_run(m, copy, c->programme, c->findings, &c->ops, &c->records);
  }
  if (!m->err && *c->findings == before) move_safe(m, copy, live, c->mark, &c->moved);
  if (programme && !m->err) c->programme = copy;
  else sv_org_close(copy);
  return m->err;
}

/* The programme first: the organisations' copies are held against it. One organisation at a time, so that the
 * scratch folder needs room for the largest only. */
static int check_all(check *c, const json_t *manifest) {
  backup_env e;
  for (size_t i = 0; !c->m->err && backup_env_at(manifest, i, &e); i++) {
    if (ov_id_equal(&e.id, &sv_programme_id)) check_env(c, &e);
  }
  for (size_t i = 0; !c->m->err && backup_env_at(manifest, i, &e); i++) {
    char folder[PATH_MAX_BYTES], keys[PATH_MAX_BYTES], epochs[PATH_MAX_BYTES];
    if (ov_id_equal(&e.id, &sv_programme_id)) continue;
    check_env(c, &e);
    snprintf(folder, sizeof folder, "%.1100s/%s", c->s.path, e.folder);
    snprintf(keys, sizeof keys, "%.1100s/%s.keyring", c->s.path, e.folder);
    files_remove(folder);
    files_remove(keys);
    if (files_join(c->m, keys, c->s.path, "epochs") && backup_epoch_file(c->m, keys, &e.id, epochs))
      files_remove(epochs);
  }
  return c->m->err;
}

int backup_verify(adm *m, const char *dir, const char *scratch_dir, uint64_t *findings) {
  json_t *manifest = backup_manifest(m, dir);
  char beside[PATH_MAX_BYTES];
  json_t *mark = json_pack("{s:o, s:o}", "at", adm_time_json(adm_now_ms(m)), "backup",
                           adm_text_json(dir, strlen(dir)));
  char *text = sv_json_text(mark, JSON_COMPACT);
  check c = {.m = m, .dir = dir, .mark = text, .findings = findings};
  if (!text) adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  if (manifest && files_join(m, beside, scratch_dir ? scratch_dir : dir, scratch_dir ? "backup" : "") &&
      !scratch_make(m, beside, &c.s)) {
    check_all(&c, manifest);
  }
  sv_org_close(c.programme);
  scratch_drop(&c.s);
  json_decref(manifest);
  json_decref(mark);
  free(text);
  if (m->err) return m->err;
  adm_set(m, "verified_ops", json_integer((json_int_t)c.ops));
  adm_set(m, "verified_records", json_integer((json_int_t)c.records));
  adm_set(m, "findings", json_integer((json_int_t)*findings));
  adm_set(m, "logs_moved_safe", json_integer((json_int_t)c.moved));
  if (!*findings) return 0;
  return adm_fail(m, OV_E_CORRUPT, "make a new backup; if it shows the same, run verify on the live data",
                  "the backup has faults: what they touch was not called safe");
}
