/* Backup: online, one consistent copy of each environment. Organisations go before the programme: what an
 * organisation's copy has handed over is then in the programme's, and what it has not is still in its
 * queue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup.h"
#include "sv_erase.h"
#include "sv_erasures.h"
#include "sv_json.h"

/* -- one environment --------------------------------------------------------------------- */

/* Read before the copy is made, so that the copy has all of them (logs only grow). */
static json_t *tips_json(adm *m, sv_org *org) {
  sv_tip tip;
  ov_id writer;
  const ov_id *after = NULL;
  uint32_t index = 0;
  json_t *list = json_array();
  sv_txn *t = adm_read(m, org);
  while (t && !sv_tip_next(t, after, index, &tip, &index)) {
    writer = tip.writer;
    after = &writer;
    json_array_append_new(list, json_pack("{s:o, s:I, s:o}", "writer", adm_id_json(&tip.writer), "seq",
                                          (json_int_t)tip.head.seq, "head",
                                          adm_hex_json(tip.head.head.b, OV_HASH_BYTES)));
  }
  if (t && sv_txn_error(t)) adm_failed(m, sv_txn_error(t), org->name);
  sv_txn_abort(t);
  return list;
}

static int copy_format(adm *m, sv_org *org, const char *to) {
  char env[PATH_MAX_BYTES], from[PATH_MAX_BYTES], path[PATH_MAX_BYTES];
  if (sv_org_path(m->h->data, &org->id, env, sizeof env))
    return adm_fail(m, OV_E_LIMIT, NULL, "the data folder's name is too long");
  return files_join(m, from, env, "format") && files_join(m, path, to, "format")
             ? files_copy(m, from, path, "copying", NULL)
             : m->err;
}

static int copy_one(adm *m, sv_org *org, const char *part, json_t *list) {
  adm_audit_org(m, org);
  char folder[48], to[PATH_MAX_BYTES], file[PATH_MAX_BYTES], hash[2 * OV_HASH_BYTES + 1],
      what[OV_LABEL_BYTES_MAX + 40];
  int64_t bytes = 0;
  backup_folder(&org->id, folder);
  snprintf(what, sizeof what, "%s: copied", org->name);
  if (!files_join(m, to, part, folder) || !files_join(m, file, to, "data.mdb") || files_make_folder(m, to))
    return m->err;
  m->told_ms = 0;
  if (!adm_progress(m, what, 0, 0)) return m->err;
  json_t *tips = tips_json(m, org);
  int err = m->err ? m->err : sv_env_copy(org->env, file);
  if (err && !m->err) adm_failed(m, err, org->name);
  if (!m->err && !copy_format(m, org, to) && !files_sync_folder(m, to))
    files_hash(m, file, what, hash, &bytes);
  if (m->err) {
    json_decref(tips);
    return m->err;
  }
  json_array_append_new(list,
                        json_pack("{s:o, s:o, s:s, s:I, s:s, s:I, s:o, s:o}", "id", adm_id_json(&org->id),
                                  "name", adm_text_json(org->name, strlen(org->name)), "folder", folder,
                                  "bytes", (json_int_t)bytes, "sha256", hash, "keyring_epoch",
                                  (json_int_t)sv_keyring_epoch(org->keyring), "server_writer",
                                  adm_id_json(&org->server), "tips", tips));
  return 0;
}

/* -- the whole --------------------------------------------------------------------------- */

static int copy_all(adm *m, const char *part, json_t *list) {
  char orgs[PATH_MAX_BYTES];
  sv_org *o;
  if (!files_join(m, orgs, part, "orgs") || files_make_folder(m, orgs)) return m->err;
  if (arg_text(m, "organisation")) {
    o = find_org(m);
    return o ? copy_one(m, o, part, list) : m->err;
  }
  for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++) {
    if (copy_one(m, o, part, list)) return m->err;
  }
  return copy_one(m, m->h->programme, part, list) ? m->err : files_sync_folder(m, orgs);
}

