/* MessagePack reader with a sticky error: after the first error every read is a no-op giving zero, so that a
 * decoder reads like the schema and checks once at the end. The bytes are pre-scanned first: children <=
 * bytes left, depth, object count, no ext, float, 0xc1, truncation or trailing bytes; so no read here can run
 * off the end. Strings and bins are borrowed. */
#ifndef OV_MP_READ_H
#define OV_MP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ov/name.h"

typedef enum ov_mp_type {
  OV_MP_END,
  OV_MP_NIL,
  OV_MP_BOOL,
  OV_MP_INT,
  OV_MP_STR,
  OV_MP_BIN,
  OV_MP_ARRAY,
  OV_MP_MAP
} ov_mp_type;

typedef struct ov_mpr {
  const uint8_t *p, *end;
  int err; /* 0 or the first error */
  /* demand shortest integers and lengths (OV_E_FORMAT otherwise); off after init, set for canonical parts */
  bool shortest;
} ov_mpr;

/* One object that fills the bytes exactly. 0, OV_E_FORMAT (also for too deep nesting) or OV_E_LIMIT (more
 * than objects_max objects, each element, key and container being one). Iterative; needs no memory. */
int ov_mp_prescan(const uint8_t *p, size_t n, size_t objects_max);
/* Pre-scans and sets the reader at the first object; on error the reader is stuck with it. */
void ov_mpr_init(ov_mpr *r, const uint8_t *p, size_t n);
/* For bytes already scanned as part of a larger object, or a sequence of objects written by this program.
 * Reads check their bounds all the same, so damaged bytes give OV_E_FORMAT. */
void ov_mpr_init_scanned(ov_mpr *r, const uint8_t *p, size_t n);
ov_mp_type ov_mpr_peek(const ov_mpr *r);
/* Counts of children (a map gives pairs), never more than bytes are left: safe to allocate by. */
uint32_t ov_mpr_array(ov_mpr *r);
uint32_t ov_mpr_map(ov_mpr *r);
/* An array of exactly n, else OV_E_FORMAT. */
void ov_mpr_array_of(ov_mpr *r, uint32_t n);
int64_t ov_mpr_int(ov_mpr *r);                            /* full int64 range; above is OV_E_FORMAT */
int64_t ov_mpr_int_in(ov_mpr *r, int64_t lo, int64_t hi); /* outside is OV_E_FORMAT */
uint64_t ov_mpr_uint(ov_mpr *r, uint64_t max);
bool ov_mpr_bool(ov_mpr *r);
/* true and consumed if nil is next; else false, nothing read */
bool ov_mpr_nil(ov_mpr *r);
/* must be valid UTF-8 without U+0000, else OV_E_FORMAT */
const uint8_t *ov_mpr_str(ov_mpr *r, uint32_t *n);
const uint8_t *ov_mpr_bin(ov_mpr *r, uint32_t *n);
void ov_mpr_bytes(ov_mpr *r, uint8_t *out, uint32_t n); /* a bin of exactly n bytes */
void ov_mpr_name(ov_mpr *r, ov_name *out);              /* a bin of 28 bytes, seq 1..OV_SEQ_MAX */
/* Start and length of the next object, which is skipped; borrowed. */
const uint8_t *ov_mpr_raw(ov_mpr *r, size_t *n);
void ov_mpr_skip(ov_mpr *r);
void ov_mpr_fail(ov_mpr *r, int err);
/* 0 if no error and everything was read; OV_E_FORMAT if bytes are left. */
int ov_mpr_done(const ov_mpr *r);
/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF, no U+0000)? */
bool ov_utf8_valid(const uint8_t *p, size_t n);

#endif
