#include "admin_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the host ------------------------------------------------------------------------- */

static sv_org *org_at(void *ctx, unsigned i) {
  admin_world *aw = ctx;
  return aw->node && i < aw->node->n_orgs ? aw->node->orgs[i] : NULL;
}

static int write_work(void *ctx, sv_org *org, sv_admin_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

static int org_created(void *ctx, sv_org *org) { return sv_node_add(((admin_world *)ctx)->node, org); }

static void device_revoked(void *ctx, const ov_id *device) {
  admin_world *aw = ctx;
  aw->cut++;
  aw->last_cut = *device;
}

static void fill_host(admin_world *aw) {
  aw->host = (sv_admin_host){.data = aw->data,
                             .schema_dir = OV_SOURCE_DIR "/proto/schema",
                             .sys = aw->real ? sv_sys_real(SV_LOG_ERROR) : &aw->w.sys,
                             .schemas = aw->w.schemas,
                             .org_at = org_at,
                             .write = write_work,
                             .org_created = org_created,
                             .device_revoked = device_revoked,
                             .ctx = aw};
  char *key = ov_arena_alloc(&aw->w.arena, 256);
  snprintf(key, 256, "%s/master.key", aw->data);
  aw->host.master_key_file = key;
  if (!aw->node) return;
  aw->host.schemas = aw->node->schemas;
  aw->host.programme = aw->node->programme;
}

/* -- life ------------------------------------------------------------------------------ */

void aw_start(admin_world *aw) {
  char why[OV_ERROR_TEXT_MAX + 60] = "";
  sv_node_options o = {.data = aw->data,
                       .schema_dir = aw->schema_dir ? aw->schema_dir : OV_SOURCE_DIR "/proto/schema",
                       .create = true,
                       .sys = aw->real ? sv_sys_real(SV_LOG_ERROR) : &aw->w.sys};
  int err = sv_node_open(&o, &aw->node, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
  fill_host(aw);
}

void aw_stop(admin_world *aw) {
  sv_node_close(aw->node);
  aw->node = NULL;
  fill_host(aw);
}

void aw_open(admin_world *aw, uint64_t seed, bool real) {
  memset(aw, 0, sizeof *aw);
  /* What is tested here is not the disk: hundreds of commits in memory are quick. */
  if (!access("/dev/shm", W_OK)) setenv("TMPDIR", "/dev/shm", 0);
  fx_open(&aw->w, seed);
  aw->real = real;
  if (real) aw->w.now_ms = sv_sys_real(SV_LOG_ERROR)->now_ms(NULL);
  aw->data = fx_data(&aw->w);
  aw_start(aw);
}

void aw_close(admin_world *aw) {
  sv_node_close(aw->node);
  json_decref(aw->reply);
  json_decref(aw->items);
  fx_close(&aw->w);
}

sv_org *aw_org(admin_world *aw, unsigned i) { return org_at(aw, i); }

/* -- asking ------------------------------------------------------------------------------ */

static bool take_line(void *ctx, const char *line) {
  admin_world *aw = ctx;
  json_t *j = json_loads(line, 0, NULL);
  FX_MUST(j && !strchr(line, '\n'));
  FX_MUST(!aw->reply); /* the reply is the last line */
  if (json_object_get(j, "item")) json_array_append(aw->items, json_object_get(j, "item"));
  else if (!json_object_get(j, "progress")) aw->reply = json_incref(j);
  json_decref(j);
  aw->lines++;
  return !aw->hang_up_after || aw->lines < aw->hang_up_after;
}

static int ask_text(admin_world *aw, const char *text) {
  json_decref(aw->reply);
  json_decref(aw->items);
  aw->reply = NULL;
  aw->items = json_array();
  aw->lines = 0;
  int err = sv_admin_handle(&aw->host, text, strlen(text), take_line, aw);
  if (!aw->hang_up_after) {
    FX_MUST(aw->reply && json_is_true(json_object_get(aw->reply, "ok")) == !err);
    FX_MUST(!err || !strcmp(aw_text(aw, "error"), ov_err_slug(err)));
  }
  return err;
}

int aw_ask_json(admin_world *aw, json_t *request) {
  char *text = json_dumps(request, JSON_COMPACT);
  json_decref(request);
  FX_MUST(text);
  int err = ask_text(aw, text);
  free(text);
  return err;
}

int aw_ask(admin_world *aw, const char *fmt, ...) {
  char text[4096];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  FX_MUST(n > 0 && (size_t)n < sizeof text);
  for (char *p = text; *p; p++) {
    if (*p == '\'') *p = '"';
  }
  return ask_text(aw, text);
}

void aw_must(admin_world *aw, int err, const char *file, int line) {
  if (!err) return;
  fprintf(stderr, "%s:%d: %s\n", file, line, aw_text(aw, "message"));
  json_dumpf(aw->items, stderr, JSON_INDENT(1));
  fx_die(file, line, "request", err);
}

void aw_refused(admin_world *aw, int err, int want, const char *text, const char *file, int line) {
  const char *message = aw_text(aw, "message");
  if (err == want && strstr(message, text)) return;
  fprintf(stderr, "%s:%d: got %s: \"%s\", wanted %s: \"%s\"\n", file, line, ov_err_slug(err), message,
          ov_err_slug(want), text);
  fail();
}

const char *aw_text(admin_world *aw, const char *key) {
  const char *text = json_string_value(json_object_get(aw->reply, key));
  return text ? text : "";
}

int64_t aw_int(admin_world *aw, const char *key) {
  return json_integer_value(json_object_get(aw->reply, key));
}

const json_t *aw_item(admin_world *aw, const char *key, const char *value) {
  const json_t *items = json_object_get(aw->reply, "items");
  for (size_t i = 0; i < json_array_size(items); i++) {
    const char *text = json_string_value(json_object_get(json_array_get(items, i), key));
    if (text && !strcmp(text, value)) return json_array_get(items, i);
  }
  return NULL;
}

bool aw_found(admin_world *aw, const char *text) {
  for (size_t i = 0; i < json_array_size(aw->items); i++) {
    const char *problem = json_string_value(json_object_get(json_array_get(aw->items, i), "problem"));
    if (problem && strstr(problem, text)) return true;
  }
  return false;
}

/* -- De Linde -------------------------------------------------------------------------------- */

void linde_again(linde *l) {
  l->org = aw_org(&l->aw, 0);
  FX_MUST(l->org);
  if (l->tab) l->tab->org = l->org;
}

/* The programme leads the device to its organisation, as after an enrolment. */
static void route(linde *l) { WRITE(l->aw.node->programme, t, FX_OK(sv_device_put(t, &l->tab->device))); }

void linde_open(linde *l, uint64_t seed, bool real) {
  memset(l, 0, sizeof *l);
  aw_open(&l->aw, seed, real);
  ASK(&l->aw, "{'cmd':'organisation add','name':'De Linde'}");
  linde_again(l);
  l->beuk = fx_team(&l->aw.w, l->org, "Beuk");
  l->eik = fx_team(&l->aw.w, l->org, "Eik");
  l->jan = fx_person(&l->aw.w, l->org, "Jan", &l->beuk, 1);
  l->ria = fx_person(&l->aw.w, l->org, "Ria", &l->eik, 1);
  l->anna = fx_participant(&l->aw.w, l->org, "Anna", &l->beuk, 1);
  l->tab = fx_tablet_new(&l->aw.w, l->org, &l->beuk, 1, &l->jan);
  route(l);
}

void linde_close(linde *l) {
  fx_tablet_free(l->tab);
  aw_close(&l->aw);
}

ov_name linde_nights(linde *l, unsigned n, int64_t quality) {
  ov_name name = {.seq = 0};
  uint32_t from = l->tab->n + 1;
  for (unsigned i = 0; i < n; i++) {
    ov_field f[] = {FX_INT(10, NIGHT - (int64_t)(l->tab->n % 300)), FX_INT(11, 1), FX_INT(14, quality)};
    name = fx_create(l->tab, SLEEP, &l->anna, f, 3);
  }
  fx_push_ok(l->tab, l->org, from, l->tab->n);
  return name;
}
