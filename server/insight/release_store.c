/* Releases in the store: encoding, loading, names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "release_priv.h"

static const char p_key[] = "release/p";

/* -- names ----------------------------------------------------------------------------------------------- */

void sv_month_text(uint32_t month, char out[SV_RELEASE_ID_MAX]) {
  snprintf(out, SV_RELEASE_ID_MAX, "%04u-%02u", month / 12 % 10000, month % 12 + 1);
}

void sv_release_id(uint32_t number, char out[SV_RELEASE_ID_MAX]) {
  char month[SV_RELEASE_ID_MAX];
  sv_month_text(number / 16, month);
  if (number % 16) snprintf(out, SV_RELEASE_ID_MAX, "%.7s.%u", month, number % 16 + 1);
  else snprintf(out, SV_RELEASE_ID_MAX, "%s", month);
}

static bool digits(const char *p, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    if (p[i] < '0' || p[i] > '9') return false;
  }
  return true;
}

static int month_part(const char *text, uint32_t *month) {
  if (strnlen(text, 8) < 7 || !digits(text, 4) || text[4] != '-' || !digits(text + 5, 2)) return OV_E_INVALID;
  int year = atoi(text), m = atoi(text + 5);
  if (year < 2000 || m < 1 || m > 12) return OV_E_INVALID;
  *month = (uint32_t)(12 * year + m - 1);
  return 0;
}

int sv_month_parse(const char *text, uint32_t *month) {
  return strlen(text) == 7 ? month_part(text, month) : OV_E_INVALID;
}

int sv_release_number(const char *text, uint32_t *number) {
  uint32_t month, seq = 0;
  int err = month_part(text, &month);
  if (err) return err;
  size_t n = strlen(text);
  if (n > 7) {
    if (text[7] != '.' || n > 10 || n < 9 || !digits(text + 8, (unsigned)n - 8) || text[8] == '0')
      return OV_E_INVALID;
    seq = (uint32_t)atoi(text + 8) - 1;
    if (seq < 1 || seq > 15) return OV_E_INVALID;
  }
  *number = 16 * month + seq;
  return 0;
}

const char sv_breakdown_list[] = "network, network_type";

const char *sv_breakdown_name(sv_breakdown b) {
  static const char *const names[SV_BY_COUNT] = {"all", "network", "network_type"};
  return b < SV_BY_COUNT ? names[b] : "unknown";
}

int sv_breakdown_parse(const char *text, sv_breakdown *out) {
  for (unsigned b = SV_BY_NETWORK; b < SV_BY_COUNT; b++) {
    if (strcmp(text, sv_breakdown_name(b))) continue;
    *out = (sv_breakdown)b;
    return 0;
  }
  return OV_E_INVALID;
}

void sv_cell_name(const sv_cell *c, char out[SV_CELL_NAME_MAX]) {
  const sv_measure *m = sv_measure_by_id(c->measure);
  int n = snprintf(out, SV_CELL_NAME_MAX, "%s%s", c->paired ? "paired/" : "", m ? m->name : "unknown");
  if (c->split) n += snprintf(out + n, SV_CELL_NAME_MAX - (size_t)n, ":%u", c->split);
  if (m && m->type == SV_M_CATEGORY) n += snprintf(out + n, SV_CELL_NAME_MAX - (size_t)n, "=%d", c->cat);
  if (c->breakdown == SV_BY_ALL) snprintf(out + n, SV_CELL_NAME_MAX - (size_t)n, "@all");
  else
    snprintf(out + n, SV_CELL_NAME_MAX - (size_t)n, "@%s %u",
             c->breakdown == SV_BY_NETWORK ? "network" : "type", c->group);
}

const sv_cell *sv_release_cell(const sv_release *r, const char *name) {
  char text[SV_CELL_NAME_MAX];
  for (uint32_t i = 0; i < r->cells.n; i++) {
    sv_cell_name(&r->cells.v[i], text);
    if (!strcmp(text, name)) return &r->cells.v[i];
  }
  return NULL;
}

/* -- encoding -------------------------------------------------------------------------------------------- */

