/* Tries at signing in are slowed: per name (known or not, so that the delay tells nothing), per address, and
 * for the whole server. A try is charged before its password is hashed, so that many at once gain nothing. */
#include <string.h>

#include "web_priv.h"

#define NAME_FREE 3u     /* failures that cost no wait: typing mistakes */
#define ADDRESS_FREE 12u /* a care home sits behind one address */
#define WAIT_MAX_S 900u
#define FORGET_MS (24ll * 60 * 60 * 1000)

static int key_of(sv_web *w, char what, const void *p, size_t n, uint8_t key[OV_HASH_BYTES]) {
  char text[1 + SV_LOGIN_MAX];
  ov_hash h;
  text[0] = what;
  memcpy(text + 1, p, n);
  int err = ov_sha256(w->hasher, text, n + 1, &h);
  if (!err) memcpy(key, h.b, OV_HASH_BYTES);
  return err;
}

static web_delay *find(sv_web *w, const uint8_t key[OV_HASH_BYTES]) {
  for (unsigned i = 0; i < SV_WEB_DELAYS_MAX; i++)
    if (w->delay[i].used && memcmp(w->delay[i].key, key, OV_HASH_BYTES) == 0) return &w->delay[i];
  return NULL;
}

/* A new entry takes the place of the least worrying one: unused, then fewest failures, then oldest. So a
 * flood of names pushes out its own kind before it frees a name under attack. */
static web_delay *make(sv_web *w, const uint8_t key[OV_HASH_BYTES]) {
  web_delay *best = &w->delay[0];
  for (unsigned i = 0; i < SV_WEB_DELAYS_MAX && best->used; i++) {
    web_delay *d = &w->delay[i];
    if (!d->used || d->failures < best->failures || (d->failures == best->failures && d->last < best->last))
      best = d;
  }
  *best = (web_delay){.used = true};
  memcpy(best->key, key, OV_HASH_BYTES);
  return best;
}

static unsigned wait_s(unsigned failures, unsigned free_ones) {
  if (failures <= free_ones) return 0;
  unsigned over = failures - free_ones;
  return over > 10 ? WAIT_MAX_S : 1u << (over - 1) > WAIT_MAX_S ? WAIT_MAX_S : 1u << (over - 1);
}

static unsigned remaining_s(const web_delay *d, int64_t now) {
  return d && d->next > now ? (unsigned)((d->next - now + 999) / 1000) : 0;
}

static void charge(sv_web *w, const uint8_t key[OV_HASH_BYTES], unsigned free_ones, int64_t now) {
  web_delay *d = find(w, key);
  if (!d) d = make(w, key);
  if (now - d->last > FORGET_MS) d->failures = 0;
  d->failures++;
  d->last = now;
  d->next = now + 1000ll * wait_s(d->failures, free_ones);
}

static bool server_is_slow(sv_web *w, int64_t now) {
  int64_t minute = now / 60000;
  if (minute != w->minute) {
    w->minute = minute;
    w->tries = 0;
  }
  return w->tries >= SV_WEB_TRIES_PER_MINUTE;
}

unsigned web_delay_charge(sv_web *w, const char *folded, const uint8_t address_key[16]) {
  uint8_t name[OV_HASH_BYTES], address[OV_HASH_BYTES];
  int64_t now = web_now(w);
  if (key_of(w, 'n', folded, strlen(folded), name) || key_of(w, 'a', address_key, 16, address)) return 1;
  unsigned by_name = remaining_s(find(w, name), now), by_address = remaining_s(find(w, address), now);
  unsigned wait = by_name > by_address ? by_name : by_address;
  if (!wait && server_is_slow(w, now)) wait = 60 - (unsigned)(now % 60000 / 1000);
  if (wait) {
    w->stats.slowed++;
    return wait;
  }
  w->tries++;
  charge(w, name, NAME_FREE, now);
  charge(w, address, ADDRESS_FREE, now);
  return 0;
}

static void refund(sv_web *w, char what, const void *p, size_t n, unsigned free_ones, bool all) {
  uint8_t key[OV_HASH_BYTES];
  web_delay *d = key_of(w, what, p, n, key) ? NULL : find(w, key);
  if (!d) return;
  if (d->failures) d->failures = all ? 0 : d->failures - 1;
  if (!wait_s(d->failures, free_ones)) d->next = 0;
}

void web_delay_refund(sv_web *w, const char *folded, const uint8_t address_key[16]) {
  refund(w, 'n', folded, strlen(folded), NAME_FREE, false);
  refund(w, 'a', address_key, 16, ADDRESS_FREE, false);
}

/* The address keeps its failures: somebody with an account of their own may not wipe out guesses at
 * others. */
void web_delay_clear(sv_web *w, const char *folded) {
  refund(w, 'n', folded, strlen(folded), NAME_FREE, true);
}
