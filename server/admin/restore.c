/* Restore: offline. Environments of a backup are put in place; what was there is moved aside, never deleted;
 * keyrings stay as they are, because an older one would bring back what was erased. The server goes on under
 * a new writer: its own log may lack its last ops, and a name must not be given twice. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore.h"
#include "sv_erase.h"
#include "verify.h"

typedef struct place {
  backup_env e;
  char path[PATH_MAX_BYTES], aside[PATH_MAX_BYTES], staged[PATH_MAX_BYTES], epochs[PATH_MAX_BYTES];
  bool replaced; /* something was there and lies aside */
  sv_org *org;
} place;

typedef struct restore {
  adm *m;
  const char *dir;
  json_t *manifest;
  uint8_t master[OV_KEY_BYTES], master_next[OV_KEY_BYTES];
  bool has_next;
  char stamp[24];
  place *places;
  size_t n;
  sv_org *programme;
  bool programme_here; /* programme: open; programme_here: restored with the rest */
  uint64_t findings, ops, records;
} restore;

static int load_master(adm *m, uint8_t master[OV_KEY_BYTES]) {
  int err = sv_master_key_load(m->h->master_key_file, false, m->h->sys->random, m->h->sys->ctx, master);
  if (!err) return 0;
  return adm_fail(m, err, "put the master key back from its own copy, mode 0600", "master key %s: %s",
                  m->h->master_key_file, ov_err_text(err));
}

/* -- what to restore --------------------------------------------------------------------- */

static bool is_wanted(const char *text, const backup_env *e) {
  char hex[2 * OV_ID_BYTES + 1];
  ov_hex(e->id.b, OV_ID_BYTES, hex);
  if (!text) return true;
  if (ov_id_equal(&e->id, &sv_programme_id)) return !strcasecmp(text, "programme");
  return !strcasecmp(text, e->name) || (strlen(text) >= 4 && !strncasecmp(text, hex, strlen(text)));
}

static int add_place(restore *r, const backup_env *e) {
  adm *m = r->m;
  place *p = &r->places[r->n++];
  p->e = *e;
  if (!files_join(m, p->path, m->h->data, e->folder)) return m->err;
  if (sv_org_epoch_path(m->h->data, &e->id, p->epochs, sizeof p->epochs))
    return adm_fail(m, OV_E_LIMIT, NULL, "the data folder's name is too long");
  snprintf(p->aside, sizeof p->aside, "%.1150s" SV_ORG_ASIDE "%s", p->path, r->stamp);
  snprintf(p->staged, sizeof p->staged, "%.1150s.restoring", p->path);
  for (unsigned n = 2; files_exist(p->aside) && n < 100; n++) {
    snprintf(p->aside, sizeof p->aside, "%.1150s" SV_ORG_ASIDE "%s-%u", p->path, r->stamp, n);
  }
  if (ov_id_equal(&e->id, &sv_programme_id)) r->programme_here = true;
  return 0;
}

static int choose(restore *r) {
  adm *m = r->m;
  const char *text = arg_text(m, "organisation");
  backup_env e;
  size_t count = json_array_size(json_object_get(r->manifest, "environments"));
  r->places = calloc(count, sizeof *r->places);
  if (!r->places) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  for (size_t i = 0; i < count && backup_env_at(r->manifest, i, &e); i++) {
    if (is_wanted(text, &e) && add_place(r, &e)) return m->err;
  }
  if (!r->n)
    return adm_fail(m, OV_E_NOTFOUND, "its manifest.json lists what it holds",
                    "the backup does not hold \"%.80s\"", text ? text : "");
  return 0;
}

/* -- keyrings ---------------------------------------------------------------------------- */

