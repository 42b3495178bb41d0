
#include "mp_bytes.h"

/* ---- writer ---- */

/* PROTO-12 */
static void integers_take_their_shortest_form(void **state) {
  (void)state;
  // clang-format off
  static const struct { int64_t v; const char *hex; } ints[] = {
    {0, "00"}, {127, "7f"}, {128, "cc80"}, {255, "ccff"}, {256, "cd0100"}, {65535, "cdffff"},
    {65536, "ce00010000"},
    {4294967295, "ceffffffff"}, {4294967296, "cf0000000100000000"}, {INT64_MAX, "cf7fffffffffffffff"},
    {-1, "ff"}, {-32, "e0"}, {-33, "d0df"}, {-128, "d080"}, {-129, "d1ff7f"}, {-32768, "d18000"},
    {-32769, "d2ffff7fff"}, {INT32_MIN, "d280000000"}, {-2147483649ll, "d3ffffffff7fffffff"},
    {INT64_MIN, "d38000000000000000"},
  };
  // clang-format on
  for (size_t i = 0; i < COUNT(ints); i++) {
    ov_buf b;
    ov_mpr r;
    ov_buf_init(&b, 0);
    ov_mpw_int(&b, ints[i].v);
    assert_hex(b.p, b.n, ints[i].hex);
    ov_mpr_init(&r, b.p, b.n);
    r.shortest = true;
    assert_int_equal(ov_mpr_int(&r), ints[i].v);
    assert_int_equal(ov_mpr_done(&r), 0);
    if (ints[i].v >= 0) {
      ov_buf_reset(&b);
      ov_mpw_uint(&b, (uint64_t)ints[i].v);
      assert_hex(b.p, b.n, ints[i].hex);
    }
    ov_buf_free(&b);
  }
}

/* Writes n bytes of str or bin and looks at the head; then reads them back under the demand for shortest
 * forms. */
static void check_body(bool text, size_t n, const char *head) {
  static uint8_t body[70000];
  memset(body, 'a', sizeof body);
  ov_buf b;
  ov_mpr r;
  uint32_t got;
  ov_buf_init(&b, 0);
  if (text) ov_mpw_str(&b, body, n);
  else ov_mpw_bin(&b, body, n);
  assert_hex(b.p, b.n - n, head);
  ov_mpr_init(&r, b.p, b.n);
  r.shortest = true;
  const uint8_t *p = text ? ov_mpr_str(&r, &got) : ov_mpr_bin(&r, &got);
  assert_int_equal(ov_mpr_done(&r), 0);
  assert_int_equal(got, n);
  assert_memory_equal(p, body, n);
  ov_buf_free(&b);
}

static void lengths_take_their_shortest_form(void **state) {
  (void)state;
  check_body(true, 0, "a0");
  check_body(true, 31, "bf");
  check_body(true, 32, "d920");
  check_body(true, 255, "d9ff");
  check_body(true, 256, "da0100");
  check_body(true, 65535, "daffff");
  check_body(true, 65536, "db00010000");
  check_body(false, 0, "c400");
  check_body(false, 255, "c4ff");
  check_body(false, 256, "c50100");
  check_body(false, 65535, "c5ffff");
  check_body(false, 65536, "c600010000");
}

static void check_container(bool map, uint32_t n, const char *head) {
  ov_buf b;
  ov_mpr r;
  ov_buf_init(&b, 0);
  if (map) ov_mpw_map(&b, n);
  else ov_mpw_array(&b, n);
  assert_hex(b.p, b.n, head);
  for (uint32_t i = 0; i < n * (map ? 2 : 1); i++) ov_mpw_nil(&b);
  assert_int_equal(ov_mp_prescan(b.p, b.n, 1000000), 0);
  ov_mpr_init_scanned(&r, b.p, b.n);
  r.shortest = true;
  assert_int_equal(map ? ov_mpr_map(&r) : ov_mpr_array(&r), n);
  assert_int_equal(r.err, 0);
  ov_buf_free(&b);
}

static void counts_take_their_shortest_form(void **state) {
  (void)state;
  check_container(false, 0, "90");
  check_container(false, 15, "9f");
  check_container(false, 16, "dc0010");
  check_container(false, 65535, "dcffff");
  check_container(false, 65536, "dd00010000");
  check_container(true, 0, "80");
  check_container(true, 15, "8f");
  check_container(true, 16, "de0010");
  check_container(true, 65535, "deffff");
  check_container(true, 65536, "df00010000");
}

