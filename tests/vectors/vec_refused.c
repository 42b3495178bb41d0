/* refused.json: inputs that every implementation refuses, and with which error. */
#include <string.h>

#include "vec.h"

typedef struct bad {
  const char *what, *name, *hex;
  int err;
} bad;

#define N28 "c41c 10101010101010101010101010101010 0000000000000001 aabbccdd"
#define N28B "c41c 10101010101010101010101010101010 0000000000000002 aabbccdd"

static const bad list[] = {
    /* Whole messages, also what a MessagePack library may let pass. */
    {"message", "nothing", "", OV_E_FORMAT},
    {"message", "an array that claims 2^32 - 1 elements", "ddffffffff", OV_E_FORMAT},
    {"message", "a map that claims 2^32 - 1 pairs", "dfffffffff", OV_E_FORMAT},
    {"message", "bytes that claim 2^32 - 1", "c6ffffffff", OV_E_FORMAT},
    {"message", "depth 33", "9191919191919191919191919191919191919191919191919191919191919191c0",
     OV_E_FORMAT},
    {"message", "the byte 0xc1", "92 0a c1", OV_E_FORMAT},
    {"message", "an extension type", "92 0a d40000", OV_E_FORMAT},
    {"message", "a float", "92 0b ca3f800000", OV_E_FORMAT},
    {"message", "not a number, as a float", "92 0b cb7ff8000000000000", OV_E_FORMAT},
    {"message", "truncated", "92 0a", OV_E_FORMAT},
    {"message", "a byte too many", "91 0d c0", OV_E_FORMAT},
    {"message", "no array", "0d", OV_E_FORMAT},
    {"message", "type 0", "91 00", OV_E_FORMAT},
    {"message", "an unknown type", "91 63", OV_E_FORMAT},
    {"message", "a type in a longer form", "91 cc0d", OV_E_FORMAT},
    {"message", "a count in a longer form", "dc0001 0d", OV_E_FORMAT},
    {"message", "an element too many", "92 0d c0", OV_E_FORMAT},
    {"message", "half an entry in a flat list", "92 0a 91 02", OV_E_FORMAT},
    {"message", "HELLO from version 2 on", "93 03 02 03", OV_E_VERSION},
    {"message", "HELLO with its versions the wrong way round", "93 03 03 01", OV_E_FORMAT},
    {"message", "ENROL from version 2 on", "93 01 02 02", OV_E_VERSION},
    {"message", "ERROR 0", "92 0c 00", OV_E_FORMAT},
    /* Frames. */
    {"frame", "an empty frame", "", OV_E_FORMAT},
    {"frame", "an unknown mode", "02 91 0d", OV_E_FORMAT},
    {"frame", "no DEFLATE", "01 ff ff ff", OV_E_FORMAT},
    {"frame", "an unknown dictionary is an unknown mode", "09 03 00", OV_E_FORMAT},
    /* Op headers: [scope, record, kind, version, participant, author, device time]. */
    {"header", "six elements", "96 02 c0 14 01 c0 c0", OV_E_OP_FORMAT},
    {"header", "a scope in a longer form", "97 cc02 c0 14 01 c0 c0 00", OV_E_OP_FORMAT},
    {"header", "kind 0", "97 02 c0 00 01 c0 c0 00", OV_E_OP_FORMAT},
    {"header", "a record name of 27 bytes",
     "97 02 c41b 101010101010101010101010101010100000000000000001aabbcc 14 01 c0 c0 00", OV_E_OP_FORMAT},
    {"header", "a record name with seq 0",
     "97 02 c41c 10101010101010101010101010101010 0000000000000000 aabbccdd 14 01 c0 c0 00", OV_E_OP_FORMAT},
    {"header", "a device time of 2^53", "97 02 c0 14 01 c0 c0 cf0020000000000000", OV_E_OP_LIMIT},
    {"header", "a byte too many", "97 02 c0 14 01 c0 c0 00 00", OV_E_OP_FORMAT},
    /* Payloads: [{field: value}, [replaced names]]. */
    {"payload", "no list of names", "91 80", OV_E_OP_FORMAT},
    {"payload", "a duplicate field", "92 82 0201 0202 90", OV_E_OP_FORMAT},
    {"payload", "fields that do not ascend", "92 82 0301 0202 90", OV_E_OP_FORMAT},
    {"payload", "field 0", "92 81 0001 90", OV_E_OP_FORMAT},
    {"payload", "an integer in a longer form", "92 81 02 cd0007 90", OV_E_OP_FORMAT},
    {"payload", "a text in a longer form", "92 81 02 d90161 90", OV_E_OP_FORMAT},
    {"payload", "a float", "92 81 02 cb3ff0000000000000 90", OV_E_OP_FORMAT},
    {"payload", "not a number", "92 81 02 cb7ff8000000000000 90", OV_E_OP_FORMAT},
    {"payload", "a bool", "92 81 02 c3 90", OV_E_OP_FORMAT},
    {"payload", "a map as a value", "92 81 02 80 90", OV_E_OP_FORMAT},
    {"payload", "an extension type", "92 81 02 d40000 90", OV_E_OP_FORMAT},
    {"payload", "bad UTF-8", "92 81 02 a2c328 90", OV_E_OP_FORMAT},
    {"payload", "an overlong letter", "92 81 02 a2c080 90", OV_E_OP_FORMAT},
    {"payload", "a surrogate", "92 81 02 a3eda080 90", OV_E_OP_FORMAT},
    {"payload", "a zero letter", "92 81 02 a100 90", OV_E_OP_FORMAT},
    {"payload", "a set whose elements do not ascend", "92 81 02 92 92 02 01 90 90", OV_E_OP_FORMAT},
    {"payload", "a set with an element on both sides", "92 81 02 92 91 02 91 02 90", OV_E_OP_FORMAT},
    {"payload", "a set of texts", "92 81 02 92 91 a161 90 90", OV_E_OP_FORMAT},
    {"payload", "names that do not ascend", "92 80 92 " N28B N28, OV_E_OP_FORMAT},
    {"payload", "a name twice", "92 80 92 " N28 N28, OV_E_OP_FORMAT},
    {"payload", "a byte too many", "92 80 90 00", OV_E_OP_FORMAT},
    {"payload", "truncated", "92 80", OV_E_OP_FORMAT},
    {"payload", "0xc1", "92 81 02 c1 90", OV_E_OP_FORMAT},
};