static void put_set(ov_buf *b, const uint32_t *v, uint32_t n) {
  ov_buf set;
  ov_buf_init(&set, 0);
  for (uint32_t i = 0; i < n; i++) {
    if (i && v[i] <= v[i - 1]) set.err = OV_E_INTERNAL; /* every comparison of sets relies on their order */
    ov_buf_varint(&set, i ? v[i] - v[i - 1] : v[i]);
  }
  ov_mpw_bin(b, set.p, set.n);
  if (set.err) b->err = set.err;
  ov_buf_free(&set);
}

static uint32_t *read_set(ov_mpr *r, uint32_t n, uint32_t below) {
  uint32_t len = 0, k = 0;
  uint64_t last = 0;
  const uint8_t *p = ov_mpr_bin(r, &len);
  uint32_t *v = n <= len ? malloc((n ? n : 1) * sizeof *v) : NULL;
  for (uint32_t at = 0; v && at < len && k < n; k++) {
    uint64_t x = 0;
    for (unsigned shift = 0; at < len && shift < 35; shift += 7) {
      x |= (uint64_t)(p[at] & 0x7f) << shift;
      if (!(p[at++] & 0x80)) break;
    }
    last = k ? last + x : x;
    if (last >= below) ov_mpr_fail(r, OV_E_FORMAT);
    v[k] = (uint32_t)last;
  }
  if (!v || k != n) ov_mpr_fail(r, v || n > len ? OV_E_FORMAT : OV_E_NOMEM);
  return v;
}

static void put_cell(ov_buf *b, const sv_cell *c) {
  ov_mpw_array(b, 24);
  ov_mpw_uint(b, c->measure);
  ov_mpw_uint(b, c->split);
  ov_mpw_int(b, c->cat);
  ov_mpw_bool(b, c->paired);
  ov_mpw_uint(b, c->breakdown);
  ov_mpw_uint(b, c->group);
  ov_mpw_uint(b, c->hidden);
  ov_mpw_uint(b, c->n);
  ov_mpw_uint(b, c->orgs);
  ov_mpw_int(b, c->sum);
  ov_mpw_int(b, (int64_t)c->print);
  put_set(b, c->clients, c->n);
  ov_mpw_uint(b, c->n_told);
  ov_mpw_uint(b, c->orgs_told);
  const int64_t v[] = {c->value, c->sd, c->median, c->q1, c->q3, c->base, c->follow};
  for (unsigned i = 0; i < 7; i++) ov_mpw_int(b, v[i]);
  ov_mpw_uint(b, c->conflicts);
  ov_mpw_uint(b, c->held);
  ov_mpw_uint(b, c->refused);
}

static void read_cell(ov_mpr *r, sv_cell *c, uint32_t n_clients) {
  ov_mpr_array_of(r, 24);
  c->measure = (uint16_t)ov_mpr_uint(r, UINT16_MAX);
  c->split = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
  c->cat = (int8_t)ov_mpr_int_in(r, INT8_MIN, INT8_MAX);
  c->paired = ov_mpr_bool(r);
  c->breakdown = (uint8_t)ov_mpr_uint(r, SV_BY_COUNT - 1);
  c->group = (uint16_t)ov_mpr_uint(r, SV_GROUP_MAX);
  c->hidden = (uint8_t)ov_mpr_uint(r, SV_HIDDEN_COUNT - 1);
  c->n = (uint32_t)ov_mpr_uint(r, n_clients);
  c->orgs = (uint32_t)ov_mpr_uint(r, UINT16_MAX);
  c->sum = ov_mpr_int(r);
  c->print = (uint64_t)ov_mpr_int(r);
  c->clients = read_set(r, c->n, n_clients);
  c->n_told = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
  c->orgs_told = (uint32_t)ov_mpr_uint(r, UINT16_MAX);
  int64_t *v[] = {&c->value, &c->sd, &c->median, &c->q1, &c->q3, &c->base, &c->follow};
  for (unsigned i = 0; i < 7; i++) *v[i] = ov_mpr_int(r);
  c->conflicts = (uint8_t)ov_mpr_uint(r, 100);
  c->held = (uint8_t)ov_mpr_uint(r, 100);
  c->refused = (uint8_t)ov_mpr_uint(r, 100);
}

