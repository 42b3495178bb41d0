/* Inside of the session layer: session.c (life and messages), hello.c (proof and WELCOME), push_flow.c (PUSH
 * and ACK), catchup.c (DELTA), enrol.c, nonce.c, server.c. Service thread only. */
#ifndef SV_SESSION_PRIV_H
#define SV_SESSION_PRIV_H

#include "ov/peer.h"
#include "ov_p256.h"
#include "sv_ingest.h"
#include "sv_limits.h"
#include "sv_server.h"

/* A scope as this session follows it. */
typedef struct scope_follow {
  uint32_t scope;
  sv_org *org; /* the programme for scope 0, else the session's own */
  /* everything up to here is with the client, sent, or left out because the client has it */
  uint64_t sent;
  /* where the scope was when the session began: what had left it by then was never part of a fetch from 0 */
  uint64_t began;
  bool fresh;  /* fetched from 0: nothing may be left out */
  bool behind; /* there may be news */
} scope_follow;

typedef struct own_skip {
  uint32_t scope;
  uint64_t pos;
} own_skip;

/* Which participants' records this session was sent, and a DELTA that waits until the audit knows of those
 * that are new in it (session_audit.c). */
typedef struct session_reads {
  ov_name *known; /* ascending; in the audit */
  uint32_t n_known, cap_known;
  ov_name *fresh; /* of the frame that is being made, or waits */
  uint32_t n_fresh, cap_fresh;
  bool writing; /* the audit's commit is under way */
  bool waits;   /* `frame` goes out when it has come back */
  ov_buf frame; /* plain DELTA */
  uint32_t scope, n_records;
  uint64_t to, head; /* up to where it goes, and where its scope was when it was made */
  bool more;
} session_reads;

typedef struct inbox_frame {
  struct inbox_frame *next;
  size_t n;
  uint8_t p[];
} inbox_frame;

struct sv_session {
  sv_session *next, *prev;
  sv_session *same_bucket; /* of server->buckets */
  uint64_t id;
  sv_server *server;
  sv_link link;
  char peer_address[48];
  ov_peer *peer;
  int64_t opened_mono, hello_mono;
  sv_org *org; /* after HELLO */
  sv_device device;
  /* from HELLO */
  ov_id writer;
  ov_head push_prev; /* head before the next push */
  ov_id rows_server; /* the server that HELLO named */
  int64_t hello_ms, offset_ms;
  ov_wants wants;
  uint32_t credit, credit_left;
  bool proved;        /* WELCOME was sent */
  bool all_sent;      /* as HELLO or the answer to its last PUSH has it, the device has sent all it has */
  bool push_expected; /* HELLO or the last PUSH said that more follows: DELTAs wait */
  bool in_commit;     /* one push of this session is with the writer */
  ov_buf hello_copy;  /* plain HELLO message while it waits for its proof */
  uint8_t challenge[16];
  sv_reader reader; /* as WELCOME found it; asked again in the snapshot of every delivery */
  /* scopes */
  scope_follow *scopes; /* made with WELCOME: most devices follow three */
  uint32_t n_scopes, turn;
  own_skip *skip;
  uint32_t n_skip, cap_skip;
  bool synced_sent;
  session_reads reads;
  double rows_per_frame; /* learned: canonical bytes that fit one frame */
  /* out and in */
  ov_buf outbox[SV_OUTBOX_FRAMES_MAX];
  unsigned out_head, out_n;
  inbox_frame *inbox;
  unsigned n_inbox;
  bool paused, closing;
};

typedef struct sv_nonces sv_nonces;
sv_nonces *sv_nonces_new(void);
void sv_nonces_free(sv_nonces *n);
/* 0 and remembered; OV_E_EXISTS when seen before; OV_E_BUSY when the cache is full, OV_E_CRYPTO. Entries
 * older than keep_ms before now are dropped. */
int sv_nonces_add(sv_nonces *n, const uint8_t nonce[16], int64_t time_ms, int64_t now_ms, int64_t keep_ms);

/* Devices that were here and are not written down yet (seen.c): more than greet in a minute. */
#define SV_SEEN_MAX 4096u
typedef struct seen_mark {
  sv_org *org;
  ov_id device;
  int64_t ms, all_sent_ms; /* the second 0: it was not so */
} seen_mark;

