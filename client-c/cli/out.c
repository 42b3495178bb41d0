/* What is printed: tables that fit a terminal, JSON lines, times of the user's zone. */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "cli.h"

/* Next character of UTF-8: its length, its code point. Damaged bytes count as one '?'. */
static size_t next_char(const char *p, uint32_t *code) {
  static const uint8_t lead[] = {0x80, 0xe0, 0xf0, 0xf8};
  const unsigned char *u = (const unsigned char *)p;
  size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc0 ? 2 : 0;
  *code = '?';
  if (!n) return 1;
  uint32_t v = n == 1 ? u[0] : u[0] & (uint32_t)(0xff & ~lead[n - 1]);
  for (size_t i = 1; i < n; i++) {
    if ((u[i] & 0xc0) != 0x80) return 1;
    v = v << 6 | (u[i] & 0x3f);
  }
  *code = v;
  return n;
}

static bool controls(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202a && code <= 0x202e);
}

static size_t columns_of(uint32_t code) {
  int w = wcwidth((wchar_t)code);
  return w < 0 ? 1 : (size_t)w;
}

static void put_one(FILE *f, const char *p, size_t n, uint32_t code) {
  if (code == '\n') fputs(" / ", f);
  else if (code == '\t') fputc(' ', f);
  else if (controls(code)) fputc('?', f);
  else fwrite(p, 1, n, f);
}

void cli_put(FILE *f, const char *text) {
  uint32_t code;
  for (size_t n; *text; text += n) {
    n = next_char(text, &code);
    put_one(f, text, n, code);
  }
}

size_t cli_width(const char *text) {
  size_t width = 0;
  uint32_t code;
  for (size_t n; *text; text += n) {
    n = next_char(text, &code);
    width += code == '\n' ? 3 : controls(code) ? 1 : columns_of(code);
  }
  return width;
}

void cli_put_wide(FILE *f, const char *text, size_t width) {
  size_t at = 0, whole = cli_width(text);
  uint32_t code;
  for (size_t n; *text; text += n) {
    n = next_char(text, &code);
    size_t w = code == '\n' ? 3 : controls(code) ? 1 : columns_of(code);
    if (at + w > (whole > width ? width - 1 : width)) break;
    put_one(f, text, n, code);
    at += w;
  }
  if (whole > width) {
    fputs("…", f);
    at++;
  }
  for (; at < width; at++) fputc(' ', f);
}

size_t cli_columns(void) {
  struct winsize w;
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < 40)
    return isatty(STDOUT_FILENO) ? 80 : 0;
  return w.ws_col;
}

/* -- JSON ------------------------------------------------------------------------------------------------ */

void cli_json(json_t *j) {
  if (!j) {
    fputs("{\"ok\":false,\"error\":\"no_memory\"}\n", stdout);
    return;
  }
  json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII * 0);
  fputc('\n', stdout);
  json_decref(j);
}

json_t *cli_json_text(const char *text) {
  char plain[512];
  size_t n = 0;
  json_t *j = json_string(text);
  if (j) return j;
  for (; *text && n < sizeof plain; text++) plain[n++] = (unsigned char)*text < 0x80 ? *text : '?';
  return json_stringn(plain, n);
}

json_t *cli_json_of(const char *text) {
  json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
  return j ? j : json_null();
}

/* -- times ----------------------------------------------------------------------------------------------- */

void cli_moment(const cli *c, int64_t utc, char out[64]) {
  int64_t local = utc + oc_zone_offset(c->zone, utc), year;
  unsigned month, day, s = (unsigned)(local - oc_day_of(local) * 86400);
  oc_civil_from_days(oc_day_of(local), &year, &month, &day);
  snprintf(out, 64, "%04lld-%02u-%02u %02u:%02u", (long long)year, month, day, s / 3600, s / 60 % 60);
}

json_t *cli_json_moment(const cli *c, int64_t utc) {
  char text[64], whole[80];
  if (!utc) return json_null();
  int32_t offset = oc_zone_offset(c->zone, utc) / 60;
  int64_t local = utc + 60 * (int64_t)offset;
  cli_moment(c, utc, text);
  text[10] = 'T';
  unsigned minutes = (unsigned)(offset < 0 ? -offset : offset);
  snprintf(whole, sizeof whole, "%s:%02u%c%02u:%02u", text, (unsigned)(local - oc_day_of(local) * 86400) % 60,
           offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
  return json_string(whole);
}

static bool civil(long year, long month, long day, int64_t *out) {
  if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > (long)oc_days_in_month(year, (unsigned)month))
    return false;
  *out = oc_days_from_civil(year, (unsigned)month, (unsigned)day);
  return true;
}

bool cli_day(const cli *c, const char *text, int64_t *day) {
  int64_t now = (int64_t)time(NULL);
  int64_t today = oc_day_of(now + oc_zone_offset(c->zone, now));
  unsigned long a, b, d;
  int n = 0;
  *day = today;
  if (!strcmp(text, "today") || !strcmp(text, "vandaag")) return true;
  *day = today - 1;
  if (!strcmp(text, "yesterday") || !strcmp(text, "gisteren")) return true;
  if (text[0] < '0' || text[0] > '9' || strlen(text) > 10) return false;
  if (sscanf(text, "%4lu-%2lu-%4lu%n", &a, &b, &d, &n) == 3 && !text[n]) {
    return a > 31 ? civil((long)a, (long)b, (long)d, day) : civil((long)d, (long)b, (long)a, day);
  }
  n = 0;
  if (sscanf(text, "%5lud%n", &a, &n) == 1 && n && !text[n]) {
    *day = today - (int64_t)a;
    return true;
  }
  return false;
}

/* -- words ----------------------------------------------------------------------------------------------- */

const char *cli_state(const oc_record *r, bool dutch) {
  oc_sync_state s = oc_record_own(r) ? oc_record_state(r) : OC_ON_SERVER;
  static const char *const en[] = {
      [OC_ON_DEVICE] = "on device", [OC_ON_SERVER] = "on server", [OC_SAFE] = "safe"};
  static const char *const nl[] = {
      [OC_ON_DEVICE] = "op tablet", [OC_ON_SERVER] = "op server", [OC_SAFE] = "veilig"};
  return dutch ? nl[s] : en[s];
}

const char *cli_short_id(const char *id) {
  const char *dash = strrchr(id, '-');
  return dash ? dash + 1 : id;
}
