/* Small settings of the app, and the zone in which texts are read and shown. */
#include <string.h>

#include "oc_internal.h"

#define SETTING_NAME_MAX 40
#define SETTING_BYTES_MAX 1000

int oc_store_zone(oc_store *s, const char *iana, oc_error *e) {
  if (e) *e = (oc_error){0};
  if (!iana) return oc_from_ov(e, oc_zone_load(s));
  oc_zone *z = NULL;
  int err = oc_zone_open(iana, &z);
  if (err == OV_E_NOMEM) return oc_from_ov(e, err);
  if (err)
    return oc_say(e, OC_E_INVALID, "no time zone \"%.60s\" on this system; write it as Europe/Amsterdam",
                  iana);
  oc_zone_free(s->zone);
  s->zone = z;
  return OC_OK;
}

/* "app:<name>" in META; the prefix keeps settings apart from what the store itself keeps there. */
static int setting_key(const char *name, char key[SETTING_NAME_MAX + 5], size_t *n, oc_error *e) {
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  if (!len || name[len] || len > SETTING_NAME_MAX) {
    return oc_say(e, OC_E_INVALID, "\"%.60s\" is no name of a setting: 1 to %d of a-z 0-9 _", name,
                  SETTING_NAME_MAX);
  }
  memcpy(key, "app:", 4);
  memcpy(key + 4, name, len);
  *n = len + 4;
  return 0;
}

int oc_setting_put(oc_store *s, const char *name, const char *value, oc_error *e) {
  char key[SETTING_NAME_MAX + 5];
  size_t n = 0, len = strlen(value);
  if (e) *e = (oc_error){0};
  int err = setting_key(name, key, &n, e);
  if (err) return err;
  if (len > SETTING_BYTES_MAX)
    return oc_say(e, OC_E_INVALID, "a setting of %zu bytes is too long, at most %d", len, SETTING_BYTES_MAX);
  oc_txn *t = NULL;
  err = oc_txn_begin(s->db, true, &t);
  if (!err) err = len ? oc_put(t, OC_T_META, key, n, value, len) : oc_del(t, OC_T_META, key, n);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return oc_from_ov(e, err);
}

int oc_setting_get(oc_store *s, const char *name, char *value, size_t cap, oc_error *e) {
  char key[SETTING_NAME_MAX + 5];
  size_t n = 0, len = 0;
  const uint8_t *p = NULL;
  oc_txn *t = NULL;
  ov_arena a;
  if (e) *e = (oc_error){0};
  if (cap) value[0] = 0;
  int err = setting_key(name, key, &n, e);
  if (err) return err;
  ov_arena_init(&a, 1u << 16);
  err = oc_txn_begin(s->db, false, &t);
  if (!err) err = oc_get(t, OC_T_META, key, n, &a, &p, &len);
  oc_txn_abort(t);
  if (err == OV_E_NOTFOUND) err = 0;
  else if (!err && len >= cap)
    err = oc_say(e, OC_E_INVALID, "the setting has %zu bytes, more than there is room for", len);
  else if (!err && len) memcpy(value, p, len), value[len] = 0;
  ov_arena_free(&a);
  return err == OC_E_INVALID ? err : oc_from_ov(e, err);
}
