/* Devices of the organisation (and, in the programme, the routing rows of all), and enrolment codes. */
#include <string.h>

#include "tables.h"

int sv_device_put(sv_txn *t, const sv_device *d) {
  if (t->err) return t->err;
  if (d->n_teams > OV_SCOPES_MAX) return sv_txn_stick(t, OV_E_INVALID);
  ov_buf *b = &t->plain;
  ov_buf_reset(b);
  ov_mpw_bin(b, d->pubkey, OV_PUBKEY_BYTES);
  sv_put_name(b, &d->record);
  ov_mpw_bin(b, d->organisation.b, OV_ID_BYTES);
  ov_mpw_bool(b, d->revoked);
  ov_mpw_int(b, d->enrolled_ms);
  ov_mpw_int(b, d->last_seen_ms);
  ov_mpw_int(b, d->all_sent_ms);
  ov_mpw_bin(b, d->name, strnlen(d->name, OV_DEVICE_NAME_MAX));
  ov_mpw_array(b, d->n_teams);
  for (uint32_t i = 0; i < d->n_teams; i++) ov_mpw_uint(b, d->teams[i]);
  static const ov_name nobody;
  sv_put_name(b, d->has_person ? &d->person : &nobody);
  ov_mpw_int(b, d->expires_ms);
  ov_mpw_int(b, d->hello_ahead_ms);
  ov_mpw_int(b, d->purged_ms);
  ov_mpw_uint(b, d->quarantined);
  sv_key k = sv_key_id(&d->id);
  return sv_row_put(t, SV_T_DEVICES, SV_PART_DEVICE, &k);
}

static void read_teams(ov_mpr *r, sv_device *out) {
  uint32_t n = ov_mpr_array(r);
  if (n > OV_SCOPES_MAX) {
    ov_mpr_fail(r, OV_E_FORMAT);
    return;
  }
  out->n_teams = n;
  for (uint32_t i = 0; i < n; i++) out->teams[i] = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
}

static int decode_device(sv_txn *t, const ov_id *id, sv_device *out) {
  uint32_t n;
  ov_mpr r = sv_row_reader(t);
  memset(out, 0, sizeof *out);
  out->id = *id;
  ov_mpr_bytes(&r, out->pubkey, OV_PUBKEY_BYTES);
  sv_read_name(&r, &out->record);
  ov_mpr_bytes(&r, out->organisation.b, OV_ID_BYTES);
  out->revoked = ov_mpr_bool(&r);
  out->enrolled_ms = ov_mpr_int(&r);
  out->last_seen_ms = ov_mpr_int(&r);
  out->all_sent_ms = ov_mpr_int(&r);
  const uint8_t *name = ov_mpr_bin(&r, &n);
  if (n > OV_DEVICE_NAME_MAX) ov_mpr_fail(&r, OV_E_FORMAT);
  read_teams(&r, out);
  sv_read_name(&r, &out->person);
  out->has_person = !ov_name_is_zero(&out->person);
  out->expires_ms = ov_mpr_int(&r);
  out->hello_ahead_ms = ov_mpr_int(&r);
  out->purged_ms = ov_mpr_int(&r);
  out->quarantined = ov_mpr_uint(&r, UINT64_MAX);
  if (sv_row_done(t, &r)) return t->err;
  memcpy(out->name, name, n);
  return 0;
}

int sv_device_get(sv_txn *t, const ov_id *id, sv_device *out) {
  sv_key k = sv_key_id(id);
  int err = sv_row_get(t, SV_T_DEVICES, SV_PART_DEVICE, &k);
  return err ? err : decode_device(t, id, out);
}

int sv_device_next(sv_txn *t, const ov_id *after, sv_device *out) {
  sv_key k = {.n = 0}, found;
  ov_id id;
  if (after) k = sv_key_after(sv_key_id(after));
  int err = sv_scan_first_key(t, SV_T_DEVICES, &k, 0, &found);
  if (err) return err;
  memcpy(id.b, found.b, OV_ID_BYTES);
  return sv_device_get(t, &id, out);
}

/* -- codes ----------------------------------------------------------------------------------------------- */

int sv_code_put(sv_txn *t, const sv_code *c) {
  ov_buf *b = &t->plain;
  ov_buf_reset(b);
  ov_mpw_bin(b, c->secret, OV_HASH_BYTES);
  ov_mpw_bin(b, c->organisation.b, OV_ID_BYTES);
  sv_put_name(b, &c->device_record);
  ov_mpw_int(b, c->expires_ms);
  ov_mpw_uint(b, c->tries);
  sv_put_name(b, &c->person);
  ov_mpw_int(b, c->device_until_ms);
  sv_key k = sv_key_hash(c->hash);
  return sv_row_put(t, SV_T_CODES, SV_PART_CODE, &k);
}

int sv_code_get(sv_txn *t, const uint8_t hash[OV_HASH_BYTES], sv_code *out) {
  sv_key k = sv_key_hash(hash);
  int err = sv_row_get(t, SV_T_CODES, SV_PART_CODE, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  memset(out, 0, sizeof *out);
  memcpy(out->hash, k.b, OV_HASH_BYTES);
  ov_mpr_bytes(&r, out->secret, OV_HASH_BYTES);
  ov_mpr_bytes(&r, out->organisation.b, OV_ID_BYTES);
  sv_read_name(&r, &out->device_record);
  out->expires_ms = ov_mpr_int(&r);
  out->tries = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  sv_read_name(&r, &out->person);
  out->has_person = !ov_name_is_zero(&out->person);
  out->device_until_ms = ov_mpr_int(&r);
  return sv_row_done(t, &r);
}

int sv_code_del(sv_txn *t, const uint8_t hash[OV_HASH_BYTES]) {
  sv_key k = sv_key_hash(hash);
  return sv_tab_del(t, SV_T_CODES, &k);
}

int sv_code_next(sv_txn *t, const uint8_t *after, sv_code *out) {
  sv_key k = {.n = 0}, found;
  if (after) k = sv_key_after(sv_key_hash(after));
  int err = sv_scan_first_key(t, SV_T_CODES, &k, 0, &found);
  return err ? err : sv_code_get(t, found.b, out);
}