static json_t *squeezed(const char *hex) {
  char out[1024];
  size_t n = 0;
  for (; *hex && n < sizeof out; hex++)
    if (*hex != ' ') out[n++] = *hex;
  return json_stringn(out, n);
}

static void add(json_t *out, const char *what, const char *name, json_t *hex, int err) {
  json_array_append_new(out, json_pack("{s:s, s:s, s:o, s:s}", "name", name, "what", what, "hex", hex,
                                       "error", ov_err_slug(err)));
}

/* Those that are too long to write down. */
static void add_long(vec *v, json_t *out) {
  ov_buf *b = &v->scratch;
  ov_buf_reset(b);
  ov_mpw_array(b, 2);
  ov_mpw_map(b, 0);
  ov_mpw_array(b, OV_OP_REPLACES_MAX + 1);
  for (uint64_t i = 0; i <= OV_OP_REPLACES_MAX; i++) {
    ov_name n = vec_sample_name(0x10, i + 1);
    n.tag[0] = 0;
    ov_mpw_name(b, &n);
  }
  add(out, "payload", "257 replaced names", vec_hex(b->p, b->n), OV_E_OP_LIMIT);
  ov_buf_reset(b);
  ov_mpw_array(b, 2);
  ov_mpw_map(b, 1);
  ov_mpw_uint(b, 2);
  uint8_t *text = ov_arena_alloc(&v->arena, OV_TEXT_BYTES_MAX + 1);
  memset(text, 'a', OV_TEXT_BYTES_MAX + 1);
  ov_mpw_str(b, text, OV_TEXT_BYTES_MAX + 1);
  ov_mpw_array(b, 0);
  add(out, "payload", "a text of 10,241 bytes", vec_hex(b->p, b->n), OV_E_OP_LIMIT);
  ov_buf_reset(b);
  ov_mpw_array(b, 2);
  ov_mpw_uint(b, OV_M_ACKED);
  ov_mpw_array(b, 2 * (OV_SCOPES_MAX + 1));
  for (uint32_t i = 0; i <= OV_SCOPES_MAX; i++) {
    ov_mpw_uint(b, i);
    ov_mpw_uint(b, 0);
  }
  add(out, "message", "ACKED with 65 scopes", vec_hex(b->p, b->n), OV_E_LIMIT);
}

/* Rows of the named form, of server 5051…, with base time 0: one op is spoiled in different ways. */
static void add_rows(vec *v, json_t *out) {
  const ov_field fields[] = {{2, ov_int(7)}};
  ov_rows_ctx ctx = {.named = true, .writer = vec_id(0x50), .server = vec_id(0x50)};
  ov_buf *b = &v->scratch;
  uint8_t p[128], spoiled[sizeof p + 8];
  ov_buf_reset(b);
  vec_need(ov_rows_encode(&ctx, vec_new_op(v, 0x10, 42, NULL, fields, 1), 1, b) == 0, "rows");
  size_t n = b->n, raw = OV_ID_BYTES + OV_TAG_BYTES;
  vec_need(n < sizeof p && b->p[0] == 0 && b->p[1] == raw, "short rows");
  memcpy(p, b->p, n);
  add(out, "rows", "no rows at all", vec_hex(p, 0), OV_E_FORMAT);
  memcpy(spoiled, p, n);
  memcpy(spoiled + n, (const uint8_t[]){0, 0, 0, 0, 1}, 5);
  add(out, "rows", "bytes that the coder never reads", vec_hex(spoiled, n + 5), OV_E_FORMAT);
  memcpy(spoiled, (const uint8_t[]){0x80, 0}, 2);
  memcpy(spoiled + 2, p + 1, n - 1);
  add(out, "rows", "a length in a longer form", vec_hex(spoiled, n + 1), OV_E_FORMAT);
  memcpy(spoiled, p, 2 + raw);
  spoiled[1]++;
  spoiled[2 + raw] = 0;
  memcpy(spoiled + 3 + raw, p + 2 + raw, n - 2 - raw);
  add(out, "rows", "a raw byte that nobody takes", vec_hex(spoiled, n + 1), OV_E_FORMAT);
  memcpy(spoiled, p, n);
  spoiled[1] = 127;
  add(out, "rows", "a run beyond the end", vec_hex(spoiled, n), OV_E_FORMAT);
}

json_t *vec_make_refused(vec *v) {
  json_t *out = json_array();
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    add(out, list[i].what, list[i].name, squeezed(list[i].hex), list[i].err);
  add_long(v, out);
  add_rows(v, out);
  return out;
}
