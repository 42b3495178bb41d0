/* Limits that only a server has, with the reason or the attack beside each. */
#ifndef SV_LIMITS_H
#define SV_LIMITS_H

#include "ov/limits.h"

/* Organisations one server opens: about 455 could follow the programme; 25 KiB and 3 descriptors each. */
#define SV_ORGS_MAX 512u
/* Jobs waiting for one organisation: all its tablets at the change of a shift. More is told BUSY and a retry
 * window. */
#define SV_QUEUE_JOBS_MAX 2048u
/* Memory of all jobs waiting for one organisation. */
#define SV_QUEUE_BYTES_MAX (64u * 1024u * 1024u)
/* Jobs in one transaction: keeps the latency of the others bounded while one fsync serves many. */
#define SV_BATCH_JOBS_MAX 256u
/* Memory for decoding one batch. */
#define SV_BATCH_ARENA_BYTES_MAX (512u * 1024u * 1024u)
/* Positions of a session's own changes that it remembers, to leave them out of its DELTA; more are simply
 * sent. */
#define SV_OWN_SKIP_MAX 4096u
/* Positions looked at for one DELTA frame: bounds the work of one turn of the service thread. */
#define SV_CATCHUP_SCAN_MAX 1024u
/* Frames queued in a session besides DELTAs (which are made only when the socket has room): answers to what
 * the client sent. */
#define SV_OUTBOX_FRAMES_MAX 8u
/* Messages of a session that wait while a commit or a challenge is under way; reading is paused, so more than
 * a few is a flood. */
#define SV_INBOX_FRAMES_MAX 8u
/* HELLO nonces remembered, for as long as a replayed HELLO would pass the clock check. When it is full every
 * HELLO is challenged. */
#define SV_NONCES_MAX 65536u
/* Steps back of the server's clock that do no harm, since nonces are kept that much longer (ms). After a
 * larger one every HELLO is challenged until the clock is past all that it has let in. */
#define SV_CLOCK_STEP_MS 10000
/* Refusals that get a line in the audit, a minute for the whole server: who knocks a thousand times a second
 * must not fill it. The next line says how many there were besides. */
#define SV_AUDIT_REFUSALS_PER_MINUTE 60u
/* Ops that a device may hand in after it was revoked or expired: far more than any outbox, and an end for
 * whoever found the tablet. */
#define SV_QUARANTINE_OPS_MAX 50000u
/* Participants that a session remembers as told to the audit; beyond it they are told again. */
#define SV_READS_MAX 16384u
/* A HELLO waits this long for its PROOF, a connection this long for its HELLO or ENROL (ms). */
#define SV_PROOF_MS 15000
#define SV_HELLO_MS 15000
/* Seconds a client is asked to stay away when a queue is full; clients add jitter of the same size. */
#define SV_RETRY_BUSY_S 20u
#define SV_RETRY_DEFAULT_S 5u
/* An enrolment code: lives 15 minutes, 5 wrong tries, and the whole server takes so many wrong codes a
 * minute. */
#define SV_CODE_LIFE_MS (15 * 60 * 1000)
#define SV_CODE_TRIES_MAX 5u
#define SV_ENROL_WRONG_PER_MINUTE 30u
/* Ops of one organisation that wait for a record or participant: an attacker can name as many as it likes;
 * beyond it a push is told BUSY. */
#define SV_WAITING_MAX 20000u
/* Waiting ops taken from the list at a time. */
#define SV_WAITING_PAGE 64u
/* Memory of one fold with its ops: OV_RECORD_OPS_MAX ops of the largest payload, decoded. */
#define SV_FOLD_ARENA_BYTES_MAX (192u * 1024u * 1024u)
/* Memory of one lookup: an op with its decoded values, or a cached record. */
#define SV_LOOK_ARENA_BYTES_MAX (16u * 1024u * 1024u)
/* Rulings read for one op; administrators rule once or twice, and the server itself refuses more. */
#define SV_RULINGS_MAX 64u
/* Records of a participant moved to other scopes at a time. */
#define SV_MOVE_PAGE 256u
/* Records of an erased participant taken out in one transaction: others wait meanwhile. */
#define SV_ERASE_PAGE 64u
/* Participants whose retention term is over that one run erases in an organisation; the next day goes on.
 * Each costs a keyring written anew. */
#define SV_RETENTION_ERASE_MAX 20u
/* Consents of a participant read at a time. */
#define SV_CONSENT_PAGE 64u
/* Records indexed again in one transaction after a schema has changed what it indexes by. */
#define SV_REINDEX_PAGE 512u
/* Highest scope number of a team (its schema says so too): bounds the table of scopes. */
#define SV_TEAM_SCOPE_MAX 65535u
/* Touches kept for one push; a participant that moves has thousands of records. Beyond it the session sends
 * everything. */
#define SV_TOUCHES_MAX 65536u

static_assert(SV_OWN_SKIP_MAX >= OV_FRAME_ROWS_MAX, "one full push fits into what a session remembers");

#endif
