/* Frames: any message comes back, what is claimed is bounded, and the dictionary is the one of the protocol.
 */
#include "util.h"

#define ZLIB_CONST
#include <zlib.h>

#include "../../proto/src/dict1.h"
#include "faults.h"
#include "ov/chain.h"
#include "ov/rows.h"

#define FRAME_MAX OV_FRAME_BYTES_MAX

typedef struct env {
  ov_packer *k;
  ov_buf frame, plain;
  uint64_t s;
} env;

static int setup(void **state) {
  env *e = calloc(1, sizeof *e);
  e->k = ov_packer_new();
  e->s = 42;
  *state = e;
  return e->k ? 0 : -1;
}

static int teardown(void **state) {
  env *e = *state;
  ov_packer_free(e->k);
  ov_buf_free(&e->frame);
  ov_buf_free(&e->plain);
  free(e);
  return 0;
}

static size_t round_trip(env *e, const void *p, size_t n) {
  ov_buf_reset(&e->frame);
  ov_buf_reset(&e->plain);
  assert_int_equal(0, ov_frame_pack(e->k, p, n, &e->frame));
  assert_in_range(e->frame.n, 1, n + 1);
  assert_int_equal(0, ov_frame_unpack(e->k, e->frame.p, e->frame.n, FRAME_MAX, &e->plain));
  assert_int_equal(n, e->plain.n);
  if (n) assert_memory_equal(p, e->plain.p, n);
  return e->frame.n;
}

/* PROTO-7 */
static void test_any_message_comes_back(void **state) {
  env *e = *state;
  uint8_t *p = malloc(FRAME_MAX);
  for (int i = 0; i < 300; i++) {
    size_t n = i < 40 ? (size_t)i : rnd_below(&e->s, i < 290 ? 3000 : FRAME_MAX),
           from = rnd_below(&e->s, 8000);
    size_t text = rnd_below(&e->s, (uint32_t)n + 1);
    for (size_t k = 0; k < n; k++) p[k] = k < text ? ov_dict1[from + k % 3000] : (uint8_t)(rnd(&e->s) >> 30);
    round_trip(e, p, n);
  }
  memset(p, 'a', FRAME_MAX);
  assert_in_range(round_trip(e, p, FRAME_MAX), 1, 200);
  free(p);
}

/* The text is deflated, the rest behind it costs its own bytes and a few more. PROTO-8 */
static void test_text_before_noise_is_cut(void **state) {
  env *e = *state;
  static const char note[] = "Heeft goed geslapen. Was om drie uur wakker, even bij gezeten en daarna rustig "
                             "gaan slapen. Wilde niet douchen.";
  uint8_t p[sizeof note + 600];
  memcpy(p, note, sizeof note);
  for (size_t i = sizeof note; i < sizeof p; i++) p[i] = (uint8_t)(rnd(&e->s) >> 30);
  size_t text = round_trip(e, note, sizeof note), both = round_trip(e, p, sizeof p);
  assert_in_range(text, 10, 60); /* the words are in the dictionary */
  assert_in_range(both, 600, 600 + text + 8);
  assert_int_equal(1, e->frame.p[0]);
}

/* PROTO-8 */
static void test_noise_travels_plain(void **state) {
  env *e = *state;
  uint8_t p[200];
  for (size_t i = 0; i < sizeof p; i++) p[i] = (uint8_t)(rnd(&e->s) >> 30);
  assert_int_equal(sizeof p + 1, round_trip(e, p, sizeof p));
  assert_int_equal(0, e->frame.p[0]);
}

static void expect(env *e, int err, const uint8_t *p, size_t n, size_t max) {
  ov_buf_reset(&e->plain);
  ov_buf_u8(&e->plain, 0x55);
  assert_int_equal(err, ov_frame_unpack(e->k, p, n, max, &e->plain));
  if (err) assert_int_equal(1, e->plain.n); /* nothing half unpacked is left behind */
}

/* PROTO-9 */
static void test_what_is_no_frame(void **state) {
  env *e = *state;
  static const uint8_t mode2[] = {2, 0x03, 0x00}, reserved[] = {1, 0x07}, cut[] = {1, 0x4b}, empty[] = {1};
  static uint8_t large[OV_WS_MESSAGE_BYTES_MAX + 1];
  expect(e, OV_E_FORMAT, mode2, 0, FRAME_MAX);
  expect(e, OV_E_FORMAT, mode2, sizeof mode2, FRAME_MAX);
  expect(e, OV_E_FORMAT, reserved, sizeof reserved, FRAME_MAX);
  expect(e, OV_E_FORMAT, cut, sizeof cut, FRAME_MAX);
  expect(e, OV_E_FORMAT, empty, sizeof empty, FRAME_MAX);
  expect(e, OV_E_LIMIT, large, sizeof large, FRAME_MAX);
  round_trip(e, "heeft goed geslapen, heeft goed gegeten en gedronken", 52);
  assert_int_equal(1, e->frame.p[0]);
  ov_buf_u8(&e->frame, 0); /* bytes behind the end of the stream */
  expect(e, OV_E_FORMAT, e->frame.p, e->frame.n, FRAME_MAX);
  expect(e, OV_E_FORMAT, e->frame.p, e->frame.n - 3, FRAME_MAX);
}