/* The list of erasures lies in the backup and beside it, so that also an older one is put back without the
 * erased. */
static int copy_erasures(adm *m, const char *dir, const char *part) {
  char list[PATH_MAX_BYTES], in[PATH_MAX_BYTES], beside[PATH_MAX_BYTES];
  sv_erasure *v = NULL;
  uint32_t n = 0;
  if (sv_erase_list_path(m->h->data, list, sizeof list) || !files_join(m, in, part, "erasures"))
    return m->err ? m->err : adm_fail(m, OV_E_LIMIT, NULL, "the data folder's name is too long");
  int err = sv_erasures_read(list, &v, &n);
  if (!err && n) err = sv_erasures_add(in, v, n);
  if (!err && n && backup_erasures_path(dir, beside)) err = sv_erasures_add(beside, v, n);
  free(v);
  return err ? adm_failed(m, err, "the list of erasures") : 0;
}

static int write_manifest(adm *m, const char *part, json_t *list) {
  char path[PATH_MAX_BYTES];
  json_t *j = json_pack("{s:i, s:i, s:s, s:o, s:b, s:O}", "overdracht_backup", BACKUP_VERSION, "format",
                        SV_FORMAT_VERSION, "version", OV_VERSION, "at", adm_time_json(adm_now_ms(m)), "whole",
                        !arg_text(m, "organisation"), "environments", list);
  char *text = sv_json_text(j, JSON_INDENT(1));
  json_decref(j);
  if (!text) adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  else if (files_join(m, path, part, "manifest.json")) files_write(m, path, text);
  free(text);
  return m->err ? m->err : files_sync_folder(m, part);
}

/* The folder gets its name when everything in it is on disk. */
static int publish(adm *m, const char *part, const char *dir) {
  char parent[PATH_MAX_BYTES];
  if (rename(part, dir))
    return adm_fail(m, OV_E_IO, NULL, "cannot rename %s to %s: %s", part, dir, strerror(errno));
  snprintf(parent, sizeof parent, "%s", dir);
  char *slash = strrchr(parent, '/');
  if (slash == parent) slash++;
  if (slash) *slash = 0;
  return files_sync_folder(m, parent);
}

static int make(adm *m, const char *dir) {
  char part[PATH_MAX_BYTES];
  int n = snprintf(part, sizeof part, "%s.part-XXXXXX", dir);
  if (n < 0 || (size_t)n >= sizeof part - 64)
    return adm_fail(m, OV_E_LIMIT, NULL, "the path %.80s... is too long", dir);
  if (files_exist(dir))
    return adm_fail(m, OV_E_EXISTS, "name a new folder; a backup never overwrites one", "%s exists already",
                    dir);
  if (!mkdtemp(part))
    return adm_fail(m, OV_E_IO, "the folder above it must exist", "cannot make %s: %s", dir, strerror(errno));
  json_t *list = json_array();
  if (!copy_all(m, part, list) && !copy_erasures(m, dir, part) && !write_manifest(m, part, list))
    publish(m, part, dir);
  if (m->err) files_remove(part);
  size_t count = json_array_size(list);
  json_decref(list);
  if (m->err) return m->err;
  adm_set_text(m, "backup", dir);
  adm_set(m, "environments", json_integer((json_int_t)count));
  return 0;
}

static void trim_slashes(char *path) {
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
}

int cmd_backup(adm *m) {
  char dir[PATH_MAX_BYTES];
  uint64_t findings = 0;
  if (!files_join(m, dir, arg_text(m, "dir"), "")) return m->err;
  trim_slashes(dir);
  if (make(m, dir)) return m->err;
  if (arg_flag(m, "verify")) backup_verify(m, dir, arg_text(m, "scratch"), &findings);
  else
    adm_note(m,
             "it is not verified yet, so no entry counts as safe by it: overdracht-admin restore --verify %s",
             dir);
  adm_note(m, "the keyrings and the master key are NOT in this backup, and without them it cannot be read.");
  adm_note(m, "save them apart, on another medium: overdracht-admin backup-keys DIR");
  return m->err;
}

