#include "ov/chain.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "hasher.h"

static EVP_MAC_CTX *hmac_sha256_new(void) {
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
  if (ctx && !EVP_MAC_CTX_set_params(ctx, params)) {
    EVP_MAC_CTX_free(ctx);
    ctx = NULL;
  }
  EVP_MAC_free(mac); /* the context keeps its own reference */
  return ctx;
}

/* The cipher is set once: setting it again with each key would throw its memory away and get it anew. */
static EVP_CIPHER_CTX *aes_gcm_new(void) {
  EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  EVP_CIPHER_CTX *ctx = gcm ? EVP_CIPHER_CTX_new() : NULL;
  if (ctx && !EVP_CipherInit_ex2(ctx, gcm, NULL, NULL, 1, NULL)) {
    EVP_CIPHER_CTX_free(ctx);
    ctx = NULL;
  }
  EVP_CIPHER_free(gcm);
  return ctx;
}

ov_hasher *ov_hasher_new(void) {
  ov_hasher *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  h->md = EVP_MD_CTX_new();
  h->mac = hmac_sha256_new();
  h->gcm = aes_gcm_new();
  if (h->sha256 && h->md && h->mac && h->gcm) return h;
  ov_hasher_free(h);
  return NULL;
}

void ov_hasher_free(ov_hasher *h) {
  if (!h) return;
  EVP_MD_CTX_free(h->md);
  EVP_MD_free(h->sha256);
  EVP_MAC_CTX_free(h->mac);
  EVP_CIPHER_CTX_free(h->gcm);
  free(h);
}

int ov_sha256(ov_hasher *h, const void *p, size_t n, ov_hash *out) {
  if (!EVP_DigestInit_ex2(h->md, h->sha256, NULL) || !EVP_DigestUpdate(h->md, p, n) ||
      !EVP_DigestFinal_ex(h->md, out->b, NULL))
    return OV_E_CRYPTO;
  return 0;
}

int ov_hmac(ov_hasher *h, const void *key, size_t key_n, const void *p, size_t n, ov_hash *out) {
  size_t out_n;
  /* To OpenSSL no key pointer means the last key again, another answer than the empty key's. */
  if (!EVP_MAC_init(h->mac, key_n ? key : (const void *)"", key_n, NULL) || !EVP_MAC_update(h->mac, p, n) ||
      !EVP_MAC_final(h->mac, out->b, &out_n, sizeof out->b))
    return OV_E_CRYPTO;
  return 0;
}

/* A short byte string put together on the stack; the sizes below are constants. */
static uint8_t *put(uint8_t *at, const void *p, size_t n) { return (uint8_t *)memcpy(at, p, n) + n; }

static uint8_t *put_seq(uint8_t *at, uint64_t seq) {
  for (int i = 0; i < 8; i++) *at++ = (uint8_t)(seq >> (56 - 8 * i));
  return at;
}

/* PROTO-29 */
int ov_chain_start(ov_hasher *h, const ov_id *organisation, const ov_id *writer, ov_hash *head) {
  static const char label[] = "overdracht 1";
  uint8_t in[sizeof label - 1 + 2 * OV_ID_BYTES], *p = in;
  p = put(p, label, sizeof label - 1);
  p = put(p, organisation->b, OV_ID_BYTES);
  put(p, writer->b, OV_ID_BYTES);
  return ov_sha256(h, in, sizeof in, head);
}

/* PROTO-30 */
int ov_chain_commitment(ov_hasher *h, const uint8_t commit_key[OV_KEY_BYTES], const ov_id *writer,
                        uint64_t seq, const uint8_t *payload, size_t n, ov_hash *out) {
  static const char label[] = "overdracht salt 1";
  uint8_t in[sizeof label - 1 + OV_ID_BYTES + 8], *p = in;
  p = put(p, label, sizeof label - 1);
  p = put(p, writer->b, OV_ID_BYTES);
  put_seq(p, seq);
  ov_hash salt;
  int err = ov_hmac(h, commit_key, OV_KEY_BYTES, in, sizeof in, &salt);
  if (!err) err = ov_hmac(h, salt.b, sizeof salt.b, payload, n, out);
  /* Who has the salt can test guesses at the payload after the key is destroyed. */
  OPENSSL_cleanse(&salt, sizeof salt);
  return err;
}

