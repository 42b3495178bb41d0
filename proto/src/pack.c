/* Frames: a mode byte and the message, plain or as raw DEFLATE with a preset dictionary. A message begins with what compresses
 * (structure, text) and ends with what does not (tags, hashes, signatures, range-coded columns), so the packer looks for the
 * place where one stored block for the rest is shorter than one code for everything. Any inflater reads the result. */
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "dict1.h"
#include "ov/rows.h"

enum { MODE_PLAIN = 0, MODE_DICT1 = 1 };

#define WINDOW_BITS 15
#define MEM_LEVEL 9
#define LEVEL 9
/* A stored block costs at most this beyond its bytes: header bits, the rest of a byte, two lengths. */
#define STORED_BLOCK_BYTES 5u
/* Shorter rests are not worth a block of their own. */
#define REST_BYTES_MIN 12u

struct ov_packer {
  z_stream deflate, inflate;
  bool deflate_ready, inflate_ready;
  ov_buf tries[2];
};

ov_packer *ov_packer_new(void)
{
  ov_packer *k = calloc(1, sizeof *k);
  if (!k)
    return NULL;
  k->deflate_ready = deflateInit2(&k->deflate, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
  k->inflate_ready = inflateInit2(&k->inflate, -WINDOW_BITS) == Z_OK;
  if (k->deflate_ready && k->inflate_ready)
    return k;
  ov_packer_free(k);
  return NULL;
}

void ov_packer_free(ov_packer *k)
{
  if (!k)
    return;
  if (k->deflate_ready)
    deflateEnd(&k->deflate);
  if (k->inflate_ready)
    inflateEnd(&k->inflate);
  ov_buf_free(&k->tries[0]);
  ov_buf_free(&k->tries[1]);
  free(k);
}

/* -- packing ------------------------------------------------------------------------------------------------ */

/* log2(n) in 1/256, by interpolation: good to a hundredth of a bit. */
static uint32_t log2_256(uint32_t n)
{
  unsigned top = 31u - (unsigned)__builtin_clz(n | 1u);
  uint64_t fraction = (((uint64_t)n << 16) >> top) - 65536; /* 0..1 in 1/65536 */
  uint64_t bend = fraction * (65536 - fraction) >> 16;
  return top * 256 + (uint32_t)((fraction + bend * 22 / 64) >> 8);
}

/* Where to cut: the prefix costs its bytes' entropy (matches only make it cheaper), the rest eight bits a byte. */
static size_t find_cut(const uint8_t *p, size_t n)
{
  uint32_t count[256] = {0};
  uint64_t sum = 0, best = UINT64_MAX; /* sum of count * log2(count) */
  size_t cut = n;
  for (size_t i = 0; i < n; i++) {
    uint32_t c = count[p[i]]++;
    sum += (uint64_t)(c + 1) * log2_256(c + 1) - (uint64_t)c * (c ? log2_256(c) : 0);
    uint64_t cost = (uint64_t)(i + 1) * log2_256((uint32_t)i + 1) - sum + (uint64_t)(n - i - 1) * 8 * 256;
    if (cost < best) {
      best = cost;
      cut = i + 1;
    }
  }
  return cut;
}

/* Deflates p, the bytes from cut on as stored blocks. Gives the number of bytes in out, which is reset first. */
static int try_pack(ov_packer *k, const uint8_t *p, size_t n, size_t cut, int strategy, ov_buf *out)
{
  z_stream *z = &k->deflate;
  ov_buf_reset(out);
  uint8_t *to = ov_buf_grow(out, deflateBound(z, (uLong)n) + 64);
  if (!to)
    return out->err;
  if (deflateReset(z) != Z_OK || deflateParams(z, LEVEL, strategy) != Z_OK ||
      deflateSetDictionary(z, ov_dict1, OV_DICT1_BYTES) != Z_OK)
    return OV_E_INTERNAL;
  z->next_out = to;
  z->avail_out = (uInt)out->n;
  z->next_in = p;
  z->avail_in = (uInt)cut;
  if (cut < n) {
    if (deflate(z, Z_NO_FLUSH) != Z_OK || deflateParams(z, 0, strategy) != Z_OK)
      return OV_E_INTERNAL;
    z->next_in = p + cut;
    z->avail_in = (uInt)(n - cut);
  }
  if (deflate(z, Z_FINISH) != Z_STREAM_END)
    return OV_E_INTERNAL;
  out->n -= z->avail_out;
  return 0;
}

static int keep_shorter(ov_packer *k, int *best, const uint8_t *p, size_t n, size_t cut, int strategy)
{
  int other = *best == 0;
  int err = try_pack(k, p, n, cut, strategy, &k->tries[other]);
  if (!err && (*best < 0 || k->tries[other].n < k->tries[*best].n))
    *best = other;
  return err;
}

int ov_frame_pack(ov_packer *k, const uint8_t *p, size_t n, ov_buf *out)
{
  size_t cut = n ? find_cut(p, n) : 0;
  int best = -1, err = keep_shorter(k, &best, p, n, n, Z_DEFAULT_STRATEGY);
  if (!err && n - cut >= REST_BYTES_MIN)
    err = keep_shorter(k, &best, p, n, cut, Z_DEFAULT_STRATEGY);
  if (!err && n - cut >= REST_BYTES_MIN)
    err = keep_shorter(k, &best, p, n, cut, Z_FILTERED);
  if (err)
    return err;
  bool plain = k->tries[best].n >= n;
  ov_buf_u8(out, plain ? MODE_PLAIN : MODE_DICT1);
  ov_buf_put(out, plain ? p : k->tries[best].p, plain ? n : k->tries[best].n);
  return out->err;
}

/* -- unpacking ---------------------------------------------------------------------------------------------- */

static int unpack_plain(const uint8_t *p, size_t n, size_t max, ov_buf *out)
{
  if (n > max)
    return OV_E_LIMIT;
  ov_buf_put(out, p, n);
  return out->err;
}

/* Inflates in steps, so that a small frame takes little memory and a bomb no more than max. */
static int unpack_deflate(ov_packer *k, const uint8_t *p, size_t n, size_t max, ov_buf *out)
{
  z_stream *z = &k->inflate;
  if (inflateReset(z) != Z_OK || inflateSetDictionary(z, ov_dict1, OV_DICT1_BYTES) != Z_OK)
    return OV_E_INTERNAL;
  size_t start = out->n;
  z->next_in = p;
  z->avail_in = (uInt)n;
  for (int r = Z_OK; r != Z_STREAM_END;) {
    size_t done = out->n - start, room = done < 4096 ? 4096 : done;
    if (done > max)
      return OV_E_LIMIT;
    if (room > max + 1 - done) /* one byte more than allowed tells a bomb from an exact fit */
      room = max + 1 - done;
    uint8_t *to = ov_buf_grow(out, room);
    if (!to)
      return out->err;
    z->next_out = to;
    z->avail_out = (uInt)room;
    r = inflate(z, Z_NO_FLUSH);
    out->n -= z->avail_out;
    if (r != Z_OK && r != Z_STREAM_END)
      return r == Z_MEM_ERROR ? OV_E_NOMEM : OV_E_FORMAT;
    if (r == Z_OK && z->avail_out > 0 && z->avail_in == 0)
      return OV_E_FORMAT; /* cut short */
  }
  if (out->n - start > max)
    return OV_E_LIMIT;
  return z->avail_in ? OV_E_FORMAT : 0;
}

int ov_frame_unpack(ov_packer *k, const uint8_t *p, size_t n, size_t max, ov_buf *out)
{
  if (n < 1 || n > OV_WS_MESSAGE_BYTES_MAX)
    return n ? OV_E_LIMIT : OV_E_FORMAT;
  size_t start = out->n;
  int err = OV_E_FORMAT;
  if (p[0] == MODE_PLAIN)
    err = unpack_plain(p + 1, n - 1, max, out);
  else if (p[0] == MODE_DICT1)
    err = unpack_deflate(k, p + 1, n - 1, max, out);
  if (err && out->n > start)
    out->n = start;
  return err;
}