/* By the epoch keys in place: a keyring from before an erasure does not open (OV_E_CRYPTO). */
static int epoch_of(restore *r, const place *p, const char *path, uint64_t *epoch) {
  sv_keyring *k = NULL;
  const sv_sys *sys = r->m->h->sys;
  *epoch = 0;
  int err = sv_keyring_open(path, p->epochs, r->master, sys->random, sys->ctx, false, &k);
  if (err == OV_E_CORRUPT && r->has_next)
    err = sv_keyring_open(path, p->epochs, r->master_next, sys->random, sys->ctx, false, &k);
  if (err) return err;
  *epoch = sv_keyring_epoch(k);
  sv_keyring_close(k);
  return 0;
}

/* The one given replaces the one in place only when it is not older. */
static int bring_keyring(restore *r, const place *p, const char *own, const char *given) {
  adm *m = r->m;
  uint64_t have = 0, get = 0;
  char aside[PATH_MAX_BYTES];
  int err = epoch_of(r, p, given, &get);
  if (err == OV_E_CRYPTO)
    return adm_fail(
        m, OV_E_DENIED, "leave --keyring out, or give the copy that belongs to the epoch keys",
        "the keyring given for %s is from another time than the epoch keys in place: an older one "
        "would bring back erased keys",
        p->e.name);
  if (err)
    return adm_fail(m, err, "it must belong to this master key", "keyring %s: %s", given, ov_err_text(err));
  if (!epoch_of(r, p, own, &have) && have > get) {
    return adm_fail(m, OV_E_DENIED, "leave --keyring out: the keyring in place is newer",
                    "the keyring given for %s is older than the one in place (epoch %llu, here %llu): it "
                    "would bring back erased keys",
                    p->e.name, (unsigned long long)get, (unsigned long long)have);
  }
  snprintf(aside, sizeof aside, "%.1150s.replaced-%s", own, r->stamp);
  if (files_exist(own) && rename(own, aside))
    return adm_fail(m, OV_E_IO, NULL, "cannot move %s aside: %s", own, strerror(errno));
  return files_copy(m, given, own, "copying the keyring", NULL);
}

/* Never over one that is there: that is the latest by its nature. */
static int bring_epoch(restore *r, const place *p) {
  adm *m = r->m;
  char given[PATH_MAX_BYTES], folder[PATH_MAX_BYTES];
  const char *dir = arg_text(m, "epochs");
  if (!dir || files_exist(p->epochs)) return 0;
  if (!files_join(m, folder, m->h->data, "epochs") || files_make_folder(m, folder) ||
      !backup_epoch_file(m, dir, &p->e.id, given))
    return m->err;
  return files_copy(m, given, p->epochs, "copying the epoch key", NULL) ? m->err
                                                                        : files_sync_folder(m, folder);
}

static int settle_keyring(restore *r, const place *p) {
  adm *m = r->m;
  char own[PATH_MAX_BYTES], given[PATH_MAX_BYTES];
  uint64_t epoch;
  snprintf(own, sizeof own, "%.1150s.keyring", p->path);
  if (bring_epoch(r, p)) return m->err;
  if (arg_text(m, "keyring")) {
    snprintf(given, sizeof given, "%.1100s/%s.keyring", arg_text(m, "keyring"), p->e.folder);
    return bring_keyring(r, p, own, given);
  }
  int err = epoch_of(r, p, own, &epoch);
  if (!err) return 0;
  if (err == OV_E_CRYPTO)
    return adm_fail(m, err, "give the folder that `overdracht-admin backup-epochs` made: --epochs DIR",
                    "the epoch key of %s is missing or from another time", p->e.name);
  return adm_fail(m, err, "give the folder that `overdracht-admin backup-keys` made: --keyring DIR",
                  "the keyring of %s (%s): %s", p->e.name, own,
                  err == OV_E_NOTFOUND ? "it is missing" : ov_err_text(err));
}

/* -- into place -------------------------------------------------------------------------- */

