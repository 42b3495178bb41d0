/* The manifest, and scratch folders in which a backup is opened. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"

json_t *backup_mark_json(sv_txn *t) {
  ov_buf b;
  ov_buf_init(&b, 8192);
  int err = sv_meta_get(t, BACKUP_MARK, &b);
  json_t *j = err || !b.n ? NULL : json_loadb((const char *)b.p, b.n, 0, NULL);
  ov_buf_free(&b);
  return j;
}

bool backup_epoch_file(adm *m, const char *dir, const ov_id *id, char out[PATH_MAX_BYTES]) {
  char name[2 * OV_ID_BYTES + 8] = "programme";
  if (!ov_id_equal(id, &sv_programme_id)) ov_hex(id->b, OV_ID_BYTES, name);
  strcat(name, ".epoch");
  return files_join(m, out, dir, name);
}

bool backup_erasures_path(const char *backup, char out[PATH_MAX_BYTES]) {
  const char *slash = strrchr(backup, '/');
  int above = slash ? (int)(slash - backup) : 0;
  int n = snprintf(out, PATH_MAX_BYTES, "%.*s/erasures", above, backup);
  return slash && n > 0 && n < PATH_MAX_BYTES;
}

void backup_folder(const ov_id *id, char out[48]) {
  strcpy(out, "programme");
  if (ov_id_equal(id, &sv_programme_id)) return;
  strcpy(out, "orgs/");
  ov_hex(id->b, OV_ID_BYTES, out + 5);
}

/* -- reading ----------------------------------------------------------------------------- */

bool backup_env_at(const json_t *manifest, size_t i, backup_env *out) {
  const json_t *e = json_array_get(json_object_get(manifest, "environments"), i);
  const char *hex = json_string_value(json_object_get(e, "id"));
  *out = (backup_env){.json = e,
                      .name = json_string_value(json_object_get(e, "name")),
                      .folder = json_string_value(json_object_get(e, "folder")),
                      .sha256 = json_string_value(json_object_get(e, "sha256")),
                      .bytes = json_integer_value(json_object_get(e, "bytes"))};
  return hex && strlen(hex) == 2 * OV_ID_BYTES && !ov_unhex(hex, out->id.b, OV_ID_BYTES);
}

/* Names in a manifest lead to files: only the one that belongs to the id is taken. */
static bool is_sound(const json_t *manifest) {
  size_t n = json_array_size(json_object_get(manifest, "environments"));
  for (size_t i = 0; i < n; i++) {
    backup_env e;
    char folder[48];
    if (!backup_env_at(manifest, i, &e) || !e.folder || !e.sha256 || !e.name ||
        strlen(e.sha256) != 2 * OV_HASH_BYTES)
      return false;
    backup_folder(&e.id, folder);
    if (strcmp(folder, e.folder)) return false;
  }
  return n > 0;
}

json_t *backup_manifest(adm *m, const char *dir) {
  char path[PATH_MAX_BYTES];
  json_error_t e;
  if (!files_join(m, path, dir, "manifest.json")) return NULL;
  if (!files_exist(path)) {
    adm_fail(m, OV_E_NOTFOUND, "name the folder that `overdracht-admin backup` made",
             "%s holds no complete backup (there is no manifest.json)", dir);
    return NULL;
  }
  json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
  if (!j)
    adm_fail(m, OV_E_CORRUPT, "use another backup", "%s is damaged: %s at line %d", path, e.text, e.line);
  const json_t *version = json_object_get(j, "overdracht_backup"), *format = json_object_get(j, "format");
  if (j && (json_integer_value(version) > BACKUP_VERSION || json_integer_value(format) > SV_FORMAT_VERSION)) {
    adm_fail(m, OV_E_NEWER, "use a newer program", "%s was written by a newer version of this program", dir);
  } else if (j && (json_integer_value(version) < 1 || !is_sound(j))) {
    adm_fail(m, OV_E_CORRUPT, "use another backup", "%s is no manifest of a backup, or damaged", path);
  }
  if (!m->err) return j;
  json_decref(j);
  return NULL;
}

