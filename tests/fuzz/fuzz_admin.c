/* Administration requests, JSON or made from the table of commands, on a real data folder. Each gets lines of
 * JSON of which the last, and only the last, says ok or not; none loses an op or leaves the books wrong.
 * Commands that name a path outside of the folder are left out. */
#include <jansson.h>
#include <string.h>

#include "fuzz_home.h"
#include "sv_admin.h"
#include "sv_admin_commands.h"

#define REQUESTS_MAX 6u

typedef struct asked {
  unsigned replies, after_reply;
} asked;

static bool take_line(void *ctx, const char *line) {
  asked *a = ctx;
  json_t *j = json_loads(line, 0, NULL);
  FUZZ_MUST(json_is_object(j) && !strchr(line, '\n'));
  const json_t *ok = json_object_get(j, "ok");
  if (a->replies) a->after_reply++;
  if (ok) a->replies++;
  FUZZ_MUST(!json_is_false(ok) || (json_is_string(json_object_get(j, "error")) &&
                                   json_string_length(json_object_get(j, "message"))));
  json_decref(j);
  return true;
}

static sv_org *org_at(void *ctx, unsigned i) { return i ? NULL : ((fuzz_home *)ctx)->w.org; }

static int write_work(void *ctx, sv_org *org, sv_admin_work work, void *arg) {
  sv_touches touches = {0};
  ov_arena a;
  int err;
  (void)ctx;
  ov_arena_init(&a, 64u << 20);
  do {
    sv_txn *t = NULL;
    sv_touches_free(&touches);
    err = sv_txn_write(org->env, &t);
    if (err) break;
    err = work(arg, t, &a, &touches);
    if (err) {
      int stuck = sv_txn_error(t);
      sv_txn_abort(t);
      if (stuck == OV_E_MAPFULL) err = stuck;
    } else {
      err = sv_txn_commit(t);
    }
    ov_arena_reset(&a);
  } while (err == OV_E_MAPFULL);
  sv_touches_free(&touches);
  ov_arena_free(&a);
  return err;
}

static int org_created(void *ctx, sv_org *org) {
  (void)ctx;
  (void)org;
  return OV_E_LIMIT; /* this world serves one */
}

static void device_revoked(void *ctx, const ov_id *device) {
  sv_server_cut_device(((fuzz_home *)ctx)->w.server, device);
}

static char *status(void *ctx) {
  (void)ctx;
  return strdup("{\"sessions\":0}");
}

/* -- requests
 * --------------------------------------------------------------------------------------------------- */

static bool names_a_path(const char *text, size_t n) {
  json_t *j = json_loadb(text, n, 0, NULL);
  const char *cmd = json_string_value(json_object_get(j, "cmd"));
  const sv_admin_command *c = cmd ? sv_admin_command_find(cmd) : NULL;
  bool any = c && c->needs != SV_NEEDS_NODE;
  for (unsigned i = 0; c && i < SV_ADMIN_ARGS_MAX && c->args[i].name; i++)
    any |= c->args[i].type == SV_ARG_PATH;
  json_decref(j);
  return any;
}

static const char *some_text(fuzz_home *h, choices *c) {
  static char text[300];
  static const char *const texts[] = {"Woning 1",
                                      "Ann",
                                      "Client 1",
                                      "sleep",
                                      "technology",
                                      "team",
                                      "yes",
                                      "no",
                                      "ja",
                                      "2",
                                      "1",
                                      "0",
                                      "Europe/Amsterdam",
                                      "2025-10-08",
                                      "care staff",
                                      "night_date=2025-10-08",
                                      "name=x",
                                      "source=2",
                                      "source+=1",
                                      "label=",
                                      "Fuzz",
                                      "tablet",
                                      "t",
                                      "1-"};
  size_t n;
  uint32_t i = pick_below(c, 27);
  if (i < sizeof texts / sizeof *texts) return texts[i];
  if (i == 24) {
    ov_name_text(&h->stored[pick_below(c, h->n_stored)].name, text);
    return text;
  }
  const uint8_t *p = pick_bytes(c, 200, &n);
  for (size_t k = 0; k < n; k++) text[k] = (char)(p[k] < ' ' ? ' ' : p[k] & 0x7f);
  text[n] = 0;
  return text;
}

