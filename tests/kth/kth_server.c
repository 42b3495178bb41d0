/* What a server does besides syncing: opening its data, starting, administration, backup, restore. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kth.h"
#include "sv_admin.h"
#include "sv_erase.h"
#include "sv_erasures.h"

static bool open_data(fuzz_home *h) {
  char why[OV_ERROR_TEXT_MAX];
  sv_org *org = NULL;
  ov_id id = h->w.org->id;
  fuzz_home_stop(h);
  sv_org_options o = fx_org_options(&h->w.fx, h->w.data);
  kth_on(true);
  bool ok = !sv_org_open(&o, &id, &org, why);
  kth_on(false);
  KTH_MUST(ok == (org != NULL));
  sv_org_close(org);
  fuzz_home_start(h);
  return ok;
}

static void nobody(void *ctx) { (void)ctx; }

static bool start(fuzz_home *h) {
  static const char *const names[] = {WORLD_HOST};
  sv_server *s = NULL;
  sv_server_options o = {.sys = &h->w.fx.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = h->w.programme,
                         .schemas = h->w.fx.schemas,
                         .workers = 2,
                         .wake = nobody};
  kth_on(true);
  bool ok = !sv_server_new(&o, &s) && !sv_server_add_org(s, h->w.org);
  if (s) sv_server_shutdown(s);
  sv_server_free(s);
  kth_on(false);
  return ok;
}

/* -- administration -------------------------------------------------------------------------------------- */

/* Jansson's allocations are the server's, too. */
static void *jansson_alloc(size_t n) { return malloc(n); }
static void jansson_free(void *p) { free(p); }

static sv_org *org_at(void *ctx, unsigned i) { return i ? NULL : ((fuzz_home *)ctx)->w.org; }

static int write_work(void *ctx, sv_org *org, sv_admin_work work, void *arg) {
  sv_touches touches = {0};
  sv_txn *t = NULL;
  ov_arena a;
  (void)ctx;
  ov_arena_init(&a, 64u << 20);
  int err = sv_txn_write(org->env, &t);
  if (!err) {
    err = work(arg, t, &a, &touches);
    if (err) sv_txn_abort(t);
    else err = sv_txn_commit(t);
  }
  sv_touches_free(&touches);
  ov_arena_free(&a);
  return err;
}

static int org_created(void *ctx, sv_org *org) {
  (void)ctx;
  (void)org;
  return OV_E_LIMIT;
}

static void device_revoked(void *ctx, const ov_id *device) {
  sv_server_cut_device(((fuzz_home *)ctx)->w.server, device);
}

/* A last line says ok or not; out of memory it may be missing, and then the asker is told by the result. */
static bool take_line(void *ctx, const char *line) {
  unsigned *replies = ctx;
  kth_on(false);
  json_t *j = json_loads(line, 0, NULL);
  KTH_MUST(json_is_object(j));
  *replies += json_object_get(j, "ok") != NULL;
  snprintf(kth_said, sizeof kth_said, "%s", line);
  json_decref(j);
  kth_on(true);
  return true;
}

/* The fixture keeps its master key in memory; administration reads it from a file. */
static void write_key(const fuzz_home *h, char *path, size_t cap) {
  snprintf(path, cap, "%s/master.key", h->w.data);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  KTH_MUST(fd >= 0 && write(fd, h->w.fx.master, sizeof h->w.fx.master) == (ssize_t)sizeof h->w.fx.master);
  close(fd);
}

static bool ask(fuzz_home *h, bool stopped, const char *request) {
  char key[300], text[1500];
  unsigned replies = 0;
  write_key(h, key, sizeof key);
  snprintf(text, sizeof text, "%s", request);
  for (char *p = text; *p; p++) *p = *p == '\'' ? '"' : *p;
  sv_admin_host host = {.data = h->w.data,
                        .master_key_file = key,
                        .schema_dir = OV_SOURCE_DIR "/proto/schema",
                        .sys = &h->w.fx.sys,
                        .schemas = h->w.fx.schemas,
                        .programme = stopped ? NULL : h->w.programme,
                        .online = !stopped,
                        .org_at = org_at,
                        .write = write_work,
                        .org_created = org_created,
                        .device_revoked = device_revoked,
                        .ctx = h};
  kth_on(true);
  int err = sv_admin_handle(&host, text, strlen(text), take_line, &replies);
  kth_on(false);
  KTH_MUST(replies <= 1);
  KTH_MUST(err || replies == 1);
  return !err;
}

