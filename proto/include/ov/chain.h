/* The hash chain of a log, commitments and the byte strings that are signed.
 *   head(0) = SHA-256("overdracht 1" || organisation || writer)
 *   head(n) = SHA-256(head(n-1) || n as 8 bytes big-endian || SHA-256(header) || commitment)
 *   commitment = HMAC-SHA-256(salt, payload)
 *   salt = HMAC-SHA-256(commit key, "overdracht salt 1" || writer || seq as 8 bytes big-endian)
 * The salt costs no bytes on the wire; after erasure of the commit key the chain still verifies but confirms
 * no guess. */
#ifndef OV_CHAIN_H
#define OV_CHAIN_H

#include "ov/op.h"

/* Fetched algorithms and reusable contexts (fetching costs three times a hash). One per thread; not thread
 * safe. */
typedef struct ov_hasher ov_hasher;
ov_hasher *ov_hasher_new(void);    /* NULL when out of memory or OpenSSL refuses */
void ov_hasher_free(ov_hasher *h); /* NULL is fine */

/* Each fills its last argument; 0 or OV_E_CRYPTO. The key of ov_hmac may have any length. */
int ov_sha256(ov_hasher *h, const void *p, size_t n, ov_hash *out);
int ov_hmac(ov_hasher *h, const void *key, size_t key_n, const void *p, size_t n, ov_hash *out);
int ov_chain_start(ov_hasher *h, const ov_id *organisation, const ov_id *writer, ov_hash *head);
int ov_chain_commitment(ov_hasher *h, const uint8_t commit_key[OV_KEY_BYTES], const ov_id *writer,
                        uint64_t seq, const uint8_t *payload, size_t n, ov_hash *out);
/* head: in head(seq-1), out head(seq). */
int ov_chain_step(ov_hasher *h, uint64_t seq, const ov_hash *header_hash, const ov_hash *commitment,
                  ov_hash *head);
/* Encodes op, computes header hash and commitment (or takes those given by is_void / has_commitment), steps
 * the head, sets op->name.tag (and op->record when it creates), op->header_hash and op->commitment.
 * commit_key may be NULL only if has_commitment or is_void (else OV_E_CRYPTO). scratch is reset and used. On
 * error op and head are as before. */
int ov_chain_op(ov_hasher *h, ov_op *op, const uint8_t *commit_key, ov_hash *head, ov_buf *scratch);

/* Which commit key covers an op: the zero key for a creating op of kinds organisation, team and participant
 * (its payload carries 32 random bytes itself), else the participant's, else the scope's (scopes 0 and 1
 * share the organisation's). */
typedef enum ov_key_owner {
  OV_KEYOF_ZERO,
  OV_KEYOF_PARTICIPANT,
  OV_KEYOF_ORGANISATION,
  OV_KEYOF_TEAM
} ov_key_owner;
/* For OV_KEYOF_PARTICIPANT *participant is set, for OV_KEYOF_TEAM *scope. An edit of a participant record
 * names that record as its participant; were it to name another, the record itself would still count. */
ov_key_owner ov_chain_key_owner(const ov_op *op, ov_name *participant, uint32_t *scope);

/* Signed byte strings. Each appends to out (not reset). All begin with a label and a zero byte ("overdracht
 * hello 1", "overdracht proof 1", "overdracht push 1"); then follow
 *   hello: length of the server name as varint, server name, body
 *   proof: length of the server name as varint, server name, nonce 16, SHA-256 of the HELLO body 32
 *   push:  organisation 16, device 16, writer 16, seq 8 big-endian, head 32 */
void ov_signed_hello(ov_buf *out, const char *server_name, const uint8_t *body, size_t n);
void ov_signed_proof(ov_buf *out, const char *server_name, const uint8_t nonce[16],
                     const ov_hash *hello_body_hash);
void ov_signed_push(ov_buf *out, const ov_id *organisation, const ov_id *device, const ov_id *writer,
                    uint64_t seq, const ov_hash *head);

/* Signatures are made and checked by the caller's keys. Return 0, or OV_E_AUTH (does not verify) /
 * OV_E_CRYPTO. */
typedef struct ov_signer {
  int (*sign)(void *ctx, const uint8_t *p, size_t n, uint8_t sig[OV_SIG_BYTES]);
  void *ctx;
} ov_signer;
typedef int (*ov_verify_fn)(void *ctx, const uint8_t pubkey[OV_PUBKEY_BYTES], const uint8_t *p, size_t n,
                            const uint8_t sig[OV_SIG_BYTES]);

/* Authenticated encryption of stored values: AES-256-GCM; out = version byte 1 || nonce 12 || ciphertext ||
 * tag 16. The nonce must be fresh and random (the caller's random source). aad binds the ciphertext to its
 * op, never to a position. */
#define OV_SEAL_OVERHEAD (1 + 12 + 16)
int ov_seal(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const uint8_t nonce[12], const void *aad,
            size_t aad_n, const void *plain, size_t n, ov_buf *out);
/* Appends the plain bytes; OV_E_CORRUPT when the tag does not fit, and then nothing is appended. Neither
 * input of seal and open may lie in out. */
int ov_open(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const void *aad, size_t aad_n, const void *sealed,
            size_t n, ov_buf *out);

#endif
