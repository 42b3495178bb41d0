/* Strict protection of a device's store. What the device received lies there under a key that needs a share
 * from here, which only a device that proves itself and has not ended is given. The share of a device follows
 * from the organisation's index key, which is in the first copy of the keyring as in the last: no restore
 * shuts a tablet out. PROTO-164 */
#include <openssl/crypto.h>
#include <string.h>

#include "ingest_priv.h"
#include "session_priv.h"

static const char setting[] = "core/strict";
static const char label[] = "overdracht share 1"; /* with its zero byte */

/* The setting stands in meta, which does not grow, so that a greeting reads it as fast everywhere. */
void share_setting(ingest *g, const ov_record *organisation) {
  const ov_live *l = ov_record_field(organisation, SV_ORGANISATION_STRICT, NULL);
  uint8_t strict = l && l->v.type == OV_V_INT && l->v.i == 1;
  sv_meta_put(g->t, setting, &strict, 1);
}

static int is_strict(sv_txn *t, bool *strict) {
  ov_buf b;
  ov_buf_init(&b, 64);
  int err = sv_meta_get(t, setting, &b);
  *strict = !err && b.n == 1 && b.p[0];
  ov_buf_free(&b);
  return err == OV_E_NOTFOUND ? 0 : err; /* nobody ever set it */
}

static int share_of(sv_session *ss, uint8_t share[OV_KEY_BYTES]) {
  static const ov_name none;
  uint8_t key[OV_KEY_BYTES], of[sizeof label + OV_ID_BYTES];
  ov_hash h;
  memcpy(of, label, sizeof label);
  memcpy(of + sizeof label, ss->device.id.b, OV_ID_BYTES);
  int err = sv_keyring_get(ss->org->keyring, SV_KEY_INDEX, &none, key);
  if (!err) err = ov_hmac(ss->server->hasher, key, sizeof key, of, sizeof of, &h);
  if (!err) memcpy(share, h.b, OV_KEY_BYTES);
  OPENSSL_cleanse(key, sizeof key);
  OPENSSL_cleanse(&h, sizeof h);
  return err;
}

int sv_share_welcome(sv_session *ss, sv_txn *t, const ov_hello *h, ov_welcome *w) {
  if (ss->reader.ended) return 0;
  int err = is_strict(t, &w->strict);
  if (err || (!w->strict && !h->closed)) return err;
  w->has_share = true;
  return share_of(ss, w->share);
}
