#include "util.h"

#include "faults.h"
#include "ov/chain.h"

/* Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation": AES-256 with 60 bytes of text and
 * 20 of aad. */
#define GCM_KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_NONCE "cafebabefacedbaddecaf888"
#define GCM_AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_PLAIN                                                                                            \
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5" \
  "aa0de657ba637b39"
#define GCM_SEALED                                                                                           \
  "01" GCM_NONCE "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105" \
  "6828838c5f61e6393ba7a0abcc9f662"                                                                          \
  "76fc6ece0f4e1768cddf8853bb2d551b"

typedef struct fixture {
  ov_hasher *h;
  uint8_t key[OV_KEY_BYTES], nonce[12];
  ov_buf aad, plain, sealed, opened;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->h = ov_hasher_new();
  ov_buf_init(&f->aad, 0);
  ov_buf_init(&f->plain, 0);
  ov_buf_init(&f->sealed, 0);
  ov_buf_init(&f->opened, 0);
  put_hex(&f->aad, GCM_AAD);
  put_hex(&f->plain, GCM_PLAIN);
  *state = f;
  if (!f->h || ov_unhex(GCM_KEY, f->key, sizeof f->key) != 0) return -1;
  return ov_unhex(GCM_NONCE, f->nonce, sizeof f->nonce);
}

static int tear_down(void **state) {
  fixture *f = *state;
  ov_buf_free(&f->aad);
  ov_buf_free(&f->plain);
  ov_buf_free(&f->sealed);
  ov_buf_free(&f->opened);
  ov_hasher_free(f->h);
  free(f);
  return 0;
}

static int seal(fixture *f) {
  return ov_seal(f->h, f->key, f->nonce, f->aad.p, f->aad.n, f->plain.p, f->plain.n, &f->sealed);
}

static int open_it(fixture *f) {
  return ov_open(f->h, f->key, f->aad.p, f->aad.n, f->sealed.p, f->sealed.n, &f->opened);
}

static void assert_refused(fixture *f) {
  size_t before = f->opened.n;
  assert_int_equal(open_it(f), OV_E_CORRUPT);
  assert_int_equal(f->opened.n, before);
  assert_int_equal(f->opened.err, 0);
}

static void it_follows_the_published_vector(void **state) {
  fixture *f = *state;
  assert_int_equal(seal(f), 0);
  assert_hex(f->sealed.p, f->sealed.n, GCM_SEALED);
  assert_int_equal(f->sealed.n, f->plain.n + OV_SEAL_OVERHEAD);
  assert_int_equal(open_it(f), 0);
  assert_hex(f->opened.p, f->opened.n, GCM_PLAIN);
}

static void all_sizes_go_there_and_back_and_append(void **state) {
  fixture *f = *state;
  uint8_t plain[600];
  for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i * 7);
  for (size_t n = 0; n < sizeof plain; n += n < 40 ? 1 : 31)
    for (size_t aad_n = 0; aad_n <= f->aad.n; aad_n += f->aad.n) {
      ov_buf_reset(&f->sealed);
      ov_buf_reset(&f->opened);
      ov_buf_put(&f->sealed, "abc", 3);
      ov_buf_put(&f->opened, "abc", 3);
      assert_int_equal(ov_seal(f->h, f->key, f->nonce, f->aad.p, aad_n, n ? plain : NULL, n, &f->sealed), 0);
      assert_int_equal(f->sealed.n, 3 + n + OV_SEAL_OVERHEAD);
      assert_int_equal(ov_open(f->h, f->key, f->aad.p, aad_n, f->sealed.p + 3, f->sealed.n - 3, &f->opened),
                       0);
      assert_int_equal(f->opened.n, 3 + n);
      assert_memory_equal(f->opened.p, "abc", 3);
      assert_memory_equal(f->opened.p + 3, plain, n);
    }
}

