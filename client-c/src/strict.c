/* Strict protection: what this device was told of clients, and what it has sent about them, opens only with a
 * share that the server gives at each start, to a device that has not ended. Until it has come the store is
 * closed: it shows nothing of clients, takes new entries and sends them. PROTO-164 */
#include <openssl/crypto.h>

#include "oc_internal.h"

/* In a live session the store is written anew no more often than this. */
#define SETTLE_MS (20 * 60 * 1000)

int oc_strict_say(oc_error *e) {
  oc_say(e, OC_E_CLOSED,
         "this store is protected strictly: it shows nothing until it has reached its server since it was "
         "opened; entries can be made and are sent with the sync");
  oc_say_nl(e, "Deze tablet is op slot. Maak verbinding om alles te zien. Invullen kan wel: er raakt niets "
               "kwijt.");
  return OC_E_CLOSED;
}

static int protect(oc_store *s, const ov_welcome *w) {
  char why[256];
  bool strict = oc_db_strict(s->db);
  if (!strict && !w->strict) return 0;
  if (strict && !w->strict) return oc_db_protect(s->db, NULL, why);
  /* another share than before: the server was made anew from what it had left */
  if (strict && oc_db_unlock(s->db, w->share) != OV_E_AUTH) return 0;
  return oc_db_protect(s->db, w->share, why);
}

/* The server that closed this store is gone, or it never was the right one. What is closed opens with nothing
 * any more; a server has acknowledged all of it. What is unsent stays. */
static int start_anew(oc_store *s, const ov_welcome *w, oc_error *e) {
  char why[256];
  int err = oc_closed_lost(s);
  if (!err) err = oc_db_protect(s->db, w->strict ? w->share : NULL, why);
  if (err) return err;
  oc_say(e, OC_E_NET, "the share that the server gives did not open this store: it fetches everything anew");
  return OV_E_NET;
}

int oc_strict_welcome(oc_store *s, const ov_welcome *w, oc_error *e) {
  if (w->strict && !w->has_share) return OV_E_FORMAT;
  int err = 0;
  if (oc_db_locked(s->db)) {
    if (!w->has_share) return OV_E_DENIED;
    err = oc_db_unlock(s->db, w->share);
    if (err == OV_E_AUTH) return start_anew(s, w, e);
  }
  return err ? err : protect(s, w);
}

int oc_strict_settle(oc_store *s, uint64_t sent, bool live) {
  char why[256];
  if (!oc_db_strict(s->db) || oc_db_locked(s->db) || sent == s->settled) return 0;
  int64_t now = oc_now_ms(s);
  if (live && now >= s->settled_ms && now < s->settled_ms + SETTLE_MS) return 0;
  int err = oc_db_rekey(s->db, why);
  if (err == OV_E_FULL) return 0; /* as it was; the next one tries again */
  s->settled = sent;
  s->settled_ms = now;
  return err;
}