static json_t *some_arg(fuzz_home *h, choices *c, int type) {
  json_t *list;
  switch (pick_below(c, 16) == 7 ? (int)pick_below(c, 5) : type) {
  case SV_ARG_FLAG: return json_boolean(pick_u8(c) & 1);
  case SV_ARG_INT: return json_integer(pick_int(c));
  case SV_ARG_LIST:
  case SV_ARG_FIELDS:
    list = json_array();
    for (uint32_t k = pick_below(c, 4); k > 0; k--)
      json_array_append_new(list, json_string_nocheck(some_text(h, c)));
    return list;
  default: return json_string_nocheck(some_text(h, c));
  }
}

static char *made(fuzz_home *h, choices *c) {
  uint32_t n = 0;
  while (sv_admin_command_at(n)) n++;
  const sv_admin_command *cmd = sv_admin_command_at(pick_below(c, n));
  json_t *j = json_object();
  json_object_set_new(j, "cmd", json_string(cmd->name));
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && cmd->args[i].name; i++) {
    bool give = cmd->args[i].required ? pick_u8(c) != 1 : pick_u8(c) % 4 == 1;
    if (give) json_object_set_new(j, cmd->args[i].name, some_arg(h, c, (int)cmd->args[i].type));
  }
  char *text = json_dumps(j, 0);
  json_decref(j);
  return text;
}

static char *hostile(choices *c) {
  size_t n = pick_u16(c);
  if (n > c->n) n = c->n;
  char *text = strndup((const char *)c->p, n);
  c->p += n;
  c->n -= n;
  return text;
}

static void request(sv_admin_host *host, fuzz_home *h, choices *c) {
  asked a = {0};
  char *text = pick_u8(c) % 4 == 3 ? hostile(c) : made(h, c);
  if (text && !names_a_path(text, strlen(text))) {
    (void)sv_admin_handle(host, text, strlen(text), take_line, &a);
    FUZZ_MUST(a.replies == 1 && a.after_reply == 0);
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  fuzz_home *h = fuzz_home_fresh();
  choices c = {p, n};
  char key[300];
  snprintf(key, sizeof key, "%s/master.key", h->w.data);
  sv_admin_host host = {.data = h->w.data,
                        .master_key_file = key,
                        .schema_dir = OV_SOURCE_DIR "/proto/schema",
                        .sys = &h->w.fx.sys,
                        .schemas = h->w.fx.schemas,
                        .programme = h->w.programme,
                        .online = true,
                        .org_at = org_at,
                        .write = write_work,
                        .org_created = org_created,
                        .device_revoked = device_revoked,
                        .status = status,
                        .ctx = h};
  for (unsigned i = 0; i < REQUESTS_MAX && pick_more(&c); i++) {
    request(&host, h, &c);
    h->w.fx.now_ms += 1000;
  }
  fuzz_home_unharmed(h);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const char *const texts[] = {"{\"cmd\":\"team list\"}",
                                      "{\"cmd\":\"verify\"}",
                                      "{\"cmd\":\"held list\",\"limit\":3}",
                                      "[1,2]",
                                      "{\"cmd\":7}",
                                      "{\"cmd\":\"record list\",\"kind\":\"sleep\",\"fields\":true}",
                                      "{\"cmd\":\"team list\",\"cmd\":\"x\"}"};
  uint8_t b[300];
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    b[0] = 3;
    b[1] = 0;
    b[2] = (uint8_t)strlen(texts[i]);
    memcpy(b + 3, texts[i], strlen(texts[i]));
    add(ctx, b, 3 + strlen(texts[i]));
  }
  for (unsigned cmd = 0; sv_admin_command_at(cmd); cmd++) {
    for (unsigned i = 0; i < 40; i++) b[i] = (uint8_t)(i < 2 ? i * cmd : (i * 37 + cmd * 11) % 29);
    add(ctx, b, 40);
  }
}
