/* The release ledger and its exports. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_priv.h"
#include "sv_export.h"
#include "sv_network_page.h"
#include "sv_release.h"

#define RELEASES_MAX 4096u

static sv_insight insight_of(adm *m) {
  return (sv_insight){.programme = m->h->programme,
                      .org_at = m->h->org_at,
                      .write = m->h->write,
                      .ctx = m->h->ctx,
                      .now_ms = adm_now_ms(m)};
}

static json_t *release_json(const sv_release *r) {
  char id[SV_RELEASE_ID_MAX], month[SV_RELEASE_ID_MAX];
  uint32_t told = 0;
  json_t *by = json_array();
  sv_release_id(r->number, id);
  sv_month_text(r->month, month);
  for (uint32_t i = 0; i < r->cells.n; i++) told += r->cells.v[i].hidden == SV_SHOWN;
  for (unsigned b = 0; b < SV_BY_COUNT; b++) {
    if (r->breakdowns >> b & 1) json_array_append_new(by, json_string(sv_breakdown_name((sv_breakdown)b)));
  }
  return json_pack("{s:s, s:s, s:o, s:o, s:i, s:i, s:o}", "release", id, "month", month, "made",
                   adm_time_json(r->made_ms), "breakdowns", by, "cells", (int)r->cells.n, "told", (int)told,
                   "hash", adm_hex_json(r->hash.b, OV_HASH_BYTES));
}

/* The release named by an argument; the newest when it is left out. */
static sv_release *find_release(adm *m, const char *text) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0, number = 0;
  sv_release *r = NULL;
  int err = all ? sv_release_list(m->h->programme, all, RELEASES_MAX, &n) : OV_E_NOMEM;
  if (err) adm_failed(m, err, "the release ledger");
  else if (text && sv_release_number(text, &number)) err = OV_E_NOTFOUND;
  else if (!text && !n) err = OV_E_NOTFOUND;
  else if (!text) number = all[n - 1];
  free(all);
  if (!err) err = sv_release_load(m->h->programme, number, &r);
  if (err == OV_E_NOTFOUND)
    adm_fail(m, err,
             n ? "`overdracht-admin release list` shows them" : "`overdracht-admin release make 2026-02`",
             text ? "there is no release \"%.40s\"" : "nothing was released yet", text);
  else if (err) adm_failed(m, err, "the release");
  return r;
}

/* -- make and list --------------------------------------------------------------------------------------- */

static void add_shares(adm *m, const sv_release *r) {
  sv_share s[SV_SHARE_COUNT];
  sv_release_shares(r, s);
  for (unsigned k = 0; k < SV_SHARE_COUNT; k++) {
    json_t *j = json_pack("{s:s, s:i, s:i}", "what", sv_share_text((sv_share_kind)k), "cells",
                          (int)s[k].cells, "told", (int)s[k].told);
    if (s[k].cells)
      json_object_set_new(j, "percent", json_integer((s[k].told * 100 + s[k].cells / 2) / s[k].cells));
    if (s[k].simulated_pct >= 0)
      json_object_set_new(j, "simulated_percent", json_integer(s[k].simulated_pct));
    adm_item(m, j);
  }
}

static void tell_release(adm *m, const sv_release *r) {
  json_t *j = release_json(r);
  const char *key;
  json_t *v;
  json_object_foreach(j, key, v) adm_set(m, key, json_incref(v));
  json_decref(j);
  add_shares(m, r);
}

int cmd_release_make(adm *m) {
  sv_insight in = insight_of(m);
  sv_release_ask ask = {.breakdowns = 0};
  char why[OV_ERROR_TEXT_MAX] = "", id[SV_RELEASE_ID_MAX];
  uint32_t number = 0;
  bool made = false;
  if (sv_month_parse(arg_text(m, "month"), &ask.month))
    return adm_fail(m, OV_E_INVALID, NULL, "\"%.40s\" is no month: write 2026-02", arg_text(m, "month"));
  for (size_t i = 0; i < arg_count(m, "breakdown"); i++) {
    sv_breakdown b;
    if (sv_breakdown_parse(arg_at(m, "breakdown", i), &b))
      return adm_fail(m, OV_E_INVALID, NULL, "\"%.40s\" is no breakdown that may be released: there are %s",
                      arg_at(m, "breakdown", i), sv_breakdown_list);
    ask.breakdowns |= 1u << b;
  }
  int err = sv_release_make(&in, NULL, &ask, &number, &made, why);
  if (err && *why) return adm_fail(m, err, NULL, "%s", why);
  if (err) return adm_failed(m, err, "making the release");
  sv_release_id(number, id);
  sv_release *r = find_release(m, id);
  if (!r) return m->err;
  tell_release(m, r);
  if (!made) adm_note(m, "it was made before; what was released does not change");
  uint32_t told = 0;
  for (uint32_t i = 0; i < r->cells.n; i++) told += r->cells.v[i].hidden == SV_SHOWN;
  if (!told) adm_note(m, "too few people in this month: every cell is hidden");
  sv_release_free(r);
  return m->err;
}

