/* Ids and names. An id is 16 random bytes made by its owner (organisation, device, writer, server).
 * The name of an op is (writer, seq, tag), tag being the first 4 bytes of the chain head after it, so that
 * two branches of a cloned log never share a name. A record's id is the name of the op that created it. */
#ifndef OV_NAME_H
#define OV_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OV_ID_BYTES 16
#define OV_TAG_BYTES 4
#define OV_NAME_BYTES 28 /* writer 16, seq 8 big-endian, tag 4: sorts by writer, then seq */
#define OV_HASH_BYTES 32
#define OV_SIG_BYTES 64    /* raw r || s of ECDSA P-256 */
#define OV_PUBKEY_BYTES 65 /* uncompressed point, 0x04 || x || y */
#define OV_KEY_BYTES 32
#define OV_POSHASH_BYTES 16

/* Organisation, device, writer or server: random, never zero. PROTO-17 */
typedef struct ov_id {
  uint8_t b[OV_ID_BYTES];
} ov_id;
typedef struct ov_hash {
  uint8_t b[OV_HASH_BYTES];
} ov_hash;
typedef struct ov_name {
  ov_id writer;
  uint64_t seq;
  uint8_t tag[OV_TAG_BYTES];
} ov_name;

/* All zero: "none". */
bool ov_id_is_zero(const ov_id *id);
bool ov_id_equal(const ov_id *a, const ov_id *b);
bool ov_name_is_zero(const ov_name *n);
bool ov_name_equal(const ov_name *a, const ov_name *b);
/* Order of the canonical bytes: writer, seq, tag. */
int ov_name_compare(const ov_name *a, const ov_name *b);
void ov_name_write(const ov_name *n, uint8_t out[OV_NAME_BYTES]);
void ov_name_read(const uint8_t in[OV_NAME_BYTES], ov_name *n);

/* Text form for people and scripts: 32 hex digits of the writer, '-', decimal seq, '-', 8 hex digits of the
 * tag. */
#define OV_NAME_TEXT_MAX 64
void ov_name_text(const ov_name *n, char out[OV_NAME_TEXT_MAX]);
/* 0, or OV_E_INVALID when the text is no name. */
int ov_name_parse(const char *text, ov_name *n);
/* Hex of n bytes, out has 2n+1 chars. */
void ov_hex(const uint8_t *p, size_t n, char *out);
/* Exactly n bytes from 2n hex digits; 0 or OV_E_INVALID. */
int ov_unhex(const char *text, uint8_t *out, size_t n);

#endif
