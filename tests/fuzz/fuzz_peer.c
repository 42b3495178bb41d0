/* The peer machine under a sequence of frames. Each step of the input: send or receive, a message (a sample
 * with edits, or hostile bytes), packed or plain. Whatever comes, the state is the table's, a closed peer
 * stays closed, and nothing but an accepted message moves it. */
#include <string.h>

#include "fuzz.h"
#include "ov/peer.h"

typedef struct bench {
  ov_peer *peer;
  ov_role role;
  ov_packer *packer;
  ov_buf plain, frame;
  bool owes_error; /* a message was refused: one ERROR may still say why */
} bench;

static void receive(bench *b, choices *c) {
  ov_msg *m = NULL;
  ov_state before = ov_peer_state(b->peer);
  size_t n;
  ov_buf_reset(&b->frame);
  uint32_t how = pick_below(c, 8);
  if (how == 0) {
    const uint8_t *p = pick_bytes(c, 255, &n);
    ov_buf_put(&b->frame, p, n);
  } else {
    (void)fuzz_message(c, &b->plain);
    if (how == 1) { /* plain, as a frame may be */
      ov_buf_u8(&b->frame, 0);
      ov_buf_put(&b->frame, b->plain.p, b->plain.n);
    } else {
      FUZZ_MUST(!ov_frame_pack(b->packer, b->plain.p, b->plain.n, &b->frame));
    }
  }
  int err = ov_peer_feed(b->peer, b->frame.p, b->frame.n, &m);
  if (err) {
    FUZZ_MUST(err < 0 && ov_peer_state(b->peer) == OV_S_CLOSED);
    b->owes_error |= before != OV_S_CLOSED;
    return;
  }
  FUZZ_MUST(m && before != OV_S_CLOSED);
  int next = ov_peer_next(b->role, before, m->type, false);
  bool closes = m->type == OV_M_BYE ||
                (m->type == OV_M_ERROR && ov_err_classify(m->error.err) != OV_CLASS_REPLY);
  FUZZ_MUST(next >= 0 && (closes || m->type == OV_M_ERROR || ov_peer_state(b->peer) == (ov_state)next));
  FUZZ_MUST(!closes || ov_peer_state(b->peer) == OV_S_CLOSED);
  if (pick_u8(c) & 1) ov_peer_release(b->peer);
}

static void send(bench *b, choices *c) {
  ov_state before = ov_peer_state(b->peer);
  ov_msg_type type = (ov_msg_type)(1 + pick_below(c, OV_M_COUNT - 1));
  const fuzz_samples *s = fuzz_messages();
  unsigned i = 0;
  while (i < s->n && s->type[i] != type) i++;
  FUZZ_MUST(i < s->n);
  ov_buf_reset(&b->frame);
  int err = ov_peer_send(b->peer, type, s->plain[i].p, s->plain[i].n, &b->frame);
  int next = ov_peer_next(b->role, before, type, true);
  bool allowed = next >= 0 || (type == OV_M_ERROR && b->owes_error);
  FUZZ_MUST((err == OV_E_STATE) == !allowed);
  if (!err) b->owes_error = false;
  FUZZ_MUST(!err || ov_peer_state(b->peer) == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  static ov_packer *packer;
  choices c = {p, n};
  if (!packer) packer = ov_packer_new();
  bench b = {.role = pick_u8(&c) & 1 ? OV_CLIENT : OV_SERVER, .packer = packer};
  b.peer = ov_peer_new(b.role, packer);
  FUZZ_MUST(packer && b.peer);
  ov_id server = {{0x50, 0x51, 0x52}};
  ov_peer_set_server(b.peer, &server);
  ov_peer_set_frame_bytes(b.peer, 4096u + 256u * pick_u8(&c));
  ov_buf_init(&b.plain, 0);
  ov_buf_init(&b.frame, 0);
  for (unsigned step = 0; step < 40 && pick_more(&c); step++) {
    if (pick_below(&c, 3) == 0) send(&b, &c);
    else receive(&b, &c);
  }
  ov_buf_free(&b.plain);
  ov_buf_free(&b.frame);
  ov_peer_free(b.peer);
  return 0;
}

/* Both sides of a whole session: greet, be challenged, push, be answered, end. */
void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const ov_msg_type story[2][10] = {{OV_M_HELLO, OV_M_CHALLENGE, OV_M_PROOF, OV_M_WELCOME, OV_M_PUSH,
                                            OV_M_ACK, OV_M_DELTA, OV_M_SYNCED, OV_M_ACKED, OV_M_BYE},
                                           {OV_M_ENROL, OV_M_ENROLLED, OV_M_HELLO, OV_M_WELCOME, OV_M_PUSH,
                                            OV_M_ERROR, OV_M_PUSH, OV_M_ACK, OV_M_SYNCED, OV_M_BYE}};
  const fuzz_samples *s = fuzz_messages();
  for (unsigned k = 0; k < 4; k++) {
    ov_role role = k & 1 ? OV_CLIENT : OV_SERVER;
    uint8_t b[100] = {role == OV_CLIENT, 48};
    size_t n = 2;
    for (unsigned i = 0; i < 10; i++) {
      ov_msg_type t = story[k / 2][i];
      bool client_says = t == OV_M_HELLO || t == OV_M_PROOF || t == OV_M_PUSH || t == OV_M_ACKED ||
                         t == OV_M_ENROL;
      if (client_says == (role == OV_CLIENT)) {
        b[n++] = 0;
        b[n++] = (uint8_t)(t - 1);
        continue;
      }
      unsigned j = 0;
      while (j + 1 < s->n && s->type[j] != t) j++;
      uint8_t step[] = {1, 2, (uint8_t)j, 0, 1};
      memcpy(b + n, step, sizeof step);
      n += sizeof step;
    }
    add(ctx, b, n);
  }
}