static int stage(restore *r, const place *p) {
  adm *m = r->m;
  char from[PATH_MAX_BYTES], note[PATH_MAX_BYTES], text[2 * PATH_MAX_BYTES];
  const char *at = json_string_value(json_object_get(r->manifest, "at"));
  if (files_exist(p->staged)) files_remove(p->staged); /* of a restore that was cut off */
  if (!files_join(m, from, r->dir, p->e.folder) || backup_copy_env(m, from, p->staged)) return m->err;
  if (!files_join(m, note, p->staged, "restored-from")) return m->err;
  snprintf(text, sizeof text, "backup %.1100s\nmade %.40s\nrestored %s\n", r->dir, at ? at : "?", r->stamp);
  return files_write(m, note, text) || restore_mark(m, p->staged, r->dir) || files_sync_folder(m, p->staged)
             ? m->err
             : 0;
}

static int sync_parent(adm *m, const char *path) {
  char parent[PATH_MAX_BYTES];
  snprintf(parent, sizeof parent, "%s", path);
  *strrchr(parent, '/') = 0;
  return files_sync_folder(m, parent);
}

static int swap(restore *r, place *p) {
  adm *m = r->m;
  if (restore_is_marked(p->path)) files_remove(p->path); /* of a restore that was cut off: of no use */
  bool there = files_exist(p->path);
  if (there && rename(p->path, p->aside))
    return adm_fail(m, OV_E_IO, NULL, "cannot move %s aside: %s", p->path, strerror(errno));
  p->replaced = there || restore_latest_aside(p->path, p->aside);
  if (rename(p->staged, p->path))
    return adm_fail(m, OV_E_IO, NULL, "cannot put %s in place: %s", p->path, strerror(errno));
  return sync_parent(m, p->path);
}

/* What does not open is taken out again, and what was there comes back. */
static void swap_back(restore *r, place *p) {
  if (r->programme == p->org) r->programme = NULL;
  sv_org_close(p->org);
  p->org = NULL;
  if (rename(p->path, p->staged) && errno != ENOENT) return;
  if (p->replaced && !rename(p->aside, p->path)) p->replaced = false;
  files_remove(p->staged);
  (void)sync_parent(r->m, p->path);
}

static sv_org_options org_options(const restore *r) {
  return (sv_org_options){.data = r->m->h->data,
                          .master = r->master,
                          .master_next = r->has_next ? r->master_next : NULL,
                          .sys = r->m->h->sys,
                          .schemas = r->m->h->schemas};
}

/* A team made after the backup may have been given its number to tablets: the keyring, which is newer, knows,
 * and it is not given again. */
static int skip_scopes(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const sv_org *org = arg;
  uint8_t key[OV_KEY_BYTES];
  uint32_t last = 0, scope = 0;
  (void)a;
  (void)touches;
  for (uint32_t s = 2; s <= SV_TEAM_SCOPE_MAX; s++) {
    const ov_name id = {.seq = s};
    if (!sv_keyring_get(org->keyring, SV_KEY_COMMIT_TEAM, &id, key)) last = s;
  }
  OPENSSL_cleanse(key, sizeof key);
  int err = 0;
  while (!err && scope < last) err = sv_org_next_scope(t, &scope);
  return err;
}

static int write_for(void *ctx, sv_org *org, sv_erase_work work, void *arg) {
  return restore_write(ctx, org, work, arg);
}

/* Whom an erasure took since this backup was made is not brought back by it. */
static int erase_again(restore *r, const place *p) {
  char own[PATH_MAX_BYTES], in[PATH_MAX_BYTES], beside[PATH_MAX_BYTES];
  uint32_t n = 0;
  adm *m = r->m;
  int err = sv_erase_list_path(m->h->data, own, sizeof own);
  if (!err && !files_join(m, in, r->dir, "erasures")) err = m->err;
  const char *lists[] = {own, in, backup_erasures_path(r->dir, beside) ? beside : NULL, NULL};
  if (!err) err = sv_erase_replay(m->h->data, lists, p->org, write_for, m, &n);
  if (n) adm_note(m, "%s: %u participants who were erased since then were erased again", p->e.name, n);
  return err;
}

