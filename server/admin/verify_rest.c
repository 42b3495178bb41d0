/* Tips, devices, the queue and the keyring. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

/* -- tips -------------------------------------------------------------------------------- */

static void check_tip(vf *v, const sv_tip *tip) {
  ov_name name = {.writer = tip->writer, .seq = tip->head.seq};
  sv_op_row row;
  memcpy(name.tag, tip->head.head.b, OV_TAG_BYTES);
  int err = sv_op_get(v->t, &name, &v->a, &row);
  if (err == OV_E_NOTFOUND) vf_found_at(v, &name, VF_RESTORE, "a log ends here, but the op is missing");
  else if (!err && memcmp(row.head.b, tip->head.head.b, OV_HASH_BYTES))
    vf_found_at(v, &name, VF_RESTORE, "the tip of its log has another hash");
  if (tip->safe_seq > tip->head.seq) {
    vf_found_at(v, &name, VF_RESTORE, "it is called safe up to %" PRIu64 ", which is beyond its end",
                tip->safe_seq);
  }
}

static void check_tips(vf *v) {
  sv_tip tip;
  ov_id writer;
  const ov_id *after = NULL;
  uint32_t index = 0;
  for (bool more = true; more && vf_page(v);) {
    for (unsigned n = 0; n < ADM_PAGE && more && !sv_txn_error(v->t); n++) {
      int err = sv_tip_next(v->t, after, index, &tip, &index);
      more = !err;
      if (err && err != OV_E_NOTFOUND)
        vf_found(v, "tips", VF_RESTORE, "the table cannot be walked: %s", ov_err_text(err));
      if (err) break;
      writer = tip.writer;
      after = &writer;
      check_tip(v, &tip);
      ov_arena_reset(&v->a);
    }
  }
}

/* -- devices ----------------------------------------------------------------------------- */

/* The programme leads a HELLO to its organisation. */
static void check_route(vf *v, const sv_device *d, const char *hex) {
  sv_device r;
  if (!v->pt) return;
  int err = sv_device_get(v->pt, &d->id, &r);
  if (err) {
    vf_found(v, hex, "make a new code for it: overdracht-admin device code",
             "the programme does not know this device");
  } else if (!ov_id_equal(&r.organisation, &v->org->id) || memcmp(r.pubkey, d->pubkey, OV_PUBKEY_BYTES)) {
    vf_found(v, hex, "revoke it and enrol the tablet again",
             "the programme knows this device by another key or organisation");
  } else if (d->revoked && !r.revoked) {
    vf_found(v, hex, "revoke it again: overdracht-admin device revoke",
             "it is revoked here, but not in the programme");
  }
}

static void check_device(vf *v, const sv_device *d) {
  char hex[2 * OV_ID_BYTES + 8] = "device ";
  sv_record_row row;
  uint32_t teams[OV_SCOPES_MAX];
  ov_hex(d->id.b, OV_ID_BYTES, hex + 7);
  check_route(v, d, hex);
  int err = sv_record_get(v->t, &d->record, &v->a, &row);
  if (err == OV_E_NOTFOUND)
    vf_found(v, hex, "revoke it, add it again and enrol the tablet", "its record is missing");
  if (err) return;
  uint32_t n = sv_record_teams(&row.rec, SV_DEVICE_TEAMS, teams);
  if (row.rec.kind != OV_KIND_DEVICE || n != d->n_teams || memcmp(teams, d->teams, n * sizeof *teams)) {
    vf_found(v, hex, "set its teams again: overdracht-admin device edit",
             "its teams are not those of its record");
  }
  if (!d->revoked && record_int(&row.rec, SV_DEVICE_STATUS, 1) == 2) {
    vf_found(v, hex, "revoke it again: overdracht-admin device revoke",
             "its record says revoked, but its key still works");
  }
}

