#include "web_client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sv_account.h"

bool wc_start(dm_server *d, dm_site *site) {
  char why[DM_WHY] = "";
  bool ok = dm_start(d, site, &(dm_options){.workers = 2}, why);
  if (!ok) fprintf(stderr, "%s\n", why);
  return ok;
}

int wc_stop(dm_server *d, dm_site *site, const char *secret) {
  char why[DM_WHY] = "";
  bool stopped = dm_stop(d, SIGTERM), clean = dm_log_clean(d, secret, why);
  if (!clean) fprintf(stderr, "%s\n", why);
  dm_end(d);
  dm_site_close(site);
  return stopped && clean ? 0 : -1;
}

/* Ends the program when the administrator's command fails. */
static void must(const dm_server *d, const char *ask, char *reply, size_t cap) {
  if (dm_admin(d, ask, reply, cap)) return;
  fprintf(stderr, "%s: %s\n", ask, reply);
  exit(1);
}

void wc_release(const dm_server *d, char month[8]) {
  char ask[100], reply[8192] = "";
  time_t past = time(NULL) - 100 * 86400;
  struct tm tm;
  strftime(month, 8, "%Y-%m", gmtime_r(&past, &tm));
  snprintf(ask, sizeof ask, "{\"cmd\":\"release make\",\"month\":\"%s\"}", month);
  must(d, ask, reply, sizeof reply);
}

void wc_token(const dm_server *d, const char *args, char header[100], char id[20]) {
  char ask[300], reply[2048] = "";
  snprintf(ask, sizeof ask, "{\"cmd\":\"token add\",\"label\":\"study\"%s}", args);
  must(d, ask, reply, sizeof reply);
  json_t *j = json_loads(reply, 0, NULL);
  snprintf(header, 100, "Authorization: Bearer %.75s\r\n", json_string_value(json_object_get(j, "token")));
  if (id) snprintf(id, 20, "%s", json_string_value(json_object_get(j, "id")));
  json_decref(j);
}

wc wc_open(const dm_server *d) {
  static unsigned n;
  wc c = {.d = d, .origin = "http://localhost", .header = "1", .type = "application/json"};
  snprintf(c.from, sizeof c.from, "127.0.1.%u", ++n % 250 + 1);
  return c;
}

wc wc_program(const dm_server *d, const char *headers) {
  wc c = wc_open(d);
  c.origin = c.header = NULL;
  c.extra = headers;
  return c;
}

void wc_close(wc *c) {
  json_decref(c->a.json);
  c->a.json = NULL;
}

static void keep_cookie(wc *c) {
  const char *p = strstr(c->a.head, "Set-Cookie: ");
  if (!p) return;
  size_t n = strcspn(p + 12, ";\r");
  if (n < sizeof c->cookie) snprintf(c->cookie, sizeof c->cookie, "%.*s", (int)n, p + 12);
}

int wc_ask(wc *c, const char *path, const char *body) {
  static char text[80000];
  size_t n = 0, cap = sizeof text;
  json_decref(c->a.json);
  memset(&c->a, 0, sizeof c->a);
#define LINE(...) n += (size_t)snprintf(text + n, cap - n, __VA_ARGS__)
  LINE("%s %s HTTP/1.1\r\nHost: localhost\r\n", body ? "POST" : "GET", path);
  if (c->origin) LINE("Origin: %s\r\n", c->origin);
  if (c->header) LINE("X-Overdracht: %s\r\n", c->header);
  if (c->csrf[0]) LINE("X-Overdracht-CSRF: %s\r\n", c->csrf);
  if (c->cookie[0]) LINE("Cookie: other=1; %s\r\n", c->cookie);
  if (c->extra) LINE("%s", c->extra);
  if (body && c->type) LINE("Content-Type: %s\r\n", c->type);
  if (body) LINE("Content-Length: %zu\r\n", strlen(body));
  LINE("\r\n%s", body ? body : "");
#undef LINE
  rawws *ws = rawws_connect(&(rawws_opts){.port = c->d->port, .from = c->from});
  if (!ws) return 0;
  rawws_send(ws, text, n);
  rawws_read_all(ws, text, sizeof text, 40000);
  rawws_free(ws);
  const char *end = strstr(text, "\r\n\r\n");
  if (!end || sscanf(text, "HTTP/1.1 %d", &c->a.status) != 1) return 0;
  snprintf(c->a.head, sizeof c->a.head, "%.*s", (int)(end - text + 2), text);
  snprintf(c->a.body, sizeof c->a.body, "%s", end + 4);
  c->a.json = json_loads(c->a.body, 0, NULL);
  keep_cookie(c);
  return c->a.status;
}