static void put_batch(ov_buf *b, const sv_batch *x) {
  ov_mpw_array(b, 10);
  ov_mpw_uint(b, x->measure);
  ov_mpw_uint(b, x->split);
  ov_mpw_uint(b, x->group);
  ov_mpw_uint(b, x->n);
  put_set(b, x->clients, x->n);
  ov_mpw_array(b, x->orgs_n);
  for (uint32_t i = 0; i < x->orgs_n; i++) ov_mpw_uint(b, x->orgs[i]);
  const int64_t v[] = {x->base, x->follow, x->diff, x->diff2};
  for (unsigned i = 0; i < 4; i++) ov_mpw_int(b, v[i]);
}

static void read_batch(ov_mpr *r, sv_batch *x, uint32_t n_clients) {
  ov_mpr_array_of(r, 10);
  x->measure = (uint16_t)ov_mpr_uint(r, UINT16_MAX);
  x->split = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
  x->group = (uint16_t)ov_mpr_uint(r, SV_GROUP_MAX);
  x->n = (uint32_t)ov_mpr_uint(r, n_clients);
  x->clients = read_set(r, x->n, n_clients);
  x->orgs_n = ov_mpr_array(r);
  x->orgs = malloc((x->orgs_n + 1) * sizeof *x->orgs);
  if (!x->orgs) ov_mpr_fail(r, OV_E_NOMEM);
  for (uint32_t i = 0; x->orgs && i < x->orgs_n; i++) x->orgs[i] = (uint16_t)ov_mpr_uint(r, UINT16_MAX);
  int64_t *v[] = {&x->base, &x->follow, &x->diff, &x->diff2};
  for (unsigned i = 0; i < 4; i++) *v[i] = ov_mpr_int(r);
}

static void put_networks(ov_buf *b, const sv_network *networks) {
  uint32_t n = 0;
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) n += networks[g].type != 0;
  ov_mpw_array(b, n);
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    const sv_network *x = &networks[g];
    if (!x->type) continue;
    ov_mpw_array(b, 6);
    ov_mpw_uint(b, g);
    ov_mpw_uint(b, x->type);
    ov_mpw_cstr(b, x->name);
    ov_mpw_int(b, x->stories_min);
    ov_mpw_int(b, x->stories_max);
    ov_mpw_name(b, &x->record);
  }
}

static void read_networks(ov_mpr *r, sv_network *networks) {
  uint32_t n = ov_mpr_array(r);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t len = 0;
    ov_mpr_array_of(r, 6);
    sv_network *x = &networks[ov_mpr_uint(r, SV_GROUP_MAX)];
    x->type = (uint8_t)ov_mpr_uint(r, 2);
    const uint8_t *p = ov_mpr_str(r, &len);
    if (p && len <= OV_LABEL_BYTES_MAX) memcpy(x->name, p, len);
    x->stories_min = ov_mpr_int(r);
    x->stories_max = ov_mpr_int(r);
    ov_mpr_name(r, &x->record);
  }
}

int rel_encode(sv_release *r, ov_buf *parts) {
  ov_buf *head = &parts[PART_HEAD], *clients = &parts[PART_CLIENTS], *cells = &parts[PART_CELLS],
         *batches = &parts[PART_BATCHES];
  ov_mpw_array(head, 6);
  ov_mpw_uint(head, r->number);
  ov_mpw_uint(head, r->month);
  ov_mpw_uint(head, r->breakdowns);
  ov_mpw_int(head, r->made_ms);
  ov_mpw_bin(head, r->hash.b, OV_HASH_BYTES);
  put_networks(head, r->networks);
  ov_mpw_array(clients, r->n_orgs);
  for (uint32_t i = 0; i < r->n_orgs; i++) ov_mpw_bin(clients, r->orgs[i].b, OV_ID_BYTES);
  ov_mpw_array(clients, 2 * r->n_clients);
  for (uint32_t i = 0; i < r->n_clients; i++) {
    ov_mpw_uint(clients, r->clients[i].org);
    ov_mpw_name(clients, &r->clients[i].name);
  }
  ov_mpw_array(cells, r->cells.n);
  for (uint32_t i = 0; i < r->cells.n; i++) put_cell(cells, &r->cells.v[i]);
  ov_mpw_array(batches, r->fresh.n);
  for (uint32_t i = 0; i < r->fresh.n; i++) put_batch(batches, &r->fresh.v[i]);
  return head->err ? head->err : clients->err ? clients->err : cells->err ? cells->err : batches->err;
}