/* As researchers are told, oldest first. */
int cmd_release_list(adm *m) {
  sv_export e;
  int err = sv_export_releases(m->h->programme, &e);
  if (err) return adm_failed(m, err, "the release ledger");
  json_t *top = json_loadb((const char *)e.bytes.p, e.bytes.n, 0, NULL);
  json_t *list = json_object_get(top, "releases");
  for (size_t i = json_array_size(list); i-- > 0;) {
    json_t *j = json_array_get(list, i), *item = json_pack("{s:O}", "release", json_object_get(j, "id"));
    static const char *const keys[] = {"month", "made", "breakdowns", "cells",
                                       "told",  "hash", "citation",   "changed"};
    for (size_t k = 0; item && k < sizeof keys / sizeof *keys; k++)
      json_object_set(item, keys[k], json_object_get(j, keys[k]));
    adm_item(m, item);
  }
  if (!json_array_size(list)) adm_note(m, "nothing was released yet");
  json_decref(top);
  sv_export_free(&e);
  return m->err;
}

/* -- cells ----------------------------------------------------------------------------------------------- */

static void set_number(json_t *j, const char *key, int64_t milli) {
  if (milli == SV_UNKNOWN) return;
  json_object_set_new(j, key, milli % 1000 ? json_real((double)milli / 1000) : json_integer(milli / 1000));
}

static json_t *cell_json(const sv_cell *c) {
  char name[SV_CELL_NAME_MAX];
  const sv_measure *m = sv_measure_by_id(c->measure);
  sv_cell_name(c, name);
  json_t *j = json_pack("{s:s, s:s, s:s}", "cell", name, "unit", m ? m->unit : "", "state",
                        sv_hidden_slug((sv_hidden)c->hidden));
  if (c->hidden != SV_SHOWN) return j;
  json_object_set_new(j, "clients", json_integer(c->n_told));
  json_object_set_new(j, "organisations", json_integer(c->orgs_told));
  set_number(j, "value", c->value);
  set_number(j, "sd", c->sd);
  set_number(j, "baseline", c->base);
  set_number(j, "follow_up", c->follow);
  return j;
}

int cmd_release_show(adm *m) {
  sv_release *r = find_release(m, arg_text(m, "release"));
  const char *measure = arg_text(m, "measure");
  bool met = false;
  if (!r) return m->err;
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *c = &r->cells.v[i];
    const sv_measure *x = sv_measure_by_id(c->measure);
    if (measure && (!x || strcmp(x->name, measure))) continue;
    met = true;
    if (c->hidden == SV_SHOWN || arg_flag(m, "all")) adm_item(m, cell_json(c));
  }
  if (!met)
    adm_fail(m, OV_E_INVALID, "the codebook lists them: `overdracht-admin export RELEASE codebook`",
             "no measure of this release is called \"%.60s\"", measure ? measure : "");
  sv_release_free(r);
  return m->err;
}

int cmd_release_explain(adm *m) {
  sv_release *r = find_release(m, arg_text(m, "release"));
  if (!r) return m->err;
  const sv_cell *c = sv_release_cell(r, arg_text(m, "cell"));
  if (!c) {
    adm_fail(m, OV_E_INVALID, "`overdracht-admin release show --all` lists them",
             "this release has no cell \"%.80s\"", arg_text(m, "cell"));
  } else {
    sv_hidden h = (sv_hidden)c->hidden;
    json_t *j = cell_json(c);
    const char *key;
    json_t *v;
    json_object_foreach(j, key, v) adm_set(m, key, json_incref(v));
    json_decref(j);
    adm_set(m, "rule", json_integer(sv_hidden_rule(h)));
    adm_set_text(m, "why", sv_hidden_text(h, false));
    adm_set_text(m, "why_nl", sv_hidden_text(h, true));
  }
  sv_release_free(r);
  return m->err;
}

int cmd_release_shares(adm *m) {
  sv_release *r = find_release(m, arg_text(m, "release"));
  if (!r) return m->err;
  tell_release(m, r);
  sv_release_free(r);
  return m->err;
}

int cmd_release_p(adm *m) {
  sv_insight in = insight_of(m);
  int64_t p = arg_int(m, "percent", 0);
  if (p < 1 || p > 100) return adm_fail(m, OV_E_INVALID, NULL, "p takes 1 to 100");
  int err = sv_release_set_p(&in, (unsigned)p);
  return err ? adm_failed(m, err, "the rule") : m->err;
}

/* -- the recount ----------------------------------------------------------------------------------------- */

static void told_difference(void *ctx, const ov_name *who, uint32_t month, const char *family) {
  char text[SV_RELEASE_ID_MAX];
  sv_month_text(month, text);
  adm_stream(
      ctx, json_pack("{s:o, s:s, s:s}", "participant", adm_name_json(who), "month", text, "family", family));
}

