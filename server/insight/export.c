/* Files of releases: what there is, making all of them, and handing them out. */
#include "sv_export.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"

enum { D_PAIRED = 7, D_CODEBOOK = 8, D_PACKAGE = 9, D_COUNT = 10 };

const char sv_export_list[] =
    "sleep, sleep_check, day_structure, social_contact, tech_use, goal, remote_care and "
    "paired as csv, sav or dta; codebook as csv or html; datapackage as json";

const char *sv_export_dataset_at(unsigned i) {
  static const char *const names[D_COUNT] = {"sleep",    "sleep_check", "day_structure", "social_contact",
                                             "tech_use", "goal",        "remote_care",   "paired",
                                             "codebook", "datapackage"};
  return i < D_COUNT ? names[i] : NULL;
}

const char *sv_format_name(sv_format f) {
  static const char *const names[SV_FORMAT_COUNT] = {"csv", "sav", "dta", "html", "json"};
  return (unsigned)f < SV_FORMAT_COUNT ? names[f] : "";
}

const char *sv_format_content_type(sv_format f) {
  static const char *const types[SV_FORMAT_COUNT] = {"text/csv; charset=utf-8", "application/x-spss-sav",
                                                     "application/x-stata-dta", "text/html; charset=utf-8",
                                                     "application/json"};
  return (unsigned)f < SV_FORMAT_COUNT ? types[f] : "";
}

int sv_format_parse(const char *text, sv_format *out) {
  for (unsigned f = 0; f < SV_FORMAT_COUNT; f++) {
    if (strcmp(text, sv_format_name((sv_format)f))) continue;
    *out = (sv_format)f;
    return 0;
  }
  return OV_E_INVALID;
}

static bool has(unsigned dataset, sv_format f) {
  if (dataset <= D_PAIRED) return f <= SV_FORMAT_DTA;
  if (dataset == D_CODEBOOK) return f == SV_FORMAT_CSV || f == SV_FORMAT_HTML;
  return dataset == D_PACKAGE && f == SV_FORMAT_JSON;
}

unsigned exp_dataset_index(const char *dataset) {
  unsigned i = 0;
  while (sv_export_dataset_at(i) && strcmp(sv_export_dataset_at(i), dataset)) i++;
  return i;
}

bool sv_export_has(const char *dataset, sv_format f) { return has(exp_dataset_index(dataset), f); }

/* -- making ---------------------------------------------------------------------------------------------- */

static int make_file(const sv_release *r, const ov_schemas *schemas, exp_file *f) {
  exp_table t;
  ov_buf_init(&f->bytes, 0);
  if (f->dataset == D_CODEBOOK) return exp_codebook(schemas, f->format, &f->bytes);
  int err = exp_table_open(r, schemas, sv_export_dataset_at(f->dataset), &t);
  if (err) return err;
  err = f->format == SV_FORMAT_CSV ? exp_csv(&t, schemas, &f->bytes)
                                   : exp_readstat(&t, schemas, f->format, &f->bytes);
  exp_table_close(&t);
  return err;
}

/* What a release tells is in its CSV files; their hash is the release's. */
static int hash_csv(sv_release *r, const exp_file *files, unsigned n) {
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  unsigned len = 0;
  bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL);
  for (unsigned i = 0; ok && i < n; i++) {
    if (files[i].format == SV_FORMAT_CSV && files[i].dataset <= D_PAIRED)
      ok = EVP_DigestUpdate(c, files[i].bytes.p, files[i].bytes.n);
  }
  ok = ok && EVP_DigestFinal_ex(c, r->hash.b, &len);
  EVP_MD_CTX_free(c);
  return ok ? 0 : OV_E_CRYPTO;
}

int exp_files(sv_release *r, const ov_schemas *schemas, exp_file *files, unsigned *n) {
  int err = 0;
  *n = 0;
  for (unsigned d = 0; !err && d < D_PACKAGE; d++) {
    for (unsigned f = 0; !err && f < SV_FORMAT_COUNT; f++) {
      if (!has(d, (sv_format)f)) continue;
      exp_file *x = &files[(*n)++];
      *x = (exp_file){.dataset = d, .format = (sv_format)f};
      err = make_file(r, schemas, x);
      if (!err) err = exp_file_close(x);
    }
  }
  if (!err) err = hash_csv(r, files, *n);
  if (err) return err;
  exp_file *package = &files[*n];
  *package = (exp_file){.dataset = D_PACKAGE, .format = SV_FORMAT_JSON};
  ov_buf_init(&package->bytes, 0);
  err = exp_package(r, schemas, files, *n, &package->bytes);
  ++*n;
  return err ? err : exp_file_close(package);
}

void exp_files_free(exp_file *files, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    ov_buf_free(&files[i].bytes);
    ov_buf_free(&files[i].gzip);
  }
}

/* -- made when asked for -------------------------------------------------------------------------------- */

void sv_export_free(sv_export *e) { ov_buf_free(&e->bytes); }

int exp_finish(sv_export *e, int err) {
  uint8_t h[OV_HASH_BYTES];
  unsigned n = 0;
  if (!err && e->bytes.err) err = e->bytes.err;
  if (!err && !EVP_Digest(e->bytes.p, e->bytes.n, h, &n, EVP_sha256(), NULL)) err = OV_E_CRYPTO;
  if (err) {
    ov_buf_free(&e->bytes);
    return err;
  }
  e->etag[0] = '"';
  ov_hex(h, OV_HASH_BYTES, e->etag + 1);
  memcpy(e->etag + 1 + 2 * OV_HASH_BYTES, "\"", 2);
  return 0;
}

int sv_export_codebook(sv_org *programme, sv_format f, sv_export *e) {
  memset(e, 0, sizeof *e);
  ov_buf_init(&e->bytes, 0);
  if (!has(D_CODEBOOK, f)) return OV_E_INVALID;
  snprintf(e->file_name, sizeof e->file_name, "overdracht-codebook.%s", sv_format_name(f));
  return exp_finish(e, exp_codebook(programme->schemas, f, &e->bytes));
}

/* A list in the order of numbers, told from the newest on; each is a text written when it was made. */
static int put_list(sv_org *programme, const uint32_t *all, uint32_t n, ov_buf *out) {
  sv_txn *t = NULL;
  int err = sv_txn_read(programme->env, &t);
  exp_put(out, "{\"releases\":[");
  for (uint32_t i = n; !err && i-- > 0;) {
    err = sv_release_get(t, all[i], PART_ABOUT, out);
    if (i) ov_buf_u8(out, ',');
  }
  exp_put(out, "]}");
  sv_txn_abort(t);
  return err;
}

int sv_export_releases(sv_org *programme, sv_export *e) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0;
  memset(e, 0, sizeof *e);
  ov_buf_init(&e->bytes, 0);
  snprintf(e->file_name, sizeof e->file_name, "releases.json");
  int err = all ? sv_release_list(programme, all, RELEASES_MAX, &n) : OV_E_NOMEM;
  if (!err) err = put_list(programme, all, n, &e->bytes);
  free(all);
  return exp_finish(e, err);
}
