#include "ov/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ov/error.h"
#include "ov/limits.h"

bool ov_id_is_zero(const ov_id *id) {
  static const ov_id zero;
  return ov_id_equal(id, &zero);
}

bool ov_id_equal(const ov_id *a, const ov_id *b) { return memcmp(a->b, b->b, OV_ID_BYTES) == 0; }

bool ov_name_is_zero(const ov_name *n) {
  static const ov_name zero;
  return ov_name_equal(n, &zero);
}

bool ov_name_equal(const ov_name *a, const ov_name *b) { return ov_name_compare(a, b) == 0; }

int ov_name_compare(const ov_name *a, const ov_name *b) {
  int c = memcmp(a->writer.b, b->writer.b, OV_ID_BYTES);
  if (c != 0) return c;
  if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
  return memcmp(a->tag, b->tag, OV_TAG_BYTES);
}

/* PROTO-18 */
void ov_name_write(const ov_name *n, uint8_t out[OV_NAME_BYTES]) {
  memcpy(out, n->writer.b, OV_ID_BYTES);
  for (int i = 0; i < 8; i++) out[OV_ID_BYTES + i] = (uint8_t)(n->seq >> (56 - 8 * i));
  memcpy(out + OV_ID_BYTES + 8, n->tag, OV_TAG_BYTES);
}

void ov_name_read(const uint8_t in[OV_NAME_BYTES], ov_name *n) {
  memcpy(n->writer.b, in, OV_ID_BYTES);
  n->seq = 0;
  for (int i = 0; i < 8; i++) n->seq = n->seq << 8 | in[OV_ID_BYTES + i];
  memcpy(n->tag, in + OV_ID_BYTES + 8, OV_TAG_BYTES);
}

void ov_hex(const uint8_t *p, size_t n, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    *out++ = digits[p[i] >> 4];
    *out++ = digits[p[i] & 15];
  }
  *out = '\0';
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Reads 2n digits and stops at the first that is none, so it never reads past the end of a short text. */
static const char *hex_take(const char *text, uint8_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int hi = digit_of(text[0]);
    int lo = hi < 0 ? -1 : digit_of(text[1]);
    if (lo < 0) return NULL;
    out[i] = (uint8_t)(hi << 4 | lo);
    text += 2;
  }
  return text;
}

int ov_unhex(const char *text, uint8_t *out, size_t n) {
  const char *rest = hex_take(text, out, n);
  return rest && *rest == '\0' ? 0 : OV_E_INVALID;
}

/* PROTO-18 */
void ov_name_text(const ov_name *n, char out[OV_NAME_TEXT_MAX]) {
  char writer[2 * OV_ID_BYTES + 1], tag[2 * OV_TAG_BYTES + 1];
  ov_hex(n->writer.b, OV_ID_BYTES, writer);
  ov_hex(n->tag, OV_TAG_BYTES, tag);
  snprintf(out, OV_NAME_TEXT_MAX, "%s-%" PRIu64 "-%s", writer, n->seq, tag);
}

/* One text for one name: no leading zero, sign or space. */
static const char *seq_take(const char *text, uint64_t *seq) {
  *seq = 0;
  if (*text < '1' || *text > '9') return NULL;
  for (; *text >= '0' && *text <= '9'; text++) {
    *seq = *seq * 10 + (uint64_t)(*text - '0');
    if (*seq > OV_SEQ_MAX) return NULL;
  }
  return text;
}

int ov_name_parse(const char *text, ov_name *n) {
  ov_name name;
  const char *p = hex_take(text, name.writer.b, OV_ID_BYTES);
  if (p) p = *p == '-' ? seq_take(p + 1, &name.seq) : NULL;
  if (!p || *p != '-' || ov_unhex(p + 1, name.tag, OV_TAG_BYTES) != 0) return OV_E_INVALID;
  *n = name;
  return 0;
}
