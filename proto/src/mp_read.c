/* The cursor is our own and msgpack-c's unpacker is not used here: that one builds a tree of 24-byte objects
 * in a zone, takes trailing bytes, duplicate keys and bad UTF-8, and does not tell short forms from long
 * ones. Reading heads in place needs no memory and shows all of this. msgpack-c packs for us (mp_write.c) and
 * is the oracle in this file's tests. */
#include "ov/mp_read.h"

#include <string.h>

#include "ov/error.h"
#include "ov/limits.h"

/* What the first bytes of an object say. */
typedef struct mp_head {
  ov_mp_type type;
  size_t size;       /* of the head itself */
  uint64_t body;     /* bytes after the head: STR, BIN */
  uint64_t children; /* objects after the head: ARRAY, MAP (two for each pair) */
  uint64_t u;        /* BOOL; INT: two's complement */
  bool negative;
  bool shortest;
} mp_head;

/* Heads 0xc0..0xdf: bytes of the number that follows, and the least number (for negative ones the least
 * distance below -1) that needs this form. Type OV_MP_END marks what overdracht never sends: 0xc1, ext and
 * floats. */
typedef struct mp_form {
  uint8_t type, width;
  bool is_signed;
  uint64_t least;
} mp_form;

/* PROTO-11, PROTO-12 */
static const mp_form forms[32] = {
    [0x00] = {OV_MP_NIL, 0, false, 0},          [0x02] = {OV_MP_BOOL, 0, false, 0},
    [0x03] = {OV_MP_BOOL, 0, false, 0},         [0x04] = {OV_MP_BIN, 1, false, 0},
    [0x05] = {OV_MP_BIN, 2, false, 1u << 8},    [0x06] = {OV_MP_BIN, 4, false, 1u << 16},
    [0x0c] = {OV_MP_INT, 1, false, 1u << 7},    [0x0d] = {OV_MP_INT, 2, false, 1u << 8},
    [0x0e] = {OV_MP_INT, 4, false, 1u << 16},   [0x0f] = {OV_MP_INT, 8, false, 1ull << 32},
    [0x10] = {OV_MP_INT, 1, true, 1u << 5},     [0x11] = {OV_MP_INT, 2, true, 1u << 7},
    [0x12] = {OV_MP_INT, 4, true, 1u << 15},    [0x13] = {OV_MP_INT, 8, true, 1ull << 31},
    [0x19] = {OV_MP_STR, 1, false, 1u << 5},    [0x1a] = {OV_MP_STR, 2, false, 1u << 8},
    [0x1b] = {OV_MP_STR, 4, false, 1u << 16},   [0x1c] = {OV_MP_ARRAY, 2, false, 1u << 4},
    [0x1d] = {OV_MP_ARRAY, 4, false, 1u << 16}, [0x1e] = {OV_MP_MAP, 2, false, 1u << 4},
    [0x1f] = {OV_MP_MAP, 4, false, 1u << 16},
};

static uint64_t big_endian(const uint8_t *p, size_t width) {
  uint64_t v = 0;
  for (size_t i = 0; i < width; i++) v = v << 8 | p[i];
  return v;
}

static void head_set_number(mp_head *h, const mp_form *f, uint64_t v) {
  if (f->is_signed && v >> (8 * f->width - 1)) { // NOLINT(clang-analyzer-core.*): signed forms have a width
    if (f->width < 8) v |= UINT64_MAX << (8 * f->width);
    h->negative = true;
    h->shortest = ~v >= f->least;
  } else {
    h->shortest = !f->is_signed && v >= f->least;
  }
  h->u = v;
}

static void head_set_count(mp_head *h, uint64_t n) {
  if (h->type == OV_MP_ARRAY) h->children = n;
  else if (h->type == OV_MP_MAP) h->children = 2 * n;
  else h->body = n;
}

static bool head_read_form(const uint8_t *p, size_t left, mp_head *h) {
  const mp_form *f = &forms[*p - 0xc0];
  h->type = (ov_mp_type)f->type;
  h->size = 1u + f->width;
  if (h->type == OV_MP_END || h->size > left) return false;
  uint64_t v = big_endian(p + 1, f->width);
  switch (h->type) {
  case OV_MP_NIL: break;
  case OV_MP_BOOL: h->u = *p & 1; break;
  case OV_MP_INT: head_set_number(h, f, v); break;
  default:
    h->shortest = v >= f->least;
    head_set_count(h, v);
    break;
  }
  return true;
}

