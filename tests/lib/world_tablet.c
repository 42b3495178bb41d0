/* The tablets of a world: the public client API on real stores. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oc_internal.h"
#include "sv_enrol.h"
#include "world.h"

static int64_t tablet_now(void *ctx) {
  tablet *t = ctx;
  return t->w->fx.now_ms + t->clock_off_ms;
}

static int tablet_random(void *ctx, void *p, size_t n) {
  tablet *t = ctx;
  uint8_t *out = p;
  for (size_t i = 0; i < n; i++) {
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(t->random >> 33);
  }
  return 0;
}

static void die(const char *what, const oc_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, oc_err_name(e->err), e->message);
  abort();
}

void tablet_reopen(tablet *t) {
  oc_error e = {0};
  oc_store_close(t->s);
  oc_options o = {
      .path = t->path, .now_ms = tablet_now, .random = tablet_random, .ctx = t, .map_bytes_max = 256u << 20};
  if (oc_store_open(&o, &t->s, &e)) die("open", &e);
}

void tablet_open(tablet *t, world *w, const char *name) {
  *t = (tablet){.w = w};
  w->fx.sys.random(w->fx.sys.ctx, &t->random, sizeof t->random);
  snprintf(t->path, sizeof t->path, "%s/%s", w->fx.dir, name);
  tablet_reopen(t);
}

void tablet_close(tablet *t) {
  oc_store_close(t->s);
  t->s = NULL;
}

static void make_code(world *w, const ov_name *device, char text[SV_CODE_TEXT]) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(w->programme->env, &t));
  FX_OK(sv_code_make(t, &w->fx.sys, &w->org->id, device, text));
  FX_OK(sv_txn_commit(t));
}

static ov_name make_device(world *w, const char *name, const uint32_t *teams, uint32_t n) {
  int64_t add[OV_SCOPES_MAX];
  for (uint32_t i = 0; i < n; i++) add[i] = teams[i];
  ov_field f[2] = {fx_text(SV_DEVICE_NAME, name), fx_set(&w->fx, SV_DEVICE_TEAMS, add, n, NULL, 0)};
  return fx_local(
      &w->fx, w->org,
      (ov_op){.scope = 1, .creates = true, .kind = OV_KIND_DEVICE, .version = 1, .fields = f, .n_fields = 2},
      NULL);
}

void world_code(world *w, const char *name, const uint32_t *teams, uint32_t n, char code[SV_CODE_TEXT],
                ov_name *device) {
  ov_name made = make_device(w, name, teams, n);
  make_code(w, &made, code);
  if (device) *device = made;
}

void tablet_enrol(tablet *t, const char *name, const uint32_t *teams, uint32_t n) {
  char code[SV_CODE_TEXT];
  oc_session *cs = NULL;
  oc_error e = {0};
  world_code(t->w, name, teams, n, code, NULL);
  if (oc_session_enrol(t->s, WORLD_URL, code, name, &cs, &e)) die("enrol", &e);
  if (world_sync_session(t->w, cs, NULL, NULL, &e) || !oc_session_finished(cs)) die("enrol", &e);
  oc_session_free(cs);
}

static void copy_file(const char *from, const char *to, const char *name) {
  char a[400], b[400], buf[65536];
  snprintf(a, sizeof a, "%s/%s", from, name);
  snprintf(b, sizeof b, "%s/%s", to, name);
  int in = open(a, O_RDONLY), out = open(b, O_WRONLY | O_CREAT | O_EXCL, 0600);
  ssize_t n;
  FX_MUST(in >= 0 && out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  close(in);
  close(out);
}

void tablet_clone(tablet *t, tablet *copy, const char *name) {
  tablet_close(t);
  *copy = (tablet){.w = t->w, .clock_off_ms = t->clock_off_ms, .random = t->random ^ 0x5bd1e995u};
  snprintf(copy->path, sizeof copy->path, "%s/%s", t->w->fx.dir, name);
  FX_MUST(!mkdir(copy->path, 0700));
  copy_file(t->path, copy->path, "data.mdb");
  copy_file(t->path, copy->path, "store.key");
  copy_file(t->path, copy->path, "made");
  tablet_reopen(t);
  tablet_reopen(copy);
}

int tablet_sync(tablet *t, const link_plan *plan, link_seen *seen) {
  oc_session *cs = NULL;
  oc_error e = {0};
  oc_sync_options o = {.live = plan && plan->live,
                       .credit = plan ? plan->credit : 0,
                       .frame_bytes = plan ? plan->frame_bytes : 0};
  int err = oc_session_new(t->s, &o, &cs, &e);
  if (err) return err;
  err = world_sync_session(t->w, cs, plan, seen, &e);
  snprintf(t->said, sizeof t->said, "%s", err ? e.message : "");
  if (!err && !oc_session_finished(cs) &&
      !(plan && (plan->cut_after_down || plan->cut_after_up || plan->lose_down || plan->live)))
    err = OC_E_NET;
  if (err && oc_session_again(cs)) err = OC_E_NET;
  oc_session_free(cs);
  return err;
}

void tablet_sync_ok(tablet *t) {
  oc_status st;
  for (int i = 0; i < 5; i++) {
    int err = tablet_sync(t, NULL, NULL);
    st = tablet_status(t);
    if (!err && !st.unsent) return;
    if (err && err != OC_E_NET) fx_die(__FILE__, __LINE__, t->said, 0);
  }
  fx_die(__FILE__, __LINE__, "sync does not end", 0);
}

/* -- the public API, made short -------------------------------------------------------------------------- */

