/* Rows: ops side by side, turned into columns so that deflate sees like beside like. Used by PUSH (ops of one
 * writer with consecutive seqs, tags left out: the receiver computes them) and by DELTA (fragments of
 * records, names given). Schema-free: an op of an unknown kind passes through. Ops that cannot be transposed
 * travel verbatim, length-delimited. */
#ifndef OV_ROWS_H
#define OV_ROWS_H

#include "ov/op.h"

typedef struct ov_rows_ctx {
  /* false: PUSH form; name = (writer, first_seq + i), tags unknown. true: each row carries its name */
  bool named;
  /* PUSH: the log's writer (index 0 of the table, not sent). DELTA: the server's own writer */
  ov_id writer;
  uint64_t first_seq; /* PUSH only */
  /* writer id of the server log: index 1, not sent. PUSH: as HELLO named it, zero when it named none */
  ov_id server;
  /* seconds; times travel relative to it: HELLO's time on PUSH, DELTA's own time on DELTA */
  int64_t base_time;
} ov_rows_ctx;

/* Appends the encoding (one bin-able byte string) of n ops. In PUSH form a row may refer to rows of the same
 * push by seq; their tags must be set already (the sender has chained them) and are not sent. 0 or error. */
int ov_rows_encode(const ov_rows_ctx *c, const ov_op *ops, size_t n, ov_buf *out);
/* Inverse. In PUSH form names of this very push (record, participant, author, replaces) come back with a zero
 * tag and seq >= first_seq and must be completed by ov_rows_resolve while chaining. OV_E_FORMAT / OV_E_LIMIT:
 * the frame is broken. A broken payload of one verbatim row sets that op's payload_err and does not fail. */
int ov_rows_decode(const ov_rows_ctx *c, const uint8_t *p, size_t n, ov_arena *a, ov_op **ops, size_t *n_ops);
/* Completes the tags of references in ops[i] to ops[0..i) of the same push; call in order, ops[0..i) being
 * chained. */
int ov_rows_resolve(const ov_rows_ctx *c, ov_op *ops, size_t i);

/* Frames: mode byte 0 = plain, 1 = raw DEFLATE with preset dictionary 1 (server and client texts of the
 * schemas and plain Dutch). The window starts afresh with each frame. A packer keeps its zlib state between
 * frames; one per thread or connection. */
typedef struct ov_packer ov_packer;
ov_packer *ov_packer_new(void);
void ov_packer_free(ov_packer *k);
/* Appends mode byte and body, whichever is smaller. */
int ov_frame_pack(ov_packer *k, const uint8_t *p, size_t n, ov_buf *out);
/* Appends at most max bytes of the message; OV_E_LIMIT when it would be more (a bomb), OV_E_FORMAT when it is
 * no frame. */
int ov_frame_unpack(ov_packer *k, const uint8_t *p, size_t n, size_t max, ov_buf *out);

#endif
