/* Reading MessagePack: what comes back, what sticks, what is refused. */
#include "mp_bytes.h"

static void put_sample(ov_buf *b) {
  ov_name n = {.seq = 5};
  ov_mpw_array(b, 10);
  ov_mpw_nil(b);
  ov_mpw_bool(b, true);
  ov_mpw_int(b, -70000);
  ov_mpw_uint(b, 1ull << 40);
  ov_mpw_cstr(b, "onrustig geslapen, twee keer wakker geworden ≥ 10 min");
  ov_mpw_bin(b, "\x00\xff", 2);
  ov_mpw_map(b, 2);
  ov_mpw_int(b, 3);
  ov_mpw_array(b, 0);
  ov_mpw_int(b, 4);
  ov_mpw_array(b, 17);
  for (int i = 0; i < 17; i++) ov_mpw_int(b, i * 20);
  ov_mpw_name(b, &n);
  ov_mpw_array(b, 1);
  ov_mpw_array(b, 1);
  ov_mpw_array(b, 1);
  ov_mpw_cstr(b, "");
  ov_mpw_int(b, 0);
}

static void truncated_at_every_byte_or_with_one_more(void **state) {
  (void)state;
  ov_buf b;
  ov_buf_init(&b, 0);
  put_sample(&b);
  for (size_t n = 0; n < b.n; n++) {
    uint8_t *cut = malloc(n ? n : 1); /* exactly n, so that a sanitizer sees a read beyond */
    memcpy(cut, b.p, n);
    assert_int_equal(ov_mp_prescan(cut, n, 1000), OV_E_FORMAT);
    ov_mpr r;
    ov_mpr_init_scanned(&r, cut, n);
    ov_mpr_skip(&r);
    assert_int_equal(r.err, OV_E_FORMAT);
    free(cut);
  }
  assert_int_equal(ov_mp_prescan(b.p, b.n, 1000), 0);
  ov_buf_u8(&b, 0);
  assert_int_equal(ov_mp_prescan(b.p, b.n, 1000), OV_E_FORMAT);
  ov_buf_free(&b);
}

/* ---- reader ---- */

static void the_sample_reads_like_it_was_written(void **state) {
  (void)state;
  ov_buf b;
  ov_mpr r;
  uint32_t n;
  size_t raw_n;
  uint8_t two[2];
  ov_name name;
  ov_buf_init(&b, 0);
  put_sample(&b);
  ov_mpr_init(&r, b.p, b.n);
  ov_mpr_array_of(&r, 10);
  assert_true(ov_mpr_nil(&r));
  assert_false(ov_mpr_nil(&r));
  assert_int_equal(ov_mpr_peek(&r), OV_MP_BOOL);
  assert_true(ov_mpr_bool(&r));
  assert_int_equal(ov_mpr_int_in(&r, -70000, -70000), -70000);
  assert_true(ov_mpr_uint(&r, UINT64_MAX) == 1ull << 40);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_STR);
  const uint8_t *s = ov_mpr_str(&r, &n);
  assert_memory_equal(s, "onrustig", 8);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_BIN);
  ov_mpr_bytes(&r, two, 2);
  assert_memory_equal(two, "\x00\xff", 2);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_MAP);
  const uint8_t *raw = ov_mpr_raw(&r, &raw_n);
  assert_int_equal(raw[0], 0x82);
  ov_mpr sub;
  ov_mpr_init_scanned(&sub, raw, raw_n);
  assert_int_equal(ov_mpr_map(&sub), 2);
  for (int i = 0; i < 4; i++) ov_mpr_skip(&sub);
  assert_int_equal(ov_mpr_done(&sub), 0);
  ov_mpr_name(&r, &name);
  assert_int_equal(name.seq, 5);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_ARRAY);
  ov_mpr_skip(&r);
  assert_int_equal(ov_mpr_done(&r), OV_E_FORMAT); /* not yet everything */
  assert_int_equal(ov_mpr_int(&r), 0);
  assert_int_equal(ov_mpr_done(&r), 0);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_END);
  assert_int_equal(ov_mpr_int(&r), 0);
  assert_int_equal(r.err, OV_E_FORMAT); /* past the end */
  ov_buf_free(&b);
}