static int decode_head(ov_mpr *r, sv_release *out) {
  ov_mpr_array_of(r, 6);
  out->number = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
  out->month = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
  out->breakdowns = (unsigned)ov_mpr_uint(r, 7);
  out->made_ms = ov_mpr_int(r);
  ov_mpr_bytes(r, out->hash.b, OV_HASH_BYTES);
  read_networks(r, out->networks);
  return ov_mpr_done(r);
}

static int decode_clients(ov_mpr *r, sv_release *out) {
  out->n_orgs = ov_mpr_array(r);
  out->orgs = calloc(out->n_orgs + 1u, sizeof *out->orgs);
  if (!out->orgs) return OV_E_NOMEM;
  for (uint32_t i = 0; i < out->n_orgs; i++) ov_mpr_bytes(r, out->orgs[i].b, OV_ID_BYTES);
  out->n_clients = ov_mpr_array(r) / 2;
  out->clients = calloc(out->n_clients + 1u, sizeof *out->clients);
  if (!out->clients) return OV_E_NOMEM;
  for (uint32_t i = 0; i < out->n_clients; i++) {
    out->clients[i].org = (uint16_t)ov_mpr_uint(r, out->n_orgs ? out->n_orgs - 1 : 0);
    ov_mpr_name(r, &out->clients[i].name);
  }
  return ov_mpr_done(r);
}

static int decode_cells(ov_mpr *r, sv_release *out) {
  uint32_t n = ov_mpr_array(r);
  for (uint32_t i = 0; i < n && !r->err; i++) {
    sv_cell *c = sv_cells_add(&out->cells);
    if (!c) return OV_E_NOMEM;
    read_cell(r, c, out->n_clients);
  }
  return ov_mpr_done(r);
}

static int decode_batches(ov_mpr *r, sv_release *out) {
  uint32_t n = ov_mpr_array(r);
  out->fresh.v = calloc(n + 1u, sizeof *out->fresh.v);
  if (!out->fresh.v) return OV_E_NOMEM;
  out->fresh.cap = n + 1u;
  for (uint32_t i = 0; i < n && !r->err; i++) read_batch(r, &out->fresh.v[out->fresh.n++], out->n_clients);
  return ov_mpr_done(r);
}

static int load_part(sv_txn *t, uint32_t number, uint32_t part, sv_release *out) {
  static int (*const decode[])(ov_mpr *, sv_release *) = {decode_head, decode_clients, decode_cells,
                                                          decode_batches};
  ov_buf b;
  ov_mpr r;
  ov_buf_init(&b, 0);
  int err = sv_release_get(t, number, part, &b);
  ov_mpr_init_scanned(&r, b.p, b.n);
  if (!err && (err = decode[part](&r, out)) && err != OV_E_NOMEM) err = OV_E_CORRUPT;
  ov_buf_free(&b);
  return err;
}

int sv_release_load(sv_org *programme, uint32_t number, sv_release **out) {
  sv_txn *t = NULL;
  *out = NULL;
  sv_release *r = calloc(1, sizeof *r);
  int err = r ? sv_txn_read(programme->env, &t) : OV_E_NOMEM;
  for (uint32_t part = PART_HEAD; !err && part <= PART_BATCHES; part++) err = load_part(t, number, part, r);
  sv_txn_abort(t);
  if (err) sv_release_free(r);
  else *out = r;
  return err;
}

void sv_release_free(sv_release *r) {
  if (!r) return;
  free(r->orgs);
  free(r->clients);
  sv_cells_free(&r->cells);
  sv_batches_free(&r->fresh);
  free(r);
}

