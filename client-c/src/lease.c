/* The lease: what a tablet holds may be shown for a while after a sync (the organisation says how many days,
 * 14 by default), then only after the next. It never keeps anybody from writing, nor an entry from being
 * sent. Time is the device's own clock since the last sync; a clock that was set back locks as well, as it
 * would stretch the lease. PROTO-162 */
#include "oc_internal.h"

#define DAY_MS 86400000LL
#define LEASE_DAYS 14
/* Corrections by a time server do no harm; what is more is a clock set back. */
#define BACK_MS (10 * 60 * 1000)
/* How often the latest time is written down while nothing else is. */
#define NOTE_MS (3600 * 1000)

int64_t oc_lease_until_ms(const oc_store *s) {
  const oc_self *m = &s->self;
  if (!m->enrolled || !m->last_sync_ms) return 0;
  return m->last_sync_ms + (m->lease_days ? m->lease_days : LEASE_DAYS) * DAY_MS;
}

bool oc_lease_over(const oc_store *s) {
  int64_t until = oc_lease_until_ms(s), now = oc_now_ms(s);
  return until && (now >= until || now + BACK_MS < s->self.seen_ms);
}

/* Now and then, so that turning the clock back is noticed after a restart too. */
static int note_time(oc_store *s, int64_t now) {
  oc_txn *t = NULL;
  if (!s->self.enrolled || now < s->self.seen_ms + NOTE_MS) return 0;
  s->self.seen_ms = now;
  int err = oc_txn_begin(s->db, true, &t);
  if (!err) err = oc_self_save(s, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return err == OV_E_FULL ? 0 : err; /* a full disk keeps nobody from looking */
}

int oc_lease_check(oc_store *s, oc_error *e) {
  if (oc_db_locked(s->db)) return oc_strict_say(e);
  if (!oc_lease_over(s)) return oc_from_ov(e, note_time(s, oc_now_ms(s)));
  oc_say(e, OC_E_LEASE,
         "this device has not synced for too long: it shows nothing until it has; entries can be made and "
         "are sent with the sync");
  oc_say_nl(e, "Deze tablet had te lang geen verbinding. Maak verbinding om alles weer te zien. Invullen kan "
               "wel: er raakt "
               "niets kwijt.");
  return OC_E_LEASE;
}

int oc_lease_learn(oc_store *s, oc_txn *t, ov_arena *a) {
  uint8_t prefix[6] = {0, 0, 0, 0, 0, OV_KIND_ORGANISATION}, key[OC_DB_KEY_MAX];
  const ov_skind *k = ov_schemas_kind(s->schemas, OV_KIND_ORGANISATION);
  const ov_sfield *f = k ? ov_skind_by_name(k, "lease_days") : NULL;
  size_t n = 0;
  s->self.lease_days = 0;
  s->self.seen_ms = s->self.last_sync_ms;
  int err = oc_next(t, OC_T_DAY, prefix, sizeof prefix, NULL, 0, false, key, &n, NULL, NULL, NULL);
  if (err || !f) return err == OV_E_NOTFOUND ? 0 : err;
  oc_view v;
  ov_name record;
  ov_name_read(key + sizeof prefix, &record);
  err = oc_view_get(s, t, &record, a, &v);
  const ov_live *l = err ? NULL : ov_record_field(&v.rec, f->id, NULL);
  if (l && l->v.type == OV_V_INT && l->v.i > 0 && l->v.i <= 366) s->self.lease_days = (uint32_t)l->v.i;
  return err == OV_E_NOTFOUND ? 0 : err;
}