int cmd_release_recount(adm *m) {
  sv_insight in = insight_of(m);
  uint64_t checked = 0, differing = 0, summed = 0;
  for (unsigned i = 0; !m->err && m->h->org_at(m->h->ctx, i); i++) {
    sv_org *org = m->h->org_at(m->h->ctx, i);
    uint64_t c = 0, d = 0, s = 0;
    int err = sv_sums_drain(&in, org, &s);
    if (!err) err = sv_sums_recount(org, told_difference, m, &c, &d);
    if (err) adm_failed(m, err, org->name);
    checked += c;
    differing += d;
    summed += s;
    if (!adm_progress(m, org->name, i + 1, 0)) break;
  }
  adm_set(m, "summed", json_integer((json_int_t)summed));
  adm_set(m, "checked", json_integer((json_int_t)checked));
  adm_set(m, "differing", json_integer((json_int_t)differing));
  if (differing)
    adm_fail(m, OV_E_CORRUPT, "run verify: the records may be damaged",
             "%llu sums are not those of their records", (unsigned long long)differing);
  return m->err;
}

/* -- export ---------------------------------------------------------------------------------------------- */

static int write_piece(int fd, const uint8_t *p, size_t n) {
  size_t at = 0;
  while (at < n) {
    ssize_t k = write(fd, p + at, n - at);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return OV_E_IO;
    at += (size_t)k;
  }
  return 0;
}

/* Bytes that are there, or (b NULL) the file x piece by piece. */
static int write_pieces(int fd, const ov_buf *b, const sv_export_file *x) {
  uint8_t piece[8192];
  size_t n = 0;
  if (b) return write_piece(fd, b->p, b->n);
  for (uint64_t at = 0; at < x->bytes; at += n) {
    int err = sv_export_read(x, at, piece, sizeof piece, &n);
    if (!err) err = write_piece(fd, piece, n);
    if (err) return err;
  }
  return 0;
}

static int write_out(adm *m, const char *path, const ov_buf *b, const sv_export_file *x) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return adm_fail(m, OV_E_IO, NULL, "cannot make %.200s: %s", path, strerror(errno));
  int err = write_pieces(fd, b, x);
  if (!err && fsync(fd)) err = OV_E_IO;
  if (close(fd) && !err) err = OV_E_IO;
  if (err == OV_E_IO) adm_fail(m, err, NULL, "cannot write %.200s: %s", path, strerror(errno));
  else if (err) adm_failed(m, err, "the export");
  if (err) unlink(path);
  return m->err;
}

int cmd_export(adm *m) {
  const char *release = arg_text(m, "release"), *dataset = arg_text(m, "dataset"),
             *format = arg_text(m, "format");
  sv_format f = SV_FORMAT_CSV;
  sv_export_file x;
  if (!format && !strcmp(dataset, "datapackage")) format = "json";
  if ((format && sv_format_parse(format, &f)) || !sv_export_has(dataset, f))
    return adm_fail(m, OV_E_INVALID, NULL, "there is no \"%.40s\" as %.20s: there are %s", dataset,
                    format ? format : "csv", sv_export_list);
  int err = sv_export_open(m->h->programme, release, dataset, f, false, &x);
  if (err == OV_E_NOTFOUND)
    return adm_fail(m, err, "`overdracht-admin release list` shows them", "there is no release \"%.40s\"",
                    release);
  if (err) return adm_failed(m, err, "the export");
  m->looked_at = m->h->programme;
  write_out(m, arg_text(m, "out"), NULL, &x);
  adm_set_text(m, "file", arg_text(m, "out"));
  adm_set(m, "bytes", json_integer((json_int_t)x.bytes));
  adm_set(m, "sha256", json_stringn(x.etag + 1, 2 * OV_HASH_BYTES));
  return m->err;
}

int cmd_release_page(adm *m) {
  sv_insight in = insight_of(m);
  sv_export e;
  int64_t network = arg_int(m, "network", 0);
  if (network < 0 || network > (int64_t)SV_GROUP_MAX)
    return adm_fail(m, OV_E_INVALID, NULL, "--network takes the number of a theme network, 1 to %u",
                    SV_GROUP_MAX);
  int err = sv_network_page(&in, arg_text(m, "release"), (unsigned)network, &e);
  if (err == OV_E_NOTFOUND)
    return adm_fail(m, err, "`overdracht-admin record list theme_network` and `release list` show them",
                    "there is no such theme network or release");
  if (err) return adm_failed(m, err, "the network page");
  m->looked_at = m->h->programme;
  write_out(m, arg_text(m, "out"), &e.bytes, NULL);
  adm_set_text(m, "file", arg_text(m, "out"));
  adm_set(m, "bytes", json_integer((json_int_t)e.bytes.n));
  sv_export_free(&e);
  return m->err;
}