int sv_release_list(sv_org *programme, uint32_t *out, uint32_t max, uint32_t *n) {
  sv_txn *t = NULL;
  uint32_t number = 0, part = 0;
  bool started = false;
  *n = 0;
  int err = sv_txn_read(programme->env, &t);
  while (!err && !(err = sv_release_next(t, started, &number, &part))) {
    if (*n < max) out[(*n)++] = number;
    started = true;
    part = UINT32_MAX; /* behind all parts of this one */
  }
  sv_txn_abort(t);
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* -- earlier releases in the numbering of one under way -------------------------------------------------- */

static int by_u32(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

/* An organisation that is gone keeps a number of its own, so that its clients stay apart. */
static int org_numbers(rel_job *j, const sv_release *r, uint16_t *map) {
  for (uint32_t i = 0; i < r->n_orgs; i++) {
    uint32_t k = 0;
    while (k < j->n_orgs && !ov_id_equal(&j->orgs[k].org->id, &r->orgs[i])) k++;
    map[i] = (uint16_t)(k < j->n_orgs ? k : 32768u | ((unsigned)r->orgs[i].b[0] << 8 | r->orgs[i].b[1]));
  }
  return 0;
}

typedef struct mapping {
  uint16_t *orgs;
  uint32_t *clients;
} mapping;

static void mapping_free(mapping *m) {
  free(m->orgs);
  free(m->clients);
}

static int map_clients(rel_job *j, const sv_release *r, mapping *m) {
  m->orgs = calloc(r->n_orgs + 1u, sizeof *m->orgs);
  m->clients = calloc(r->n_clients + 1u, sizeof *m->clients);
  if (!m->orgs || !m->clients) return OV_E_NOMEM;
  int err = org_numbers(j, r, m->orgs);
  for (uint32_t i = 0; !err && i < r->n_clients; i++)
    err = rel_client(&j->clients, m->orgs[r->clients[i].org], &r->clients[i].name, &m->clients[i]);
  return err;
}

static uint32_t *mapped(const mapping *m, const uint32_t *v, uint32_t n) {
  uint32_t *out = malloc((n ? n : 1) * sizeof *out);
  for (uint32_t i = 0; out && i < n; i++) out[i] = m->clients[v[i]];
  if (out && n) qsort(out, n, sizeof *out, by_u32);
  return out;
}

static int take_cells(rel_job *j, const sv_release *r, const mapping *m) {
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *c = &r->cells.v[i];
    bool again = false;
    for (uint32_t k = 0; k < j->prior.n; k++) again |= sv_cell_same(&j->prior.v[k], c);
    if (again) continue;
    sv_cell *mine = sv_cells_add(&j->prior);
    if (!mine) return OV_E_NOMEM;
    *mine = *c;
    mine->clients = mapped(m, c->clients, c->n);
    if (!mine->clients) return OV_E_NOMEM;
  }
  return 0;
}

static int take_batches(rel_job *j, const sv_release *r, const mapping *m) {
  sv_batches *to = &j->batches;
  sv_batch *v = realloc(to->v, (to->n + r->fresh.n + 1) * sizeof *v);
  if (!v) return OV_E_NOMEM;
  to->v = v;
  to->cap = to->n + r->fresh.n + 1;
  for (uint32_t i = 0; i < r->fresh.n; i++) {
    const sv_batch *b = &r->fresh.v[i];
    sv_batch *mine = &to->v[to->n++];
    *mine = *b;
    mine->clients = mapped(m, b->clients, b->n);
    mine->orgs = malloc((b->orgs_n + 1) * sizeof *mine->orgs);
    if (!mine->clients || !mine->orgs) return OV_E_NOMEM;
    for (uint32_t k = 0; k < b->orgs_n; k++) mine->orgs[k] = m->orgs[b->orgs[k]];
  }
  return 0;
}

int rel_take(rel_job *j, const sv_release *r) {
  mapping m = {NULL, NULL};
  int err = map_clients(j, r, &m);
  if (!err && r->month == j->month) err = take_cells(j, r, &m);
  if (!err) err = take_batches(j, r, &m);
  mapping_free(&m);
  return err;
}

/* -- the p of rule 3 ------------------------------------------------------------------------------------- */

int sv_release_rules(sv_org *programme, sv_sdc_rules *out) {
  sv_txn *t = NULL;
  ov_buf b;
  *out = sv_sdc_rules_usual();
  ov_buf_init(&b, 0);
  int err = sv_txn_read(programme->env, &t);
  if (!err) err = sv_meta_get(t, p_key, &b);
  if (!err && b.n == 1 && b.p[0] >= 1 && b.p[0] <= 100) out->p_pct = b.p[0];
  sv_txn_abort(t);
  ov_buf_free(&b);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int put_p(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  (void)a;
  (void)touches;
  return sv_meta_put(t, p_key, arg, 1);
}

int sv_release_set_p(const sv_insight *in, unsigned p_pct) {
  uint8_t p = (uint8_t)p_pct;
  if (p_pct < 1 || p_pct > 100) return OV_E_INVALID;
  return in->write(in->ctx, in->programme, put_p, &p);
}
