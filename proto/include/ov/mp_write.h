/* MessagePack writer with a sticky error over a growing buffer; always writes the shortest form, so that
 * equal content gives equal bytes. */
#ifndef OV_MP_WRITE_H
#define OV_MP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ov/name.h"

typedef struct ov_buf {
  uint8_t *p;
  size_t n, cap, max; /* max: over it appends fail with OV_E_LIMIT; 0 means 64 MiB */
  /* 0 or the first error: OV_E_LIMIT or OV_E_NOMEM; what was appended before it stays */
  int err;
} ov_buf;

void ov_buf_init(ov_buf *b, size_t max); /* empty; takes no memory yet */
void ov_buf_free(ov_buf *b);             /* may be called twice */
void ov_buf_reset(ov_buf *b);            /* n = 0, err = 0, memory kept */
void ov_buf_put(ov_buf *b, const void *p, size_t n);
/* Appends n bytes for the caller to fill (valid until the next append), or NULL with err set. */
uint8_t *ov_buf_grow(ov_buf *b, size_t n);
void ov_buf_u8(ov_buf *b, uint8_t v);
/* LEB128, 1..10 bytes. */
void ov_buf_varint(ov_buf *b, uint64_t v);

/* MessagePack in its shortest form. Containers take their count; the elements (of a map: keys and values in
 * turn) follow. */
void ov_mpw_nil(ov_buf *b);
void ov_mpw_bool(ov_buf *b, bool v);
void ov_mpw_int(ov_buf *b, int64_t v);
void ov_mpw_uint(ov_buf *b, uint64_t v);
void ov_mpw_str(ov_buf *b, const void *p, size_t n);
void ov_mpw_cstr(ov_buf *b, const char *s);
void ov_mpw_bin(ov_buf *b, const void *p, size_t n);
void ov_mpw_array(ov_buf *b, uint32_t n);
void ov_mpw_map(ov_buf *b, uint32_t n);
void ov_mpw_name(ov_buf *b, const ov_name *n);

#endif
