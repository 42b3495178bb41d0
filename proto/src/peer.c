/* The peer (diagram in ov/peer.h). Bytes in, events out; the table below is the whole machine. */
#include "ov/peer.h"

#include <stdlib.h>
#include <string.h>

#include "msg_parts.h"

/* Who may send a message. */
enum { C = 1, S = 2 };

// clang-format off
static const uint8_t senders[OV_M_COUNT] = {
  [OV_M_ENROL] = C,     [OV_M_ENROLLED] = S, [OV_M_HELLO] = C, [OV_M_WELCOME] = S, [OV_M_CHALLENGE] = S,
  [OV_M_PROOF] = C,     [OV_M_PUSH] = C,     [OV_M_ACK] = S,   [OV_M_DELTA] = S,   [OV_M_ACKED] = C,
  [OV_M_BYE] = C | S,   [OV_M_ERROR] = C | S, [OV_M_SYNCED] = S,
};
// clang-format on

#define ENG_ OV_S_ENROLLING
#define ENR_ OV_S_ENROLLED
#define GRE_ OV_S_GREETED
#define CHA_ OV_S_CHALLENGED
#define PRO_ OV_S_PROVED
#define OPEN OV_S_OPEN
#define END_ OV_S_CLOSED
#define ____ (-1)

/* Next state by state and message, for sender and receiver alike; an empty cell is OV_E_STATE. An ERROR of
 * class CLOSE, or one sent by a client, always leads to CLOSED: the one in OPEN is a server's answer that
 * leaves the connection up.
 *
 *            ENROL              ENROLLED
 *   START ───────────► ENROLLING ─────────► ENROLLED      (ENROL at most once)
 *     │ HELLO ◄───────────────────────────────┘
 *     │                      WELCOME
 *     └──────► GREETED ──────────────────────────► OPEN ◄──┐ PUSH ACK DELTA ACKED SYNCED ERROR(reply)
 *                │ CHALLENGE   PROOF      WELCOME    ▲ └────┘
 *                └──────► CHALLENGED ──► PROVED ─────┘
 *   any state: BYE, ERROR ──► CLOSED.   PUSH in every state after HELLO; a server lets it wait until OPEN.
 *
 * PROTO-38, PROTO-39, PROTO-41 */
// clang-format off
static const int8_t table[OV_S_COUNT][OV_M_COUNT] = {
/*                    -   ENROL ENROLLED  WELCOME   PROOF       ACK     ACKED       ERROR
 *                                  HELLO     CHALLENGE    PUSH     DELTA       BYE     SYNCED */
[OV_S_START]      = {____, ENG_, ____, GRE_, ____, ____, ____, ____, ____, ____, ____, END_, END_, ____},
[OV_S_ENROLLING]  = {____, ____, ENR_, ____, ____, ____, ____, ____, ____, ____, ____, END_, END_, ____},
[OV_S_ENROLLED]   = {____, ____, ____, GRE_, ____, ____, ____, ____, ____, ____, ____, END_, END_, ____},
[OV_S_GREETED]    = {____, ____, ____, ____, OPEN, CHA_, ____, GRE_, ____, ____, ____, END_, END_, ____},
[OV_S_CHALLENGED] = {____, ____, ____, ____, ____, ____, PRO_, CHA_, ____, ____, ____, END_, END_, ____},
[OV_S_PROVED]     = {____, ____, ____, ____, OPEN, ____, ____, PRO_, ____, ____, ____, END_, END_, ____},
[OV_S_OPEN]       = {____, ____, ____, ____, ____, ____, ____, OPEN, OPEN, OPEN, OPEN, END_, OPEN, OPEN},
[OV_S_CLOSED]     = {____, ____, ____, ____, ____, ____, ____, ____, ____, ____, ____, ____, ____, ____},
};

static const char *const state_texts[OV_S_COUNT] = {
  [OV_S_START] = "start",           [OV_S_ENROLLING] = "enrolling",   [OV_S_ENROLLED] = "enrolled",
  [OV_S_GREETED] = "greeted",       [OV_S_CHALLENGED] = "challenged", [OV_S_PROVED] = "proved",
  [OV_S_OPEN] = "open",             [OV_S_CLOSED] = "closed",
};
// clang-format on

struct ov_peer {
  ov_role role;
  ov_state state;
  ov_packer *packer;
  uint32_t frame_bytes;
  ov_rows_ctx ctx;
  ov_buf plain;   /* the last message, unpacked */
  ov_arena arena; /* and what was decoded from it */
  ov_msg msg;
  bool owes_error; /* the last feed failed: the other side may still be told why */
};