/* False when the bytes are no head, or claim more than is left (every child takes at least one byte). */
static bool head_read(const uint8_t *p, const uint8_t *end, mp_head *h) {
  *h = (mp_head){.size = 1, .shortest = true};
  if (p == end) return false;
  size_t left = (size_t)(end - p);
  if (*p < 0x80 || *p >= 0xe0) {
    h->type = OV_MP_INT;
    h->negative = *p >= 0xe0;
    h->u = (uint64_t)(int64_t)(int8_t)*p;
  } else if (*p >= 0xc0) {
    if (!head_read_form(p, left, h)) return false;
  } else if (*p >= 0xa0) {
    h->type = OV_MP_STR;
    h->body = *p & 0x1f;
  } else {
    h->type = *p >= 0x90 ? OV_MP_ARRAY : OV_MP_MAP;
    head_set_count(h, *p & 0x0f);
  }
  return h->body + h->children <= left - h->size;
}

/* PROTO-13 */
int ov_mp_prescan(const uint8_t *p, size_t n, size_t objects_max) {
  const uint8_t *end = n ? p + n : p; /* p may be NULL then */
  uint64_t left[OV_NESTING_MAX + 1] = {1};
  unsigned depth = 0;
  size_t objects = 0;
  for (;;) {
    while (left[depth] == 0 && depth > 0) depth--;
    if (left[depth] == 0) return p == end ? 0 : OV_E_FORMAT;
    mp_head h;
    if (!head_read(p, end, &h)) return OV_E_FORMAT;
    if (++objects > objects_max) return OV_E_LIMIT;
    p += h.size + h.body;
    left[depth]--;
    if (h.type == OV_MP_ARRAY || h.type == OV_MP_MAP) {
      if (depth == OV_NESTING_MAX) return OV_E_FORMAT;
      left[++depth] = h.children;
    }
  }
}

void ov_mpr_init_scanned(ov_mpr *r, const uint8_t *p, size_t n) {
  *r = (ov_mpr){.p = p, .end = n ? p + n : p};
}

void ov_mpr_init(ov_mpr *r, const uint8_t *p, size_t n) {
  ov_mpr_init_scanned(r, p, n);
  ov_mpr_fail(r, ov_mp_prescan(p, n, OV_FRAME_OBJECTS_MAX));
}

void ov_mpr_fail(ov_mpr *r, int err) {
  if (r->err == 0) r->err = err;
}

int ov_mpr_done(const ov_mpr *r) {
  if (r->err) return r->err;
  return r->p == r->end ? 0 : OV_E_FORMAT;
}

ov_mp_type ov_mpr_peek(const ov_mpr *r) {
  mp_head h;
  if (r->err || !head_read(r->p, r->end, &h)) return OV_MP_END;
  return h.type;
}

/* Takes the head of the next object if it is of that type; else the reader is stuck and h is all zero. */
static bool head_take(ov_mpr *r, ov_mp_type type, mp_head *h) {
  if (!r->err) {
    if (head_read(r->p, r->end, h) && h->type == type && (h->shortest || !r->shortest)) {
      r->p += h->size;
      return true;
    }
    r->err = OV_E_FORMAT;
  }
  *h = (mp_head){.type = OV_MP_END};
  return false;
}

/* Counts fit 32 bits: no form holds more. */
uint32_t ov_mpr_array(ov_mpr *r) {
  mp_head h;
  head_take(r, OV_MP_ARRAY, &h);
  return (uint32_t)h.children;
}

uint32_t ov_mpr_map(ov_mpr *r) {
  mp_head h;
  head_take(r, OV_MP_MAP, &h);
  return (uint32_t)(h.children / 2);
}

void ov_mpr_array_of(ov_mpr *r, uint32_t n) {
  if (ov_mpr_array(r) != n) ov_mpr_fail(r, OV_E_FORMAT);
}

int64_t ov_mpr_int(ov_mpr *r) {
  mp_head h;
  head_take(r, OV_MP_INT, &h);
  if (!h.negative && h.u > INT64_MAX) {
    r->err = OV_E_FORMAT;
    return 0;
  }
  return (int64_t)h.u;
}

int64_t ov_mpr_int_in(ov_mpr *r, int64_t lo, int64_t hi) {
  int64_t v = ov_mpr_int(r);
  if (r->err) return 0;
  if (v < lo || v > hi) {
    r->err = OV_E_FORMAT;
    return 0;
  }
  return v;
}

