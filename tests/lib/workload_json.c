/* The workload as JSON lines, to compare it with another implementation of the same generator. */
#include <stdio.h>
#include <string.h>

#include "workload.h"

static void put(ov_buf *out, const char *s) { ov_buf_put(out, s, strlen(s)); }

static void put_uuid(ov_buf *out, const uint32_t u[4]) {
  char s[40];
  snprintf(s, sizeof s, "\"%08x-%04x-4%03x-%04x-%04x%08x\"", u[0], u[1] >> 16, u[1] & 0xfffu,
           0x8000u | u[2] >> 18, u[2] & 0xffffu, u[3]);
  put(out, s);
}

static void put_value(ov_buf *out, const wl_record *rec, uint32_t f) {
  char s[32];
  const char *code = wl_code_name(rec->kind, f, rec->v[f]);
  put(out, out->p[out->n - 1] == '{' ? "\"" : ",\"");
  put(out, wl_field_name(rec->kind, f));
  put(out, "\":");
  if (f + 1 == wl_kind_fields(rec->kind) || code) {
    put(out, "\"");
    put(out, code ? code : rec->note);
    put(out, "\"");
  } else {
    snprintf(s, sizeof s, "%lld", (long long)rec->v[f]);
    put(out, s);
  }
}

static void put_record(ov_buf *out, const wl_record *rec, const wl_json_team *team) {
  put(out, "{\"op\":\"put\",\"rec\":{\"kind\":\"");
  put(out, wl_kind_name(rec->kind));
  put(out, "\",\"id\":");
  put_uuid(out, rec->uuid);
  put(out, ",\"client\":");
  put_uuid(out, team->clients[rec->client]);
  put(out, ",\"author\":");
  put_uuid(out, team->staff[rec->author]);
  for (uint32_t f = 0; f < wl_kind_fields(rec->kind); f++) put_value(out, rec, f);
  put(out, "}}\n");
}

void wl_json_team_make(wl_json_team *team, uint32_t seed) {
  wl_rng r;
  wl_rng_init(&r, seed * 7919u + 17);
  for (int i = 0; i < WL_CLIENTS; i++)
    for (int k = 0; k < 4; k++) team->clients[i][k] = wl_u32(&r);
  for (int i = 0; i < WL_STAFF; i++)
    for (int k = 0; k < 4; k++) team->staff[i][k] = wl_u32(&r);
}

void wl_op_json(const wl_op *op, const wl_json_team *team, bool with_kind, ov_buf *out) {
  if (op->put) {
    put_record(out, &op->rec, team);
    return;
  }
  put(out, "{\"op\":\"set\",\"id\":");
  put_uuid(out, op->rec.uuid);
  if (with_kind) {
    put(out, ",\"kind\":\"");
    put(out, wl_kind_name(op->rec.kind));
    put(out, "\"");
  }
  put(out, ",\"set\":{");
  for (uint32_t i = 0; i < op->n_set; i++) put_value(out, &op->rec, op->set[i]);
  put(out, "}}\n");
}
