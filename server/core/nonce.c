/* Nonces of HELLO messages seen lately, so that a recorded HELLO cannot be played again while its clock still
 * passes. Open addressing over a fixed table, and a ring of the same entries in order of arrival for
 * forgetting. */
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

#define SLOTS (SV_NONCES_MAX * 2u)
static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are a power of two");

typedef struct entry {
  uint8_t nonce[16];
  int64_t time_ms;
} entry;

struct sv_nonces {
  entry ring[SV_NONCES_MAX];
  unsigned first, count;
  uint32_t slot[SLOTS]; /* ring index + 1, 0: empty */
};

sv_nonces *sv_nonces_new(void) { return calloc(1, sizeof(sv_nonces)); }
void sv_nonces_free(sv_nonces *n) { free(n); }

/* The nonce is random already: its first bytes are the hash. A client that chooses them badly slows only its
 * own lookups a little; the table is at most half full. */
static uint32_t hash_of(const uint8_t nonce[16]) {
  uint32_t h;
  memcpy(&h, nonce, sizeof h);
  uint32_t g;
  memcpy(&g, nonce + 8, sizeof g);
  return (h ^ g * 2654435761u) & (SLOTS - 1);
}

static uint32_t *find(sv_nonces *n, const uint8_t nonce[16]) {
  uint32_t i = hash_of(nonce);
  while (n->slot[i] && memcmp(n->ring[n->slot[i] - 1].nonce, nonce, 16)) i = (i + 1) & (SLOTS - 1);
  return &n->slot[i];
}

/* Backward-shift deletion keeps probe runs whole. */
static void remove_slot(sv_nonces *n, uint32_t i) {
  uint32_t j = i;
  for (;;) {
    j = (j + 1) & (SLOTS - 1);
    if (!n->slot[j]) break;
    uint32_t home = hash_of(n->ring[n->slot[j] - 1].nonce);
    bool movable = i <= j ? (home <= i || home > j) : (home <= i && home > j);
    if (movable) {
      n->slot[i] = n->slot[j];
      i = j;
    }
  }
  n->slot[i] = 0;
}

int sv_nonces_add(sv_nonces *n, const uint8_t nonce[16], int64_t time_ms, int64_t now_ms, int64_t keep_ms) {
  while (n->count && n->ring[n->first].time_ms < now_ms - keep_ms) {
    uint32_t *s = find(n, n->ring[n->first].nonce);
    if (*s) remove_slot(n, (uint32_t)(s - n->slot));
    n->first = (n->first + 1) % SV_NONCES_MAX;
    n->count--;
  }
  uint32_t *s = find(n, nonce);
  if (*s) return OV_E_EXISTS;
  if (n->count == SV_NONCES_MAX) return OV_E_BUSY;
  unsigned at = (n->first + n->count) % SV_NONCES_MAX;
  memcpy(n->ring[at].nonce, nonce, 16);
  n->ring[at].time_ms = time_ms;
  n->count++;
  *s = at + 1;
  return 0;
}
