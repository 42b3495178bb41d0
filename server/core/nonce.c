/* Nonces of HELLO messages seen lately, so that a recorded HELLO cannot be played again while its clock still
 * passes. Open addressing over a fixed table, and a ring of the same entries in order of arrival for
 * forgetting. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

#define SLOTS (SV_NONCES_MAX * 2u)
static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are a power of two");

typedef struct entry {
  uint8_t nonce[16];
  int64_t time_ms;
  uint32_t home; /* slot that its hash wants */
} entry;

struct sv_nonces {
  entry ring[SV_NONCES_MAX];
  unsigned first, count;
  uint32_t slot[SLOTS]; /* ring index + 1, 0: empty */
  uint8_t key[16];
  ov_hasher *hasher;
};

/* The key is not of the server's random source: where an entry lies shows nowhere, and a run in simulation
 * stays the same. */
sv_nonces *sv_nonces_new(void) {
  sv_nonces *n = calloc(1, sizeof *n);
  if (!n) return NULL;
  n->hasher = ov_hasher_new();
  if (n->hasher && RAND_bytes(n->key, sizeof n->key) == 1) return n;
  sv_nonces_free(n);
  return NULL;
}

void sv_nonces_free(sv_nonces *n) {
  if (n) ov_hasher_free(n->hasher);
  free(n);
}

/* Clients choose their nonces. Under a key that they do not know none can choose them so that they fall
 * together, which would let one device hold up the service thread for seconds. */
static int home_of(sv_nonces *n, const uint8_t nonce[16], uint32_t *home) {
  ov_hash h;
  int err = ov_hmac(n->hasher, n->key, sizeof n->key, nonce, 16, &h);
  memcpy(home, h.b, sizeof *home);
  *home &= SLOTS - 1;
  return err;
}

static uint32_t *find(sv_nonces *n, const uint8_t nonce[16], uint32_t i) {
  while (n->slot[i] && memcmp(n->ring[n->slot[i] - 1].nonce, nonce, 16)) i = (i + 1) & (SLOTS - 1);
  return &n->slot[i];
}

/* Backward-shift deletion keeps probe runs whole. */
static void remove_slot(sv_nonces *n, uint32_t i) {
  uint32_t j = i;
  for (;;) {
    j = (j + 1) & (SLOTS - 1);
    if (!n->slot[j]) break;
    uint32_t home = n->ring[n->slot[j] - 1].home;
    bool movable = i <= j ? (home <= i || home > j) : (home <= i && home > j);
    if (movable) {
      n->slot[i] = n->slot[j];
      i = j;
    }
  }
  n->slot[i] = 0;
}

int sv_nonces_add(sv_nonces *n, const uint8_t nonce[16], int64_t time_ms, int64_t now_ms, int64_t keep_ms) {
  uint32_t home = 0;
  int err = home_of(n, nonce, &home);
  if (err) return err;
  while (n->count && n->ring[n->first].time_ms < now_ms - keep_ms) {
    uint32_t *s = find(n, n->ring[n->first].nonce, n->ring[n->first].home);
    if (*s) remove_slot(n, (uint32_t)(s - n->slot));
    n->first = (n->first + 1) % SV_NONCES_MAX;
    n->count--;
  }
  uint32_t *s = find(n, nonce, home);
  if (*s) return OV_E_EXISTS;
  if (n->count == SV_NONCES_MAX) return OV_E_BUSY;
  unsigned at = (n->first + n->count) % SV_NONCES_MAX;
  n->ring[at] = (entry){.time_ms = time_ms, .home = home};
  memcpy(n->ring[at].nonce, nonce, 16);
  n->count++;
  *s = at + 1;
  return 0;
}