/* PROTO-38 */
int ov_peer_next(ov_role role, ov_state s, ov_msg_type type, bool sent) {
  unsigned from = (role == OV_CLIENT) == sent ? C : S;
  if ((unsigned)s >= OV_S_COUNT || (unsigned)type >= OV_M_COUNT || !(senders[type] & from)) return -1;
  if (type == OV_M_ERROR && from == C && s != OV_S_CLOSED) return OV_S_CLOSED;
  return table[s][type];
}

const char *ov_state_text(ov_state s) { return (unsigned)s < OV_S_COUNT ? state_texts[s] : "?"; }

ov_peer *ov_peer_new(ov_role role, ov_packer *packer) {
  ov_peer *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->role = role;
  p->packer = packer;
  p->frame_bytes = OV_FRAME_BYTES_DEFAULT;
  p->ctx.named = true;
  ov_buf_init(&p->plain, OV_FRAME_BYTES_MAX);
  ov_arena_init(&p->arena, OV_DECODE_ARENA_BYTES_MAX);
  return p;
}

void ov_peer_free(ov_peer *p) {
  if (!p) return;
  ov_buf_free(&p->plain);
  ov_arena_free(&p->arena);
  free(p);
}

void ov_peer_set_server(ov_peer *p, const ov_id *server) {
  p->ctx.writer = *server;
  p->ctx.server = *server;
}

void ov_peer_set_frame_bytes(ov_peer *p, uint32_t n) {
  n = n < OV_FRAME_BYTES_MIN ? OV_FRAME_BYTES_MIN : n;
  p->frame_bytes = n > OV_FRAME_BYTES_MAX ? OV_FRAME_BYTES_MAX : n;
}

uint32_t ov_peer_frame_bytes(const ov_peer *p) { return p->frame_bytes; }

ov_state ov_peer_state(const ov_peer *p) { return p->state; }

void ov_peer_release(ov_peer *p) {
  ov_buf_free(&p->plain);
  ov_buf_init(&p->plain, OV_FRAME_BYTES_MAX);
  ov_arena_free(&p->arena);
}

/* PROTO-40 */
static int next_state(const ov_peer *p, ov_msg_type type, bool sent, int err) {
  int next = ov_peer_next(p->role, p->state, type, sent);
  if (next >= 0 && type == OV_M_ERROR && ov_err_classify(err) != OV_CLASS_REPLY) next = OV_S_CLOSED;
  return next;
}

/* Unpacks, looks whether the message may come now, and only then decodes it. PROTO-9, PROTO-38 */
static int receive(ov_peer *p, const uint8_t *frame, size_t n) {
  if (p->state == OV_S_CLOSED) return OV_E_STATE;
  if (n > OV_WS_MESSAGE_BYTES_MAX) return OV_E_LIMIT;
  ov_buf_reset(&p->plain);
  ov_arena_reset(&p->arena);
  int err = ov_frame_unpack(p->packer, frame, n, OV_FRAME_BYTES_MAX, &p->plain);
  if (err) return err;
  ov_msg_type type = ov_msg_peek_type(p->plain.p, p->plain.n);
  if (type == 0) return OV_E_FORMAT;
  if (ov_peer_next(p->role, p->state, type, false) < 0) return OV_E_STATE;
  return ov_msg_decode(p->plain.p, p->plain.n, &p->ctx, &p->arena, &p->msg);
}

int ov_peer_feed(ov_peer *p, const uint8_t *frame, size_t n, ov_msg **out) {
  *out = NULL;
  int err = receive(p, frame, n);
  if (err) {
    p->owes_error |= p->state != OV_S_CLOSED;
    p->state = OV_S_CLOSED;
    return err;
  }
  int detail = p->msg.type == OV_M_ERROR ? p->msg.error.err : 0;
  p->state = (ov_state)next_state(p, p->msg.type, false, detail);
  *out = &p->msg;
  return 0;
}

/* The error inside an encoded ERROR. */
static int error_of(const uint8_t *plain, size_t n) {
  ov_mpr r;
  ov_mpr_init(&r, plain, n);
  ov_mpr_array(&r);
  ov_mpr_int(&r);
  return (int)-ov_mpr_int_in(&r, 1, 99);
}

int ov_peer_send(ov_peer *p, ov_msg_type type, const uint8_t *plain, size_t n, ov_buf *out) {
  if (ov_msg_peek_type(plain, n) != type) return OV_E_INVALID;
  int next = next_state(p, type, true, type == OV_M_ERROR ? error_of(plain, n) : 0);
  if (p->owes_error && type == OV_M_ERROR) next = OV_S_CLOSED; /* PROTO-5 */
  if (next < 0) return OV_E_STATE;
  if (n > OV_FRAME_BYTES_MAX) return OV_E_LIMIT;
  int err = ov_frame_pack(p->packer, plain, n, out);
  if (err) return err;
  if (out->err) return out->err;
  p->state = (ov_state)next;
  p->owes_error = false;
  return 0;
}
