/* Enrolment: a one-time code and the device's public key in; who it is and what it needs out. Two
 * transactions: the programme's, which takes the code and learns where the device belongs, then the
 * organisation's. A crash between them costs the code, nothing else. */
#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"
#include "sv_audit.h"
#include "sv_enrol.h"

typedef struct enrol_job {
  sv_job job;
  uint64_t session;
  sv_org *programme;
  uint8_t locator[OV_HASH_BYTES], secret[OV_HASH_BYTES];
  sv_device device;
  int64_t now_ms;
  int outcome; /* 0 or OV_E_CODE */
  ov_buf answer;
  bool has_pin;
  uint8_t pin[OV_HASH_BYTES];
  char address[48]; /* of the connection, for the audit */
} enrol_job;

/* People type letters of either case, and separators; O, I and L are read as the digits they look like.
 * PROTO-130 */
size_t sv_code_fold(const char *text, size_t n, char out[OV_CODE_TEXT_MAX + 1]) {
  size_t k = 0;
  for (size_t i = 0; i < n && k < OV_CODE_TEXT_MAX; i++) {
    char c = (char)toupper((unsigned char)text[i]);
    if (!isalnum((unsigned char)c)) continue;
    out[k++] = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
  }
  out[k] = 0;
  return k;
}

int sv_code_hashes(ov_hasher *h, const char *folded, uint8_t locator[OV_HASH_BYTES],
                   uint8_t secret[OV_HASH_BYTES]) {
  ov_hash a, b;
  size_t n = strlen(folded);
  if (n != SV_CODE_CHARS) return OV_E_CODE;
  int err = ov_sha256(h, folded, SV_CODE_LOCATOR_CHARS, &a);
  if (!err) err = ov_sha256(h, folded, n, &b);
  if (err) return err;
  memcpy(locator, a.b, OV_HASH_BYTES);
  memcpy(secret, b.b, OV_HASH_BYTES);
  return 0;
}

/* PROTO-130 */
int sv_code_make(sv_txn *t, const sv_sys *sys, const ov_id *organisation, const ov_name *device_record,
                 char out[SV_CODE_TEXT]) {
  sv_code like = {.organisation = *organisation, .device_record = *device_record};
  return sv_code_make_for(t, sys, &like, out);
}

