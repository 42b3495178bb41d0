/* Frames: a mode byte and the message, plain or as raw DEFLATE with a preset dictionary. A message begins
 * with what compresses (structure, text) and ends with what does not (tags, hashes, signatures, range-coded
 * columns), so the packer looks for the place where one stored block for the rest is shorter than one code
 * for everything. Any inflater reads the result. */
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
/* A stored block costs up to 5 bytes beyond its own: shorter rests are not worth one. */
#define REST_BYTES_MIN 12u
/* Messages of ids, hashes and signatures gain nothing, so nobody spends time on deflating them. */
#define GAIN_BYTES_MIN 8
/* As many printable ASCII bytes in a row are text, not chance. */
#define TEXT_RUN_MIN 12u

struct ov_packer {
  z_stream deflate, inflate;
  bool deflate_ready, inflate_ready;
  ov_buf packed;
};

ov_packer *ov_packer_new(void) {
  ov_packer *k = calloc(1, sizeof *k);
  if (!k) return NULL;
  k->deflate_ready = deflateInit2(&k->deflate, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEM_LEVEL,
                                  Z_DEFAULT_STRATEGY) == Z_OK;
  k->inflate_ready = inflateInit2(&k->inflate, -WINDOW_BITS) == Z_OK;
  if (k->deflate_ready && k->inflate_ready) return k;
  ov_packer_free(k);
  return NULL;
}

void ov_packer_free(ov_packer *k) {
  if (!k) return;
  if (k->deflate_ready) deflateEnd(&k->deflate);
  if (k->inflate_ready) inflateEnd(&k->inflate);
  ov_buf_free(&k->packed);
  free(k);
}

/* -- packing -------------------------------------------------------------------------- */

/* log2(n) in 1/256, by interpolation: good to a hundredth of a bit. */
static uint32_t log2_256(uint32_t n) {
  unsigned top = 31u - (unsigned)__builtin_clz(n | 1u);
  uint64_t fraction = (((uint64_t)n << 16) >> top) - 65536; /* 0..1 in 1/65536 */
  uint64_t bend = fraction * (65536 - fraction) >> 16;
  return top * 256 + (uint32_t)((fraction + bend * 22 / 64) >> 8);
}

/* Where to cut. The bytes before it cost what an order-0 model that learns as it goes would pay, the rest
 * eight bits a byte; a run of text is always before it, since the dictionary may know it whatever its letters
 * cost. Gives 0 when nothing would be gained. */
static size_t find_cut(const uint8_t *p, size_t n) {
  uint32_t count[256] = {0};
  int64_t saved = 0, best = GAIN_BYTES_MIN * 8 * 256; /* in 1/256 bits */
  size_t cut = 0, run = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t *c = &count[p[i]];
    saved += 8 * 256 - ((int64_t)log2_256((uint32_t)i * 4 + 256) - log2_256(*c * 4 + 1));
    ++*c;
    run = p[i] >= 0x20 && p[i] < 0x7f ? run + 1 : 0;
    if (saved > best || run >= TEXT_RUN_MIN) cut = i + 1;
    if (saved > best) best = saved;
  }
  return cut;
}

/* Deflates p into k->packed, the bytes from cut on as stored blocks. PROTO-6, PROTO-7 */
static int deflate_from(ov_packer *k, const uint8_t *p, size_t n, size_t cut) {
  z_stream *z = &k->deflate;
  ov_buf *out = &k->packed;
  ov_buf_reset(out);
  uint8_t *to = ov_buf_grow(out, deflateBound(z, (uLong)n) + 64);
  if (!to) return out->err;
  if (deflateReset(z) != Z_OK || deflateParams(z, LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
      deflateSetDictionary(z, ov_dict1, OV_DICT1_BYTES) != Z_OK)
    return OV_E_INTERNAL;
  z->next_out = to;
  z->avail_out = (uInt)out->n;
  z->next_in = p;
  z->avail_in = (uInt)cut;
  if (cut < n) {
    if (deflate(z, Z_NO_FLUSH) != Z_OK || deflateParams(z, 0, Z_DEFAULT_STRATEGY) != Z_OK)
      return OV_E_INTERNAL;
    z->next_in = p + cut;
    z->avail_in = (uInt)(n - cut);
  }
  if (deflate(z, Z_FINISH) != Z_STREAM_END) return OV_E_INTERNAL;
  out->n -= z->avail_out;
  return 0;
}

/* PROTO-8 */
int ov_frame_pack(ov_packer *k, const uint8_t *p, size_t n, ov_buf *out) {
  size_t cut = find_cut(p, n);
  bool plain = cut == 0;
  if (n - cut < REST_BYTES_MIN) cut = n;
  int err = plain ? 0 : deflate_from(k, p, n, cut);
  if (err) return err;
  plain = plain || k->packed.n >= n;
  ov_buf_u8(out, plain ? MODE_PLAIN : MODE_DICT1);
  ov_buf_put(out, plain ? p : k->packed.p, plain ? n : k->packed.n);
  return out->err;
}

/* -- unpacking -------------------------------------------------------------------------- */

static int unpack_plain(const uint8_t *p, size_t n, size_t max, ov_buf *out) {
  if (n > max) return OV_E_LIMIT;
  ov_buf_put(out, p, n);
  return out->err;
}

/* Inflates in steps, so that a small frame takes little memory and a bomb no more than max.
 * PROTO-7, PROTO-9 */
static int unpack_deflate(ov_packer *k, const uint8_t *p, size_t n, size_t max, ov_buf *out) {
  z_stream *z = &k->inflate;
  if (inflateReset(z) != Z_OK || inflateSetDictionary(z, ov_dict1, OV_DICT1_BYTES) != Z_OK)
    return OV_E_INTERNAL;
  size_t start = out->n;
  z->next_in = p;
  z->avail_in = (uInt)n;
  for (int r = Z_OK; r != Z_STREAM_END;) {
    size_t done = out->n - start, room = done < 4096 ? 4096 : done;
    if (done > max) return OV_E_LIMIT;
    if (room > max + 1 - done) /* one byte more than allowed tells a bomb from an exact fit */
      room = max + 1 - done;
    uint8_t *to = ov_buf_grow(out, room);
    if (!to) return out->err;
    z->next_out = to;
    z->avail_out = (uInt)room;
    r = inflate(z, Z_NO_FLUSH);
    out->n -= z->avail_out;
    if (r != Z_OK && r != Z_STREAM_END) return r == Z_MEM_ERROR ? OV_E_NOMEM : OV_E_FORMAT;
    if (r == Z_OK && z->avail_out > 0 && z->avail_in == 0) return OV_E_FORMAT; /* cut short */
  }
  if (out->n - start > max) return OV_E_LIMIT;
  return z->avail_in ? OV_E_FORMAT : 0;
}

/* PROTO-9 */
int ov_frame_unpack(ov_packer *k, const uint8_t *p, size_t n, size_t max, ov_buf *out) {
  if (n < 1 || n > OV_WS_MESSAGE_BYTES_MAX) return n ? OV_E_LIMIT : OV_E_FORMAT;
  size_t start = out->n;
  int err = OV_E_FORMAT;
  if (p[0] == MODE_PLAIN) err = unpack_plain(p + 1, n - 1, max, out);
  else if (p[0] == MODE_DICT1) err = unpack_deflate(k, p + 1, n - 1, max, out);
  if (err && out->n > start) out->n = start;
  return err;
}
