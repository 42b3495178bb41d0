/* Organisations on disk: folders, keyring, the server's writer and signing key. */
#include "sv_org.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ov_p256.h"
#include "sv_ingest.h"
#include "sv_kinds.h"
#include "sv_limits.h"

#define PATH_BYTES 4096
#define CREATE_ARENA_BYTES (1u << 20)

const ov_id sv_programme_id = {
    {'o', 'v', 'e', 'r', 'd', 'r', 'a', 'c', 'h', 't', ' ', 'p', 'r', 'o', 'g', '.'}};

/* Meta keys of the environment. */
static const char meta_server[] = "org/server", meta_name[] = "org/name", meta_zone[] = "org/zone",
                  meta_scope[] = "org/scope";

static int explain(char *why, int err, const char *text) {
  if (why) snprintf(why, OV_ERROR_TEXT_MAX, "%s", text);
  return err;
}

/* -- paths ------------------------------------------------------------------------------------- */

static int join(char *out, size_t n, const char *a, const char *b) {
  int len = snprintf(out, n, "%s%s", a, b);
  return len < 0 || (size_t)len >= n ? OV_E_LIMIT : 0;
}

int sv_org_path(const char *data, const ov_id *id, char *out, size_t n) {
  char tail[8 + 2 * OV_ID_BYTES] = "/orgs/";
  if (ov_id_equal(id, &sv_programme_id)) return join(out, n, data, "/programme");
  ov_hex(id->b, OV_ID_BYTES, tail + strlen(tail));
  return join(out, n, data, tail);
}

int sv_org_keyring_path(const char *data, const ov_id *id, char *out, size_t n) {
  char path[PATH_BYTES];
  int err = sv_org_path(data, id, path, sizeof path);
  return err ? err : join(out, n, path, ".keyring");
}

int sv_org_epoch_path(const char *data, const ov_id *id, char *out, size_t n) {
  char tail[16 + 2 * OV_ID_BYTES] = "/epochs/";
  if (ov_id_equal(id, &sv_programme_id)) return join(out, n, data, "/epochs/programme.epoch");
  ov_hex(id->b, OV_ID_BYTES, tail + strlen(tail));
  strcat(tail, ".epoch");
  return join(out, n, data, tail);
}

static int make_folder(const char *path) { return mkdir(path, 0700) && errno != EEXIST ? OV_E_IO : 0; }

static int make_folders(const char *data) {
  char path[PATH_BYTES];
  int err = make_folder(data);
  if (!err) err = join(path, sizeof path, data, "/orgs");
  return err ? err : make_folder(path);
}

static int compare_ids(const void *a, const void *b) { return memcmp(a, b, OV_ID_BYTES); }

/* The id in the name of an organisation's folder, or of one that a restore moved aside. */
static bool id_of(const char *name, ov_id *id) {
  char hex[2 * OV_ID_BYTES + 1];
  size_t n = strlen(name);
  if (n < 2 * OV_ID_BYTES) return false;
  if (name[2 * OV_ID_BYTES] && strncmp(name + 2 * OV_ID_BYTES, SV_ORG_ASIDE, sizeof SV_ORG_ASIDE - 1) != 0)
    return false;
  memcpy(hex, name, 2 * OV_ID_BYTES);
  hex[2 * OV_ID_BYTES] = 0;
  return !ov_unhex(hex, id->b, OV_ID_BYTES);
}

static bool listed(const ov_id *ids, uint32_t n, const ov_id *id) {
  for (uint32_t i = 0; i < n; i++) {
    if (ov_id_equal(&ids[i], id)) return true;
  }
  return false;
}

int sv_org_list(const char *data, ov_id *out, uint32_t max, uint32_t *n) {
  char path[PATH_BYTES];
  *n = 0;
  int err = join(path, sizeof path, data, "/orgs");
  DIR *d = err ? NULL : opendir(path);
  if (!d) return err ? err : errno == ENOENT ? 0 : OV_E_IO;
  for (struct dirent *e; !err && (e = readdir(d));) {
    ov_id id;
    if (!id_of(e->d_name, &id) || listed(out, *n, &id)) continue;
    if (*n == max) err = OV_E_LIMIT;
    else out[(*n)++] = id;
  }
  closedir(d);
  qsort(out, *n, sizeof *out, compare_ids);
  return err;
}

bool sv_org_half_restored(const char *data, const ov_id *id) {
  char path[PATH_BYTES], mark[PATH_BYTES];
  struct stat st;
  if (sv_org_path(data, id, path, sizeof path)) return false;
  if (stat(path, &st)) return errno == ENOENT;
  return !join(mark, sizeof mark, path, "/" SV_ORG_UNFINISHED) && !stat(mark, &st);
}

/* -- opening ----------------------------------------------------------------------------------- */

static const char *keyring_trouble(int err) {
  switch (err) {
  case OV_E_NOTFOUND:
    return "the keyring file beside the organisation's folder is missing: put it back from its backup";
  case OV_E_CRYPTO:
    return "the keyring and its file in the folder epochs do not belong together: one of them is older than "
           "the "
           "last erasure or change of keys; put the right one back from its copy";
  default: return "the organisation's keyring cannot be opened: wrong master key, or damaged";
  }
}

