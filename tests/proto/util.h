/* Small helpers of the tests in this folder. */
#ifndef OV_TEST_UTIL_H
#define OV_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ov/error.h"
#include "ov/mp_write.h"

/* Appends the bytes of a text of hex digits and spaces. */
static inline void put_hex(ov_buf *b, const char *text) {
  for (; *text; text++) {
    unsigned byte;
    if (*text == ' ') continue;
    assert_int_equal(sscanf(text, "%2x", &byte), 1);
    ov_buf_u8(b, (uint8_t)byte);
    text++;
  }
}

static inline void assert_hex(const uint8_t *p, size_t n, const char *text) {
  ov_buf b;
  ov_buf_init(&b, 0);
  put_hex(&b, text);
  assert_int_equal(n, b.n);
  assert_memory_equal(p, b.p, n);
  ov_buf_free(&b);
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t rnd(uint64_t *s) {
  *s ^= *s >> 12;
  *s ^= *s << 25;
  *s ^= *s >> 27;
  return *s * 0x2545f4914f6cdd1dull;
}

/* 0 .. n-1 */
static inline uint32_t rnd_below(uint64_t *s, uint32_t n) { return (uint32_t)((rnd(s) >> 33) % n); }

/* One to three changes of the kinds that decoders stumble over: flipped bits, other bytes, heads of
 * MessagePack, cuts, repeats. p has room for cap bytes; returns the new length. */
static inline size_t mutate(uint64_t *s, uint8_t *p, size_t n, size_t cap) {
  for (uint32_t times = 1 + rnd_below(s, 3); times > 0; times--) {
    size_t at = n ? rnd_below(s, (uint32_t)n) : 0;
    switch (rnd_below(s, n ? 6 : 1)) {
    case 0:
      if (n < cap) {
        memmove(p + at + 1, p + at, n - at);
        p[at] = (uint8_t)rnd(s);
        n++;
      }
      break;
    case 1: p[at] ^= (uint8_t)(1u << rnd_below(s, 8)); break;
    case 2: p[at] = (uint8_t)rnd(s); break;
    case 3: p[at] = (uint8_t)(0x80 + rnd_below(s, 0x60)); break;
    case 4: n = at; break;
    default:
      memmove(p + at, p + at + 1, n - at - 1);
      n--;
      break;
    }
  }
  return n;
}

#endif