#define SESSION_BUCKETS 1024u
struct sv_server {
  sv_server_options o;
  sv_writer *writer;
  sv_org *orgs[SV_ORGS_MAX];
  unsigned n_orgs;
  bool copying[SV_ORGS_MAX]; /* its queue to the programme is being copied */
  sv_session *sessions;
  /* by id: an outcome finds its session at once, however many there are */
  sv_session *buckets[SESSION_BUCKETS];
  uint64_t next_session;
  sv_nonces *nonces;
  ov_hasher *hasher;
  ov_packer *packer;
  ov_arena arena; /* for one message or one frame at a time */
  ov_buf scratch, scratch2;
  int64_t latest_ms; /* latest that this process saw the clock say */
  int64_t fresh_ms;  /* a HELLO of this time or before may have been heard before: challenged */
  bool stopping;
  int64_t wrong_codes_minute;
  unsigned wrong_codes;
  int64_t refusals_minute;
  unsigned refusals, refusals_untold; /* lines this minute, and refusals since that got none */
  sv_server_stats stats;
  seen_mark seen[SV_SEEN_MAX];
  unsigned n_seen;
  int64_t seen_mono;
};

/* seen.c */
void sv_seen_note(sv_session *ss); /* its device is here */
void sv_seen_tick(sv_server *s, int64_t mono);
void sv_seen_write(sv_server *s); /* what is not written down yet, through the writer */

/* session.c */
/* packs into the outbox; OV_E_FLOOD when full */
int sv_session_send(sv_session *ss, ov_msg_type type, const ov_buf *plain);
/* ERROR if it can still be said, then close */
void sv_session_fail(sv_session *ss, int err, const char *why);
void sv_session_pause(sv_session *ss, bool paused);
sv_session *sv_session_find(sv_server *s, uint64_t id);
/* the inbox, once nothing blocks it */
void sv_session_replay(sv_session *ss);
/* hello.c */
void sv_hello_received(sv_session *ss, const ov_hello *h);
void sv_proof_received(sv_session *ss, const ov_proof *p);
/* share.c: what WELCOME says of the protection of the device's store; the reader is loaded. */
int sv_share_welcome(sv_session *ss, sv_txn *t, const ov_hello *h, ov_welcome *w);
/* push_flow.c */
void sv_push_received(sv_session *ss, const ov_push *p);
/* enrol.c */
void sv_enrol_received(sv_session *ss, const ov_enrol *e);
/* catchup.c */
bool sv_catchup_next(sv_session *ss, ov_buf *out); /* one DELTA or SYNCED frame */
/* what this session's push changed */
void sv_catchup_skip(sv_session *ss, const sv_touches *t);
/* Between a position's hash as it is stored and as this session's reader is told: the same both ways. */
void sv_catchup_mix(const sv_session *ss, uint64_t pos, const uint8_t in[OV_POSHASH_BYTES],
                    uint8_t out[OV_POSHASH_BYTES]);
bool sv_session_holds(const sv_session *ss, uint32_t scope);
/* session_purge.c: a device that has ended says that it holds nothing any more */
void sv_purge_received(sv_session *ss);
/* session_audit.c */
void sv_reads_free(sv_session *ss);
void sv_reads_begin(sv_session *ss); /* a frame is being made */
/* A record goes into it. 0 or OV_E_NOMEM. */
int sv_reads_add(sv_session *ss, const ov_record *rec);
/* Is anybody in it whom the audit does not know of yet? Then the frame (plain, taken over) has to wait: the
 * lines are on their way to the disk, and the session is woken when they are there. */
bool sv_reads_unknown(const sv_session *ss);
int sv_reads_write(sv_session *ss, const scope_follow *f, const ov_delta *d, uint64_t head, ov_buf *plain);
void sv_reads_drop_frame(sv_session *ss);
/* A refusal that an auditor wants to see. */
void sv_audit_refusal(sv_session *ss, int err, const char *why);
/* server.c */
void sv_server_changed_touches(sv_server *s, sv_org *org, const sv_touches *t);
void sv_programme_copy_start(sv_server *s, sv_org *org);
bool sv_programme_copying(const sv_server *s, const sv_org *org);

#endif