static int open_keyring(const sv_org_options *o, sv_org *org, bool create) {
  char keys[PATH_BYTES], epoch[PATH_BYTES];
  const sv_sys *sys = o->sys;
  int err = sv_org_keyring_path(o->data, &org->id, keys, sizeof keys);
  if (!err) err = sv_org_epoch_path(o->data, &org->id, epoch, sizeof epoch);
  if (!err) err = sv_keyring_open(keys, epoch, o->master, sys->random, sys->ctx, create, &org->keyring);
  if (err == OV_E_CORRUPT && o->master_next)
    err = sv_keyring_open(keys, epoch, o->master_next, sys->random, sys->ctx, false, &org->keyring);
  return err;
}

static int open_files(const sv_org_options *o, sv_org *org, bool create, char *why) {
  char path[PATH_BYTES];
  struct stat st;
  int err = sv_org_path(o->data, &org->id, path, sizeof path - 16);
  if (err) return explain(why, err, "the data folder's name is too long");
  if (!create && stat(path, &st))
    return explain(why, OV_E_NOTFOUND, "there is no such organisation in this data folder");
  err = open_keyring(o, org, create);
  if (err) return explain(why, err, keyring_trouble(err));
  sv_env_options eo = {.path = path,
                       .organisation = &org->id,
                       .keyring = org->keyring,
                       .random = o->sys->random,
                       .random_ctx = o->sys->ctx,
                       .map_bytes = o->map_bytes,
                       .map_bytes_max = o->map_bytes_max,
                       .readers_max = o->readers_max,
                       .read_only = o->read_only};
  return sv_env_open(&eo, &org->env, why);
}

static int read_text(sv_txn *t, const char *key, char *out, size_t n) {
  ov_buf b;
  ov_buf_init(&b, 4096);
  int err = sv_meta_get(t, key, &b);
  if (!err && b.n < n) {
    memcpy(out, b.p, b.n);
    out[b.n] = 0;
  } else if (!err) {
    err = OV_E_CORRUPT;
  }
  ov_buf_free(&b);
  return err;
}

static int read_meta(sv_org *org) {
  sv_txn *t = NULL;
  ov_buf b;
  ov_buf_init(&b, 4096);
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_meta_get(t, meta_server, &b);
  if (!err && b.n != OV_ID_BYTES) err = OV_E_CORRUPT;
  if (!err) memcpy(org->server.b, b.p, OV_ID_BYTES);
  if (!err) err = read_text(t, meta_name, org->name, sizeof org->name);
  if (!err) err = read_text(t, meta_zone, org->zone, sizeof org->zone);
  sv_txn_abort(t);
  ov_buf_free(&b);
  return err;
}

static int load_sign_key(sv_org *org) {
  uint8_t scalar[OV_KEY_BYTES];
  const ov_name zero = {0};
  int err = sv_keyring_get(org->keyring, SV_KEY_SIGN, &zero, scalar);
  if (!err) err = ov_p256_load(scalar, &org->sign_key);
  if (!err) ov_p256_public(org->sign_key, org->server_pubkey);
  OPENSSL_cleanse(scalar, sizeof scalar);
  return err == OV_E_NOTFOUND || err == OV_E_INVALID ? OV_E_CORRUPT : err;
}

static sv_org *new_org(const sv_org_options *o, const ov_id *id) {
  sv_org *org = calloc(1, sizeof *org);
  if (!org) return NULL;
  org->id = *id;
  org->programme = ov_id_equal(id, &sv_programme_id);
  org->sys = o->sys;
  org->schemas = o->schemas;
  return org;
}

int sv_org_open(const sv_org_options *o, const ov_id *id, sv_org **out, char *why) {
  *out = NULL;
  sv_org *org = new_org(o, id);
  if (!org) return explain(why, OV_E_NOMEM, "out of memory");
  int err = open_files(o, org, false, why);
  if (!err) {
    err = read_meta(org);
    if (err == OV_E_NOTFOUND)
      explain(why, err, "the organisation was never completed: create it again with the same id");
    else if (!err && (err = load_sign_key(org)))
      explain(why, err, "the keyring does not hold this server's signing key: put it back from its backup");
    else if (err) explain(why, err, "the organisation's settings cannot be read");
  }
  if (err) sv_org_close(org);
  else *out = org;
  return err;
}

void sv_org_close(sv_org *org) {
  if (!org) return;
  sv_env_close(org->env);
  if (org->keyring) sv_keyring_close(org->keyring);
  ov_p256_free(org->sign_key);
  free(org);
}

/* -- making ------------------------------------------------------------------------------------ */

