/* How it is: the server, each organisation, its keys. Numbers and fingerprints only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin_priv.h"
#include "backup.h"

static json_int_t held_count(adm *m, sv_txn *t) {
  ov_name at;
  bool started = false;
  json_int_t n = 0;
  (void)m;
  while (!sv_held_next(t, started ? &at : NULL, &at)) {
    started = true;
    n++;
  }
  return n;
}

static json_int_t device_count(sv_txn *t) {
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  json_int_t n = 0;
  while (!sv_device_next(t, from, &d)) {
    after = d.id;
    from = &after;
    if (!d.revoked) n++;
  }
  return n;
}

static void one(adm *m, sv_org *o) {
  sv_env_stats st;
  uint64_t waiting = 0;
  sv_env_stats_get(o->env, &st);
  sv_txn *t = adm_read(m, o);
  if (!t) return;
  sv_waiting_count(t, &waiting);
  json_t *j = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "organisation",
                        adm_text_json(o->name, strlen(o->name)), "id", adm_id_json(&o->id), "ops",
                        (json_int_t)st.ops, "records", (json_int_t)st.records, "held", held_count(m, t),
                        "waiting", (json_int_t)waiting, "devices", device_count(t), "used_bytes",
                        (json_int_t)st.used_bytes, "map_bytes", (json_int_t)st.map_bytes, "read_only",
                        sv_env_readonly(o->env));
  json_object_set_new(j, "state", json_string(sv_env_readonly(o->env) ? "READ-ONLY" : "ok"));
  json_t *b = backup_mark_json(t);
  json_object_set_new(j, "verified_backup", b ? b : json_null());
  sv_txn_abort(t);
  adm_item(m, j);
}

int cmd_init(adm *m) {
  adm_set_text(m, "data", m->h->data);
  adm_set_text(m, "master_key_file", m->h->master_key_file);
  adm_note(m, "keep a copy of the master key apart from the backups: without it nothing can be read");
  return m->err;
}

int cmd_status(adm *m) {
  sv_org *all[SV_ORGS_MAX];
  unsigned open = adm_orgs(m, all);
  adm_set(m, "running", json_boolean(m->h->online));
  adm_set_text(m, "data", m->h->data);
  char *text = m->h->status ? m->h->status(m->h->ctx) : NULL;
  json_t *server = text ? json_loads(text, 0, NULL) : NULL;
  if (server) adm_set(m, "server", server);
  free(text);
  one(m, m->h->programme);
  for (unsigned i = 0; !m->err && i < open; i++) one(m, all[i]);
  uint32_t n = 0;
  ov_id *ids = calloc(SV_ORGS_MAX, sizeof *ids);
  if (ids && !sv_org_list(m->h->data, ids, SV_ORGS_MAX, &n) && n > open) {
    adm_note(m,
             "%u of %u organisations in the folder could not be opened: the log of the start says why; "
             "restore puts one back",
             n - open, n);
  }
  free(ids);
  return m->err;
}

static json_t *fingerprint(adm *m, sv_org *o) {
  ov_hash hash = {{0}};
  char text[3 * 16] = "";
  ov_hasher *h = ov_hasher_new();
  if (!h || ov_sha256(h, o->server_pubkey, OV_PUBKEY_BYTES, &hash))
    adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  ov_hasher_free(h);
  for (unsigned i = 0; i < 16; i++)
    snprintf(text + 3 * i, sizeof text - 3 * i, "%02X%s", hash.b[i], i < 15 ? ":" : "");
  return json_string(text);
}

int cmd_key_info(adm *m) {
  sv_org *all[SV_ORGS_MAX];
  unsigned n = adm_orgs(m, all);
  struct stat st;
  adm_set_text(m, "master_key_file", m->h->master_key_file);
  if (!stat(m->h->master_key_file, &st)) {
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", (unsigned)(st.st_mode & 07777));
    adm_set_text(m, "mode", mode);
  }
  for (unsigned i = 0; i <= n; i++) {
    sv_org *o = i ? all[i - 1] : m->h->programme;
    adm_item(m, json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "organisation",
                          adm_text_json(o->name, strlen(o->name)), "fingerprint", fingerprint(m, o), "epoch",
                          (json_int_t)sv_keyring_epoch(o->keyring), "server_writer", adm_id_json(&o->server),
                          "id", adm_id_json(&o->id), "public_key",
                          adm_hex_json(o->server_pubkey, OV_PUBKEY_BYTES)));
  }
  adm_note(
      m,
      "fingerprint: the first 16 bytes of SHA-256 over the server's public key; epoch: counts the erasures");
  return m->err;
}