static void the_other_writers(void **state) {
  (void)state;
  ov_buf b;
  ov_name n = {.seq = 7, .tag = {1, 2, 3, 4}};
  ov_buf_init(&b, 0);
  ov_mpw_nil(&b);
  ov_mpw_bool(&b, false);
  ov_mpw_bool(&b, true);
  ov_mpw_uint(&b, UINT64_MAX);
  ov_mpw_cstr(&b, "é");
  ov_mpw_name(&b, &n);
  assert_hex(
      b.p, b.n,
      "c0 c2 c3 cfffffffffffffffff a2c3a9 c41c 00000000000000000000000000000000 0000000000000007 01020304");
  ov_buf_reset(&b);
  const uint64_t v[] = {0, 127, 128, 300, UINT64_MAX};
  for (size_t i = 0; i < COUNT(v); i++) ov_buf_varint(&b, v[i]);
  assert_hex(b.p, b.n, "00 7f 8001 ac02 ffffffffffffffffff01");
  ov_buf_free(&b);
  ov_buf_free(&b);
}

static void a_full_buffer_sticks_with_limit(void **state) {
  (void)state;
  ov_buf b;
  ov_buf_init(&b, 10);
  ov_buf_put(&b, "12345678", 8);
  ov_mpw_str(&b, "abc", 3); /* 4 bytes: not even its head is written */
  assert_int_equal(b.err, OV_E_LIMIT);
  assert_int_equal(b.n, 8);
  ov_buf_u8(&b, 1); /* would fit, but the error sticks */
  ov_mpw_bin(&b, "", 0);
  assert_int_equal(b.n, 8);
  assert_null(ov_buf_grow(&b, 0));
  ov_buf_reset(&b);
  ov_buf_put(&b, "1234567890", 10);
  assert_int_equal(b.err, 0);
  assert_int_equal(b.cap, 10);
  ov_buf_put(&b, "", 0);
  assert_int_equal(b.err, 0);
  ov_buf_u8(&b, 1);
  assert_int_equal(b.err, OV_E_LIMIT);
  ov_buf_free(&b);
  assert_int_equal(b.max, 10);
}

static void more_than_a_length_can_say_is_refused_unread(void **state) {
  (void)state;
  ov_buf b;
  ov_buf_init(&b, SIZE_MAX);
  ov_mpw_bin(&b, "", (size_t)1 << 32);
  assert_int_equal(b.err, OV_E_LIMIT);
  assert_int_equal(b.n, 0);
  b.err = OV_E_NOMEM;
  ov_mpw_str(&b, "", (size_t)1 << 32);
  assert_int_equal(b.err, OV_E_NOMEM); /* the first error stays */
  ov_buf_free(&b);
}

static void growing_by_an_empty_piece_gives_a_place(void **state) {
  (void)state;
  ov_buf b;
  b = (ov_buf){0}; /* all zero is an empty buffer with the default limit, too */
  assert_non_null(ov_buf_grow(&b, 0));
  memcpy(ov_buf_grow(&b, 1000), (uint8_t[1000]){9}, 1000);
  assert_int_equal(b.n, 1000);
  assert_int_equal(b.p[0], 9);
  assert_null(ov_buf_grow(&b, (size_t)65 << 20)); /* the default limit */
  assert_int_equal(b.err, OV_E_LIMIT);
  ov_buf_free(&b);
}

static void writing_without_memory_sticks_with_nomem(void **state) {
  (void)state;
  FOR_EACH_FAULT(k) {
    ov_buf b;
    ov_buf_init(&b, 0);
    for (int i = 0; i < 100; i++) ov_mpw_cstr(&b, "nachtdienst");
    bool hit = fault_hit();
    assert_int_equal(b.err, hit ? OV_E_NOMEM : 0);
    assert_true(hit ? b.n < 1200 : b.n == 1200);
    ov_buf_free(&b);
  }
}

/* ---- pre-scan ---- */

static int scan_hex(const char *text, size_t objects_max) {
  ov_buf b;
  ov_buf_init(&b, 0);
  put_hex(&b, text);
  int err = ov_mp_prescan(b.p, b.n, objects_max);
  ov_buf_free(&b);
  return err;
}

