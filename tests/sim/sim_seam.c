/* Seams that the linker makes (__wrap_f stands in place of f).
 *
 * Every seal of the server and of the tablets passes here: under one key no nonce is used twice, whatever
 * crashed, was cloned or put back in between. And a commit of the server fails when it is told to, after all
 * that led to it went well. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define SEAL_NONCE_BYTES 12

int __real_ov_seal(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const uint8_t nonce[SEAL_NONCE_BYTES],
                   const void *aad, size_t aad_n, const void *plain, size_t n, ov_buf *out);
int __wrap_ov_seal(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const uint8_t nonce[SEAL_NONCE_BYTES],
                   const void *aad, size_t aad_n, const void *plain, size_t n, ov_buf *out);

int __real_sv_txn_commit(sv_txn *t);
int __wrap_sv_txn_commit(sv_txn *t);

/* The linker's seams have no context: one world a process. */
static struct {
  sim *w;
  uint64_t *seen; /* hashes of (key, nonce); 0: free */
  size_t n, cap;
} seals;

static uint64_t mixed(uint64_t h, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
  return h ^ h >> 29;
}

static void put(uint64_t x) {
  size_t at = x & (seals.cap - 1);
  while (seals.seen[at]) {
    if (seals.seen[at] == x)
      sim_fail(seals.w, "nonce-twice", "two values are sealed under one key with one nonce");
    at = (at + 1) & (seals.cap - 1);
  }
  seals.seen[at] = x;
  seals.n++;
}

static void grow(void) {
  uint64_t *old = seals.seen;
  size_t n = seals.cap;
  seals.cap = n ? 2 * n : 1u << 16;
  seals.seen = calloc(seals.cap, sizeof *seals.seen);
  FX_MUST(seals.seen);
  seals.n = 0;
  for (size_t i = 0; i < n; i++)
    if (old[i]) put(old[i]);
  free(old);
}

void sim_seams(sim *w) {
  free(seals.seen);
  memset(&seals, 0, sizeof seals);
  seals.w = w;
}

int __wrap_ov_seal(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const uint8_t nonce[SEAL_NONCE_BYTES],
                   const void *aad, size_t aad_n, const void *plain, size_t n, ov_buf *out) {
  uint64_t x = mixed(mixed(0xcbf29ce484222325u, key, OV_KEY_BYTES), nonce, SEAL_NONCE_BYTES);
  if (seals.w && 2 * seals.n >= seals.cap) grow();
  if (seals.w) put(x ? x : 1);
  return __real_ov_seal(h, key, nonce, aad, aad_n, plain, n, out);
}

int __wrap_sv_txn_commit(sv_txn *t) {
  sim *w = seals.w;
  if (w && w->in_net && w->commit_fails_in >= 0 && w->commit_fails_in-- == 0) {
    sim_say(w, "a commit of the server fails");
    sv_txn_fail(t, OV_E_FULL);
  }
  return __real_sv_txn_commit(t);
}
