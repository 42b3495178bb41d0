/* Enrolment: a one-time code and a fresh key go up, an identity comes down. Nothing is stored before it has
 * come. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

int oc_enrol_make(oc_session *ss) {
  ov_enrol m = {.version_min = OV_PROTOCOL_VERSION,
                .version_max = OV_PROTOCOL_VERSION,
                .code = ss->code,
                .code_len = (uint32_t)strlen(ss->code),
                .device_name = ss->device_name,
                .device_name_len = (uint32_t)strlen(ss->device_name)};
  int err = ov_p256_generate(&ss->new_key);
  if (err) return err;
  ov_p256_public(ss->new_key, m.pubkey);
  ov_buf_reset(&ss->plain);
  ov_enrol_encode(&m, &ss->plain);
  return ss->plain.err;
}

static int fill(oc_session *ss, const ov_enrolled *m, oc_self *out) {
  *out = (oc_self){.enrolled = true,
                   .device = m->device,
                   .organisation = m->organisation,
                   .server = m->server,
                   .device_record = m->device_record,
                   .has_pin = m->has_pin,
                   .server_time_ms = m->time_ms,
                   .clock_offset_ms = m->time_ms - ss->hello_ms};
  memcpy(out->server_pubkey, m->server_pubkey, OV_PUBKEY_BYTES);
  memcpy(out->pin, m->pin, OV_HASH_BYTES);
  if (m->n_scopes > OV_SCOPES_MAX || m->zone_len >= sizeof out->zone) return OV_E_LIMIT;
  out->n_scopes = m->n_scopes;
  if (m->n_scopes) memcpy(out->scopes, m->scopes, m->n_scopes * sizeof *m->scopes);
  memcpy(out->zone, m->zone, m->zone_len);
  snprintf(out->url, sizeof out->url, "%s", ss->url);
  return ov_p256_scalar(ss->new_key, out->device_scalar);
}

/* PROTO-131 */
int oc_enrol_done(oc_session *ss, const ov_enrolled *m, oc_error *e) {
  oc_store *s = ss->s;
  oc_self before = s->self, now;
  oc_txn *t = NULL;
  int err = fill(ss, m, &now);
  if (!err) err = oc_txn_begin(s->db, true, &t);
  if (!err) {
    s->self = now;
    err = oc_writer_start(s, t);
    if (!err) err = oc_self_save(s, t);
    if (err) oc_txn_abort(t);
    else err = oc_txn_commit(t);
  }
  OPENSSL_cleanse(&now, sizeof now);
  if (err) {
    s->self = before;
    return oc_from_ov(e, err);
  }
  ov_p256_free(s->key);
  s->key = ss->new_key;
  ss->new_key = NULL;
  ss->finished = true;
  ss->progress.stage = OC_DONE;
  return oc_from_ov(e, oc_zone_load(s));
}