/* What a crash left in the keyring is used again: the first record must carry the key the keyring holds. */
static int make_keys(sv_org *org, uint8_t commit_key[OV_KEY_BYTES]) {
  const ov_name zero = {0};
  uint8_t scalar[OV_KEY_BYTES];
  ov_p256 *made = NULL;
  int err = sv_keyring_get(org->keyring, SV_KEY_SIGN, &zero, scalar);
  if (err == OV_E_NOTFOUND) {
    err = ov_p256_generate(&made);
    if (!err) err = ov_p256_scalar(made, scalar);
    if (!err) err = sv_keyring_put(org->keyring, SV_KEY_SIGN, &zero, scalar);
  }
  ov_p256_free(made);
  OPENSSL_cleanse(scalar, sizeof scalar);
  if (!err) err = sv_keyring_need(org->keyring, SV_KEY_COMMIT_ORG, &zero, commit_key);
  return err ? err : load_sign_key(org);
}

static int first_record(sv_org *org, sv_txn *t, ov_arena *a, const uint8_t commit_key[OV_KEY_BYTES]) {
  ov_name name;
  ov_field f[] = {{SV_ORGANISATION_NAME, ov_text(org->name)},
                  {SV_ORGANISATION_KEY, ov_bytes(commit_key, OV_KEY_BYTES)},
                  {SV_ORGANISATION_ACTIVE, ov_int(1)},
                  {SV_ORGANISATION_ZONE, ov_text(org->zone)}};
  ov_op op = {
      .scope = 1, .creates = true, .kind = OV_KIND_ORGANISATION, .version = 1, .fields = f, .n_fields = 4};
  return sv_ingest_local(t, org, &op, a, NULL, &name);
}

static int write_first(sv_org *org, const uint8_t commit_key[OV_KEY_BYTES]) {
  sv_txn *t = NULL;
  ov_arena a;
  ov_arena_init(&a, CREATE_ARENA_BYTES);
  sv_scope scope = {.scope = org->programme ? 0 : 1};
  int err = sv_txn_write(org->env, &t);
  if (!err) {
    sv_meta_put(t, meta_server, org->server.b, OV_ID_BYTES);
    sv_meta_put(t, meta_name, org->name, strlen(org->name));
    sv_meta_put(t, meta_zone, org->zone, strlen(org->zone));
    err = sv_scope_put(t, &scope);
    if (!err && !org->programme) err = first_record(org, t, &a, commit_key);
    if (err) sv_txn_fail(t, err);
    err = sv_txn_commit(t);
  }
  ov_arena_free(&a);
  return err;
}

static int complete(sv_org *org) {
  uint8_t commit_key[OV_KEY_BYTES];
  int err = read_meta(org);
  if (!err) return OV_E_EXISTS;
  if (err != OV_E_NOTFOUND) return err;
  err = org->sys->random(org->sys->ctx, org->server.b, OV_ID_BYTES);
  if (!err) err = make_keys(org, commit_key);
  int grown = 0;
  while (!err && (err = write_first(org, commit_key)) == OV_E_MAPFULL && ++grown < 8) err = 0;
  OPENSSL_cleanse(commit_key, sizeof commit_key);
  return err;
}

/* PROTO-17 */
int sv_org_create(const sv_org_options *o, const ov_id *id, const char *name, const char *zone, sv_org **out,
                  char *why) {
  ov_id made = *id;
  *out = NULL;
  int err = ov_id_is_zero(id) ? o->sys->random(o->sys->ctx, made.b, OV_ID_BYTES) : 0;
  if (err) return explain(why, err, "no random numbers");
  sv_org *org = new_org(o, &made);
  if (!org) return explain(why, OV_E_NOMEM, "out of memory");
  if (join(org->name, sizeof org->name, name, "") || join(org->zone, sizeof org->zone, zone, "")) {
    sv_org_close(org);
    return explain(why, OV_E_INVALID, "the name or the time zone is too long");
  }
  err = make_folders(o->data);
  if (err) explain(why, err, "the data folder cannot be made");
  if (!err) err = open_files(o, org, true, why);
  if (!err && (err = complete(org))) {
    explain(why, err, err == OV_E_EXISTS ? "there is such an organisation already" : ov_err_text(err));
  }
  if (err) sv_org_close(org);
  else *out = org;
  return err;
}

int sv_org_new_writer(sv_org *org) {
  ov_id id;
  sv_txn *t = NULL;
  int err = org->sys->random(org->sys->ctx, id.b, OV_ID_BYTES);
  if (!err) err = sv_txn_write(org->env, &t);
  if (err) return err;
  sv_meta_put(t, meta_server, id.b, OV_ID_BYTES);
  err = sv_txn_commit(t);
  if (!err) org->server = id;
  return err;
}

/* PROTO-20 */
int sv_org_next_scope(sv_txn *t, uint32_t *scope) {
  uint64_t n = 0;
  sv_scope s;
  int err = 0;
  /* A team that came from another server may have taken a number. */
  do {
    err = sv_counter_next(t, meta_scope, &n);
    *scope = (uint32_t)(n + 1);
    if (!err && n + 1 > SV_TEAM_SCOPE_MAX) err = OV_E_LIMIT;
  } while (!err && !sv_scope_get(t, *scope, &s));
  return err;
}