/* All reads on a stuck reader: they give zeroes, keep the error and move nothing. */
static void assert_stuck(ov_mpr *r, int err) {
  const uint8_t *p = r->p;
  uint32_t n = 9;
  size_t raw_n = 9;
  uint8_t bytes[3] = {9, 9, 9};
  ov_name name = {.seq = 9};
  assert_int_equal(ov_mpr_peek(r), OV_MP_END);
  assert_int_equal(ov_mpr_array(r), 0);
  assert_int_equal(ov_mpr_map(r), 0);
  ov_mpr_array_of(r, 0);
  assert_int_equal(ov_mpr_int(r), 0);
  assert_int_equal(ov_mpr_int_in(r, 5, 9), 0);
  assert_int_equal(ov_mpr_uint(r, 0), 0);
  assert_false(ov_mpr_bool(r));
  assert_false(ov_mpr_nil(r));
  assert_null(ov_mpr_str(r, &n));
  assert_int_equal(n, 0);
  assert_null(ov_mpr_bin(r, &n));
  ov_mpr_bytes(r, bytes, 3);
  assert_memory_equal(bytes, "\0\0\0", 3);
  ov_mpr_name(r, &name);
  assert_true(ov_name_is_zero(&name));
  assert_null(ov_mpr_raw(r, &raw_n));
  assert_int_equal(raw_n, 0);
  ov_mpr_skip(r);
  ov_mpr_fail(r, OV_E_STATE);
  assert_int_equal(ov_mpr_done(r), err);
  assert_ptr_equal(r->p, p);
}

static void errors_stick(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0x92, 0x01, 0x02};
  ov_mpr r;
  ov_mpr_init(&r, bytes, sizeof bytes);
  ov_mpr_fail(&r, 0);
  assert_int_equal(r.err, 0);
  ov_mpr_fail(&r, OV_E_LIMIT);
  assert_stuck(&r, OV_E_LIMIT);
  ov_mpr_init(&r, bytes, 2);
  assert_stuck(&r, OV_E_FORMAT);
}

/* What a reader of each type does with each other type: refuse. */
static void another_type_is_refused(void **state) {
  (void)state;
  static const struct {
    ov_mp_type type;
    const char *hex;
  } objects[] = {
      {OV_MP_NIL, "c0"},     {OV_MP_BOOL, "c2"},  {OV_MP_INT, "01"}, {OV_MP_STR, "a161"},
      {OV_MP_BIN, "c40161"}, {OV_MP_ARRAY, "90"}, {OV_MP_MAP, "80"},
  };
  for (size_t i = 0; i < COUNT(objects); i++)
    for (int reader = OV_MP_BOOL; reader <= OV_MP_MAP + 4; reader++) {
      ov_buf b;
      ov_mpr r;
      uint32_t n;
      uint8_t one[1];
      ov_name name;
      int type = reader;
      ov_buf_init(&b, 0);
      put_hex(&b, objects[i].hex);
      ov_mpr_init(&r, b.p, b.n);
      assert_int_equal(ov_mpr_peek(&r), objects[i].type);
      switch (reader) {
      case OV_MP_BOOL: ov_mpr_bool(&r); break;
      case OV_MP_INT: ov_mpr_int(&r); break;
      case OV_MP_STR: ov_mpr_str(&r, &n); break;
      case OV_MP_BIN: ov_mpr_bin(&r, &n); break;
      case OV_MP_ARRAY: ov_mpr_array(&r); break;
      case OV_MP_MAP: ov_mpr_map(&r); break;
      case OV_MP_MAP + 1: ov_mpr_uint(&r, 5), type = OV_MP_INT; break;
      case OV_MP_MAP + 2: ov_mpr_int_in(&r, 0, 5), type = OV_MP_INT; break;
      case OV_MP_MAP + 3: ov_mpr_bytes(&r, one, 1), type = OV_MP_BIN; break;
      default: ov_mpr_name(&r, &name), type = OV_MP_NIL; break; /* none of these is a name */
      }
      bool fits = type == (int)objects[i].type && reader != OV_MP_MAP + 4;
      assert_int_equal(ov_mpr_done(&r), fits ? 0 : OV_E_FORMAT);
      ov_buf_free(&b);
    }
}