/* PROTO-29 */
int ov_chain_step(ov_hasher *h, uint64_t seq, const ov_hash *header_hash, const ov_hash *commitment,
                  ov_hash *head) {
  uint8_t in[3 * OV_HASH_BYTES + 8], *p = in;
  p = put(p, head->b, OV_HASH_BYTES);
  p = put_seq(p, seq);
  p = put(p, header_hash->b, OV_HASH_BYTES);
  put(p, commitment->b, OV_HASH_BYTES);
  return ov_sha256(h, in, sizeof in, head);
}

static int header_hash_of(ov_hasher *h, const ov_op *op, ov_buf *scratch, ov_hash *out) {
  ov_buf_reset(scratch);
  ov_op_header_encode(op, scratch);
  return scratch->err ? scratch->err : ov_sha256(h, scratch->p, scratch->n, out);
}

static int commitment_of(ov_hasher *h, const ov_op *op, const uint8_t *commit_key, ov_buf *scratch,
                         ov_hash *out) {
  if (!commit_key) return OV_E_CRYPTO;
  ov_buf_reset(scratch);
  ov_op_payload_encode(op, scratch);
  if (scratch->err) return scratch->err;
  return ov_chain_commitment(h, commit_key, &op->name.writer, op->name.seq, scratch->p, scratch->n, out);
}

/* PROTO-29, PROTO-33 */
int ov_chain_op(ov_hasher *h, ov_op *op, const uint8_t *commit_key, ov_hash *head, ov_buf *scratch) {
  ov_hash header_hash = op->header_hash, commitment = op->commitment, next = *head;
  int err = 0;
  if (!op->is_void) err = header_hash_of(h, op, scratch, &header_hash);
  if (!err && !op->is_void && !op->has_commitment)
    err = commitment_of(h, op, commit_key, scratch, &commitment);
  if (!err) err = ov_chain_step(h, op->name.seq, &header_hash, &commitment, &next);
  if (err) return err;
  *head = next;
  op->header_hash = header_hash;
  op->commitment = commitment;
  memcpy(op->name.tag, next.b, OV_TAG_BYTES);
  if (op->creates) op->record = op->name;
  return 0;
}

/* PROTO-31 */
ov_key_owner ov_chain_key_owner(const ov_op *op, ov_name *participant, uint32_t *scope) {
  bool carries_key = op->kind == OV_KIND_ORGANISATION || op->kind == OV_KIND_TEAM ||
                     op->kind == OV_KIND_PARTICIPANT;
  if (op->creates && carries_key) return OV_KEYOF_ZERO;
  /* The record itself decides for edits of a participant: another participant named beside it cannot shift
   * the key, so erasure of the record's participant always reaches them. */
  if (op->kind == OV_KIND_PARTICIPANT || op->has_participant) {
    *participant = op->kind == OV_KIND_PARTICIPANT ? op->record : op->participant;
    return OV_KEYOF_PARTICIPANT;
  }
  if (op->scope < 2) return OV_KEYOF_ORGANISATION;
  *scope = op->scope;
  return OV_KEYOF_TEAM;
}

/* Every signed string starts with its own label and a zero byte, so that a signature for one use never fits
 * another; texts carry their length as varint, all else has a fixed length or comes last. PROTO-35 */
static void put_label(ov_buf *out, const char *label) { ov_buf_put(out, label, strlen(label) + 1); }

static void put_server_name(ov_buf *out, const char *server_name) {
  size_t n = strlen(server_name);
  ov_buf_varint(out, n);
  ov_buf_put(out, server_name, n);
}

/* PROTO-36 */
void ov_signed_hello(ov_buf *out, const char *server_name, const uint8_t *body, size_t n) {
  put_label(out, "overdracht hello 1");
  put_server_name(out, server_name);
  ov_buf_put(out, body, n);
}

void ov_signed_proof(ov_buf *out, const char *server_name, const uint8_t nonce[16],
                     const ov_hash *hello_body_hash) {
  put_label(out, "overdracht proof 1");
  put_server_name(out, server_name);
  ov_buf_put(out, nonce, 16);
  ov_buf_put(out, hello_body_hash->b, OV_HASH_BYTES);
}

void ov_signed_push(ov_buf *out, const ov_id *organisation, const ov_id *device, const ov_id *writer,
                    uint64_t seq, const ov_hash *head) {
  put_label(out, "overdracht push 1");
  ov_buf_put(out, organisation->b, OV_ID_BYTES);
  ov_buf_put(out, device->b, OV_ID_BYTES);
  ov_buf_put(out, writer->b, OV_ID_BYTES);
  uint8_t bytes[8];
  put_seq(bytes, seq);
  ov_buf_put(out, bytes, sizeof bytes);
  ov_buf_put(out, head->b, OV_HASH_BYTES);
}
