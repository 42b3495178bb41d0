/* Files of a release in the store: cut into pieces when it is made, read piece by piece for ever after. Who
 * sends one holds no more of it than the piece under way. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "export_priv.h"

/* A piece is more than the network sends at once, and is opened in some 20 microseconds. */
#define PIECE_BYTES 32768u
/* Parts of one file: its head, then its pieces, then those of its gzip form. */
#define PIECES_MAX (SV_EXPORT_BYTES_MAX / PIECE_BYTES)
#define FILE_PARTS (1u + 2u * PIECES_MAX)
_Static_assert(SV_EXPORT_BYTES_MAX % PIECE_BYTES == 0, "the last piece of the largest file");

static uint32_t head_part(unsigned dataset, sv_format f) {
  return PART_FILES + (dataset * SV_FORMAT_COUNT + (unsigned)f) * FILE_PARTS;
}

static uint32_t piece_part(uint32_t head, bool gzip, uint64_t i) {
  return head + 1u + (gzip ? PIECES_MAX : 0) + (uint32_t)i;
}

/* -- making ---------------------------------------------------------------------------------------------- */

/* No name and no time in its header: the same bytes each time. Left empty where it would not be smaller. */
static int compress_file(const ov_buf *b, ov_buf *out) {
  z_stream z = {0};
  if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return OV_E_NOMEM;
  size_t room = deflateBound(&z, b->n);
  uint8_t *p = ov_buf_grow(out, room);
  z.next_in = b->p;
  z.avail_in = (uInt)b->n;
  z.next_out = p;
  z.avail_out = (uInt)room;
  bool whole = p && deflate(&z, Z_FINISH) == Z_STREAM_END;
  out->n = whole && z.total_out < b->n ? z.total_out : 0;
  deflateEnd(&z);
  return p ? 0 : OV_E_NOMEM;
}

static int put_pieces(sv_txn *t, uint32_t number, uint32_t head, bool gzip, const ov_buf *b) {
  int err = 0;
  for (size_t at = 0; !err && at < b->n; at += PIECE_BYTES) {
    size_t n = b->n - at < PIECE_BYTES ? b->n - at : PIECE_BYTES;
    err = sv_release_put(t, number, piece_part(head, gzip, at / PIECE_BYTES), b->p + at, n);
  }
  return err;
}

int exp_file_close(exp_file *f) {
  uint8_t h[OV_HASH_BYTES];
  unsigned n = 0;
  if (f->bytes.err) return f->bytes.err;
  if (f->bytes.n > SV_EXPORT_BYTES_MAX) return OV_E_LIMIT;
  if (!EVP_Digest(f->bytes.p, f->bytes.n, h, &n, EVP_sha256(), NULL)) return OV_E_CRYPTO;
  memcpy(f->hash.b, h, sizeof f->hash.b);
  ov_buf_init(&f->gzip, 0);
  return compress_file(&f->bytes, &f->gzip);
}

int exp_file_put(sv_txn *t, uint32_t number, const exp_file *f) {
  uint32_t head = head_part(f->dataset, f->format);
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 3);
  ov_mpw_uint(&b, f->bytes.n);
  ov_mpw_uint(&b, f->gzip.n);
  ov_mpw_bin(&b, f->hash.b, OV_HASH_BYTES);
  int err = b.err ? b.err : sv_release_put(t, number, head, b.p, b.n);
  ov_buf_free(&b);
  if (!err) err = put_pieces(t, number, head, false, &f->bytes);
  return err ? err : put_pieces(t, number, head, true, &f->gzip);
}

/* -- reading --------------------------------------------------------------------------------------------- */

static int read_head(sv_export_file *x, uint64_t *plain, uint64_t *gzip, ov_hash *hash) {
  sv_txn *t = NULL;
  ov_buf b;
  ov_mpr r;
  ov_buf_init(&b, 0);
  int err = sv_txn_read(x->programme->env, &t);
  if (!err) err = sv_release_get(t, x->number, x->part, &b);
  sv_txn_abort(t);
  ov_mpr_init_scanned(&r, b.p, b.n);
  ov_mpr_array_of(&r, 3);
  *plain = ov_mpr_uint(&r, SV_EXPORT_BYTES_MAX);
  *gzip = ov_mpr_uint(&r, SV_EXPORT_BYTES_MAX);
  ov_mpr_bytes(&r, hash->b, OV_HASH_BYTES);
  if (!err && ov_mpr_done(&r)) err = OV_E_CORRUPT;
  ov_buf_free(&b);
  return err;
}

int sv_export_open(sv_org *programme, const char *release, const char *dataset, sv_format f, bool gzip_ok,
                   sv_export_file *x) {
  uint64_t plain = 0, gzip = 0;
  ov_hash hash = {{0}};
  unsigned d = exp_dataset_index(dataset);
  *x = (sv_export_file){.programme = programme};
  if (!sv_export_has(dataset, f)) return OV_E_INVALID;
  if (sv_release_number(release, &x->number)) return OV_E_NOTFOUND;
  x->part = head_part(d, f);
  snprintf(x->file_name, sizeof x->file_name,
           strcmp(dataset, "datapackage") ? "overdracht-%s-%s.%s" : "datapackage.json", release, dataset,
           sv_format_name(f));
  int err = read_head(x, &plain, &gzip, &hash);
  if (err) return err;
  x->gzip = gzip_ok && gzip;
  x->bytes = x->gzip ? gzip : plain;
  x->etag[0] = '"';
  ov_hex(hash.b, OV_HASH_BYTES, x->etag + 1);
  memcpy(x->etag + 1 + 2 * OV_HASH_BYTES, x->gzip ? "-gz\"" : "\"", x->gzip ? 5 : 2);
  return 0;
}

int sv_export_read(const sv_export_file *x, uint64_t offset, uint8_t *to, size_t max, size_t *n) {
  sv_txn *t = NULL;
  ov_buf b;
  *n = 0;
  if (offset >= x->bytes) return 0;
  ov_buf_init(&b, 0);
  size_t from = (size_t)(offset % PIECE_BYTES);
  int err = sv_txn_read(x->programme->env, &t);
  if (!err) err = sv_release_get(t, x->number, piece_part(x->part, x->gzip, offset / PIECE_BYTES), &b);
  sv_txn_abort(t);
  uint64_t left = x->bytes - (offset - from);
  if (err == OV_E_NOTFOUND || (!err && b.n != (left < PIECE_BYTES ? left : PIECE_BYTES))) err = OV_E_CORRUPT;
  if (!err) *n = b.n - from < max ? b.n - from : max;
  if (*n) memcpy(to, b.p + from, *n);
  ov_buf_free(&b);
  return err;
}
