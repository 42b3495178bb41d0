#include "range_coder.h"

#include "ov/error.h"

#define TOP (1u << 24)
#define ONE 32768u
#define P_MIN 64
#define P_MAX 32704
/* Once seen this often a model only drifts: columns change within a frame less than they are learnt. */
#define SEEN_MAX 60u
/* Nodes of a symbol's tree start as if seen this often: an even spread is a better guess for them than for a
 * flag. */
#define TREE_SEEN 2u

void ov_rc_encode_init(ov_rc *rc, ov_buf *out) {
  *rc = (ov_rc){.mode = OV_RC_ENCODE, .range = UINT32_MAX, .out = out, .out_start = out->n};
}

void ov_rc_count_init(ov_rc *rc) { *rc = (ov_rc){.mode = OV_RC_COUNT, .range = UINT32_MAX}; }

static uint32_t next_byte(ov_rc *rc) { return rc->p < rc->end ? *rc->p++ : 0; }

void ov_rc_decode_init(ov_rc *rc, const uint8_t *p, size_t n) {
  *rc = (ov_rc){.mode = OV_RC_DECODE, .range = UINT32_MAX, .p = p, .end = p + n};
  for (int i = 0; i < 4; i++) rc->code = rc->code << 8 | next_byte(rc);
}

int ov_rc_decode_end(const ov_rc *rc) {
  if (rc->err) return rc->err;
  return rc->p == rc->end ? 0 : OV_E_FORMAT;
}

void ov_rc_fail(ov_rc *rc, int err) {
  if (!rc->err) rc->err = err;
}

unsigned ov_rc_bits(uint64_t v) { return v ? 64u - (unsigned)__builtin_clzll(v) : 0; }

/* The top byte waits in cache, and 0xff bytes behind it are only counted, until it is known whether a carry
 * reaches them. */
static void shift_low(ov_rc *rc) {
  if (rc->low < 0xff000000u || rc->low > UINT32_MAX) {
    uint8_t carry = (uint8_t)(rc->low >> 32);
    if (rc->started) ov_buf_u8(rc->out, (uint8_t)(rc->cache + carry));
    for (; rc->pending; rc->pending--) ov_buf_u8(rc->out, (uint8_t)(0xff + carry));
    rc->cache = (uint8_t)(rc->low >> 24);
    rc->started = true;
  } else {
    rc->pending++;
  }
  rc->low = (rc->low & 0x00ffffffu) << 8;
}

/* The number within the last interval that ends in most zero bits is written, and its zero bytes are left
 * out. */
void ov_rc_encode_end(ov_rc *rc) {
  uint64_t last = rc->low + (rc->range - 1), v = UINT64_MAX;
  for (unsigned k = 32; v > last; k--) { /* ends: the interval is wider than 2^23 */
    uint64_t mask = (1ull << k) - 1;
    v = (rc->low + mask) & ~mask;
  }
  rc->low = v;
  for (int i = 0; i < 5; i++) shift_low(rc);
  while (rc->out->n > rc->out_start && rc->out->p[rc->out->n - 1] == 0) rc->out->n--;
  if (rc->out->err) ov_rc_fail(rc, rc->out->err);
}

static void normalize(ov_rc *rc) {
  while (rc->range < TOP) {
    rc->range <<= 8;
    if (rc->mode == OV_RC_ENCODE) shift_low(rc);
    else rc->code = rc->code << 8 | next_byte(rc);
  }
}

/* -256 * log2 of (i + 1/2)/64. */
static const uint16_t cost_of[64] = {1792, 1386, 1198, 1073, 980, 906, 845, 792, 746, 705, 668, 634, 603,
                                     575,  548,  524,  501,  479, 458, 439, 420, 403, 386, 370, 355, 340,
                                     326,  312,  299,  286,  274, 262, 250, 239, 228, 218, 207, 197, 188,
                                     178,  169,  160,  151,  143, 134, 126, 118, 110, 102, 95,  87,  80,
                                     73,   66,   59,   53,   46,  40,  33,  27,  21,  15,  9,   3};

static bool count_bool(ov_rc *rc, uint32_t p, bool v) {
  rc->cost += cost_of[(v ? ONE - p : p) >> 9];
  return v;
}

static bool code_bool(ov_rc *rc, uint32_t p, bool v) {
  if (rc->mode == OV_RC_COUNT) return count_bool(rc, p, v);
  uint32_t bound = (rc->range >> 15) * p;
  if (rc->mode == OV_RC_DECODE) v = rc->code >= bound;
  if (!v) {
    rc->range = bound;
  } else {
    rc->range -= bound;
    if (rc->mode == OV_RC_DECODE) rc->code -= bound;
    else rc->low += bound;
  }
  normalize(rc);
  return v;
}

/* The probability moves towards what was seen by 1/(n+2) of the distance: the Krichevsky-Trofimov estimate.
 */
static void learn(ov_rc_bit *b, bool v) {
  int32_t rate = (int32_t)(65536u / (b->n + 2u));
  int32_t p = b->p + ((((v ? 0 : (int32_t)ONE) - (int32_t)b->p) * rate) >> 16);
  b->p = (uint16_t)(p < P_MIN ? P_MIN : p > P_MAX ? P_MAX : p);
  if (b->n < SEEN_MAX) b->n++;
}

