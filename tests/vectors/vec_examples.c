/* The worked examples in PROTOCOL.md: between <!-- example: NAME --> and <!-- end --> stands the vector of
 * that name, one element of the message a line; and how an op becomes part of a PUSH. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

enum { HEX_PER_LINE = 24, LABELS_MAX = 16 };

static const char *const labels[OV_M_COUNT][LABELS_MAX] = {
    [OV_M_ENROL] = {"ENROL", "version_min", "version_max", "code", "public key", "device name"},
    [OV_M_ENROLLED] = {"ENROLLED", "version", "device", "organisation", "server", "server public key",
                       "device record", "scope, commit key ...", "time (ms)", "zone", "pin"},
    [OV_M_HELLO] = {"HELLO", "version_min", "version_max", "device", "writer", "own seq", "own head",
                    "server (nil: no cursors)", "scope, pos, hash ...", "time (ms)", "nonce", "flags",
                    "credit (0: default)", "frame bytes (0: default)", "signature"},
    [OV_M_WELCOME] = {"WELCOME", "version", "server", "time (ms)", "own", "safe_up_to", "scope, state ...",
                      "frame bytes", "credit", "retry (s)", "tips: seq, head ...",
                      "ladder: seq, 8 bytes of head ...", "strict", "share"},
    [OV_M_CHALLENGE] = {"CHALLENGE", "nonce", "time (ms)"},
    [OV_M_PROOF] = {"PROOF", "signature"},
    [OV_M_PUSH] = {"PUSH", "first seq", "flags", "rows", "signature", "head before", "of, commit key ..."},
    [OV_M_ACK] = {"ACK", "up_to", "head", "safe_up_to", "receipts: ops, time (ms), offset (ms) ...",
                  "held: seq, reason ..."},
    [OV_M_DELTA] = {"DELTA", "scope", "from", "to", "hash of position `to`", "time (s)", "more", "rows",
                    "changed: records, time (s) ...", "extras", "gone: names"},
    [OV_M_ACKED] = {"ACKED", "scope, pos ..."},
    [OV_M_BYE] = {"BYE", "reason", "retry (s)"},
    [OV_M_ERROR] = {"ERROR", "error", "seq", "retry (s)", "text", "tips: seq, head ...",
                    "ladder: seq, 8 bytes of head ...", "names"},
    [OV_M_SYNCED] = {"SYNCED"},
};

static const char *label_of(unsigned type, uint32_t i, uint32_t count) {
  if (type == OV_M_ACK && i >= 6)
    return i + 1 == count ? "signature" : i == 6 ? "refused seq" : "refused error";
  return labels[type][i];
}

static void put_text(ov_buf *out, const char *s) { ov_buf_put(out, s, strlen(s)); }

static void put_line(ov_buf *out, const uint8_t *p, size_t n, const char *label) {
  for (size_t at = 0; at < n; at += HEX_PER_LINE) {
    size_t k = n - at < HEX_PER_LINE ? n - at : HEX_PER_LINE;
    char hex[2 * HEX_PER_LINE + 1], line[160];
    ov_hex(p + at, k, hex);
    if (at == 0) snprintf(line, sizeof line, "%-*s  ; %s\n", 2 * HEX_PER_LINE, hex, label);
    else snprintf(line, sizeof line, "%s\n", hex);
    put_text(out, line);
  }
}

static void put_example(vec *v, json_t *message, ov_buf *out) {
  size_t n, n_frame;
  const uint8_t *p = vec_read_hex(v, json_object_get(message, "plain"), &n);
  vec_read_hex(v, json_object_get(message, "frame"), &n_frame);
  unsigned type = (unsigned)json_integer_value(json_object_get(message, "type"));
  char text[80];
  ov_mpr r;
  ov_mpr_init(&r, p, n);
  uint32_t count = ov_mpr_array(&r);
  put_text(out, "```\n");
  snprintf(text, sizeof text, "array of %u", count);
  put_line(out, p, (size_t)(r.p - p), text);
  for (uint32_t i = 0; i < count; i++) {
    size_t k;
    const uint8_t *element = ov_mpr_raw(&r, &k);
    put_line(out, element, k, label_of(type, i, count));
  }
  snprintf(text, sizeof text, "```\n%zu bytes, %zu as a frame\n", n, n_frame);
  put_text(out, text);
}

/* -- how an op becomes part of a PUSH -- */

static json_t *fields_of(json_t *messages, const char *name) {
  return json_object_get(vec_find(messages, name), "fields");
}

