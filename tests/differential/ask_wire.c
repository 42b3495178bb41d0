/* Frames, messages and the table of states. */
#include <string.h>

#include "ask.h"
#include "ov/peer.h"

static json_t *pack(vec *v, json_t *q) {
  size_t n;
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  int err = ov_frame_pack(v->packer, p, n, &v->scratch);
  return err ? ask_error(err) : json_pack("{s:o}", "hex", vec_hex(v->scratch.p, v->scratch.n));
}

static json_t *unpack(vec *v, json_t *q) {
  size_t n;
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  int err = ov_frame_unpack(v->packer, p, n, OV_FRAME_BYTES_MAX, &v->scratch);
  return err ? ask_error(err) : json_pack("{s:o}", "hex", vec_hex(v->scratch.p, v->scratch.n));
}

/* server: the id that DELTA is read with. */
static json_t *message(vec *v, json_t *q) {
  size_t n;
  ov_msg m;
  ov_rows_ctx ctx = {.named = true};
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  if (json_object_get(q, "server")) vec_read_bytes(json_object_get(q, "server"), ctx.writer.b, OV_ID_BYTES);
  ctx.server = ctx.writer;
  int err = ov_msg_decode(p, n, &ctx, &v->arena, &m);
  return err ? ask_error(err) : json_pack("{s:i, s:o}", "type", (int)m.type, "fields", vec_message(&m));
}

static json_t *peer_table(vec *v, json_t *q) {
  json_t *out = json_object();
  (void)v, (void)q;
  for (int role = OV_CLIENT; role <= OV_SERVER; role++) {
    json_t *states = json_object();
    for (int s = OV_S_START; s < OV_S_COUNT; s++) {
      json_t *next = json_object();
      for (int t = OV_M_ENROL; t < OV_M_COUNT; t++) {
        char key[8];
        int to = ov_peer_next((ov_role)role, (ov_state)s, (ov_msg_type)t, true);
        snprintf(key, sizeof key, "%d", t);
        if (to >= 0) json_object_set_new(next, key, json_string(ov_state_text((ov_state)to)));
      }
      json_object_set_new(states, ov_state_text((ov_state)s), next);
    }
    json_object_set_new(out, role == OV_CLIENT ? "client" : "server", states);
  }
  return out;
}

const ask_entry ask_wire[] = {
    {"pack", pack}, {"unpack", unpack}, {"message", message}, {"peer_table", peer_table}, {NULL, NULL}};