bool ov_rc_bool(ov_rc *rc, ov_rc_bit *b, bool v) {
  if (!b->p) b->p = ONE / 2;
  v = code_bool(rc, b->p, v);
  learn(b, v);
  return v;
}

uint32_t ov_rc_slot_find(ov_rc *rc, uint32_t total) {
  uint32_t at = rc->code / (rc->range / total);
  return at < total ? at : total - 1;
}

void ov_rc_slot(ov_rc *rc, uint32_t at, uint32_t width, uint32_t total) {
  uint32_t step = rc->range / total;
  if (rc->mode == OV_RC_DECODE) rc->code -= step * at;
  else rc->low += (uint64_t)step * at;
  rc->range = step * width;
  normalize(rc);
}

uint64_t ov_rc_flat(ov_rc *rc, uint64_t v, unsigned n) {
  uint64_t got = 0;
  if (rc->mode == OV_RC_COUNT) {
    rc->cost += 256u * n;
    return v;
  }
  while (n > 0) {
    unsigned k = n > 16 ? 16 : n;
    n -= k;
    uint32_t total = 1u << k;
    uint32_t part = rc->mode == OV_RC_DECODE ? ov_rc_slot_find(rc, total) : (uint32_t)(v >> n) & (total - 1);
    ov_rc_slot(rc, part, 1, total);
    got = got << k | part;
  }
  return got;
}

unsigned ov_rc_tree(ov_rc *rc, ov_rc_bit *nodes, unsigned v, unsigned n) {
  unsigned node = 1;
  for (unsigned i = n; i-- > 0;) node = node << 1 | ov_rc_bool(rc, &nodes[node], v >> i & 1);
  return node - (1u << n);
}

size_t ov_rc_symbol_nodes(uint64_t max) {
  unsigned bits = ov_rc_bits(max);
  return (size_t)1 << (bits < OV_RC_TREE_BITS ? bits : OV_RC_TREE_BITS);
}

/* A node whose upper half lies above max costs nothing; another starts with the share of its halves in
 * 0..max. */
static unsigned bounded_tree(ov_rc *rc, ov_rc_bit *nodes, unsigned max, unsigned v, unsigned bits) {
  unsigned node = 1, base = 0;
  for (unsigned i = bits; i-- > 0;) {
    unsigned half = 1u << i, middle = base + half;
    bool bit = false;
    if (middle <= max) {
      ov_rc_bit *b = &nodes[node];
      if (!b->p) {
        unsigned upper = max + 1 - middle;
        *b = (ov_rc_bit){.p = (uint16_t)(ONE * half / (half + (upper < half ? upper : half))),
                         .n = TREE_SEEN};
      }
      bit = ov_rc_bool(rc, b, v >> i & 1);
    }
    node = node << 1 | bit;
    if (bit) base = middle;
  }
  return base;
}

uint64_t ov_rc_symbol(ov_rc *rc, ov_rc_bit *nodes, uint64_t max, uint64_t v) {
  unsigned bits = ov_rc_bits(max);
  unsigned low = bits > OV_RC_TREE_BITS ? bits - OV_RC_TREE_BITS : 0;
  uint64_t high = bounded_tree(rc, nodes, (unsigned)(max >> low), (unsigned)(v >> low), bits - low);
  if (low == 0) return high;
  uint64_t got = high << low | ov_rc_flat(rc, v & ((1ull << low) - 1), low);
  if (got > max) {
    ov_rc_fail(rc, OV_E_FORMAT);
    return max;
  }
  return got;
}

/* A number's class before anything was seen: small numbers are the likelier ones. */
static const uint16_t class_start[OV_RC_NUM_CLASSES] = {0,     28000, 22000, 26000, 17000, 18000,
                                                        18000, 16384, 16384, 16384, 16384, 16384,
                                                        16384, 16384, 16384, 16384};

uint64_t ov_rc_uint(ov_rc *rc, ov_rc_num *m, uint64_t v) {
  if (!m->cls[1].p)
    for (int i = 1; i < OV_RC_NUM_CLASSES; i++) m->cls[i].p = class_start[i];
  unsigned bits = ov_rc_bits(v), last = OV_RC_NUM_CLASSES - 1;
  unsigned cls = ov_rc_tree(rc, m->cls, bits < last ? bits : last, 4);
  bits = cls < last ? cls : last + (unsigned)ov_rc_flat(rc, bits - last, 6);
  if (bits > 64) {
    ov_rc_fail(rc, OV_E_FORMAT);
    return 0;
  }
  if (bits < 2) return bits;
  uint64_t got = 2u | ov_rc_bool(rc, &m->top[cls], v >> (bits - 2) & 1);
  return bits == 2 ? got : got << (bits - 2) | ov_rc_flat(rc, v & ((1ull << (bits - 2)) - 1), bits - 2);
}

int64_t ov_rc_sint(ov_rc *rc, ov_rc_num *m, int64_t v) {
  uint64_t z = ov_rc_uint(rc, m, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
  return (int64_t)(z >> 1 ^ -(z & 1));
}