static ov_mpr reader_of(ov_buf *b, const char *hex) {
  ov_mpr r;
  ov_buf_reset(b);
  put_hex(b, hex);
  ov_mpr_init(&r, b->p, b->n);
  return r;
}

static void ranges_are_kept(void **state) {
  (void)state;
  ov_buf b;
  uint8_t bytes[4];
  ov_name name;
  ov_buf_init(&b, 0);
#define REFUSED(hex, call)                                                                                   \
  do {                                                                                                       \
    ov_mpr r = reader_of(&b, hex);                                                                           \
    assert_int_equal(r.err, 0);                                                                              \
    assert_int_equal(call, 0);                                                                               \
    assert_stuck(&r, OV_E_FORMAT);                                                                           \
  } while (0)
  REFUSED("cf8000000000000000", ov_mpr_int(&r));
  REFUSED("cfffffffffffffffff", ov_mpr_int(&r));
  REFUSED("ff", ov_mpr_uint(&r, UINT64_MAX));
  REFUSED("06", ov_mpr_uint(&r, 5));
  REFUSED("06", ov_mpr_int_in(&r, -5, 5));
  REFUSED("fa", ov_mpr_int_in(&r, -5, 5));
  REFUSED("920101", (ov_mpr_array_of(&r, 1), 0));
  REFUSED("c403010203", (ov_mpr_bytes(&r, bytes, 4), 0));
  REFUSED("c405010203 0405", (ov_mpr_bytes(&r, bytes, 4), 0));
  REFUSED("a401020304", (ov_mpr_bytes(&r, bytes, 4), 0));
#define NAME_OF(seq) "c41c 11111111111111111111111111111111" seq "aabbccdd"
  REFUSED(NAME_OF("0000000000000000"), (ov_mpr_name(&r, &name), 0));
  REFUSED(NAME_OF("0020000000000000"), (ov_mpr_name(&r, &name), 0));
  REFUSED("c41b 11111111111111111111111111111111 0000000000000001 aabbcc", (ov_mpr_name(&r, &name), 0));
  ov_mpr r = reader_of(&b, NAME_OF("001fffffffffffff"));
  ov_mpr_name(&r, &name);
  assert_int_equal(ov_mpr_done(&r), 0);
  assert_true(name.seq == OV_SEQ_MAX);
  r = reader_of(&b, "cfffffffffffffffff");
  assert_true(ov_mpr_uint(&r, UINT64_MAX) == UINT64_MAX);
  r = reader_of(&b, "d38000000000000000");
  assert_true(ov_mpr_int(&r) == INT64_MIN);
  ov_buf_free(&b);
}

