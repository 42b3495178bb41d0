/* The epoch file of one keyring: the key that opens it, sealed under the master key. It lies apart from the
 * keyring (data/epochs/), for one reason: a copy of an old keyring must not be opened by what is here today.
 * Backups of keyrings do not hold it; at each erasure the key in it is replaced and the old one overwritten.
 *
 *   two slots of one block each:  "OVEPOCH1" | epoch u64 | epoch key sealed under the master key | zeros
 *
 * Only while an epoch changes are both in use: the new key is added, the keyring rewritten under it, and only
 * then the old key destroyed. So at every moment a crash leaves a file that opens the keyring that is on
 * disk. */
#ifndef SV_EPOCH_H
#define SV_EPOCH_H

#include "sv_keyring.h"

#define SV_EPOCH_SLOT_BYTES 4096
#define SV_EPOCH_SLOTS 2

/* Who works on the file; borrowed. */
typedef struct sv_epoch_file {
  const char *path;
  ov_hasher *h;
  sv_random_fn random;
  void *random_ctx;
} sv_epoch_file;

/* The key of this epoch. OV_E_NOTFOUND: no file, or no such epoch in it. OV_E_CORRUPT: it is there, but not
 * under this master key, or damaged. */
int sv_epoch_get(const sv_epoch_file *f, const uint8_t master[OV_KEY_BYTES], uint64_t epoch,
                 uint8_t key[OV_KEY_BYTES]);
/* Adds a key durably; makes file and folder when missing. keep: the epoch whose slot is not touched (0:
 * none). */
int sv_epoch_add(const sv_epoch_file *f, const uint8_t master[OV_KEY_BYTES], uint64_t keep, uint64_t epoch,
                 const uint8_t key[OV_KEY_BYTES]);
/* Destroys every other epoch: overwritten in place, synced, and the block given back to the disk. Does
 * nothing when there is none. */
int sv_epoch_only(const sv_epoch_file *f, uint64_t epoch);

#endif