uint64_t ov_mpr_uint(ov_mpr *r, uint64_t max) {
  mp_head h;
  head_take(r, OV_MP_INT, &h);
  if (h.negative || h.u > max) {
    r->err = OV_E_FORMAT;
    return 0;
  }
  return h.u;
}

bool ov_mpr_bool(ov_mpr *r) {
  mp_head h;
  head_take(r, OV_MP_BOOL, &h);
  return h.u != 0;
}

bool ov_mpr_nil(ov_mpr *r) {
  if (ov_mpr_peek(r) != OV_MP_NIL) return false;
  r->p++;
  return true;
}

static const uint8_t *body_take(ov_mpr *r, ov_mp_type type, uint32_t *n) {
  mp_head h;
  *n = 0;
  if (!head_take(r, type, &h)) return NULL;
  const uint8_t *body = r->p;
  r->p += h.body;
  *n = (uint32_t)h.body;
  return body;
}

const uint8_t *ov_mpr_str(ov_mpr *r, uint32_t *n) {
  const uint8_t *s = body_take(r, OV_MP_STR, n);
  if (s && !ov_utf8_valid(s, *n)) {
    r->err = OV_E_FORMAT;
    *n = 0;
    return NULL;
  }
  return s;
}

const uint8_t *ov_mpr_bin(ov_mpr *r, uint32_t *n) { return body_take(r, OV_MP_BIN, n); }

/* Exactly n bytes of bin, or NULL. */
static const uint8_t *bin_of(ov_mpr *r, uint32_t n) {
  uint32_t got;
  const uint8_t *b = ov_mpr_bin(r, &got);
  if (b && got != n) {
    r->err = OV_E_FORMAT;
    return NULL;
  }
  return b;
}

void ov_mpr_bytes(ov_mpr *r, uint8_t *out, uint32_t n) {
  const uint8_t *b = bin_of(r, n);
  if (b) memcpy(out, b, n);
  else memset(out, 0, n);
}

void ov_mpr_name(ov_mpr *r, ov_name *out) {
  *out = (ov_name){0};
  const uint8_t *b = bin_of(r, OV_NAME_BYTES);
  if (!b) return;
  ov_name name;
  ov_name_read(b, &name);
  if (name.seq < 1 || name.seq > OV_SEQ_MAX) r->err = OV_E_FORMAT;
  else *out = name;
}

/* Counting what is still to come needs no stack, so depth cannot matter here. */
const uint8_t *ov_mpr_raw(ov_mpr *r, size_t *n) {
  const uint8_t *start = r->p, *p = start;
  uint64_t left = 1;
  *n = 0;
  if (r->err) return NULL;
  while (left > 0) {
    mp_head h;
    if (!head_read(p, r->end, &h)) {
      r->err = OV_E_FORMAT;
      return NULL;
    }
    p += h.size + h.body;
    left += h.children;
    left--;
  }
  r->p = p;
  *n = (size_t)(p - start);
  return start;
}

void ov_mpr_skip(ov_mpr *r) {
  size_t n;
  ov_mpr_raw(r, &n);
}

/* Bytes of the sequence that starts at p, 0 if none does. The second byte's range rules out overlong forms,
 * surrogates and what lies above U+10FFFF. */
static size_t utf8_sequence(const uint8_t *p, size_t left) {
  uint8_t lo = 0x80, hi = 0xbf;
  size_t n;
  if (*p < 0x80) return *p != 0;
  if (*p >= 0xc2 && *p <= 0xdf) n = 2;
  else if (*p >= 0xe0 && *p <= 0xef) n = 3;
  else if (*p >= 0xf0 && *p <= 0xf4) n = 4;
  else return 0;
  if (*p == 0xe0) lo = 0xa0;
  else if (*p == 0xed) hi = 0x9f;
  else if (*p == 0xf0) lo = 0x90;
  else if (*p == 0xf4) hi = 0x8f;
  if (left < n || p[1] < lo || p[1] > hi) return 0;
  for (size_t i = 2; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return n;
}

/* PROTO-14 */
bool ov_utf8_valid(const uint8_t *p, size_t n) {
  while (n > 0) {
    size_t step = utf8_sequence(p, n);
    if (step == 0) return false;
    p += step;
    n -= step;
  }
  return true;
}
