#include "ov/mp_write.h"

#include <msgpack/pack.h>
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"

#define BUF_BYTES_MAX_DEFAULT ((size_t)64 << 20)
#define BUF_BYTES_FIRST ((size_t)256)

void ov_buf_init(ov_buf *b, size_t max) { *b = (ov_buf){.max = max}; }

void ov_buf_free(ov_buf *b) {
  free(b->p);
  *b = (ov_buf){.max = b->max};
}

void ov_buf_reset(ov_buf *b) {
  b->n = 0;
  b->err = 0;
}

static bool buf_reserve(ov_buf *b, size_t more) {
  if (b->err) return false;
  size_t max = b->max ? b->max : BUF_BYTES_MAX_DEFAULT;
  if (more > max - b->n) {
    b->err = OV_E_LIMIT;
    return false;
  }
  if (b->p && more <= b->cap - b->n) return true;
  size_t cap = b->cap ? 2 * b->cap : BUF_BYTES_FIRST;
  if (cap < b->n + more) cap = b->n + more;
  if (cap > max) cap = max;
  uint8_t *p = realloc(b->p, cap);
  if (!p) {
    b->err = OV_E_NOMEM;
    return false;
  }
  b->p = p;
  b->cap = cap;
  return true;
}

uint8_t *ov_buf_grow(ov_buf *b, size_t n) {
  if (!buf_reserve(b, n)) return NULL;
  uint8_t *at = b->p + b->n;
  b->n += n;
  return at;
}

void ov_buf_put(ov_buf *b, const void *p, size_t n) {
  uint8_t *at = ov_buf_grow(b, n);
  if (at && n) memcpy(at, p, n);
}

void ov_buf_u8(ov_buf *b, uint8_t v) { ov_buf_put(b, &v, 1); }

void ov_buf_varint(ov_buf *b, uint64_t v) {
  uint8_t out[10];
  size_t n = 0;
  for (; v > 0x7f; v >>= 7) out[n++] = (uint8_t)(v | 0x80);
  out[n++] = (uint8_t)v;
  ov_buf_put(b, out, n);
}

/* msgpack-c's packer picks the shortest form of every integer and length by itself. Errors stick in the
 * buffer, so what its functions return says nothing new. */
static int packer_write(void *buf, const char *p, size_t n) {
  ov_buf_put(buf, p, n);
  return 0;
}

static msgpack_packer packer_of(ov_buf *b) {
  msgpack_packer k;
  msgpack_packer_init(&k, b, packer_write);
  return k;
}

void ov_mpw_nil(ov_buf *b) {
  msgpack_packer k = packer_of(b);
  msgpack_pack_nil(&k);
}

void ov_mpw_bool(ov_buf *b, bool v) {
  msgpack_packer k = packer_of(b);
  if (v) msgpack_pack_true(&k);
  else msgpack_pack_false(&k);
}

void ov_mpw_int(ov_buf *b, int64_t v) {
  msgpack_packer k = packer_of(b);
  msgpack_pack_int64(&k, v);
}

void ov_mpw_uint(ov_buf *b, uint64_t v) {
  msgpack_packer k = packer_of(b);
  msgpack_pack_uint64(&k, v);
}

/* Asked before the head is written, so that a body that does not fit leaves no head behind either. */
static bool body_fits(ov_buf *b, size_t n) {
  if (n > UINT32_MAX && !b->err) b->err = OV_E_LIMIT;
  return buf_reserve(b, n);
}

void ov_mpw_str(ov_buf *b, const void *p, size_t n) {
  msgpack_packer k = packer_of(b);
  if (!body_fits(b, n)) return;
  msgpack_pack_str(&k, n);
  ov_buf_put(b, p, n);
}

void ov_mpw_cstr(ov_buf *b, const char *s) { ov_mpw_str(b, s, strlen(s)); }

void ov_mpw_bin(ov_buf *b, const void *p, size_t n) {
  msgpack_packer k = packer_of(b);
  if (!body_fits(b, n)) return;
  msgpack_pack_bin(&k, n);
  ov_buf_put(b, p, n);
}

void ov_mpw_array(ov_buf *b, uint32_t n) {
  msgpack_packer k = packer_of(b);
  msgpack_pack_array(&k, n);
}

void ov_mpw_map(ov_buf *b, uint32_t n) {
  msgpack_packer k = packer_of(b);
  msgpack_pack_map(&k, n);
}

void ov_mpw_name(ov_buf *b, const ov_name *n) {
  uint8_t bytes[OV_NAME_BYTES];
  ov_name_write(n, bytes);
  ov_mpw_bin(b, bytes, sizeof bytes);
}
