/* Ops and their bytes, for the tests of the codec and of validate. */
#ifndef OP_BYTES_H
#define OP_BYTES_H

#include "util.h"

#include "faults.h"
#include "ov/op.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define W "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define NAME(seq, tag) "c41c" W "00000000000000" seq tag
#define NAME_1 NAME("01", "a43fbf6f")
#define NAME_2 NAME("02", "8fb70871")

static inline ov_name name(uint64_t seq, uint8_t tag) {
  ov_name n = {.seq = seq, .tag = {tag}};
  for (uint8_t i = 0; i < OV_ID_BYTES; i++) n.writer.b[i] = (uint8_t)(0xa0 + i);
  return n;
}

/* ---- header ---- */

static inline int header_of(const char *hex, ov_op *op, ov_buf *b) {
  ov_buf_reset(b);
  put_hex(b, hex);
  *op = (ov_op){.name = name(9, 0)};
  return ov_op_header_decode(b->p, b->n, op);
}

/* ---- payload ---- */

typedef struct payload {
  ov_buf in;
  ov_arena arena;
  ov_op op;
} payload;

static inline void payload_init(payload *f) {
  ov_buf_init(&f->in, 0);
  ov_arena_init(&f->arena, OV_DECODE_ARENA_BYTES_MAX);
  f->op = (ov_op){.name = name(1, 0), .creates = true, .kind = 20};
}

static inline void payload_free(payload *f) {
  ov_buf_free(&f->in);
  ov_arena_free(&f->arena);
}

static inline int payload_of(payload *f, const char *hex) {
  ov_buf_reset(&f->in);
  ov_arena_reset(&f->arena);
  put_hex(&f->in, hex);
  f->op.payload_err = 77;
  return ov_op_payload_decode(f->in.p, f->in.n, &f->arena, &f->op);
}

static const char *good_payloads[] = {
    "92 80 90",
    "92 81 01 c0 90",
    "92 82 03 d09e 7f a6727573746967 90",
    "92 81 02 a0 91" NAME_1,
    "92 81 02 c400 92" NAME_1 NAME_2,
    "92 81 02 92 90 90 90",
    "92 81 02 92 93 e0 00 c40100 90 90",
    "92 81 02 92 90 92 c400 c40100 90",
    "92 81 02 92 92 01 05 93 02 03 06 90",
    "92 81 02 92 92 02 06 92 01 05 90",
    "92 81 02 92 dc0011 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 90 90",
    "92 81 02 cf7fffffffffffffff 90",
    "92 81 02 d38000000000000000 90",
    "92 de0010 01c0 02c0 03c0 04c0 05c0 06c0 07c0 08c0 09c0 0ac0 0bc0 0cc0 0dc0 0ec0 0fc0 10c0 90",
};

#endif
