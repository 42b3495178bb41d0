/* One target for every decoder of proto/: the first byte says which, the rest is its input. What decodes is
 * encoded again: an encoder must take what its decoder gave. */
#include <stdlib.h>
#include <string.h>

#include "ov/peer.h"
#include "ov/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

typedef struct bench {
  ov_arena arena;
  ov_buf out;
  ov_packer *packer;
} bench;

static void fuzz_rows(bench *b, bool named, const uint8_t *p, size_t n)
{
  ov_rows_ctx c = {
      .named = named, .writer = {{1}}, .server = {{2}}, .first_seq = 41, .base_time = 1763800000};
  ov_op *ops;
  size_t n_ops;
  if (ov_rows_decode(&c, p, n, &b->arena, &ops, &n_ops))
    return;
  for (size_t i = 0; i < n_ops; i++) {
    ops[i].name.tag[0] = named ? ops[i].name.tag[0] : (uint8_t)(i + 1);
    if (ov_rows_resolve(&c, ops, i))
      return;
  }
  ov_record r;
  if (named && n_ops)
    (void)ov_record_from_rows(ops, n_ops, &b->arena, &r);
}

static void fuzz_op(bench *b, bool header, const uint8_t *p, size_t n)
{
  ov_op op = {.name = {.seq = 1}, .kind = 1};
  int err = header ? ov_op_header_decode(p, n, &op) : ov_op_payload_decode(p, n, &b->arena, &op);
  if (err)
    return;
  op.header_bytes = op.payload_bytes = NULL;
  if (header)
    ov_op_header_encode(&op, &b->out);
  else
    ov_op_payload_encode(&op, &b->out);
  if (b->out.n != n || memcmp(b->out.p, p, n))
    abort(); /* a canonical encoding has one form */
}

static void fuzz_record(bench *b, const uint8_t *p, size_t n)
{
  ov_record r;
  if (ov_record_decode(p, n, &b->arena, &r))
    return;
  ov_record_encode(&r, &b->out);
  if (b->out.n != n || memcmp(b->out.p, p, n))
    abort();
}

static void fuzz_peer(bench *b, ov_role role, const uint8_t *p, size_t n)
{
  ov_peer *peer = ov_peer_new(role, b->packer);
  ov_id server = {{2}};
  ov_msg *m;
  if (!peer)
    return;
  ov_peer_set_server(peer, &server);
  /* frames, each behind its length in two bytes */
  while (n >= 2) {
    size_t k = (size_t)p[0] << 8 | p[1];
    k = k > n - 2 ? n - 2 : k;
    if (ov_peer_feed(peer, p + 2, k, &m))
      break;
    p += 2 + k;
    n -= 2 + k;
  }
  ov_peer_free(peer);
}

static void fuzz_message(bench *b, const uint8_t *p, size_t n)
{
  ov_rows_ctx c = {.named = true, .writer = {{2}}, .server = {{2}}};
  ov_msg m;
  (void)ov_msg_decode(p, n, &c, &b->arena, &m);
}

static void fuzz_schema(const uint8_t *p, size_t n)
{
  char why[OV_ERROR_TEXT_MAX];
  ov_schemas *s = ov_schemas_new();
  if (s)
    (void)ov_schemas_add(s, p, n, why);
  ov_schemas_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
  static ov_packer *packer;
  if (n < 1)
    return 0;
  packer = packer ? packer : ov_packer_new();
  bench b = {.packer = packer};
  ov_arena_init(&b.arena, OV_DECODE_ARENA_BYTES_MAX);
  ov_buf_init(&b.out, 0);
  switch (p[0] % 9) {
  case 0: fuzz_message(&b, p + 1, n - 1); break;
  case 1: fuzz_peer(&b, OV_CLIENT, p + 1, n - 1); break;
  case 2: fuzz_peer(&b, OV_SERVER, p + 1, n - 1); break;
  case 3: fuzz_op(&b, true, p + 1, n - 1); break;
  case 4: fuzz_op(&b, false, p + 1, n - 1); break;
  case 5: fuzz_rows(&b, true, p + 1, n - 1); break;
  case 6: fuzz_rows(&b, false, p + 1, n - 1); break;
  case 7: fuzz_record(&b, p + 1, n - 1); break;
  default: fuzz_schema(p + 1, n - 1); break;
  }
  ov_buf_free(&b.out);
  ov_arena_free(&b.arena);
  return 0;
}