/* The first form is the shortest, the others say the same with more bytes. PROTO-12 */
static void longer_forms_are_read_but_not_where_the_shortest_is_demanded(void **state) {
  (void)state;
  // clang-format off
  static const char *longer[] = {
    "cc7f", "cd00ff", "ce0000ffff", "cf00000000ffffffff", "d001", "d0e0", "d17f00", "d1ff80", "d200000001",
    "d2ffff8000", "d30000000000000001", "d3ffffffff80000000", "d90161",
    "da000161", "db0000000161", "c5000161", "c60000000161", "dc000100", "dd0000000100", "de00010000",
    "df000000010000",
  };
  // clang-format on
  ov_buf b;
  ov_buf_init(&b, 0);
  for (size_t i = 0; i < COUNT(longer); i++)
    for (int shortest = 0; shortest < 2; shortest++) {
      ov_mpr r = reader_of(&b, longer[i]);
      uint32_t n;
      r.shortest = shortest;
      switch (ov_mpr_peek(&r)) {
      case OV_MP_INT: ov_mpr_int(&r); break;
      case OV_MP_STR: ov_mpr_str(&r, &n); break;
      case OV_MP_BIN: ov_mpr_bin(&r, &n); break;
      case OV_MP_ARRAY: ov_mpr_array(&r); break;
      default: ov_mpr_map(&r); break;
      }
      assert_int_equal(r.err, shortest ? OV_E_FORMAT : 0);
    }
  ov_mpr r = reader_of(&b, "d1ff80");
  assert_int_equal(ov_mpr_int(&r), -128);
  r = reader_of(&b, "cf00000000ffffffff");
  assert_int_equal(ov_mpr_int(&r), 4294967295);
  ov_buf_free(&b);
}

/* Bytes that nobody scanned, as a damaged store would give them, end in an error, never beyond their end. */
static void reads_check_their_bounds_themselves(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0xc1, 0xca, 0xc4, 0x05, 0x01};
  ov_mpr r;
  uint32_t n;
  ov_mpr_init_scanned(&r, bytes, 5);
  /* 4 thousand million children in no byte: nobody allocates by this */
  assert_int_equal(ov_mpr_array(&r), 0);
  assert_int_equal(r.err, OV_E_FORMAT);
  ov_mpr_init_scanned(&r, bytes + 5, 1);
  assert_int_equal(ov_mpr_peek(&r), OV_MP_END);
  ov_mpr_skip(&r);
  assert_int_equal(r.err, OV_E_FORMAT);
  ov_mpr_init_scanned(&r, bytes + 6, 1);
  assert_false(ov_mpr_bool(&r));
  assert_int_equal(r.err, OV_E_FORMAT);
  ov_mpr_init_scanned(&r, bytes + 7, 3);
  assert_null(ov_mpr_bin(&r, &n));
  assert_int_equal(r.err, OV_E_FORMAT);
}

static void utf8(void **state) {
  (void)state;
  // clang-format off
  static const char *good[] = {
    "", "61", "7f", "01", "c280", "dfbf", "e0a080", "e0bfbf", "e18080", "ecbfbf", "ed8080", "ed9fbf",
    "ee8080", "efbfbf",
    "f0908080", "f0bfbfbf", "f1808080", "f3bfbfbf", "f4808080", "f48fbfbf", "61 c3a9 e282ac f09f9880",
  };
  // clang-format on
  // clang-format off
  static const char *bad[] = {
    "00", "6100", "80", "bf", "c0", "c080", "c1bf", "c2", "c27f", "c2c0", "c3a9a9", "e0", "e0a0", "e09f80",
    "e0c080", "e18080c2", "e1807f", "e180c0", "e17f80", "eda080", "edbfbf", "edb080", "f0",
    "f0908f", "f08fbfbf",
    "f09080", "f0908040", "f0904080",
    "f490 8080", "f5808080", "ff", "fe", "f7bfbfbf", "f8888080 80",
  };
  // clang-format on
  ov_buf b;
  ov_buf_init(&b, 0);
  for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
    bool is_good = i < COUNT(good);
    const char *hex = is_good ? good[i] : bad[i - COUNT(good)];
    uint32_t n;
    ov_buf_reset(&b);
    put_hex(&b, hex);
    assert_int_equal(ov_utf8_valid(b.p, b.n), is_good);
    ov_buf s;
    ov_mpr r;
    ov_buf_init(&s, 0);
    ov_mpw_str(&s, b.p, b.n);
    ov_mpr_init(&r, s.p, s.n);
    const uint8_t *p = ov_mpr_str(&r, &n);
    assert_int_equal(ov_mpr_done(&r), is_good ? 0 : OV_E_FORMAT);
    assert_int_equal(n, is_good ? b.n : 0);
    assert_int_equal(p != NULL, is_good);
    ov_buf_free(&s);
  }
  ov_buf_free(&b);
}