/* The first op of "PUSH, least" after the head that "HELLO, full" gives. */
static void put_op(vec *v, json_t *messages, const ov_rows_ctx *c, ov_op *op, ov_buf *out) {
  uint8_t key[OV_KEY_BYTES];
  ov_hash head, salt;
  ov_buf header, payload, scratch;
  ov_buf_init(&header, 0);
  ov_buf_init(&payload, 0);
  ov_buf_init(&scratch, 0);
  json_t *team = json_array_get(json_object_get(fields_of(messages, "ENROLLED, full"), "scopes"), 1);
  vec_read_bytes(json_object_get(team, "commit_key"), key, sizeof key);
  vec_read_bytes(json_object_get(fields_of(messages, "HELLO, full"), "own_head"), head.b, sizeof head.b);
  ov_op_header_encode(op, &header);
  ov_op_payload_encode(op, &payload);
  vec_need(!header.err && !payload.err, "op");
  put_line(out, header.p, header.n, "header");
  put_line(out, payload.p, payload.n, "payload");
  put_line(out, key, sizeof key, "commit key of scope 2");
  vec_salt(v, key, &c->writer, c->first_seq, &salt);
  put_line(out, salt.b, sizeof salt.b, "salt");
  ov_hash before = head;
  vec_need(!ov_chain_op(v->hasher, op, key, &head, &scratch), "chain");
  put_line(out, op->commitment.b, sizeof op->commitment.b, "commitment");
  put_line(out, before.b, sizeof before.b, "head(40)");
  put_line(out, head.b, sizeof head.b, "head(41)");
  ov_buf_free(&header);
  ov_buf_free(&payload);
  ov_buf_free(&scratch);
}

static void put_rows(const uint8_t *p, size_t n, ov_buf *out) {
  size_t text = p[0], raw = p[1];
  vec_need(text < 128 && raw < 128 && 2 + text + raw < n, "short rows");
  put_line(out, p, 1, "rows: text_n");
  put_line(out, p + 1, 1, "raw_n");
  put_line(out, p + 2, text, "text");
  put_line(out, p + 2 + text, raw, "raw: tag of the author's name");
  put_line(out, p + 2 + text + raw, n - 2 - text - raw, "coded");
}

static void put_steps(vec *v, json_t *messages, ov_buf *out) {
  json_t *hello = fields_of(messages, "HELLO, full"), *push = fields_of(messages, "PUSH, least");
  ov_rows_ctx c = {.first_seq = (uint64_t)json_integer_value(json_object_get(push, "first_seq")),
                   .base_time = json_integer_value(json_object_get(hello, "time_ms")) / 1000};
  vec_read_bytes(json_object_get(hello, "writer"), c.writer.b, OV_ID_BYTES);
  vec_read_bytes(json_object_get(hello, "server"), c.server.b, OV_ID_BYTES);
  size_t n, n_ops, n_signed;
  ov_op *ops;
  const uint8_t *rows = vec_read_hex(v, json_object_get(push, "rows"), &n);
  vec_need(!ov_rows_decode(&c, rows, n, &v->arena, &ops, &n_ops) && n_ops == 3, "rows of PUSH, least");
  json_t *sig = vec_find(v->old_signatures, "push");
  const uint8_t *bytes = vec_read_hex(v, json_object_get(sig, "signed"), &n_signed);
  put_text(out, "```\n");
  put_op(v, messages, &c, &ops[0], out);
  put_rows(rows, n, out);
  put_line(out, bytes, n_signed, "signed");
  put_text(out, "```\n");
}

char *vec_examples(vec *v, const char *text, json_t *messages) {
  static const char begin[] = "<!-- example: ", end[] = "<!-- end -->";
  ov_buf out;
  const char *at;
  ov_buf_init(&out, 0);
  while ((at = strstr(text, begin))) {
    char name[64] = "";
    const char *close = strstr(at, " -->\n"), *stop = strstr(at, end);
    vec_need(close && stop, "an example without an end in PROTOCOL.md");
    size_t n = (size_t)(close - at) - (sizeof begin - 1);
    vec_need(n < sizeof name, "a name of an example");
    memcpy(name, at + sizeof begin - 1, n);
    json_t *message = vec_find(messages, name);
    bool steps = !strcmp(name, "an op and its PUSH, step by step");
    vec_need(steps || message != NULL, name);
    ov_buf_put(&out, text, (size_t)(close + 5 - text));
    if (steps) put_steps(v, messages, &out);
    else put_example(v, message, &out);
    ov_buf_put(&out, end, sizeof end - 1);
    text = stop + sizeof end - 1;
  }
  put_text(&out, text);
  ov_buf_u8(&out, 0);
  vec_need(out.err == 0, "out of memory");
  return (char *)out.p;
}
