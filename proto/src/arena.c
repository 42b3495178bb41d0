#include "ov/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t)16)
/* The first block holds what a small message needs; then blocks double, so that a large one costs few of
 * them, up to a size at which their unused ends would weigh more than the saved calls. */
#define BLOCK_BYTES_MIN ((size_t)2048)
#define BLOCK_BYTES_MAX ((size_t)262144)

struct ov_arena_block {
  ov_arena_block *next;
  size_t cap, used;
  alignas(16) uint8_t bytes[];
};

void ov_arena_init(ov_arena *a, size_t max) { *a = (ov_arena){.max = max}; }

static ov_arena_block *block_add(ov_arena *a, size_t need) {
  size_t cap = a->blocks ? a->blocks->cap * 2 : BLOCK_BYTES_MIN;
  if (cap > BLOCK_BYTES_MAX) cap = BLOCK_BYTES_MAX;
  if (cap < need) cap = need;
  ov_arena_block *b = malloc(sizeof *b + cap);
  if (!b) return NULL;
  *b = (ov_arena_block){.next = a->blocks, .cap = cap};
  a->blocks = b;
  return b;
}

void *ov_arena_alloc(ov_arena *a, size_t n) {
  size_t room = a->max - a->used;
  size_t need = n ? n : 1;
  if (need > room || room - need < -need % ALIGN) return NULL;
  need += -need % ALIGN;
  ov_arena_block *b = a->blocks;
  if (!b || b->cap - b->used < need) {
    b = block_add(a, need);
    if (!b) return NULL;
  }
  void *p = b->bytes + b->used;
  b->used += need;
  a->used += need;
  return memset(p, 0, need);
}

void *ov_arena_array(ov_arena *a, size_t count, size_t size) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return NULL;
  return ov_arena_alloc(a, n);
}

void *ov_arena_dup(ov_arena *a, const void *p, size_t n) {
  void *copy = ov_arena_alloc(a, n);
  if (copy && n) memcpy(copy, p, n);
  return copy;
}

static void blocks_free(ov_arena_block *b) {
  while (b) {
    ov_arena_block *next = b->next;
    free(b);
    b = next;
  }
}

/* The newest block is kept: it is the largest, or as large as one message once needed. */
void ov_arena_reset(ov_arena *a) {
  a->used = 0;
  if (!a->blocks) return;
  blocks_free(a->blocks->next);
  a->blocks->next = NULL;
  a->blocks->used = 0;
}

void ov_arena_free(ov_arena *a) {
  blocks_free(a->blocks);
  a->blocks = NULL;
  a->used = 0;
}
