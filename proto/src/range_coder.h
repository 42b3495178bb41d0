/* An adaptive binary range coder that runs in both directions: each function takes the value to encode and
 * gives the value that was coded, so that one description of a format serves the encoder and the decoder and
 * they cannot differ. In OV_RC_COUNT nothing is written, only the cost is added up. Integer arithmetic only,
 * exact in 53-bit floating point. Byte layout and model rules stand at the top of rows_encode.c. */
#ifndef OV_RANGE_CODER_H
#define OV_RANGE_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ov/mp_write.h"

typedef enum ov_rc_mode { OV_RC_ENCODE, OV_RC_DECODE, OV_RC_COUNT } ov_rc_mode;

typedef struct ov_rc {
  ov_rc_mode mode;
  uint32_t range;
  /* encoder */
  ov_buf *out;
  uint64_t low, pending;
  uint8_t cache;
  bool started;
  size_t out_start;
  /* decoder: bytes after the end read as zero */
  const uint8_t *p, *end;
  uint32_t code;
  /* counter: 1/256 bits */
  uint64_t cost;
  int err; /* 0 or the first error */
} ov_rc;

/* A bit's model: the probability of 0 in 1/32768 and how often it was seen. All zero means not yet used. */
typedef struct ov_rc_bit {
  uint16_t p;
  uint8_t n;
} ov_rc_bit;

/* An unsigned number of any size: a class for its length in bits, then the bits below the top one. */
#define OV_RC_NUM_CLASSES 16
typedef struct ov_rc_num {
  ov_rc_bit cls[OV_RC_NUM_CLASSES], top[OV_RC_NUM_CLASSES];
} ov_rc_num;

/* Symbols of an alphabet up to this many bits have a model for each node of their tree; lower bits are coded
 * flat. */
#define OV_RC_TREE_BITS 8u

void ov_rc_encode_init(ov_rc *rc, ov_buf *out);
void ov_rc_encode_end(ov_rc *rc);
void ov_rc_decode_init(ov_rc *rc, const uint8_t *p, size_t n);
/* 0, the error, or OV_E_FORMAT when bytes are left that no encoder would have written. */
int ov_rc_decode_end(const ov_rc *rc);
void ov_rc_count_init(ov_rc *rc);
void ov_rc_fail(ov_rc *rc, int err);

bool ov_rc_bool(ov_rc *rc, ov_rc_bit *b, bool v);
/* v of n flat bits, n up to 64. */
uint64_t ov_rc_flat(ov_rc *rc, uint64_t v, unsigned n);
/* v in 0..2^n-1 with a model for each node; nodes has 2^n entries. */
unsigned ov_rc_tree(ov_rc *rc, ov_rc_bit *nodes, unsigned v, unsigned n);
/* v in 0..max; nodes has ov_rc_symbol_nodes(max) entries. Starts evenly spread over 0..max. */
uint64_t ov_rc_symbol(ov_rc *rc, ov_rc_bit *nodes, uint64_t max, uint64_t v);
size_t ov_rc_symbol_nodes(uint64_t max);
uint64_t ov_rc_uint(ov_rc *rc, ov_rc_num *m, uint64_t v);
int64_t ov_rc_sint(ov_rc *rc, ov_rc_num *m, int64_t v);
/* The slot [at, at+width) of total (at most 2^16), not while counting. A decoder asks first where it stands,
 * then takes the slot. */
uint32_t ov_rc_slot_find(ov_rc *rc, uint32_t total);
void ov_rc_slot(ov_rc *rc, uint32_t at, uint32_t width, uint32_t total);
/* How many bits v has; 0 for 0. */
unsigned ov_rc_bits(uint64_t v);

#endif