static void every_flipped_bit_is_refused(void **state) {
  fixture *f = *state;
  assert_int_equal(seal(f), 0);
  for (size_t bit = 0; bit < 8 * f->sealed.n; bit++) {
    f->sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_refused(f);
    f->sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_int_equal(open_it(f), 0);
}

static void another_key_or_aad_is_refused(void **state) {
  fixture *f = *state;
  assert_int_equal(seal(f), 0);
  for (size_t bit = 0; bit < 256; bit++) {
    f->key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_refused(f);
    f->key[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  for (size_t bit = 0; bit < 8 * f->aad.n; bit++) {
    f->aad.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_refused(f);
    f->aad.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  size_t aad_n = f->aad.n;
  f->aad.n = 0;
  assert_refused(f);
  f->aad.n = aad_n - 1;
  assert_refused(f);
  f->aad.n = aad_n;
  assert_int_equal(open_it(f), 0);
}

/* Two values of one store, each opened with the other's aad: what a swap of rows on disk would be. */
static void swapped_values_are_refused(void **state) {
  fixture *f = *state;
  ov_buf other;
  ov_buf_init(&other, 0);
  assert_int_equal(seal(f), 0);
  f->nonce[0] ^= 1;
  assert_int_equal(ov_seal(f->h, f->key, f->nonce, "other", 5, "text", 4, &other), 0);
  assert_int_equal(ov_open(f->h, f->key, "other", 5, f->sealed.p, f->sealed.n, &f->opened), OV_E_CORRUPT);
  assert_int_equal(ov_open(f->h, f->key, f->aad.p, f->aad.n, other.p, other.n, &f->opened), OV_E_CORRUPT);
  assert_int_equal(ov_open(f->h, f->key, "other", 5, other.p, other.n, &f->opened), 0);
  assert_memory_equal(f->opened.p, "text", 4);
  ov_buf_free(&other);
}

static void cut_anywhere_is_refused(void **state) {
  fixture *f = *state;
  assert_int_equal(seal(f), 0);
  for (size_t n = f->sealed.n; n-- > 0;) {
    f->sealed.n = n;
    assert_refused(f);
  }
}

static void nothing_readable_is_left_behind(void **state) {
  fixture *f = *state;
  assert_int_equal(seal(f), 0);
  f->sealed.p[f->sealed.n - 1] ^= 1;
  ov_buf_grow(&f->opened, 1000); /* so that what open leaves beyond n can be looked at */
  ov_buf_reset(&f->opened);
  memset(f->opened.p, 0, 1000);
  assert_refused(f);
  for (size_t i = 0; i < 1000; i++) assert_int_equal(f->opened.p[i], 0);
}

static void a_buffer_without_room_gives_its_own_error(void **state) {
  fixture *f = *state;
  ov_buf small;
  assert_int_equal(seal(f), 0);
  ov_buf_init(&small, f->plain.n - 1);
  assert_int_equal(ov_open(f->h, f->key, f->aad.p, f->aad.n, f->sealed.p, f->sealed.n, &small), OV_E_LIMIT);
  ov_buf_reset(&small);
  assert_int_equal(ov_seal(f->h, f->key, f->nonce, NULL, 0, f->plain.p, f->plain.n, &small), OV_E_LIMIT);
  assert_int_equal(small.n, 0);
  ov_buf_free(&small);
}

/* OpenSSL counts in int; the lengths are refused before anything is read. */
static void more_than_openssl_counts_is_refused(void **state) {
  fixture *f = *state;
  size_t huge = (size_t)1 << 31;
  assert_int_equal(ov_seal(f->h, f->key, f->nonce, NULL, 0, "", huge, &f->sealed), OV_E_LIMIT);
  assert_int_equal(ov_seal(f->h, f->key, f->nonce, "", huge, "", 0, &f->sealed), OV_E_LIMIT);
  assert_int_equal(ov_open(f->h, f->key, NULL, 0, "", huge, &f->opened), OV_E_LIMIT);
  assert_int_equal(ov_open(f->h, f->key, "", huge, "", 0, &f->opened), OV_E_LIMIT);
}

static void when_any_call_fails_nothing_is_appended(void **state) {
  fixture *f = *state;
  unsigned failures = 0;
  FOR_EACH_FAULT(k) {
    ov_buf_free(&f->sealed);
    int err = seal(f);
    bool hit = fault_hit();
    failures += hit;
    assert_true(hit ? err == OV_E_CRYPTO || err == OV_E_NOMEM : err == 0);
    assert_int_equal(f->sealed.n, hit ? 0 : f->plain.n + OV_SEAL_OVERHEAD);
  }
  assert_hex(f->sealed.p, f->sealed.n, GCM_SEALED);
  FOR_EACH_FAULT(k) {
    ov_buf_free(&f->opened);
    int err = open_it(f);
    bool hit = fault_hit();
    failures += hit;
    /* A failing last step looks like a tag that does not fit, and is no less safe so. */
    assert_true(hit ? err == OV_E_CRYPTO || err == OV_E_NOMEM || err == OV_E_CORRUPT : err == 0);
    assert_int_equal(f->opened.n, hit ? 0 : f->plain.n);
  }
  assert_hex(f->opened.p, f->opened.n, GCM_PLAIN);
  assert_true(failures >= 12);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(it_follows_the_published_vector),     TEST(all_sizes_go_there_and_back_and_append),
      TEST(every_flipped_bit_is_refused),        TEST(another_key_or_aad_is_refused),
      TEST(swapped_values_are_refused),          TEST(cut_anywhere_is_refused),
      TEST(nothing_readable_is_left_behind),     TEST(a_buffer_without_room_gives_its_own_error),
      TEST(more_than_openssl_counts_is_refused), TEST(when_any_call_fails_nothing_is_appended),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
