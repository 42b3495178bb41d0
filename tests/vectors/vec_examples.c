/* The worked examples in PROTOCOL.md: between <!-- example: NAME --> and <!-- end --> stands the vector of
 * that name, one element of the message a line. */
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
                      "ladder: seq, 8 bytes of head ..."},
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
    vec_need(message != NULL, name);
    ov_buf_put(&out, text, (size_t)(close + 5 - text));
    put_example(v, message, &out);
    ov_buf_put(&out, end, sizeof end - 1);
    text = stop + sizeof end - 1;
  }
  put_text(&out, text);
  ov_buf_u8(&out, 0);
  vec_need(out.err == 0, "out of memory");
  return (char *)out.p;
}