/* Against the definition, for every sequence of up to three bytes from the interesting ones. */
static bool utf8_by_definition(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n;) {
    size_t len = p[i] < 0x80 ? 1 : p[i] >> 5 == 6 ? 2 : p[i] >> 4 == 14 ? 3 : p[i] >> 3 == 30 ? 4 : 0;
    static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
    if (len == 0 || i + len > n) return false;
    uint32_t c = len == 1 ? p[i] : p[i] & (0xffu >> (len + 1));
    for (size_t k = 1; k < len; k++) {
      if (p[i + k] >> 6 != 2) return false;
      c = c << 6 | (p[i + k] & 63u);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    i += len;
  }
  return true;
}

/* PROTO-14 */
static void utf8_follows_the_definition(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (uint32_t two = 0; two < 65536; two++) {
    uint8_t p[4] = {(uint8_t)(two >> 8), (uint8_t)two, (uint8_t)(0x80 | rnd_below(&seed, 64)),
                    (uint8_t)(0x80 | rnd_below(&seed, 64))};
    for (size_t n = 1; n <= 4; n++) assert_int_equal(ov_utf8_valid(p, n), utf8_by_definition(p, n));
  }
}

/* ---- mutations, with msgpack-c as the oracle ---- */

static void walk(ov_mpr *r) {
  uint32_t n;
  size_t raw_n;
  while (ov_mpr_peek(r) != OV_MP_END) {
    switch (ov_mpr_peek(r)) {
    case OV_MP_BOOL: ov_mpr_bool(r); break;
    case OV_MP_INT: ov_mpr_int(r); break;
    case OV_MP_STR: ov_mpr_str(r, &n); break;
    case OV_MP_BIN: ov_mpr_bin(r, &n); break;
    case OV_MP_ARRAY: ov_mpr_array(r); break;
    case OV_MP_MAP: ov_mpr_raw(r, &raw_n); break;
    default: ov_mpr_nil(r); break;
    }
  }
}

static void what_the_scan_takes_msgpack_takes_whole(void **state) {
  (void)state;
  enum { ROUNDS = 100000 };
  uint64_t seed = 20240;
  unsigned taken = 0;
  ov_buf b;
  ov_buf_init(&b, 0);
  put_sample(&b);
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint8_t p[512];
    memcpy(p, b.p, b.n);
    size_t n = mutate(&seed, p, b.n, sizeof p);
    ov_mpr r;
    ov_mpr_init_scanned(&r, p, n);
    walk(&r); /* never scanned: must end all the same */
    ov_mpr_init(&r, p, n);
    if (r.err) continue;
    taken++;
    walk(&r);
    msgpack_unpacked u;
    size_t off = 0;
    msgpack_unpacked_init(&u);
    assert_int_equal(msgpack_unpack_next(&u, (const char *)p, n, &off), MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(off, n);
    msgpack_unpacked_destroy(&u);
  }
  assert_in_range(taken, ROUNDS / 100, ROUNDS); /* else the mutations were too wild to test anything */
  ov_buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(truncated_at_every_byte_or_with_one_more),
      cmocka_unit_test(the_sample_reads_like_it_was_written),
      cmocka_unit_test(errors_stick),
      cmocka_unit_test(another_type_is_refused),
      cmocka_unit_test(ranges_are_kept),
      cmocka_unit_test(longer_forms_are_read_but_not_where_the_shortest_is_demanded),
      cmocka_unit_test(reads_check_their_bounds_themselves),
      cmocka_unit_test(utf8),
      cmocka_unit_test(utf8_follows_the_definition),
      cmocka_unit_test(what_the_scan_takes_msgpack_takes_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