/* PROTO-9 */
static void test_bombs_are_cut_off(void **state) {
  env *e = *state;
  ov_buf zeros;
  ov_buf_init(&zeros, 0);
  memset(ov_buf_grow(&zeros, 4 << 20), 0, 4 << 20);
  ov_buf_reset(&e->frame);
  assert_int_equal(0, ov_frame_pack(e->k, zeros.p, zeros.n, &e->frame));
  assert_in_range(e->frame.n, 1, OV_WS_MESSAGE_BYTES_MAX);
  expect(e, OV_E_LIMIT, e->frame.p, e->frame.n, FRAME_MAX);
  assert_in_range(e->plain.cap, 1, 4 * FRAME_MAX);
  ov_buf_reset(&e->frame);
  assert_int_equal(0, ov_frame_pack(e->k, zeros.p, FRAME_MAX, &e->frame));
  expect(e, 0, e->frame.p, e->frame.n, FRAME_MAX);
  expect(e, OV_E_LIMIT, e->frame.p, e->frame.n, FRAME_MAX - 1);
  static const uint8_t plain[] = {0, 1, 2, 3};
  expect(e, 0, plain, sizeof plain, 3);
  expect(e, OV_E_LIMIT, plain, sizeof plain, 2);
  ov_buf_free(&zeros);
}

/* A frame is no more than a raw DEFLATE stream behind a byte: any inflater that is given the dictionary reads
 * it. */
static void test_any_inflater_reads_a_frame(void **state) {
  env *e = *state;
  static const char text[] = "wilde niet naar bed, was onrustig en liep veel heen en weer";
  uint8_t out[200];
  round_trip(e, text, sizeof text);
  z_stream z = {.next_in = e->frame.p + 1,
                .avail_in = (uInt)(e->frame.n - 1),
                .next_out = out,
                .avail_out = sizeof out};
  assert_int_equal(1, e->frame.p[0]);
  assert_int_equal(Z_OK, inflateInit2(&z, -15));
  assert_int_equal(Z_OK, inflateSetDictionary(&z, ov_dict1, OV_DICT1_BYTES));
  assert_int_equal(Z_STREAM_END, inflate(&z, Z_FINISH));
  assert_int_equal(sizeof text, sizeof out - z.avail_out);
  assert_memory_equal(text, out, sizeof text);
  inflateEnd(&z);
}

static void test_mutants_do_no_harm(void **state) {
  env *e = *state;
  round_trip(e, "heeft goed geslapen, heeft goed gegeten en gedronken, geen bijzonderheden vannacht", 82);
  for (int i = 0; i < 50000; i++) {
    uint8_t work[200];
    memcpy(work, e->frame.p, e->frame.n);
    size_t n = mutate(&e->s, work, e->frame.n, sizeof work);
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, work, n);
    ov_buf_reset(&e->plain);
    int err = ov_frame_unpack(e->k, exact, n, 4096, &e->plain);
    assert_true(err == 0 || err == OV_E_FORMAT || err == OV_E_LIMIT);
    assert_true(e->plain.n <= 4096);
    free(exact);
  }
}

static void test_every_failing_allocation_is_told(void **state) {
  env *e = *state;
  char text[6000];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)ov_dict1[(i * 7) % 9000];
  FOR_EACH_FAULT(k) {
    ov_packer *p = ov_packer_new();
    assert_int_equal(fault_hit(), p == NULL);
    ov_packer_free(p);
  }
  FOR_EACH_FAULT(k) {
    ov_buf frame, plain;
    ov_buf_init(&frame, 0);
    ov_buf_init(&plain, 0);
    ov_packer *p = ov_packer_new();
    int err = p ? ov_frame_pack(p, (const uint8_t *)text, sizeof text, &frame) : OV_E_NOMEM;
    if (!err) err = ov_frame_unpack(p, frame.p, frame.n, FRAME_MAX, &plain);
    assert_int_equal(fault_hit() ? OV_E_NOMEM : 0, err);
    ov_buf_free(&frame);
    ov_buf_free(&plain);
    ov_packer_free(p);
  }
  round_trip(e, text, sizeof text);
}

/* Both sides must hold the same bytes for ever: a change here is another dictionary with another mode byte.
 PROTO-6 */
static void test_the_dictionary_is_that_of_the_protocol(void **state) {
  (void)state;
  static uint8_t file[OV_DICT1_BYTES + 1];
  char hex[2 * OV_HASH_BYTES + 1];
  ov_hasher *h = ov_hasher_new();
  ov_hash hash;
  FILE *f = fopen(OV_SOURCE_DIR "/proto/dict/dict1.txt", "rb");
  assert_non_null(f);
  assert_int_equal(OV_DICT1_BYTES, fread(file, 1, sizeof file, f));
  fclose(f);
  assert_memory_equal(ov_dict1, file, OV_DICT1_BYTES);
  assert_int_equal(0, ov_sha256(h, ov_dict1, OV_DICT1_BYTES, &hash));
  ov_hex(hash.b, OV_HASH_BYTES, hex);
  assert_string_equal("b21a041ec3f3ca33ebad05ffb4976f04bb72d08045f1b37b9bc9eb6ac53b7332", hex);
  ov_hasher_free(h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_any_message_comes_back),
      TEST(test_text_before_noise_is_cut),
      TEST(test_noise_travels_plain),
      TEST(test_what_is_no_frame),
      TEST(test_bombs_are_cut_off),
      TEST(test_any_inflater_reads_a_frame),
      TEST(test_mutants_do_no_harm),
      TEST(test_every_failing_allocation_is_told),
      TEST(test_the_dictionary_is_that_of_the_protocol),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