/* PROTO-11, PROTO-13 */
static void the_scan_refuses(void **state) {
  (void)state;
  // clang-format off
  static const char *bad[] = {
    "",                             /* nothing */
    "c1", "91c1",                   /* never used */
    "c70100aa", "c8000100aa", "c90000000100aa", "d400aa", "d500aabb", "d60011223344",
    "d7001122334455667788", "d80011223344556677881122334455667788", /* ext */
    "ca7fc00000", "cb7ff8000000000000", "cb3ff0000000000000",       /* NaN and other floats */
    "cc", "cd01", "ce010203", "cf01020304050607", "d0", "d101", "d2010203", "d301020304050607",
    "c4", "c402aa", "c500", "c50001", "c6000000", "c600000001", "a1", "a2aa", "d9", "d901", "da00", "da0001",
    "db000000", "db00000001", "dc00", "dc0001", "dd000000", "dd00000001", "de00", "de0001", "de000100",
    "df000000", "df00000001",
    "91", "9200", "81", "8100", "820000 00",
    "ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "dd7fffffff00", /* that claim gigabytes */
    "0000", "c0c0", "9000", "a0a0", "c40000",                               /* trailing */
    "91919191919191919190",                                                 /* ten deep */
    "919191919191919190",   /* nine deep, though the innermost is empty */
    "818181818181818100",
  };
  // clang-format on
  for (size_t i = 0; i < COUNT(bad); i++) assert_int_equal(scan_hex(bad[i], 1000), OV_E_FORMAT);
}

static void the_scan_takes(void **state) {
  (void)state;
  // clang-format off
  static const char *good[] = {
    "00", "c0", "c2", "c3", "ff", "a0", "c400", "c50000", "c600000000", "d900", "da0000", "db00000000", "90",
    "dc0000", "dd00000000", "80", "de0000", "df00000000", "cd0001", "d30000000000000001", "9190",
    "9191919191919190", "9191919191919100",
    "92 92 90 90 93 c0 c0 c0", "82 00 90 01 80", "81 90 90",
  };
  // clang-format on
  for (size_t i = 0; i < COUNT(good); i++) assert_int_equal(scan_hex(good[i], 1000), 0);
}

/* 33 nested arrays, as an attacker would send them, and far more than that. PROTO-13 */
static void depth_is_bounded_without_a_stack(void **state) {
  (void)state;
  static uint8_t deep[60000];
  memset(deep, 0x91, sizeof deep);
  deep[sizeof deep - 1] = 0;
  assert_int_equal(ov_mp_prescan(deep, sizeof deep, 100000), OV_E_FORMAT);
  assert_int_equal(ov_mp_prescan(deep + sizeof deep - 34, 34, 100000), OV_E_FORMAT);
  assert_int_equal(ov_mp_prescan(deep + sizeof deep - 9, 9, 100000), 0);
  assert_int_equal(ov_mp_prescan(deep + sizeof deep - 10, 10, 100000), OV_E_FORMAT);
  ov_mpr r;
  ov_mpr_init_scanned(&r, deep, sizeof deep); /* skipping needs no stack either */
  ov_mpr_skip(&r);
  assert_int_equal(ov_mpr_done(&r), 0);
}

/* PROTO-13 */
static void objects_are_counted_each(void **state) {
  (void)state;
  assert_int_equal(scan_hex("93 00 81 00 a0 c0", 6), 0);
  assert_int_equal(scan_hex("93 00 81 00 a0 c0", 5), OV_E_LIMIT);
  assert_int_equal(scan_hex("00", 0), OV_E_LIMIT);
  static uint8_t many[OV_FRAME_OBJECTS_MAX + 5] = {0xdd, 0, 1, 0, 0};
  ov_mpr r;
  ov_mpr_init(&r, many, sizeof many); /* 65,536 integers and their array: one too many */
  assert_int_equal(r.err, OV_E_LIMIT);
  many[2] = 0, many[3] = 0xff, many[4] = 0xff;
  ov_mpr_init(&r, many, sizeof many - 1);
  assert_int_equal(r.err, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_take_their_shortest_form),
      cmocka_unit_test(lengths_take_their_shortest_form),
      cmocka_unit_test(counts_take_their_shortest_form),
      cmocka_unit_test(the_other_writers),
      cmocka_unit_test(a_full_buffer_sticks_with_limit),
      cmocka_unit_test(more_than_a_length_can_say_is_refused_unread),
      cmocka_unit_test(growing_by_an_empty_piece_gives_a_place),
      cmocka_unit_test(writing_without_memory_sticks_with_nomem),
      cmocka_unit_test(the_scan_refuses),
      cmocka_unit_test(the_scan_takes),
      cmocka_unit_test(depth_is_bounded_without_a_stack),
      cmocka_unit_test(objects_are_counted_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