/* -- keys, apart ------------------------------------------------------------------------- */

static int copy_keyring(adm *m, sv_org *o, const char *part) {
  adm_audit_org(m, o);
  char folder[48], from[PATH_MAX_BYTES], to[PATH_MAX_BYTES];
  backup_folder(&o->id, folder);
  snprintf(from, sizeof from, "%.1100s/%s.keyring", m->h->data, folder);
  snprintf(to, sizeof to, "%.1100s/%s.keyring", part, folder);
  return files_copy(m, from, to, "copying keys", NULL);
}

static int copy_keys(adm *m, const char *part) {
  char path[PATH_MAX_BYTES];
  sv_org *o;
  if (!files_join(m, path, part, "orgs") || files_make_folder(m, path)) return m->err;
  for (unsigned i = 0; (o = i ? m->h->org_at(m->h->ctx, i - 1) : m->h->programme); i++) {
    if (copy_keyring(m, o, part)) return m->err;
  }
  if (files_sync_folder(m, path)) return m->err;
  if (!arg_flag(m, "no_master") && files_join(m, path, part, "master.key"))
    files_copy(m, m->h->master_key_file, path, "copying keys", NULL);
  return m->err ? m->err : files_sync_folder(m, part);
}

/* Makes a folder of copies and gives it its name when all is on disk. */
static int copy_folder(adm *m, int (*copy)(adm *m, const char *part), char dir[PATH_MAX_BYTES]) {
  char part[PATH_MAX_BYTES];
  if (!files_join(m, dir, arg_text(m, "dir"), "")) return m->err;
  trim_slashes(dir);
  int n = snprintf(part, sizeof part, "%s.part-XXXXXX", dir);
  if (n < 0 || (size_t)n >= sizeof part - 64)
    return adm_fail(m, OV_E_LIMIT, NULL, "the path %.80s... is too long", dir);
  if (files_exist(dir)) return adm_fail(m, OV_E_EXISTS, "name a new folder", "%s exists already", dir);
  if (!mkdtemp(part))
    return adm_fail(m, OV_E_IO, "the folder above it must exist", "cannot make %s: %s", dir, strerror(errno));
  if (!copy(m, part)) publish(m, part, dir);
  if (m->err) files_remove(part);
  return m->err;
}

int cmd_backup_keys(adm *m) {
  char dir[PATH_MAX_BYTES];
  if (copy_folder(m, copy_keys, dir)) return m->err;
  adm_set_text(m, "keys", dir);
  adm_note(m, "who has these keys, a backup and the epoch keys can read everything: keep the three apart.");
  adm_note(m, "they open with the epoch keys of today only: overdracht-admin backup-epochs DIR");
  adm_note(m, "after an erasure or `key rotate` make this copy anew: the old one opens no more.");
  return m->err;
}

/* -- epoch keys, apart from the keyrings ------------------------------------------------- */

static int copy_epochs(adm *m, const char *part) {
  char from[PATH_MAX_BYTES], to[PATH_MAX_BYTES], folder[PATH_MAX_BYTES];
  sv_org *o;
  if (!files_join(m, folder, m->h->data, "epochs")) return m->err;
  for (unsigned i = 0; (o = i ? m->h->org_at(m->h->ctx, i - 1) : m->h->programme); i++) {
    if (!backup_epoch_file(m, folder, &o->id, from) || !backup_epoch_file(m, part, &o->id, to) ||
        files_copy(m, from, to, "copying epoch keys", NULL))
      return m->err;
  }
  return files_sync_folder(m, part);
}

int cmd_backup_epochs(adm *m) {
  char dir[PATH_MAX_BYTES];
  if (copy_folder(m, copy_epochs, dir)) return m->err;
  adm_set_text(m, "epochs", dir);
  adm_note(m, "keep ONE such copy, on a medium of its own, and destroy it when you make the next:");
  adm_note(m, "whoever has it from before an erasure, with backup, keyrings and master key of that time, can "
              "read the erased.");
  return m->err;
}