static int put_in_place(restore *r, place *p) {
  adm *m = r->m;
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org_options o = org_options(r);
  if (swap(r, p)) return m->err;
  int err = sv_org_open(&o, &p->e.id, &p->org, why);
  if (!err) err = sv_org_new_writer(p->org);
  if (!err) err = restore_write(m, p->org, skip_scopes, p->org);
  if (!err) err = erase_again(r, p);
  if (err)
    adm_fail(m, err, "what was there is in place again", "%s does not open from this backup: %s", p->e.name,
             *why ? why : ov_err_text(err));
  if (!err && ov_id_equal(&p->e.id, &sv_programme_id)) r->programme = p->org;
  return m->err;
}

/* -- bringing back ----------------------------------------------------------------------- */

/* Opens a copy of `folder` as this environment; *out NULL when it cannot be had, which is told as a note
 * only. */
static void open_copy(restore *r, const place *p, const char *folder, const char *what, scratch *s,
                      sv_org **out) {
  adm *m = r->m;
  *out = NULL;
  if (m->err || scratch_make(m, p->path, s) || scratch_open(m, s, folder, &p->e.id, out)) {
    if (m->err == OV_E_CANCELLED) return;
    adm_note(m, "%s: %s cannot be read (%s): nothing was taken from it", p->e.name, what, m->message);
    m->err = 0;
  }
}

static void count_up(merge_counts *sum, const merge_counts *c) {
  sum->ops += c->ops;
  sum->refused += c->refused;
  sum->unreadable += c->unreadable;
  sum->devices += c->devices;
  sum->revoked += c->revoked;
  sum->requeued += c->requeued;
  sum->looks += c->looks;
}

/* Of what was there only these are taken: the audit; the devices: their keys, and that some were revoked;
 * accounts and tokens; who has left. */
static void take_from_aside(restore *r, place *p, merge_counts *c) {
  scratch s = {.made = false};
  sv_org *old = NULL;
  if (!p->replaced) return;
  open_copy(r, p, p->aside, "what was there before", &s, &old);
  if (old && !restore_devices(r->m, old, p->org, c) && !restore_accounts(r->m, old, p->org, true) &&
      !restore_people(r->m, old, p->org))
    restore_audit(r->m, old, p->org, c);
  sv_org_close(old);
  scratch_drop(&s);
}

/* `also` is a backup, or the folder of one environment that was moved aside. */
static bool also_folder(restore *r, const place *p, const char *also, char out[PATH_MAX_BYTES]) {
  char file[PATH_MAX_BYTES], own[48];
  backup_folder(&p->e.id, own);
  const char *last = strrchr(own, '/') ? strrchr(own, '/') + 1 : own,
             *name = strrchr(also, '/') ? strrchr(also, '/') + 1 : also;
  if (!files_join(r->m, out, also, p->e.folder) || !files_join(r->m, file, out, "data.mdb")) return false;
  if (files_exist(file)) return true;
  if (!files_join(r->m, file, also, "data.mdb") || !files_exist(file) || strncmp(name, last, strlen(last)))
    return false;
  return files_join(r->m, out, also, "");
}

static void merge_also(restore *r, place *p, merge_counts *c) {
  adm *m = r->m;
  for (size_t i = 0; i < arg_count(m, "also") && !m->err; i++) {
    char folder[PATH_MAX_BYTES];
    scratch s = {.made = false};
    sv_org *from = NULL;
    merge_counts mine = {0};
    if (!also_folder(r, p, arg_at(m, "also", i), folder)) continue;
    open_copy(r, p, folder, folder, &s, &from);
    if (from && !restore_audit(m, from, p->org, &mine) && !restore_accounts(m, from, p->org, false) &&
        !restore_merge(m, from, p->org, &mine)) {
      adm_note(m, "%s: %llu newer entries came from %s%s", p->e.name, (unsigned long long)mine.ops, folder,
               mine.refused || mine.unreadable ? "; some could not be read or did not fit" : "");
    }
    count_up(c, &mine);
    sv_org_close(from);
    scratch_drop(&s);
  }
}