static bool administer(fuzz_home *h) {
  static unsigned n;
  static const char *const requests[] = {
      "{'cmd':'team add','name':'Huis %u'}",
      "{'cmd':'person add','name':'Wim %u','role':'care staff','team':['Woning 1']}",
      "{'cmd':'participant add','label':'Gast %u','team':['Woning 1']}",
      "{'cmd':'device add','name':'toestel %u','team':['Woning 1']}",
      "{'cmd':'record list','kind':'sleep','fields':true}",
      "{'cmd':'held list'}",
      "{'cmd':'verify'}",
  };
  json_set_alloc_funcs(jansson_alloc, jansson_free);
  n++;
  bool ok = true;
  for (unsigned i = 0; ok && i < sizeof requests / sizeof *requests; i++) {
    char text[300];
    const char *at = strstr(requests[i], "%u");
    if (at) snprintf(text, sizeof text, "%.*s%u%s", (int)(at - requests[i]), requests[i], n, at + 2);
    ok = ask(h, false, at ? text : requests[i]);
  }
  return ok;
}

static bool back_up(fuzz_home *h, const char *dir, const char *more) {
  char text[900];
  snprintf(text, sizeof text, "{'cmd':'backup','dir':'%s'%s}", dir, more);
  return ask(h, false, text);
}

static bool backup(fuzz_home *h) {
  static unsigned n;
  char dir[300], more[400];
  json_set_alloc_funcs(jansson_alloc, jansson_free);
  snprintf(dir, sizeof dir, "%s/backup-%u", h->w.fx.dir, n++);
  snprintf(more, sizeof more, ",'verify':true,'scratch':'%s'", h->w.fx.dir);
  return back_up(h, dir, more);
}

/* Stopped, restored and started: what the backup holds is there whatever failed, as it was or as it was
 * restored. */
static bool restore(fuzz_home *h) {
  static unsigned n;
  char dir[300], text[900];
  json_set_alloc_funcs(jansson_alloc, jansson_free);
  snprintf(dir, sizeof dir, "%s/before-%u", h->w.fx.dir, n++);
  kth_pause(true);
  KTH_MUST(back_up(h, dir, ""));
  kth_pause(false);
  fuzz_home_stop(h);
  snprintf(text, sizeof text, "{'cmd':'restore','backup':'%s'}", dir);
  bool ok = ask(h, true, text);
  fuzz_home_start(h);
  return ok;
}

/* -- erasure --------------------------------------------------------------------------------------------- */

/* Somebody is erased of whom there is an entry. What a fault cut short is done again after a start, and then
 * the keys are gone. */
static bool erase(fuzz_home *h) {
  static const sv_key_type types[] = {SV_KEY_SEAL_PARTICIPANT, SV_KEY_COMMIT_PARTICIPANT};
  ov_name who = fx_participant(&h->w.fx, h->w.org, "Client 3", &h->team, 1), tombstone;
  uint8_t key[OV_KEY_BYTES];
  sv_txn *t = NULL;
  tablet_sync_ok(&h->t);
  tablet_add(&h->t, "sleep", &who, &h->person, NULL, "night_date=2025-10-03", "source=1", NULL);
  tablet_sync_ok(&h->t);
  sv_erase what = {.participant = who, .ground = SV_ERASE_REQUEST, .at_ms = h->w.fx.now_ms}, e = what;
  kth_on(true);
  bool ok = !sv_erase_run(h->w.data, h->w.org, &e, fx_erase_write, NULL) && e.done;
  kth_on(false);
  if (!ok) {
    fuzz_home_stop(h);
    fuzz_home_start(h);
    e = what;
    FX_OK(sv_erase_run(h->w.data, h->w.org, &e, fx_erase_write, NULL));
    KTH_MUST(e.done);
  }
  for (unsigned i = 0; i < 2; i++)
    KTH_MUST(sv_keyring_get(h->w.org->keyring, types[i], &who, key) == OV_E_NOTFOUND);
  FX_OK(sv_txn_read(h->w.org->env, &t));
  FX_OK(sv_erase_tombstone(t, &who, &tombstone));
  sv_txn_abort(t);
  return ok;
}

const kth_path kth_server_paths[] = {
    {"server_open", open_data, 0, 40},
    {"server_start", start, 0, 40},
    {"server_admin", administer, 0, 25},
    {"server_backup", backup, 0, 20},
    {"server_restore", restore, 0, 20},
    {"server_erase", erase, 1, 20},
    {0},
};
