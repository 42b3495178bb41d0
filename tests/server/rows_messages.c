/* Rows 19–27: messages and payloads that are not what they should be. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "stage.h"

#define SLEEP 20

/* -- broken frames --------------------------------------------------------------------------------------- */

/* The server says `err` and closes with `code`. */
static bool told_and_closed(stage *st, dm_wire *w, int err, int code) {
  int got = dm_expect_close(w, DM_WAIT_MS);
  bool ok = got == code && w->last_error == err;
  saw(st, ok, "ERROR %s, close %d", w->last_error ? ov_err_slug(w->last_error) : "none", got);
  dm_wire_close(w);
  return ok;
}

static bool bomb(stage *st, const void *arg) {
  static uint8_t frame[OV_WS_MESSAGE_BYTES_MAX], zero[1 << 20];
  const unsigned mib = 56;
  z_stream z = {.next_out = frame + 1, .avail_out = sizeof frame - 1};
  dm_wire w;
  (void)arg;
  FX_MUST(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  frame[0] = 1;
  for (unsigned i = 0; i < mib; i++) {
    z.next_in = zero;
    z.avail_in = sizeof zero;
    FX_MUST(deflate(&z, Z_NO_FLUSH) == Z_OK);
  }
  FX_MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
  size_t n = (size_t)(z.next_out - frame);
  deflateEnd(&z);
  if (!dm_wire_open(&w, &st->d, st->bad, 0)) return saw(st, false, "cannot connect");
  dm_send_frame(&w, frame, n);
  bool ok = told_and_closed(st, &w, OV_E_LIMIT, 1009);
  size_t at = strlen(st->seen);
  snprintf(st->seen + at, sizeof st->seen - at, " (%zu bytes for %u MiB)", n, mib);
  return ok;
}

static bool op_before_hello(stage *st, const void *arg) {
  dm_wire w;
  ov_buf plain;
  (void)arg;
  dm_tablet_note(st->bad, 1, SECRET);
  if (!dm_wire_open(&w, &st->d, st->bad, 0)) return saw(st, false, "cannot connect");
  dm_push_plain(&w, &(dm_push){.from = st->bad->acked + 1, .to = st->bad->t->n}, &plain);
  dm_send_plain(&w, plain.p, plain.n);
  ov_buf_free(&plain);
  return told_and_closed(st, &w, OV_E_STATE, 1002);
}

typedef struct bytes {
  uint8_t b[40];
  size_t n;
  uint8_t fill;
  size_t fill_n;
  int err, code;
  bool after_hello;
} bytes;

static bool broken_frame(stage *st, const void *arg) {
  const bytes *q = arg;
  uint8_t plain[200];
  dm_wire w;
  if (q->after_hello ? !stage_greet(st, &w, NULL) : !dm_wire_open(&w, &st->d, st->bad, 0))
    return saw(st, false, "cannot connect");
  memset(plain, q->fill, q->fill_n);
  memcpy(plain + q->fill_n, q->b, q->n);
  dm_send_plain(&w, plain, q->fill_n + q->n);
  return told_and_closed(st, &w, q->err, q->code);
}

/* A right HELLO, cut short or with a byte too many. */
static bool bent_hello(stage *st, const void *arg) {
  int by = *(const int *)arg;
  dm_wire w;
  ov_buf plain;
  if (!dm_wire_open(&w, &st->d, st->bad, 0)) return saw(st, false, "cannot connect");
  dm_hello_plain(&w, &(dm_hello){0}, &plain);
  ov_buf_put(&plain, "\xc0", 1);
  dm_send_plain(&w, plain.p, (size_t)((ptrdiff_t)plain.n - 1 + by));
  ov_buf_free(&plain);
  return told_and_closed(st, &w, OV_E_FORMAT, 1007);
}

/* -- broken payloads ------------------------------------------------------------------------------------- */

typedef struct payload {
  uint8_t b[64];
  uint32_t n;
  uint32_t zeros;
  int refused;
  uint8_t reason;
} payload;

/* Sends ops acked + 1 ... n in one push and gives the ACK. */
static bool pushed(dm_wire *w, ov_msg **m) {
  dm_tablet *tb = w->tb;
  return dm_send_push(w, &(dm_push){.from = tb->acked + 1, .to = tb->t->n, .prev = true}) &&
         dm_expect(w, OV_M_ACK, m);
}

/* Good op, broken op, good op: the first is stored, the second refused by its seq, nothing after it taken,
 * and the connection stays. Then the client sends the broken one as a void and goes on. */
static bool broken_payload(stage *st, const void *arg) {
  const payload *q = arg;
  dm_tablet *tb = st->bad;
  dm_wire w;
  ov_msg *m;
  uint8_t raw[64 + 16384];
  FX_MUST(q->n + q->zeros <= sizeof raw);
  if (!dm_sync(&st->d, tb, st->seen)) return false;
  memcpy(raw, q->b, q->n);
  memset(raw + q->n, 'a', q->zeros);
  uint32_t first = tb->t->n + 1;
  dm_tablet_note(tb, 1, SECRET);
  fx_add_raw(tb->t,
             (ov_op){.scope = tb->org->team,
                     .creates = true,
                     .kind = SLEEP,
                     .version = 1,
                     .has_participant = true,
                     .participant = tb->org->anna},
             raw, q->n + q->zeros);
  dm_tablet_note(tb, 1, SECRET);
  if (!stage_greet(st, &w, NULL)) return saw(st, false, "no welcome");
  bool answered = pushed(&w, &m);
  bool ok = answered && m->ack.refused && m->ack.refused_seq == first + 1 &&
            m->ack.refused_err == q->refused && m->ack.up_to == first;
  if (!answered) saw(st, false, "no ACK: close %d, %s", w.close_code, ov_err_slug(w.last_error));
  else
    saw(st, ok, "op %llu refused: %s; stored up to the one before", (unsigned long long)m->ack.refused_seq,
        m->ack.refused ? ov_err_slug(m->ack.refused_err) : "no");
  if (ok) {
    fx_drop(tb->t, first + 1);
    ok = pushed(&w, &m) && !m->ack.refused && m->ack.up_to == first + 2;
    size_t n = strlen(st->seen);
    snprintf(st->seen + n, sizeof st->seen - n, "; %s",
             ok ? "as a void taken, connection open" : "void not taken");
  }
  dm_wire_close(&w);
  return ok;
}

/* -- odd but right --------------------------------------------------------------------------------------- */

/* Stored, acknowledged, shown to a colleague. held: the reason with which, 0 applied. */
static bool stored_op(stage *st, ov_op op, uint8_t held) {
  dm_tablet *tb = st->bad;
  dm_wire w;
  ov_msg *m;
  char why[DM_WHY];
  if (!dm_sync(&st->d, tb, st->seen) || !dm_sync(&st->d, st->good, st->seen)) return false;
  uint32_t had = st->good->records;
  fx_add(tb->t, op);
  if (!stage_greet(st, &w, NULL)) return saw(st, false, "no welcome");
  bool answered = pushed(&w, &m);
  bool fine = answered && !m->ack.refused && m->ack.up_to == tb->t->n && m->ack.n_held == (held ? 1u : 0u) &&
              (!held || (m->ack.held[0].seq == tb->t->n && m->ack.held[0].reason == held));
  unsigned reason = answered && m->ack.n_held ? m->ack.held[0].reason : 0;
  dm_wire_close(&w);
  bool shown = fine && dm_sync(&st->d, st->good, why) && st->good->records > had;
  return saw(st, fine && shown, "%s%s, %s", answered ? "stored, " : "no ACK, ", reason ? "held" : "applied",
             shown ? "sent on" : "not sent on");
}

static bool unknown_kind(stage *st, const void *arg) {
  static ov_field f[] = {FX_INT(9, 4),
                         {77, {.type = OV_V_TEXT, .s = {(const uint8_t *)SECRET, sizeof SECRET - 1}}}};
  (void)arg;
  return stored_op(st,
                   (ov_op){.scope = st->bad->org->team,
                           .creates = true,
                           .kind = 3999,
                           .version = 7,
                           .fields = f,
                           .n_fields = 2},
                   0);
}

static bool newer_schema(stage *st, const void *arg) {
  static ov_field f[] = {FX_INT(10, 20000), FX_INT(11, 1), FX_INT(126, 12345)};
  (void)arg;
  return stored_op(st,
                   (ov_op){.scope = st->bad->org->team,
                           .creates = true,
                           .kind = SLEEP,
                           .version = 99,
                           .fields = f,
                           .n_fields = 3,
                           .has_participant = true,
                           .participant = st->bad->org->anna},
                   0);
}

/* consent's natural key is (participant, purpose, form version): a text part. Keys are hashes, so the store
 * takes any length; the schema does not. */
static bool long_key_part(stage *st, const void *arg) {
  static uint8_t text[600];
  ov_field f[] = {FX_INT(2, 1),
                  {.id = *(const uint16_t *)arg, .v = {.type = OV_V_TEXT, .s = {text, sizeof text}}}};
  memset(text, 'k', sizeof text);
  return stored_op(st,
                   (ov_op){.scope = st->bad->org->team,
                           .creates = true,
                           .kind = 7,
                           .version = 1,
                           .fields = f,
                           .n_fields = 2,
                           .has_participant = true,
                           .participant = st->bad->org->anna},
                   4);
}

#define BYTES(err_, code_, ...)                                                                              \
  &(const bytes) { .b = {__VA_ARGS__}, .n = sizeof((uint8_t[]){__VA_ARGS__}), .err = (err_), .code = (code_) }
#define OPEN_BYTES(err_, code_, ...)                                                                         \
  &(const bytes) {                                                                                           \
    .b = {__VA_ARGS__}, .n = sizeof((uint8_t[]){__VA_ARGS__}), .err = (err_), .code = (code_),               \
    .after_hello = true                                                                                      \
  }
#define PAYLOAD(...)                                                                                         \
  &(const payload) { .b = {__VA_ARGS__}, .n = sizeof((uint8_t[]){__VA_ARGS__}), .refused = OV_E_OP_FORMAT }
#define REFUSED "that op refused by name, connection open"

static const int shorter = -5, longer = 1;
static const uint16_t form_version = 8;

const row message_rows[] = {
    {"19", "deflate bomb in our own compression", "1009, bounded memory", bomb, NULL, 0},
    {"20", "op before HELLO", "refused", op_before_hello, NULL, 0},
    {"21", "frame dd ff ff ff ff", "format, 1007", broken_frame,
     BYTES(OV_E_FORMAT, 1007, 0xdd, 0xff, 0xff, 0xff, 0xff), 0},
    {"21", "the same after HELLO, as a PUSH", "format, 1007", broken_frame,
     OPEN_BYTES(OV_E_FORMAT, 1007, 0x95, 0x07, 0xdd, 0xff, 0xff, 0xff, 0xff), 0},
    {"21", "the same as a payload", REFUSED, broken_payload, PAYLOAD(0xdd, 0xff, 0xff, 0xff, 0xff), 0},
    {"22", "frame nested 33 deep", "format, 1007", broken_frame,
     &(const bytes){.fill = 0x91, .fill_n = 33, .b = {0x01}, .n = 1, .err = OV_E_FORMAT, .code = 1007}, 0},
    {"22", "payload nested 33 deep", REFUSED, broken_payload,
     PAYLOAD(0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91,
             0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91,
             0x91, 0x01),
     0},
    {"23", "frame cut short", "format, 1007", bent_hello, &shorter, 0},
    {"23", "frame with a byte behind it", "format, 1007", bent_hello, &longer, 0},
    {"23", "frame of 0xc1", "format, 1007", broken_frame, BYTES(OV_E_FORMAT, 1007, 0xc1), 0},
    {"23", "payload cut short", REFUSED, broken_payload, PAYLOAD(0x92, 0x82, 0x0a, 0x01), 0},
    {"23", "payload with a byte behind it", REFUSED, broken_payload,
     PAYLOAD(0x92, 0x81, 0x0b, 0x01, 0x90, 0x00), 0},
    {"23", "payload with 0xc1", REFUSED, broken_payload, PAYLOAD(0x92, 0x81, 0x0b, 0xc1, 0x90), 0},
    {"24", "payload with a key twice", REFUSED, broken_payload,
     PAYLOAD(0x92, 0x82, 0x0b, 0x01, 0x0b, 0x02, 0x90), 0},
    {"24", "payload with an extension type", REFUSED, broken_payload,
     PAYLOAD(0x92, 0x81, 0x0b, 0xd4, 0x05, 0x00, 0x90), 0},
    {"24", "payload with NaN", REFUSED, broken_payload,
     PAYLOAD(0x92, 0x81, 0x0b, 0xca, 0x7f, 0xc0, 0x00, 0x00, 0x90), 0},
    {"25", "note that is not UTF-8", REFUSED, broken_payload,
     PAYLOAD(0x92, 0x81, 0x05, 0xa2, 0xc3, 0x28, 0x90), 0},
    {"25", "note with U+0000", REFUSED, broken_payload, PAYLOAD(0x92, 0x81, 0x05, 0xa1, 0x00, 0x90), 0},
    {"26", "unknown kind", "stored opaque, relayed", unknown_kind, NULL, 0},
    {"26", "newer version of a known kind", "stored opaque, relayed", newer_schema, NULL, 0},
    {"27", "text of 600 bytes in a field of the natural key", "held by name (text too long), connection open",
     long_key_part, &form_version, 0},
    {"27", "payload over 12,288 bytes", REFUSED, broken_payload,
     &(const payload){
         .b = {0x92, 0x81, 0x05, 0xda, 0x32, 0x00}, .n = 6, .zeros = 12800, .refused = OV_E_OP_LIMIT},
     0},
};
const size_t n_message_rows = sizeof message_rows / sizeof *message_rows;