static int check_also(adm *m) {
  for (size_t i = 0; i < arg_count(m, "also"); i++) {
    if (!files_exist(arg_at(m, "also", i)))
      return adm_fail(m, OV_E_NOTFOUND, NULL, "there is no %s", arg_at(m, "also", i));
  }
  return 0;
}

/* -- the programme and the others -------------------------------------------------------- */

static sv_org *open_here(restore *r, const ov_id *id) {
  for (size_t i = 0; i < r->n; i++) {
    if (ov_id_equal(&r->places[i].e.id, id)) return r->places[i].org;
  }
  return NULL;
}

/* One organisation and the programme: who knows which device, and what is still to be handed over. */
static int join_programme(restore *r, sv_org *org, merge_counts *c) {
  merge_counts routes = {0};
  if (!r->programme) return 0;
  if (restore_devices(r->m, org, r->programme, &routes) || restore_devices(r->m, r->programme, org, c))
    return r->m->err;
  return restore_requeue(r->m, org, r->programme, c);
}

/* With the programme restored every organisation may have handed over what the older copy lacks. */
static int join_others(restore *r) {
  adm *m = r->m;
  ov_id *ids = calloc(SV_ORGS_MAX, sizeof *ids);
  uint32_t n = 0;
  sv_org_options o = org_options(r);
  int err = ids ? sv_org_list(m->h->data, ids, SV_ORGS_MAX, &n) : OV_E_NOMEM;
  if (err) adm_failed(m, err, "organisations");
  for (uint32_t i = 0; i < n && !m->err; i++) {
    char why[OV_ERROR_TEXT_MAX] = "";
    merge_counts c = {0};
    sv_org *org = NULL;
    if (open_here(r, &ids[i])) continue;
    if (sv_org_open(&o, &ids[i], &org, why))
      adm_note(m, "an organisation that was not restored does not open: %s", why);
    else if (!join_programme(r, org, &c) && r->programme) restore_logins(m, org, r->programme);
    sv_org_close(org);
  }
  free(ids);
  return m->err;
}

static int open_programme(restore *r) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org_options o = org_options(r);
  if (r->programme) return 0;
  int err = sv_org_open(&o, &sv_programme_id, &r->programme, why);
  if (err)
    adm_note(r->m, "the programme does not open (%s): restore it as well, with --organisation programme",
             why);
  return 0;
}

/* -- the whole --------------------------------------------------------------------------- */

static void report(restore *r, const place *p, const merge_counts *c) {
  adm_item(r->m, json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "organisation",
                           adm_text_json(p->e.name, strlen(p->e.name)), "brought_back", (json_int_t)c->ops,
                           "unreadable", (json_int_t)c->unreadable + (json_int_t)c->refused, "devices",
                           (json_int_t)c->devices, "revoked", (json_int_t)c->revoked, "handed_over",
                           (json_int_t)c->requeued, "audit_lines", (json_int_t)c->looks, "writer",
                           adm_id_json(&p->org->server), "before",
                           adm_text_json(p->replaced ? p->aside : "", p->replaced ? strlen(p->aside) : 0)));
}

