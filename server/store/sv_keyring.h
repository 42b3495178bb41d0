/* The keyring of one organisation: wrapped keys outside LMDB (LMDB keeps deleted values in free pages). One
 * file, sealed under an epoch key, which lies in another file (epoch.h), sealed under the master key. The
 * keyring is rewritten whole (temporary file, fsync, rename, fsync of the folder) and, at each erasure, under
 * a new epoch key, while the old one is destroyed: so keyring, epoch key and master key are needed together,
 * and an older copy of the keyring opens no more. Keys lie in memory of their own (secret.h). Thread safe. */
#ifndef SV_KEYRING_H
#define SV_KEYRING_H

#include "ov/chain.h"

typedef int (*sv_random_fn)(void *ctx, void *p, size_t n); /* 0 or OV_E_CRYPTO */

typedef enum sv_key_type {
  SV_KEY_SEAL_ORG = 1,         /* id zero: seals headers, and payloads without a participant */
  SV_KEY_SEAL_PARTICIPANT = 2, /* id: participant name */
  SV_KEY_COMMIT_PARTICIPANT = 3,
  SV_KEY_COMMIT_ORG = 4,  /* id zero: scopes 0 and 1 */
  SV_KEY_COMMIT_TEAM = 5, /* id: seq = scope number, writer zero */
  SV_KEY_SIGN = 6,        /* id zero: the server's P-256 private scalar for this organisation's ACKs */
  SV_KEY_INDEX = 7        /* id zero: HMAC key that makes index keys opaque */
} sv_key_type;

typedef struct sv_keyring sv_keyring;
/* Opens or (create) makes the file at path, with its epoch file. master: 32 bytes, copied. OV_E_NOTFOUND (no
 * keyring), OV_E_CRYPTO (the epoch key that it needs is not in the epoch file: the two do not belong
 * together, or one is from before an erasure), OV_E_CORRUPT (wrong master key or damaged), OV_E_NEWER,
 * OV_E_IO. Nothing is overwritten on an error; what an erasure left undone at a crash is finished. */
int sv_keyring_open(const char *path, const char *epoch_path, const uint8_t master[OV_KEY_BYTES],
                    sv_random_fn rnd, void *rnd_ctx, bool create, sv_keyring **out);
void sv_keyring_close(sv_keyring *k); /* cleanses; unsaved keys are lost */
/* OV_E_NOTFOUND */
int sv_keyring_get(sv_keyring *k, sv_key_type type, const ov_name *id, uint8_t key[OV_KEY_BYTES]);
/* Sets (or replaces) in memory and marks dirty, unless it has that very key already. */
int sv_keyring_put(sv_keyring *k, sv_key_type type, const ov_name *id, const uint8_t key[OV_KEY_BYTES]);
/* Gets, or makes a random one and marks dirty. */
int sv_keyring_need(sv_keyring *k, sv_key_type type, const ov_name *id, uint8_t key[OV_KEY_BYTES]);
bool sv_keyring_dirty(sv_keyring *k);
/* All keys are durable when it returns 0, those that another thread is saving too; does nothing when clean.
 * Called before the commit that relies on the new keys. */
int sv_keyring_save(sv_keyring *k);
/* Forgets every key of this id for good and rewrites the file under a new epoch key; the old file's bytes are
 * overwritten. The id is remembered: get and need say OV_E_NOTFOUND for it, put OV_E_DENIED, so that no key
 * of an erased participant comes back. On an error the keys are gone from memory, perhaps not from disk: call
 * again. OV_E_INVALID for the zero id. */
int sv_keyring_destroy(sv_keyring *k, const ov_name *id);
/* A new epoch key, under another master key when given, for the same keys: what was copied before (keyring
 * with epoch file, or the old master key) opens what is written from now on no more. On an error call again;
 * until then the file on disk opens under the old master key or the new one. */
int sv_keyring_rotate(sv_keyring *k, const uint8_t *master);
bool sv_keyring_destroyed(sv_keyring *k, const ov_name *id);
uint64_t sv_keyring_epoch(sv_keyring *k);
/* Reads the 32-byte master key file (0600, made when create and missing). OV_E_DENIED when others may read
 * it. */
int sv_master_key_load(const char *path, bool create, sv_random_fn rnd, void *rnd_ctx,
                       uint8_t master[OV_KEY_BYTES]);

/* Where the master key lies when nobody says so: systemd's credential `master.key` ($CREDENTIALS_DIRECTORY),
 * else <data>/master.key. OV_E_LIMIT. */
int sv_master_key_path(const char *data, char *out, size_t n);
/* The next master key, while a change is under way: <path>.new. OV_E_NOTFOUND: none is. */
int sv_master_key_next(const char *path, uint8_t next[OV_KEY_BYTES]);

#endif