static void check_devices(vf *v) {
  sv_device d;
  ov_id at;
  const ov_id *after = NULL;
  if (v->org->programme) return; /* routes only: seen from the organisations */
  for (bool more = true; more && vf_page(v);) {
    for (unsigned n = 0; n < ADM_PAGE && more && !sv_txn_error(v->t); n++) {
      int err = sv_device_next(v->t, after, &d);
      more = !err;
      if (err && err != OV_E_NOTFOUND)
        vf_found(v, "devices", VF_RESTORE, "the table cannot be walked: %s", ov_err_text(err));
      if (err) break;
      at = d.id;
      after = &at;
      check_device(v, &d);
      ov_arena_reset(&v->a);
    }
  }
}

/* -- queue and keys ---------------------------------------------------------------------- */

static void check_queue(vf *v) {
  uint64_t id;
  ov_name op;
  sv_op_row row;
  if (!vf_page(v) || sv_queue_peek(v->t, &id, &op)) return;
  int err = sv_op_get(v->t, &op, &v->a, &row);
  if (err)
    vf_found_at(v, &op, VF_RESTORE, "it is to be copied to the programme, but cannot be read: %s",
                ov_err_text(err));
  else if (row.op.scope)
    vf_found_at(v, &op, VF_DERIVED, "it is to be copied to the programme, where it does not belong");
}

static void check_key(vf *v, sv_key_type type, const ov_name *id, const char *what, const ov_record *r,
                      uint16_t field) {
  uint8_t key[OV_KEY_BYTES];
  uint32_t n = 0;
  const ov_live *l = r ? ov_record_field(r, field, &n) : NULL;
  if (sv_keyring_get(v->org->keyring, type, id, key))
    vf_found(v, what, VF_KEYS, "the keyring lacks this key");
  else if (n &&
           (l->v.type != OV_V_BYTES || l->v.s.n != OV_KEY_BYTES || memcmp(l->v.s.p, key, OV_KEY_BYTES))) {
    vf_found(v, what, VF_KEYS, "the keyring's key is not the one in the record");
  }
}

static void check_team_keys(vf *v) {
  sv_scope s;
  for (int64_t at = 1; !sv_scope_next(v->t, at, &s); at = s.scope) {
    sv_record_row row;
    ov_name id = {.seq = s.scope};
    char what[40];
    if (ov_name_is_zero(&s.record) || sv_record_get(v->t, &s.record, &v->a, &row)) continue;
    snprintf(what, sizeof what, "commit key of team %u", s.scope);
    check_key(v, SV_KEY_COMMIT_TEAM, &id, what, &row.rec, SV_TEAM_KEY);
    ov_arena_reset(&v->a);
  }
}

static void check_keyring(vf *v) {
  const ov_name none = {.seq = 0};
  sv_record_row row;
  ov_name *names;
  uint32_t n = 0;
  bool found = false;
  if (!vf_page(v)) return;
  if (!sv_by_kind_day(v->t, OV_KIND_ORGANISATION, INT32_MIN, INT32_MAX, &v->a, &names, 2, &n) && n == 1) {
    found = !sv_record_get(v->t, &names[0], &v->a, &row);
  }
  if (!v->org->programme && n != 1)
    vf_found(v, "organisation", VF_RESTORE, "there are %u records of it instead of one", n);
  check_key(v, SV_KEY_SIGN, &none, "signing key", NULL, 0);
  check_key(v, SV_KEY_SEAL_ORG, &none, "sealing key", NULL, 0);
  check_key(v, SV_KEY_INDEX, &none, "index key", NULL, 0);
  check_key(v, SV_KEY_COMMIT_ORG, &none, "commit key", found ? &row.rec : NULL, SV_ORGANISATION_KEY);
  if (!v->org->programme) check_team_keys(v);
}

void vf_check_rest(vf *v) {
  check_tips(v);
  check_devices(v);
  check_queue(v);
  check_keyring(v);
  vf_page_end(v);
}
