/* New keys for the keyrings, online or offline. Every step leaves something that opens:
 *
 *   1. the next master key is written beside the present one (master.key.new)
 *   2. each keyring gets a new epoch key, sealed under the next master key: until the last one is done both
 *      files are needed, and an opening server tries both
 *   3. the next key takes the place of the present one, which is overwritten
 *
 * Who starts again after a crash goes on with the key of the first try. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "files.h"

/* A keyring that is not open here would be left under a key that is about to go. */
static int all_open(adm *m) {
  uint32_t n = 0, open = 0;
  ov_id *ids = calloc(SV_ORGS_MAX, sizeof *ids);
  int err = ids ? sv_org_list(m->h->data, ids, SV_ORGS_MAX, &n) : OV_E_NOMEM;
  free(ids);
  if (err) return adm_failed(m, err, "organisations");
  while (m->h->org_at(m->h->ctx, open)) open++;
  if (open == n) return 0;
  return adm_fail(
      m, OV_E_STATE, "restore it, or move its folder and keyring away",
      "%u of %u organisations could not be opened; they would be lost with the present master key", n - open,
      n);
}

static int rotate_all(adm *m, const uint8_t *master) {
  sv_org *o, *only = arg_text(m, "organisation") ? find_org(m) : NULL;
  uint64_t done = 0;
  if (m->err) return m->err;
  for (unsigned i = 0; (o = only ? only : i ? m->h->org_at(m->h->ctx, i - 1) : m->h->programme); i++) {
    m->told_ms = 0;
    if (!adm_progress(m, o->name, done, 0)) return m->err;
    int err = sv_keyring_rotate(o->keyring, master);
    if (err) return adm_failed(m, err, o->name);
    done++;
    adm_item(m, json_pack("{s:o, s:I}", "organisation", adm_text_json(o->name, strlen(o->name)), "epoch",
                          (json_int_t)sv_keyring_epoch(o->keyring)));
    if (only) break;
  }
  return m->err;
}

static int put_in_place(adm *m, const char *next) {
  char folder[PATH_MAX_BYTES];
  int old = open(m->h->master_key_file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  snprintf(folder, sizeof folder, "%s", m->h->master_key_file);
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  if (rename(next, m->h->master_key_file)) {
    adm_fail(m, OV_E_IO, "run it again: the next key stays where it is", "cannot put %s in place: %s", next,
             strerror(errno));
  } else {
    files_sync_folder(m, slash ? folder : ".");
    if (old >= 0 && sv_file_wipe(old))
      adm_note(m, "the old master key file could not be overwritten; its disk may still hold it");
  }
  if (old >= 0) close(old);
  return m->err;
}

static int rotate_master(adm *m) {
  char next[PATH_MAX_BYTES];
  uint8_t key[OV_KEY_BYTES];
  const sv_sys *sys = m->h->sys;
  if (arg_text(m, "organisation"))
    return adm_fail(m, OV_E_INVALID, NULL,
                    "one master key opens all organisations: leave --organisation out");
  int n = snprintf(next, sizeof next, "%s.new", m->h->master_key_file);
  if (n < 0 || (size_t)n >= sizeof next) return adm_fail(m, OV_E_LIMIT, NULL, "the path is too long");
  if (all_open(m)) return m->err;
  if (files_exist(next)) adm_note(m, "an earlier change of keys was cut short: it is finished now");
  int err = sv_master_key_load(next, true, sys->random, sys->ctx, key);
  if (err)
    return adm_fail(
        m, err,
        "a master key from a systemd credential is changed with the server stopped: decrypt it into "
        "a file, rotate with --master-key FILE, encrypt it again",
        "cannot make the next master key %s: %s", next, ov_err_text(err));
  if (!rotate_all(m, key)) put_in_place(m, next);
  OPENSSL_cleanse(key, sizeof key);
  return m->err;
}

int cmd_key_rotate(adm *m) {
  bool master = arg_flag(m, "master");
  if (master ? rotate_master(m) : rotate_all(m, NULL)) return m->err;
  adm_set(m, "master", json_boolean(master));
  adm_note(m, "copies of keyrings and epoch keys from before open nothing that is written from now on: make "
              "anew, and destroy the old: backup-keys and backup-epochs");
  return m->err;
}
