/* Values: one field's content in an op. A set's elements are integers or bytes, never sets, so nothing here
 * recurses deeper than one level. */
#include <string.h>

#include "op_value.h"

ov_value ov_text(const char *s) {
  return (ov_value){.type = OV_V_TEXT, .s = {(const uint8_t *)s, (uint32_t)strlen(s)}};
}

ov_value ov_bytes(const void *p, uint32_t n) { return (ov_value){.type = OV_V_BYTES, .s = {p, n}}; }

static int compare_bytes(const ov_value *a, const ov_value *b) {
  uint32_t n = a->s.n < b->s.n ? a->s.n : b->s.n;
  int c = n ? memcmp(a->s.p, b->s.p, n) : 0;
  if (c != 0) return c;
  return (a->s.n > b->s.n) - (a->s.n < b->s.n);
}

static int compare_scalar(const ov_value *a, const ov_value *b) {
  if (a->type != b->type) return a->type < b->type ? -1 : 1;
  if (a->type == OV_V_NIL) return 0;
  if (a->type == OV_V_INT) return (a->i > b->i) - (a->i < b->i);
  return compare_bytes(a, b);
}

static int compare_elements(const ov_value *a, uint32_t n_a, const ov_value *b, uint32_t n_b) {
  for (uint32_t i = 0; i < n_a && i < n_b; i++) {
    int c = compare_scalar(&a[i], &b[i]);
    if (c != 0) return c;
  }
  return (n_a > n_b) - (n_a < n_b);
}

/* PROTO-24 */
int ov_value_compare(const ov_value *a, const ov_value *b) {
  if (a->type != OV_V_SET || b->type != OV_V_SET) return compare_scalar(a, b);
  int c = compare_elements(a->set.add, a->set.n_add, b->set.add, b->set.n_add);
  return c != 0 ? c : compare_elements(a->set.del, a->set.n_del, b->set.del, b->set.n_del);
}

bool ov_value_equal(const ov_value *a, const ov_value *b) { return ov_value_compare(a, b) == 0; }

static void scalar_encode(const ov_value *v, ov_buf *out) {
  switch (v->type) {
  case OV_V_INT: ov_mpw_int(out, v->i); break;
  case OV_V_TEXT: ov_mpw_str(out, v->s.p, v->s.n); break;
  case OV_V_BYTES: ov_mpw_bin(out, v->s.p, v->s.n); break;
  default: ov_mpw_nil(out); break;
  }
}

static void elements_encode(const ov_value *v, uint32_t n, ov_buf *out) {
  ov_mpw_array(out, n);
  for (uint32_t i = 0; i < n; i++) scalar_encode(&v[i], out);
}

/* PROTO-24 */
void ov_value_encode(const ov_value *v, ov_buf *out) {
  if (v->type != OV_V_SET) {
    scalar_encode(v, out);
    return;
  }
  ov_mpw_array(out, 2);
  elements_encode(v->set.add, v->set.n_add, out);
  elements_encode(v->set.del, v->set.n_del, out);
}

static void scalar_decode(ov_mpr *r, ov_value *v) {
  switch (ov_mpr_peek(r)) {
  case OV_MP_INT: *v = ov_int(ov_mpr_int(r)); return;
  case OV_MP_STR:
    v->type = OV_V_TEXT;
    v->s.p = ov_mpr_str(r, &v->s.n);
    break;
  case OV_MP_BIN:
    v->type = OV_V_BYTES;
    v->s.p = ov_mpr_bin(r, &v->s.n);
    break;
  default: ov_mpr_fail(r, OV_E_FORMAT); return;
  }
  if (v->s.n > OV_TEXT_BYTES_MAX) ov_mpr_fail(r, OV_E_LIMIT);
}

static ov_value *elements_decode(ov_mpr *r, ov_arena *a, uint32_t n_max, uint32_t *n_out) {
  uint32_t n = ov_mpr_array(r);
  *n_out = 0;
  if (n > n_max) ov_mpr_fail(r, OV_E_LIMIT);
  if (r->err || n == 0) return NULL;
  ov_value *v = ov_arena_array(a, n, sizeof *v);
  if (!v) {
    ov_mpr_fail(r, OV_E_NOMEM);
    return NULL;
  }
  for (uint32_t i = 0; i < n && !r->err; i++) {
    scalar_decode(r, &v[i]);
    if (v[i].type == OV_V_TEXT || (i > 0 && compare_scalar(&v[i - 1], &v[i]) >= 0))
      ov_mpr_fail(r, OV_E_FORMAT);
  }
  *n_out = n;
  return v;
}