static int heal(restore *r, place *p) {
  merge_counts c = {0};
  bool programme = ov_id_equal(&p->e.id, &sv_programme_id);
  /* First what needs sound copies only: LMDB may end the process over a damaged one, and then this much is
   * done. */
  if (!programme) join_programme(r, p->org, &c);
  take_from_aside(r, p, &c);
  merge_also(r, p, &c);
  if (!r->m->err && !programme && (c.ops || c.devices || c.revoked)) join_programme(r, p->org, &c);
  if (!r->m->err && !programme) restore_device_records(r->m, p->org, r->programme);
  if (!r->m->err && !programme && r->programme) restore_logins(r->m, p->org, r->programme);
  if (!r->m->err) restore_audit_line(r->m, p->org, &c);
  if (!r->m->err && !arg_flag(r->m, "no_check")) {
    vf_run(r->m, p->org, programme ? NULL : r->programme, &r->findings, &r->ops, &r->records);
  }
  if (!r->m->err && !restore_unmark(r->m, p->path)) report(r, p, &c);
  return r->m->err;
}

static int run(restore *r) {
  adm *m = r->m;
  char orgs[PATH_MAX_BYTES];
  if (!files_join(m, orgs, m->h->data, "orgs") || files_make_folder(m, orgs)) return m->err;
  for (size_t i = 0; i < r->n; i++) {
    if (backup_check_file(m, r->dir, &r->places[i].e)) return m->err; /* before anything is touched */
  }
  for (size_t i = 0; i < r->n; i++) {
    if (settle_keyring(r, &r->places[i]) || stage(r, &r->places[i])) return m->err;
  }
  for (size_t i = 0; i < r->n; i++) {
    if (!put_in_place(r, &r->places[i])) continue;
    for (size_t k = i + 1; k-- > 0;) swap_back(r, &r->places[k]);
    return m->err;
  }
  open_programme(r);
  /* The programme last: what the organisations hand over is compared with what it has by then. */
  for (size_t i = 0; i < r->n && !m->err; i++) heal(r, &r->places[i]);
  return m->err ? m->err : r->programme_here ? join_others(r) : 0;
}

static void finish(restore *r) {
  bool shared = open_here(r, &sv_programme_id) != NULL;
  for (size_t i = 0; i < r->n; i++) {
    sv_org_close(r->places[i].org);
    if (files_exist(r->places[i].staged)) files_remove(r->places[i].staged);
  }
  if (!shared) sv_org_close(r->programme);
  OPENSSL_cleanse(r->master, sizeof r->master);
  OPENSSL_cleanse(r->master_next, sizeof r->master_next);
  free(r->places);
  json_decref(r->manifest);
}

static int bring_master(adm *m) {
  char given[PATH_MAX_BYTES];
  const char *dir = arg_text(m, "keyring");
  if (!dir || files_exist(m->h->master_key_file) || !files_join(m, given, dir, "master.key") ||
      !files_exist(given))
    return m->err;
  return files_copy(m, given, m->h->master_key_file, "copying the master key", NULL);
}

int cmd_restore(adm *m) {
  restore r = {.m = m};
  char dir[PATH_MAX_BYTES];
  uint64_t findings = 0;
  if (!files_join(m, dir, arg_text(m, "backup"), "")) return m->err;
  if (arg_flag(m, "verify")) return backup_verify(m, dir, arg_text(m, "scratch"), &findings);
  r.dir = dir;
  files_stamp(m, r.stamp);
  r.manifest = backup_manifest(m, dir);
  r.has_next = !sv_master_key_next(m->h->master_key_file, r.master_next);
  if (r.manifest && !bring_master(m) && !load_master(m, r.master) && !check_also(m) && !choose(&r)) run(&r);
  finish(&r);
  if (m->err) return m->err;
  adm_set(m, "findings", json_integer((json_int_t)r.findings));
  adm_note(m, "what was there lies aside (\"before\") and can be deleted once all is well");
  adm_note(m, "each server goes on under a new writer; tablets fetch again and send what this copy lacks");
  adm_note(m, "administration done after the backup (teams, people, devices) is only back as far as --also "
              "brought it: look it over");
  if (!r.findings) return 0;
  return adm_fail(m, OV_E_CORRUPT, "the restored data is in place; try another backup, or --also a newer one",
                  "%llu findings in what was restored", (unsigned long long)r.findings);
}