const char *wc_text(const wc *c, const char *key) {
  const char *t = json_string_value(json_object_get(c->a.json, key));
  return t ? t : "";
}

/* -- accounts -------------------------------------------------------------------------------------------- */

static bool base32_read(const char *text, uint8_t out[20]) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  unsigned bits = 0, have = 0, n = 0;
  for (; *text && *text != '&' && n < 20; text++) {
    const char *at = strchr(alphabet, *text);
    if (!at) return false;
    bits = bits << 5 | (unsigned)(at - alphabet);
    have += 5;
    if (have >= 8) {
      have -= 8;
      out[n++] = (uint8_t)(bits >> have);
    }
  }
  return n == 20;
}

bool wc_account_make(const dm_server *d, const char *organisation, const char *person, const char *role,
                     const char *team, wc_account *out) {
  char ask[500], reply[8192];
  memset(out, 0, sizeof *out);
  snprintf(out->person, sizeof out->person, "%s", person);
  snprintf(
      ask, sizeof ask,
      "{\"cmd\":\"person add\",\"name\":\"%s\",\"role\":\"%s\",\"team\":[\"%s\"],\"organisation\":\"%s\"}",
      person, role, team, organisation);
  if (!dm_admin(d, ask, reply, sizeof reply)) return false;
  snprintf(out->login, sizeof out->login, "%s@test", person);
  snprintf(ask, sizeof ask,
           "{\"cmd\":\"account add\",\"person\":\"%s\",\"login\":\"%s\",\"organisation\":\"%s\"}", person,
           out->login, organisation);
  if (!dm_admin(d, ask, reply, sizeof reply)) return false;
  json_t *j = json_loads(reply, 0, NULL), *codes = json_object_get(j, "recovery_codes");
  const char *uri = json_string_value(json_object_get(j, "otpauth")),
             *password = json_string_value(json_object_get(j, "password"));
  const char *secret = uri ? strstr(uri, "secret=") : NULL;
  bool ok = password && secret && base32_read(secret + 7, out->secret) && json_array_size(codes) == 10;
  if (ok) snprintf(out->password, sizeof out->password, "%s", password);
  for (size_t i = 0; ok && i < 10; i++)
    snprintf(out->recovery[i], sizeof out->recovery[i], "%s", json_string_value(json_array_get(codes, i)));
  json_decref(j);
  return ok;
}

void wc_code(const wc_account *a, int off, char out[7]) {
  FX_OK(sv_totp_code(a->secret, (uint64_t)((int64_t)time(NULL) / SV_TOTP_STEP_S + off), out));
}

bool wc_sign_in(wc *c, const wc_account *a, const char *code) {
  char ask[400], now[7];
  snprintf(ask, sizeof ask, "{\"login\":\"%s\",\"password\":\"%s\"}", a->login, a->password);
  if (wc_ask(c, "/api/sign-in", ask) != 200) return false;
  wc_code(a, 0, now);
  snprintf(ask, sizeof ask, "{\"ticket\":\"%s\",\"code\":\"%s\"}", wc_text(c, "ticket"), code ? code : now);
  if (wc_ask(c, "/api/sign-in/totp", ask) != 200) return false;
  snprintf(c->csrf, sizeof c->csrf, "%s", wc_text(c, "csrf"));
  return true;
}