/* Both ascending and unique: one walk finds an element that is in both. */
static bool set_disjoint(const ov_value *v) {
  uint32_t i = 0, j = 0;
  while (i < v->set.n_add && j < v->set.n_del) {
    int c = compare_scalar(&v->set.add[i], &v->set.del[j]);
    if (c == 0) return false;
    if (c < 0) i++;
    else j++;
  }
  return true;
}

static void set_decode(ov_mpr *r, ov_arena *a, ov_value *v) {
  v->type = OV_V_SET;
  ov_mpr_array_of(r, 2);
  v->set.add = elements_decode(r, a, OV_SET_ELEMENTS_MAX, &v->set.n_add);
  v->set.del = elements_decode(r, a, OV_SET_ELEMENTS_MAX - v->set.n_add, &v->set.n_del);
  if (!r->err && !set_disjoint(v)) ov_mpr_fail(r, OV_E_FORMAT);
}

void ov_value_decode(ov_mpr *r, ov_arena *a, ov_value *v) {
  bool shortest = r->shortest;
  *v = ov_nil();
  r->shortest = true;
  if (!ov_mpr_nil(r)) {
    if (ov_mpr_peek(r) == OV_MP_ARRAY) set_decode(r, a, v);
    else scalar_decode(r, v);
  }
  r->shortest = shortest;
  if (r->err) *v = ov_nil();
}

static size_t int_bytes(int64_t v) {
  if (v >= -32 && v <= INT8_MAX) return 1;
  if (v >= INT8_MIN && v <= UINT8_MAX) return 2;
  if (v >= INT16_MIN && v <= UINT16_MAX) return 3;
  return v >= INT32_MIN && v <= UINT32_MAX ? 5 : 9;
}

static int bytes_check(const ov_value *v, uint32_t n_in_first_byte, size_t *bytes) {
  if (v->s.n > OV_TEXT_BYTES_MAX) return OV_E_OP_LIMIT;
  size_t head = v->s.n < n_in_first_byte ? 1 : v->s.n <= UINT8_MAX ? 2 : 3;
  *bytes += head + v->s.n;
  return 0;
}

static int scalar_check(const ov_value *v, size_t *bytes) {
  switch (v->type) {
  case OV_V_NIL: *bytes += 1; return 0;
  case OV_V_INT: *bytes += int_bytes(v->i); return 0;
  case OV_V_TEXT: {
    int err = bytes_check(v, 32, bytes);
    return err ? err : ov_utf8_valid(v->s.p, v->s.n) ? 0 : OV_E_OP_FORMAT;
  }
  case OV_V_BYTES: return bytes_check(v, 0, bytes);
  default: return OV_E_OP_FORMAT;
  }
}

static int elements_check(const ov_value *v, uint32_t n, size_t *bytes) {
  *bytes += n < 16 ? 1 : 3;
  for (uint32_t i = 0; i < n; i++) {
    if (v[i].type != OV_V_INT && v[i].type != OV_V_BYTES) return OV_E_OP_FORMAT;
    int err = scalar_check(&v[i], bytes);
    if (err) return err;
    if (i > 0 && compare_scalar(&v[i - 1], &v[i]) >= 0) return OV_E_OP_FORMAT;
  }
  return 0;
}

int ov_value_check(const ov_value *v, size_t *bytes) {
  if (v->type != OV_V_SET) return scalar_check(v, bytes);
  if (v->set.n_add > OV_SET_ELEMENTS_MAX || v->set.n_del > OV_SET_ELEMENTS_MAX - v->set.n_add)
    return OV_E_OP_LIMIT;
  *bytes += 1;
  int err = elements_check(v->set.add, v->set.n_add, bytes);
  if (!err) err = elements_check(v->set.del, v->set.n_del, bytes);
  if (err) return err;
  return set_disjoint(v) ? 0 : OV_E_OP_FORMAT;
}

static int scalar_dup(const ov_value *v, ov_arena *a, ov_value *out) {
  *out = *v;
  if (v->type == OV_V_TEXT || v->type == OV_V_BYTES) {
    out->s.p = ov_arena_dup(a, v->s.p, v->s.n);
    if (!out->s.p) return OV_E_NOMEM;
  }
  return 0;
}

static int elements_dup(const ov_value *v, uint32_t n, ov_arena *a, ov_value **out) {
  int err = 0;
  *out = NULL;
  if (n == 0) return 0;
  *out = ov_arena_array(a, n, sizeof *v);
  if (!*out) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n && !err; i++) err = scalar_dup(&v[i], a, &(*out)[i]);
  return err;
}

int ov_value_dup(const ov_value *v, ov_arena *a, ov_value *out) {
  if (v->type != OV_V_SET) return scalar_dup(v, a, out);
  *out = *v;
  int err = elements_dup(v->set.add, v->set.n_add, a, &out->set.add);
  return err ? err : elements_dup(v->set.del, v->set.n_del, a, &out->set.del);
}
