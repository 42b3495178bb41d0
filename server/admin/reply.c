/* What goes back to the asker: progress lines, streamed items, and one reply. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin_priv.h"
#include "sv_json.h"

int adm_fail(adm *m, int err, const char *hint, const char *fmt, ...) {
  if (m->err) return m->err;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(m->message, sizeof m->message, fmt, ap);
  va_end(ap);
  snprintf(m->hint, sizeof m->hint, "%s", hint ? hint : "");
  m->err = err ? err : OV_E_INTERNAL;
  return m->err;
}

/* What somebody who is not a programmer can do about it. */
static const char *advice(int err) {
  switch (err) {
  case OV_E_BUSY: return "try again in a moment";
  case OV_E_FULL: return "the disk is full: make room, then try again; nothing was taken";
  case OV_E_READONLY:
  case OV_E_IO:
    return "the disk or the store had a fault: look at the server's log, check the disk, then run verify";
  case OV_E_CORRUPT: return "run verify; a damaged organisation is put back with restore";
  case OV_E_NOMEM: return "the machine is out of memory";
  default: return NULL;
  }
}

int adm_failed(adm *m, int err, const char *what) {
  return adm_fail(m, err, advice(err), "%s: %s", what, ov_err_text(err));
}

void adm_set(adm *m, const char *key, json_t *value) {
  if (!value || json_object_set_new(m->reply, key, value)) adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
}

void adm_set_text(adm *m, const char *key, const char *text) {
  adm_set(m, key, adm_text_json(text, strlen(text)));
}

static json_t *list(adm *m, json_t **kept, const char *key) {
  if (!*kept) {
    *kept = json_array();
    adm_set(m, key, *kept);
  }
  return *kept;
}

void adm_item(adm *m, json_t *item) {
  if (!item || json_array_append_new(list(m, &m->items, "items"), item))
    adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
}

void adm_note(adm *m, const char *fmt, ...) {
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  json_t *v = adm_text_json(text, strlen(text));
  if (!v || json_array_append_new(list(m, &m->notes, "notes"), v))
    adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
}

static bool send_line(adm *m, json_t *line) {
  char *text = sv_json_text(line, JSON_COMPACT);
  json_decref(line);
  if (!text) adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  else if (!m->gone && !m->out(m->out_ctx, text)) m->gone = true;
  free(text);
  if (m->gone) adm_fail(m, OV_E_CANCELLED, NULL, "stopped");
  return !m->gone && !m->err;
}

bool adm_stream(adm *m, json_t *item) { return send_line(m, json_pack("{s:o}", "item", item)); }

bool adm_progress(adm *m, const char *what, uint64_t done, uint64_t total) {
  int64_t now = m->h->sys->mono_ms(m->h->sys->ctx);
  if (m->gone) return false;
  if (m->told_ms && now - m->told_ms < ADM_PROGRESS_MS) return true;
  m->told_ms = now ? now : 1;
  json_t *p = json_pack("{s:s, s:I, s:I}", "what", what, "done", (json_int_t)done, "total",
                        (json_int_t)total);
  return send_line(m, json_pack("{s:o}", "progress", p));
}

void adm_reply(adm *m) {
  if (m->err) {
    json_object_set_new(m->reply, "error", json_string(ov_err_slug(m->err)));
    json_object_set_new(m->reply, "message", adm_text_json(m->message, strlen(m->message)));
    json_object_set_new(m->reply, "hint", adm_text_json(m->hint, strlen(m->hint)));
  }
  bool said = !json_object_set_new(m->reply, "ok", json_boolean(!m->err));
  char *text = said ? sv_json_text(m->reply, JSON_COMPACT) : NULL;
  if (!text && !m->err) m->err = OV_E_NOMEM;
  if (!m->gone)
    m->out(m->out_ctx,
           text ? text : "{\"ok\":false,\"error\":\"nomem\",\"message\":\"out of memory\",\"hint\":\"\"}");
  free(text);
}

/* -- values ------------------------------------------------------------------------------ */

json_t *adm_name_json(const ov_name *name) {
  char text[OV_NAME_TEXT_MAX];
  ov_name_text(name, text);
  return json_string(text);
}

json_t *adm_hex_json(const uint8_t *p, size_t n) {
  char *hex = malloc(2 * n + 1);
  if (!hex) return NULL;
  ov_hex(p, n, hex);
  json_t *v = json_string(hex);
  free(hex);
  return v;
}

json_t *adm_id_json(const ov_id *id) { return adm_hex_json(id->b, OV_ID_BYTES); }

json_t *adm_time_json(int64_t ms) {
  char text[40];
  struct tm tm;
  time_t s = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
  if (!gmtime_r(&s, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm)) return json_integer(ms);
  return json_string(text);
}

json_t *adm_text_json(const void *p, size_t n) {
  json_t *v = json_stringn(p, n);
  if (v) return v;
  char *plain = malloc(n + 1);
  if (!plain) return NULL;
  for (size_t i = 0; i < n; i++) {
    uint8_t c = ((const uint8_t *)p)[i];
    plain[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
  }
  v = json_stringn(plain, n);
  free(plain);
  return v;
}
