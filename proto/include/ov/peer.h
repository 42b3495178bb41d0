/* The peer: which message is allowed when, for both roles, as one transition table under a drawn diagram
 * (src/peer.c). It unpacks and decodes frames, checks the state, and packs frames to send. Bytes in, events
 * out: no I/O, no clock, no random source.
 *
 *            ENROL              ENROLLED
 *   START ───────────► ENROLLING ─────────► START'      (ENROL at most once)
 *     │ HELLO              WELCOME
 *     └──────► GREETED ──────────────────────────► OPEN ◄──┐ PUSH ACK DELTA ACKED SYNCED ERROR(reply)
 *                │ CHALLENGE   PROOF      WELCOME    ▲ └────┘
 *                └──────► CHALLENGED ──► PROVED ─────┘
 *   any state: BYE, ERROR(close) ──► CLOSED.
 * PUSH may follow HELLO at once, in every state after it (it waits while CHALLENGED).
 *  */
#ifndef OV_PEER_H
#define OV_PEER_H

#include "ov/msg.h"

typedef enum ov_role { OV_CLIENT, OV_SERVER } ov_role;
typedef enum ov_state {
  OV_S_START,
  OV_S_ENROLLING,
  OV_S_ENROLLED,
  OV_S_GREETED,
  OV_S_CHALLENGED,
  OV_S_PROVED,
  OV_S_OPEN,
  OV_S_CLOSED,
  OV_S_COUNT
} ov_state;

typedef struct ov_peer ov_peer;
/* packer: shared by peers of one thread, not owned. NULL when out of memory. */
ov_peer *ov_peer_new(ov_role role, ov_packer *packer);
void ov_peer_free(ov_peer *p);
/* Context for DELTA decoding (client) once the server's id is known. */
void ov_peer_set_server(ov_peer *p, const ov_id *server);
/* The negotiated size above which the caller splits PUSH and DELTA; default OV_FRAME_BYTES_DEFAULT, brought
 * within the limits. A frame that holds one op or one record only may be larger, up to OV_FRAME_BYTES_MAX,
 * which is what sending and receiving enforce. */
void ov_peer_set_frame_bytes(ov_peer *p, uint32_t n);
uint32_t ov_peer_frame_bytes(const ov_peer *p);
/* One received websocket message. 0: *out is the message (valid until the next feed), the state has moved.
 * Else a CLOSE error: the state is CLOSED, and one ERROR that says why may still be sent. */
int ov_peer_feed(ov_peer *p, const uint8_t *frame, size_t n, ov_msg **out);
/* Gives back the memory of the last message, which is gone then: an idle connection holds a few hundred
 * bytes. */
void ov_peer_release(ov_peer *p);
/* Checks that sending `type` is allowed now, moves the state, packs the plain message and appends the frame
 * to out. OV_E_STATE when the caller may not send this now (a bug of the caller, the state is unchanged). */
int ov_peer_send(ov_peer *p, ov_msg_type type, const uint8_t *plain, size_t n, ov_buf *out);
ov_state ov_peer_state(const ov_peer *p);
const char *ov_state_text(ov_state s);
/* The table itself, for tests and the spec: next state, or -1 when it is an error. sent: by the role itself;
 * else received. */
int ov_peer_next(ov_role role, ov_state s, ov_msg_type type, bool sent);

#endif