int backup_check_file(adm *m, const char *dir, const backup_env *e) {
  char folder[PATH_MAX_BYTES], path[PATH_MAX_BYTES], hash[2 * OV_HASH_BYTES + 1],
      what[OV_LABEL_BYTES_MAX + 40];
  int64_t bytes = 0;
  snprintf(what, sizeof what, "%.160s: checking the file", e->name);
  if (!files_join(m, folder, dir, e->folder) || !files_join(m, path, folder, "data.mdb")) return m->err;
  if (files_hash(m, path, what, hash, &bytes)) return m->err;
  if (bytes == e->bytes && !strcmp(hash, e->sha256)) return 0;
  return adm_fail(m, OV_E_CORRUPT, "use another backup, and have the disk of this one looked at",
                  "%s is not what was backed up: its SHA-256 differs from the manifest's", path);
}

int backup_copy_env(adm *m, const char *from, const char *to) {
  static const char *const names[] = {"data.mdb", "format"};
  if (files_make_folder(m, to)) return m->err;
  for (unsigned i = 0; i < 2; i++) {
    char a[PATH_MAX_BYTES], b[PATH_MAX_BYTES];
    if (!files_join(m, a, from, names[i]) || !files_join(m, b, to, names[i]) ||
        files_copy(m, a, b, "copying", NULL))
      return m->err;
  }
  return files_sync_folder(m, to);
}

/* -- scratch ----------------------------------------------------------------------------- */

int scratch_make(adm *m, const char *beside, scratch *s) {
  char orgs[PATH_MAX_BYTES];
  memset(s, 0, sizeof *s);
  int n = snprintf(s->path, sizeof s->path, "%s.scratch-XXXXXX", beside);
  if (n < 0 || (size_t)n >= sizeof s->path)
    return adm_fail(m, OV_E_LIMIT, NULL, "the path %.80s... is too long", beside);
  s->made = mkdtemp(s->path) != NULL;
  if (!s->made) {
    return adm_fail(m, OV_E_IO, "give a folder with room: --scratch DIR", "cannot make a scratch folder %s",
                    s->path);
  }
  if (!files_join(m, orgs, s->path, "orgs") || files_make_folder(m, orgs)) return m->err;
  if (!files_join(m, orgs, s->path, "epochs") || files_make_folder(m, orgs)) return m->err;
  int err = sv_master_key_load(m->h->master_key_file, false, m->h->sys->random, m->h->sys->ctx, s->master);
  s->has_next = !err && !sv_master_key_next(m->h->master_key_file, s->master_next);
  return err ? adm_fail(m, err, "the server needs its master key file", "master key %s: %s",
                        m->h->master_key_file, ov_err_text(err))
             : 0;
}

static int copy_epoch(adm *m, const char *data, const char *into, const ov_id *id) {
  char folder[PATH_MAX_BYTES], from[PATH_MAX_BYTES], to[PATH_MAX_BYTES];
  if (!files_join(m, folder, data, "epochs") || !backup_epoch_file(m, folder, id, from) ||
      !files_join(m, folder, into, "epochs") || !backup_epoch_file(m, folder, id, to))
    return m->err;
  return files_copy(m, from, to, "copying", NULL);
}

int scratch_open(adm *m, scratch *s, const char *env_folder, const ov_id *id, sv_org **out) {
  char folder[48], to[PATH_MAX_BYTES], from_keys[PATH_MAX_BYTES], to_keys[PATH_MAX_BYTES],
      why[OV_ERROR_TEXT_MAX] = "";
  *out = NULL;
  backup_folder(id, folder);
  if (!files_join(m, to, s->path, folder)) return m->err;
  snprintf(from_keys, sizeof from_keys, "%.1100s/%s.keyring", m->h->data, folder);
  snprintf(to_keys, sizeof to_keys, "%.1100s/%s.keyring", s->path, folder);
  if (backup_copy_env(m, env_folder, to) || files_copy(m, from_keys, to_keys, "copying", NULL) ||
      copy_epoch(m, m->h->data, s->path, id))
    return m->err;
  sv_org_options o = {.data = s->path,
                      .master = s->master,
                      .master_next = s->has_next ? s->master_next : NULL,
                      .sys = m->h->sys,
                      .schemas = m->h->schemas};
  int err = sv_org_open(&o, id, out, why);
  return err ? adm_fail(m, err, "use another backup, or the keyring that belongs to it",
                        "%s cannot be opened: %s", env_folder, why)
             : 0;
}

void scratch_drop(scratch *s) {
  if (s->made) files_remove(s->path);
  OPENSSL_cleanse(s->master, sizeof s->master);
  OPENSSL_cleanse(s->master_next, sizeof s->master_next);
  s->made = false;
}
