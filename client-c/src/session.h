/* The sync machine, shared by session.c (life and what is received), push.c (sending) and enrol.c. */
#ifndef OC_SESSION_H
#define OC_SESSION_H

#include "oc_internal.h"

typedef struct oc_flight {
  uint64_t first, last;
} oc_flight;

struct oc_session {
  oc_store *s;
  ov_peer *peer;
  ov_arena arena; /* one message at a time */
  ov_buf out, plain, signed_bytes;
  bool have_out;
  char host[128]; /* the name HELLO is signed for */
  oc_sync_options o;
  oc_progress progress;
  /* enrolment */
  bool enrolling;
  ov_p256 *new_key;
  char url[128], code[OV_CODE_TEXT_MAX + 1], device_name[OV_DEVICE_NAME_MAX + 1];
  /* greeting */
  bool greeted, welcomed;
  ov_hash hello_hash;
  ov_id rows_server; /* as HELLO named it: index 1 of the rows of every PUSH */
  int64_t hello_ms, server_now_ms;
  bool proof_due;
  uint8_t challenge[16];
  bool had_new_writer; /* status told of it before this session */
  /* sending */
  oc_writer_row w;
  uint64_t next_seq; /* of the next PUSH */
  bool rewound;      /* the next PUSH says which head it follows */
  oc_flight flight[OV_PUSHES_UNANSWERED_MAX];
  unsigned in_flight, stale; /* stale: answers still to come to PUSHes that a rewind has made void */
  ov_push_key keys[OV_PUSH_KEYS_MAX];
  uint32_t n_keys; /* that the server has asked for since the last ACK */
  unsigned key_rounds;
  uint32_t batch; /* ops tried in one PUSH */
  uint32_t frame_bytes;
  /* receiving */
  uint32_t credit, deltas; /* deltas since the last ACKED */
  bool any_delta, acked_due, synced, need_synced;
  bool schemas_changed;
  bool ending, purged;  /* the server says that this device has ended (PROTO-160); it was wiped */
  bool others;          /* live: an older log waits for a session of its own */
  bool finished, again; /* again: the server asks to greet anew at once */
  int failed;
};

/* push.c */
int oc_push_save(oc_session *ss, oc_txn *t); /* w to disk */
void oc_push_start(oc_session *ss);
int oc_push_make(oc_session *ss); /* 1: one was made into plain; 0: nothing to push now */
int oc_push_ack(oc_session *ss, const ov_ack *ack, oc_error *e);
int oc_push_error(oc_session *ss, const ov_error *m, oc_error *e);
int oc_push_place(oc_session *ss, const ov_head *tips, uint32_t n_tips, const ov_rung *ladder,
                  uint32_t n_ladder);
/* enrol.c */
int oc_enrol_make(oc_session *ss);
int oc_enrol_done(oc_session *ss, const ov_enrolled *m, oc_error *e);
/* session.c */
/* an older log that the server has to be asked about */
bool oc_log_due(const oc_self *m, const oc_writer_row *w);
/* an older log that did not get through, and waits until the others had their turn */
bool oc_log_passed(const oc_store *s, const oc_writer_row *w);
void oc_session_come_back(oc_session *ss, uint32_t retry_s); /* the server asks not to be met before */
int oc_session_send(oc_session *ss, ov_msg_type type);       /* packs plain into out */

#endif