/* Whoever makes a code clears away those that nobody used in time. */
static int drop_expired(sv_txn *t, int64_t now_ms) {
  sv_code c;
  uint8_t after[OV_HASH_BYTES];
  int err = sv_code_next(t, NULL, &c);
  while (!err) {
    memcpy(after, c.hash, sizeof after);
    if (c.expires_ms < now_ms) err = sv_code_del(t, c.hash);
    if (!err) err = sv_code_next(t, after, &c);
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_code_make_for(sv_txn *t, const sv_sys *sys, const sv_code *like, char out[SV_CODE_TEXT]) {
  static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's: no I, L, O, U */
  int err = drop_expired(t, sys->now_ms(sys->ctx));
  for (int tries = 0; !err && tries < 16; tries++) {
    uint8_t r[SV_CODE_CHARS];
    char folded[SV_CODE_CHARS + 1] = {0};
    err = sys->random(sys->ctx, r, sizeof r);
    if (err) return err;
    for (unsigned i = 0; i < SV_CODE_CHARS; i++) folded[i] = alphabet[r[i] & 31];
    sv_code c = *like, old;
    c.expires_ms = sys->now_ms(sys->ctx) + SV_CODE_LIFE_MS;
    c.tries = 0;
    err = sv_code_hashes(sv_txn_hasher(t), folded, c.hash, c.secret);
    if (err) return err;
    /* locator in use: another code */
    if (sv_code_get(t, c.hash, &old) == 0) continue;
    err = sv_code_put(t, &c);
    snprintf(out, SV_CODE_TEXT, "%.4s-%.4s-%.4s", folded, folded + 4, folded + 8);
    return err;
  }
  return err ? err : OV_E_BUSY;
}

/* First transaction, in the programme: take the code. PROTO-130, PROTO-131 */
static int take_code(sv_job *job, sv_txn *t, ov_arena *a) {
  (void)a;
  enrol_job *e = (enrol_job *)job;
  sv_code c;
  e->outcome = OV_E_CODE;
  int err = sv_code_get(t, e->locator, &c);
  if (err == OV_E_NOTFOUND) return 0;
  if (err) return err;
  if (c.expires_ms < e->now_ms) return sv_code_del(t, e->locator);
  if (CRYPTO_memcmp(c.secret, e->secret, OV_HASH_BYTES)) {
    c.tries++;
    return c.tries >= SV_CODE_TRIES_MAX ? sv_code_del(t, e->locator) : sv_code_put(t, &c);
  }
  e->device.organisation = c.organisation;
  e->device.record = c.device_record;
  e->device.has_person = c.has_person;
  e->device.person = c.person;
  e->device.expires_ms = c.device_until_ms;
  err = sv_code_del(t, e->locator);
  if (!err) err = sv_device_put(t, &e->device);
  if (!err) e->outcome = 0;
  return err;
}

/* PROTO-32 */
static int scope_keys(enrol_job *e, sv_keyring *k, ov_scope_key keys[OV_SCOPES_MAX], uint32_t *n) {
  ov_name id = {.seq = 0};
  keys[0].scope = 1;
  int err = sv_keyring_get(k, SV_KEY_COMMIT_ORG, &id, keys[0].key);
  *n = 1;
  for (uint32_t i = 0; !err && i < e->device.n_teams && *n < OV_SCOPES_MAX; i++) {
    id.seq = keys[*n].scope = e->device.teams[i];
    err = sv_keyring_get(k, SV_KEY_COMMIT_TEAM, &id, keys[*n].key);
    (*n)++;
  }
  return err;
}

static int tell_audit(const enrol_job *e, sv_txn *t, const sv_org *org) {
  sv_audit_event line = {.type = SV_AUDIT_ENROL,
                         .action = 'C',
                         .time_ms = e->now_ms,
                         .has_person = e->device.has_person,
                         .person = e->device.person,
                         .has_device = true,
                         .device = e->device.id,
                         .requestor = true,
                         .purpose = SV_FOR_ADMINISTRATION,
                         .has_object = true,
                         .object = e->device.record,
                         .kind = OV_KIND_DEVICE,
                         .count = 1};
  memcpy(line.address, e->address, sizeof line.address);
  snprintf(line.detail, sizeof line.detail, "a %s device", e->device.has_person ? "personal" : "shared");
  return sv_audit_put(t, org, &line);
}

/* Second transaction, in the organisation: the device is known here too, and is told what it needs. */
static int make_device(sv_job *job, sv_txn *t, ov_arena *a) {
  enrol_job *e = (enrol_job *)job;
  sv_org *org = job->org;
  ov_scope_key keys[OV_SCOPES_MAX];
  uint32_t n = 0;
  int err = sv_device_record_teams(t, &e->device.record, a, e->device.teams, &e->device.n_teams);
  if (!err) err = sv_device_put(t, &e->device);
  if (!err) err = scope_keys(e, org->keyring, keys, &n);
  if (err) return err;
  ov_enrolled m = {.version = OV_PROTOCOL_VERSION,
                   .device = e->device.id,
                   .organisation = org->id,
                   .server = org->server,
                   .device_record = e->device.record,
                   .scopes = keys,
                   .n_scopes = n,
                   .has_pin = e->has_pin,
                   .time_ms = e->now_ms,
                   .zone = org->zone,
                   .zone_len = (uint32_t)strlen(org->zone)};
  memcpy(m.server_pubkey, org->server_pubkey, sizeof m.server_pubkey);
  memcpy(m.pin, e->pin, sizeof m.pin);
  ov_buf_reset(&e->answer);
  ov_enrolled_encode(&m, &e->answer);
  OPENSSL_cleanse(keys, sizeof keys);
  return e->answer.err ? e->answer.err : tell_audit(e, t, org);
}

static void enrol_free(enrol_job *e) {
  ov_buf_free(&e->answer);
  free(e);
}

static void log_enrolled(sv_server *s, const enrol_job *e) {
  char f[120], dev[2 * OV_ID_BYTES + 1], org[2 * OV_ID_BYTES + 1];
  if (!s->o.sys->log) return;
  ov_hex(e->device.id.b, OV_ID_BYTES, dev);
  ov_hex(e->device.organisation.b, OV_ID_BYTES, org);
  snprintf(f, sizeof f, "device=%s organisation=%s", dev, org);
  s->o.sys->log(s->o.sys->ctx, SV_LOG_INFO, "device_enrolled", f);
}

static void second_done(sv_job *job, void *server) {
  enrol_job *e = (enrol_job *)job;
  sv_server *s = server;
  sv_session *ss = s ? sv_session_find(s, e->session) : NULL;
  if (s && !job->err) {
    s->stats.enrolled++;
    log_enrolled(s, e);
  }
  if (ss) {
    ss->in_commit = false;
    int err = job->err ? job->err : sv_session_send(ss, OV_M_ENROLLED, &e->answer);
    if (err) sv_session_fail(ss, err, "enrol");
    else sv_session_replay(ss);
  }
  enrol_free(e);
}

static void first_done(sv_job *job, void *server) {
  enrol_job *e = (enrol_job *)job;
  sv_server *s = server;
  sv_session *ss = s ? sv_session_find(s, e->session) : NULL;
  sv_org *org = s && !job->err && !e->outcome ? sv_server_org(s, &e->device.organisation) : NULL;
  int err = job->err ? job->err : e->outcome;
  if (!err && org) {
    e->job = (sv_job){.org = org, .bytes = sizeof *e, .run = make_device, .done = second_done};
    err = sv_writer_submit(s->writer, &e->job);
    if (!err) return;
  }
  if (s && err == OV_E_CODE) {
    s->stats.refused_codes++;
    s->wrong_codes++;
  }
  if (ss) {
    ss->in_commit = false;
    sv_session_fail(ss, err ? err : OV_E_CODE, "enrol");
  }
  enrol_free(e);
}

/* Guessing is slowed for the whole server: a code of 60 bits, few tries for each, and a cap on wrong codes a
 * minute. PROTO-131 */
static bool too_many_guesses(sv_server *s) {
  int64_t minute = s->o.sys->mono_ms(s->o.sys->ctx) / 60000;
  if (minute != s->wrong_codes_minute) {
    s->wrong_codes_minute = minute;
    s->wrong_codes = 0;
  }
  return s->wrong_codes >= SV_ENROL_WRONG_PER_MINUTE;
}

static int fill(sv_session *ss, enrol_job *e, const ov_enrol *m) {
  sv_server *s = ss->server;
  char folded[OV_CODE_TEXT_MAX + 1];
  sv_code_fold(m->code, m->code_len, folded);
  e->now_ms = s->o.sys->now_ms(s->o.sys->ctx);
  e->device.enrolled_ms = e->device.last_seen_ms = e->now_ms;
  memcpy(e->device.pubkey, m->pubkey, OV_PUBKEY_BYTES);
  size_t n = m->device_name_len < OV_DEVICE_NAME_MAX ? m->device_name_len : OV_DEVICE_NAME_MAX;
  memcpy(e->device.name, m->device_name, n);
  e->has_pin = s->o.has_pin;
  snprintf(e->address, sizeof e->address, "%s", ss->peer_address);
  memcpy(e->pin, s->o.pin, OV_HASH_BYTES);
  int err = s->o.sys->random(s->o.sys->ctx, e->device.id.b, OV_ID_BYTES);
  return err ? err : sv_code_hashes(s->hasher, folded, e->locator, e->secret);
}

/* PROTO-43, PROTO-131 */
void sv_enrol_received(sv_session *ss, const ov_enrol *m) {
  sv_server *s = ss->server;
  int err = too_many_guesses(s) ? OV_E_FLOOD : 0;
  enrol_job *e = err ? NULL : calloc(1, sizeof *e);
  if (!err && !e) err = OV_E_NOMEM;
  if (!err) {
    ov_buf_init(&e->answer, OV_FRAME_BYTES_MAX);
    err = fill(ss, e, m);
    e->session = ss->id;
    e->job = (sv_job){.org = s->o.programme, .bytes = sizeof *e, .run = take_code, .done = first_done};
  }
  if (!err) err = sv_writer_submit(s->writer, &e->job);
  if (!err) {
    ss->in_commit = true;
    sv_session_pause(ss, true);
    return;
  }
  if (err == OV_E_CODE) {
    s->stats.refused_codes++;
    s->wrong_codes++;
  }
  if (e) enrol_free(e);
  sv_session_fail(ss, err, "enrol");
}
