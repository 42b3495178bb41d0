/* Shared by the targets: choices, edited messages, ops from choices. fuzz_vectors.c reads the files. */
#include "fuzz.h"

#include <string.h>

_Noreturn void fuzz_die(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

/* -- choices -------------------------------------------------------------------------------------------- */

bool pick_more(const choices *c) { return c->n > 0; }

uint8_t pick_u8(choices *c) {
  if (!c->n) return 0;
  c->n--;
  return *c->p++;
}

uint16_t pick_u16(choices *c) {
  unsigned high = pick_u8(c);
  return (uint16_t)(high << 8 | pick_u8(c));
}

uint32_t pick_below(choices *c, uint32_t n) {
  if (n < 2) return 0;
  return (n <= 256 ? pick_u8(c) : pick_u16(c)) % n;
}

int64_t pick_int(choices *c) {
  static const int64_t odd[] = {INT64_MIN,  INT64_MAX, -1,         -97,           -98,   -99,
                                INT32_MAX,  INT32_MIN, 1763800000, OV_TIME_S_MAX, 65535, -OV_TIME_S_MAX,
                                1763800001, 1ll << 53, 20414,      127,           128,   -32,
                                -33,        UINT32_MAX};
  uint8_t b = pick_u8(c);
  if (b < 192) return b;
  if (b < 192 + sizeof odd / sizeof *odd) return odd[b - 192];
  uint64_t v = 0;
  for (unsigned i = 0; i <= b % 8u; i++) v = v << 8 | pick_u8(c);
  return (int64_t)v;
}

const uint8_t *pick_bytes(choices *c, size_t max, size_t *n) {
  size_t want = pick_u8(c);
  if (want > max) want = max;
  if (want > c->n) want = c->n;
  const uint8_t *p = c->p;
  c->p += want;
  c->n -= want;
  *n = want;
  return p;
}

/* -- messages ------------------------------------------------------------------------------------------- */

static void edit_once(choices *c, ov_buf *b) {
  static const uint8_t heads[] = {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xca, 0xcf,
                                  0xd3, 0xd9, 0xdb, 0xdc, 0xdd, 0xdf, 0xe0, 0xff, 0x00, 0x7f, 0xcc, 0xcd};
  size_t at = b->n ? pick_u16(c) % b->n : 0, len;
  const uint8_t *p;
  switch (b->n ? pick_below(c, 6) : 5) {
  case 0: b->p[at] = pick_u8(c); break;
  case 1: b->p[at] = (uint8_t)(b->p[at] + 1); break;
  case 2: b->p[at] = heads[pick_below(c, sizeof heads)]; break;
  case 3: b->n = at; break;
  case 4:
    len = 1 + pick_below(c, 16);
    if (at + len > b->n) len = b->n - at;
    memmove(b->p + at, b->p + at + len, b->n - at - len);
    b->n -= len;
    break;
  default:
    p = pick_bytes(c, 40, &len);
    if (!ov_buf_grow(b, len)) break;
    memmove(b->p + at + len, b->p + at, b->n - len - at);
    memcpy(b->p + at, p, len);
  }
}

void fuzz_edit(choices *c, const uint8_t *p, size_t n, ov_buf *out) {
  ov_buf_reset(out);
  ov_buf_put(out, p, n);
  for (uint32_t k = pick_below(c, 5); k > 0; k--) edit_once(c, out);
}

ov_msg_type fuzz_message(choices *c, ov_buf *out) {
  const fuzz_samples *s = fuzz_messages();
  uint32_t i = pick_below(c, s->n);
  fuzz_edit(c, s->plain[i].p, s->plain[i].n, out);
  return s->type[i];
}

/* -- ops ------------------------------------------------------------------------------------------------ */

static ov_value text_value(choices *c, ov_arena *a) {
  static const char *const texts[] = {"", "rustig", "twee keer wakker", "cli\xc3\xabnt", "\xf0\x9f\x98\xb4",
                                      "a"};
  size_t n;
  const uint8_t *p = pick_bytes(c, 64, &n);
  if (n == 0) return ov_text(texts[pick_below(c, sizeof texts / sizeof *texts)]);
  uint8_t *own = ov_arena_dup(a, p, n);
  FUZZ_MUST(own);
  for (size_t i = 0; i < n; i++)
    own[i] = (uint8_t)(' ' + own[i] % 95); /* hostile UTF-8 is the op target's matter */
  return (ov_value){.type = OV_V_TEXT, .s = {own, (uint32_t)n}};
}

static ov_value set_value(choices *c, ov_arena *a) {
  ov_value v = {.type = OV_V_SET};
  v.set.add = ov_arena_array(a, 16, sizeof *v.set.add);
  v.set.del = ov_arena_array(a, 16, sizeof *v.set.del);
  FUZZ_MUST(v.set.add && v.set.del);
  int64_t elem = pick_below(c, 4);
  for (uint32_t k = pick_below(c, 9); k > 0; k--) {
    bool add = pick_u8(c) & 1;
    if (add) v.set.add[v.set.n_add++] = ov_int(elem);
    else v.set.del[v.set.n_del++] = ov_int(elem);
    elem += 1 + pick_below(c, 3);
  }
  return v;
}

ov_value fuzz_value(choices *c, ov_arena *a) {
  size_t n;
  const uint8_t *p;
  switch (pick_below(c, 7)) {
  case 0: return ov_nil();
  case 1:
  case 2: return ov_int(pick_int(c));
  case 3: return ov_int(pick_below(c, 4));
  case 4: return text_value(c, a);
  case 5: p = pick_bytes(c, 64, &n); return ov_bytes(ov_arena_dup(a, p, n), (uint32_t)n);
  default: return set_value(c, a);
  }
}

ov_field *fuzz_fields(choices *c, ov_arena *a, uint32_t max, uint32_t *n) {
  uint32_t want = pick_below(c, max + 1);
  ov_field *f = ov_arena_array(a, want + 1u, sizeof *f);
  FUZZ_MUST(f);
  uint32_t id = 0;
  for (*n = 0; *n < want; ++*n) {
    id += 1 + pick_below(c, 12);
    if (id > OV_FIELD_ID_MAX) break;
    f[*n].id = (uint16_t)id;
    f[*n].v = fuzz_value(c, a);
  }
  return f;
}
