/* A bounded bump allocator: what a decode makes lives until the arena is reset or freed. Not thread safe. */
#ifndef OV_ARENA_H
#define OV_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct ov_arena_block ov_arena_block;
typedef struct ov_arena {
  ov_arena_block *blocks;
  size_t used; /* bytes handed out since the last reset */
  size_t max;  /* never hands out more than this */
} ov_arena;

/* max: bytes, above it allocations fail. Allocates nothing yet. */
void ov_arena_init(ov_arena *a, size_t max);
/* Zeroed memory, 16-byte aligned, or NULL when out of memory or over max. n may be 0. */
void *ov_arena_alloc(ov_arena *a, size_t n);
/* Like calloc: count*size checked for overflow. */
void *ov_arena_array(ov_arena *a, size_t count, size_t size);
/* A copy of n bytes, or NULL. */
void *ov_arena_dup(ov_arena *a, const void *p, size_t n);
/* Forgets everything handed out, keeps one block for reuse. */
void ov_arena_reset(ov_arena *a);
/* Frees all; the arena may be used again. */
void ov_arena_free(ov_arena *a);

#endif
