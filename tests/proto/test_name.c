#include "util.h"

#include "ov/limits.h"
#include "ov/name.h"

#define WRITER "000102030405060708090a0b0c0d0eff"

static ov_name name(uint8_t writer, uint64_t seq, uint8_t tag) {
  ov_name n = {.seq = seq};
  n.writer.b[0] = writer;
  n.tag[3] = tag;
  return n;
}

/* PROTO-17 */
static void zero_means_none(void **state) {
  (void)state;
  ov_id id = {{0}};
  ov_name n = {0};
  assert_true(ov_id_is_zero(&id));
  assert_true(ov_name_is_zero(&n));
  id.b[15] = 1;
  assert_false(ov_id_is_zero(&id));
  n = name(1, 0, 0);
  assert_false(ov_name_is_zero(&n));
  n = name(0, 1, 0);
  assert_false(ov_name_is_zero(&n));
  n = name(0, 0, 1);
  assert_false(ov_name_is_zero(&n));
}

static int sign(int v) { return (v > 0) - (v < 0); }

/* The struct order and the order of the bytes, which LMDB sorts by, must be one. PROTO-18 */
static void order_is_that_of_the_bytes(void **state) {
  (void)state;
  uint64_t seqs[] = {1, 2, 255, 256, 65536, OV_SEQ_MAX - 1, OV_SEQ_MAX};
  ov_name all[2 * 7 * 2];
  size_t n = 0;
  for (uint8_t w = 1; w <= 2; w++)
    for (size_t s = 0; s < 7; s++)
      for (uint8_t t = 0; t < 2; t++) all[n++] = name(w, seqs[s], t);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      uint8_t a[OV_NAME_BYTES], b[OV_NAME_BYTES];
      ov_name_write(&all[i], a);
      ov_name_write(&all[j], b);
      int c = ov_name_compare(&all[i], &all[j]);
      assert_int_equal(sign(c), sign(memcmp(a, b, sizeof a)));
      assert_int_equal(sign(c), i < j ? -1 : i > j);
      assert_int_equal(ov_name_equal(&all[i], &all[j]), i == j);
      assert_int_equal(ov_id_equal(&all[i].writer, &all[j].writer), i / 14 == j / 14);
    }
}

/* PROTO-18 */
static void bytes_are_writer_seq_big_endian_and_tag(void **state) {
  (void)state;
  ov_name n = {.seq = 0x0102030405060708ull, .tag = {0xaa, 0xbb, 0xcc, 0xdd}}, back;
  assert_int_equal(ov_unhex(WRITER, n.writer.b, OV_ID_BYTES), 0);
  uint8_t bytes[OV_NAME_BYTES];
  ov_name_write(&n, bytes);
  assert_hex(bytes, sizeof bytes, WRITER "0102030405060708 aabbccdd");
  ov_name_read(bytes, &back);
  assert_true(ov_name_equal(&n, &back));
}

/* PROTO-18 */
static void text_form_goes_there_and_back(void **state) {
  (void)state;
  ov_name n = {.seq = OV_SEQ_MAX, .tag = {0xaa, 0xbb, 0xcc, 0xdd}}, back;
  char text[OV_NAME_TEXT_MAX];
  assert_int_equal(ov_unhex(WRITER, n.writer.b, OV_ID_BYTES), 0);
  ov_name_text(&n, text);
  assert_string_equal(text, WRITER "-9007199254740991-aabbccdd");
  assert_int_equal(ov_name_parse(text, &back), 0);
  assert_true(ov_name_equal(&n, &back));
  n.seq = UINT64_MAX; /* the longest text still fits */
  ov_name_text(&n, text);
  assert_int_equal(strlen(text), 32 + 1 + 20 + 1 + 8);
}

static void what_is_no_name_is_refused(void **state) {
  (void)state;
  // clang-format off
  static const char *bad[] = {
    "", "-", WRITER, WRITER "-", WRITER "-1", WRITER "-1-", WRITER "-1-aabbccd", WRITER "-1-aabbccdde",
    WRITER "-1-aabbccdg", WRITER "-1-aabbccdd ", WRITER "-0-aabbccdd", WRITER "-01-aabbccdd",
    WRITER "--1-aabbccdd", WRITER "-+1-aabbccdd", WRITER "- 1-aabbccdd", WRITER "-1x-aabbccdd",
    WRITER "-x1-aabbccdd", WRITER "-1xaabbccdd",
    WRITER "-9007199254740992-aabbccdd", WRITER "-99999999999999999999999-aabbccdd",
    WRITER "0-1-aabbccdd", " " WRITER "-1-aabbccdd", "0001-1-aabbccdd",
    "000102030405060708090a0b0c0d0ef-1-aabbccdd", "000102030405060708090a0b0c0d0e/f-1-aabbccdd",
    "000102030405060708090a0b0c0d0e:0-1-aabbccdd", "000102030405060708090a0b0c0d0e@0-1-aabbccdd",
    "000102030405060708090a0b0c0d0e`0-1-aabbccdd",
  };
  // clang-format on
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ov_name n = name(7, 7, 7), before = n;
    assert_int_equal(ov_name_parse(bad[i], &n), OV_E_INVALID);
    assert_true(ov_name_equal(&n, &before));
  }
}

static void hex_takes_both_cases_and_gives_lower(void **state) {
  (void)state;
  uint8_t b[4];
  char text[9];
  assert_int_equal(ov_unhex("DEADbeef", b, 4), 0);
  ov_hex(b, 4, text);
  assert_string_equal(text, "deadbeef");
  ov_hex(b, 0, text);
  assert_string_equal(text, "");
  assert_int_equal(ov_unhex("", b, 0), 0);
  assert_int_equal(ov_unhex("deadbee", b, 4), OV_E_INVALID);
  assert_int_equal(ov_unhex("deadbeef0", b, 4), OV_E_INVALID);
  assert_int_equal(ov_unhex("deadbeeg", b, 4), OV_E_INVALID);
  assert_int_equal(ov_unhex("deadbeGf", b, 4), OV_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zero_means_none),
      cmocka_unit_test(order_is_that_of_the_bytes),
      cmocka_unit_test(bytes_are_writer_seq_big_endian_and_tag),
      cmocka_unit_test(text_form_goes_there_and_back),
      cmocka_unit_test(what_is_no_name_is_refused),
      cmocka_unit_test(hex_takes_both_cases_and_gives_lower),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
