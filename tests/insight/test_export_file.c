/* A file of a release in pieces: what is read is what was put, at every edge, and what is damaged is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "export_priv.h"
#include "fixture.h"

#define BYTES 100000u /* three pieces and a bit */
#define RELEASE (16u * (12u * 2026u + 1u))
#define PIECE 32768u

typedef struct place {
  fx_world w;
  sv_org *programme;
  exp_file f;
} place;

/* Text that repeats, as tables do; odd: bytes that no compression makes smaller. */
static void fill(exp_file *f, uint32_t n, bool odd) {
  uint64_t x = 88172645463325252u;
  *f = (exp_file){.dataset = exp_dataset_index("sleep"), .format = SV_FORMAT_CSV};
  ov_buf_init(&f->bytes, 0);
  for (uint32_t i = 0; i < n; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    ov_buf_u8(&f->bytes, odd ? (uint8_t)(x >> 32) : (uint8_t)('a' + i / 7 % 26));
  }
}

static void put(place *p, uint32_t number) {
  sv_txn *t = NULL;
  FX_OK(exp_file_close(&p->f));
  FX_OK(sv_txn_write(p->programme->env, &t));
  FX_OK(exp_file_put(t, number, &p->f));
  FX_OK(sv_txn_commit(t));
}

static void open_place(place *p, bool odd) {
  fx_open(&p->w, 21);
  p->programme = fx_programme(&p->w, fx_data(&p->w));
  fill(&p->f, BYTES, odd);
  put(p, RELEASE);
}

static void close_place(place *p) {
  exp_files_free(&p->f, 1);
  sv_org_close(p->programme);
  fx_close(&p->w);
}

static void reads_are_what_was_put(void **state) {
  (void)state;
  place p;
  sv_export_file x;
  uint8_t got[40000];
  size_t n;
  open_place(&p, false);
  FX_OK(sv_export_open(p.programme, "2026-02", "sleep", SV_FORMAT_CSV, false, &x));
  assert_int_equal(x.bytes, BYTES);
  assert_false(x.gzip);
  assert_string_equal(x.file_name, "overdracht-2026-02-sleep.csv");
  const uint64_t at[] = {0,         1,        PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 5, 3 * PIECE - 1,
                         3 * PIECE, BYTES - 1};
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    FX_OK(sv_export_read(&x, at[i], got, sizeof got, &n));
    assert_true(n > 0 && at[i] + n <= BYTES && (at[i] + n) % PIECE * (BYTES - at[i] - n) == 0);
    assert_memory_equal(got, p.f.bytes.p + at[i], n);
    FX_OK(sv_export_read(&x, at[i], got, 1, &n));
    assert_int_equal(n, 1);
    assert_int_equal(got[0], p.f.bytes.p[at[i]]);
  }
  FX_OK(sv_export_read(&x, BYTES, got, sizeof got, &n));
  assert_int_equal(n, 0);
  FX_OK(sv_export_read(&x, UINT64_MAX, got, sizeof got, &n));
  assert_int_equal(n, 0);
  close_place(&p);
}

static void gzip_only_where_it_is_smaller(void **state) {
  (void)state;
  for (int odd = 0; odd < 2; odd++) {
    place p;
    sv_export_file plain, x;
    uint8_t got[64];
    size_t n;
    open_place(&p, odd);
    FX_OK(sv_export_open(p.programme, "2026-02", "sleep", SV_FORMAT_CSV, false, &plain));
    FX_OK(sv_export_open(p.programme, "2026-02", "sleep", SV_FORMAT_CSV, true, &x));
    assert_int_equal(x.gzip, !odd);
    assert_int_equal(strcmp(x.etag, plain.etag) == 0, odd);
    FX_OK(sv_export_read(&x, 0, got, sizeof got, &n));
    assert_int_equal(got[0] == 0x1f && got[1] == 0x8b && x.bytes < BYTES / 10, !odd);
    close_place(&p);
  }
}

static void what_is_not_there(void **state) {
  (void)state;
  place p;
  sv_export_file x;
  open_place(&p, false);
  assert_int_equal(sv_export_open(p.programme, "2026-03", "sleep", SV_FORMAT_CSV, false, &x), OV_E_NOTFOUND);
  assert_int_equal(sv_export_open(p.programme, "nonsense", "sleep", SV_FORMAT_CSV, false, &x), OV_E_NOTFOUND);
  assert_int_equal(sv_export_open(p.programme, "2026-02", "naps", SV_FORMAT_CSV, false, &x), OV_E_INVALID);
  assert_int_equal(sv_export_open(p.programme, "2026-02", "sleep", SV_FORMAT_HTML, false, &x), OV_E_INVALID);
  close_place(&p);
}

/* A head that promises pieces which are not there: nothing is read, rather than something else. */
static void a_piece_that_is_gone(void **state) {
  (void)state;
  place p;
  sv_export_file x;
  uint8_t got[64];
  size_t n = 1;
  sv_txn *t = NULL;
  ov_buf head;
  open_place(&p, false);
  FX_OK(sv_export_open(p.programme, "2026-02", "sleep", SV_FORMAT_CSV, false, &x));
  ov_buf_init(&head, 0);
  FX_OK(sv_txn_write(p.programme->env, &t));
  FX_OK(sv_release_get(t, x.number, x.part, &head));
  FX_OK(sv_release_put(t, x.number + 16, x.part, head.p, head.n));
  FX_OK(sv_release_put(t, x.number + 16, x.part + 1, p.f.bytes.p, 100)); /* shorter than it must be */
  FX_OK(sv_release_put(t, x.number + 32, x.part, "\x93", 1));
  FX_OK(sv_txn_commit(t));
  ov_buf_free(&head);
  FX_OK(sv_export_open(p.programme, "2026-03", "sleep", SV_FORMAT_CSV, false, &x));
  assert_int_equal(sv_export_read(&x, 0, got, sizeof got, &n), OV_E_CORRUPT);
  assert_int_equal(n, 0);
  assert_int_equal(sv_export_read(&x, PIECE, got, sizeof got, &n), OV_E_CORRUPT);
  assert_int_equal(sv_export_open(p.programme, "2026-04", "sleep", SV_FORMAT_CSV, false, &x), OV_E_CORRUPT);
  close_place(&p);
}

static void a_file_too_large_is_no_release(void **state) {
  (void)state;
  exp_file f;
  fill(&f, SV_EXPORT_BYTES_MAX, false);
  assert_int_equal(exp_file_close(&f), 0);
  ov_buf_free(&f.gzip);
  ov_buf_u8(&f.bytes, 'x');
  assert_int_equal(exp_file_close(&f), OV_E_LIMIT);
  exp_files_free(&f, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_are_what_was_put),
      cmocka_unit_test(gzip_only_where_it_is_smaller),
      cmocka_unit_test(what_is_not_there),
      cmocka_unit_test(a_piece_that_is_gone),
      cmocka_unit_test(a_file_too_large_is_no_release),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