static void set_fields(oc_draft *d, va_list ap) {
  oc_error e = {0};
  for (const char *f; (f = va_arg(ap, const char *));) {
    char name[64];
    const char *eq = strchr(f, '=');
    FX_MUST(eq && eq - f < 64);
    snprintf(name, sizeof name, "%.*s", (int)(eq - f), f);
    if (oc_draft_set(d, name, eq + 1, &e)) die(f, &e);
  }
}

static void set_people(oc_draft *d, const ov_name *participant, const ov_name *author) {
  char text[OV_NAME_TEXT_MAX];
  oc_error e = {0};
  if (participant) {
    ov_name_text(participant, text);
    if (oc_draft_participant(d, text, &e)) die("participant", &e);
  }
  if (author) {
    ov_name_text(author, text);
    if (oc_draft_author(d, text, &e)) die("author", &e);
  }
}

void tablet_add(tablet *t, const char *kind, const ov_name *participant, const ov_name *author,
                char id[OC_ID_TEXT], ...) {
  oc_error e = {0};
  va_list ap;
  oc_draft *d = oc_draft_new(t->s, kind);
  FX_MUST(d);
  set_people(d, participant, author);
  va_start(ap, id);
  set_fields(d, ap);
  va_end(ap);
  char mine[OC_ID_TEXT];
  if (oc_add(t->s, d, id ? id : mine, &e)) die(kind, &e);
  oc_draft_free(d);
}

void tablet_edit(tablet *t, const char *record, const ov_name *author, ...) {
  oc_error e = {0};
  va_list ap;
  oc_draft *d = oc_draft_edit(t->s, record, &e);
  if (!d) die(record, &e);
  set_people(d, NULL, author);
  va_start(ap, author);
  set_fields(d, ap);
  va_end(ap);
  if (oc_edit(t->s, d, &e)) die(record, &e);
  oc_draft_free(d);
}

const char *tablet_value(tablet *t, const char *record, const char *field, unsigned *n) {
  static char out[256];
  oc_query *q = NULL;
  unsigned count = 0;
  out[0] = 0;
  if (!oc_show(t->s, record, &q, NULL)) {
    const oc_record *r = oc_query_at(q, 0);
    for (size_t i = 0; i < oc_record_values(r); i++) {
      const oc_value_view *v = oc_record_value(r, i);
      if (strcmp(v->field, field)) continue;
      if (!count) snprintf(out, sizeof out, "%s", v->raw);
      count++;
    }
  }
  oc_query_free(q);
  if (n) *n = count;
  return out;
}

bool tablet_has(tablet *t, const char *record) {
  oc_query *q = NULL;
  int err = oc_show(t->s, record, &q, NULL);
  oc_query_free(q);
  return !err;
}

oc_status tablet_status(tablet *t) {
  oc_status st;
  oc_error e = {0};
  if (oc_status_get(t->s, &st, &e)) die("status", &e);
  return st;
}

ov_hash tablet_digest(tablet *t) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_buf bytes;
  ov_arena a;
  ov_hash h;
  oc_txn *x = NULL;
  ov_buf_init(&bytes, 1u << 30);
  ov_arena_init(&a, 64u << 20);
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  while (!oc_next(x, OC_T_RECORD, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL)) {
    ov_name record;
    oc_server_part p;
    ov_name_read(key, &record);
    ov_arena_reset(&a);
    FX_OK(oc_part_get(x, &record, &a, &p));
    ov_record_encode(&p.rec, &bytes);
  }
  oc_txn_abort(x);
  FX_OK(ov_sha256(t->w->fx.hasher, bytes.p, bytes.n, &h));
  ov_buf_free(&bytes);
  ov_arena_free(&a);
  return h;
}
