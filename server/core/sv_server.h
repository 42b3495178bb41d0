/* The server without its sockets: organisations, sessions, the writer and what passes between them. One
 * service thread owns everything here; the writer's workers see jobs only. The network gives messages and
 * asks for frames; see sv_link. */
#ifndef SV_SERVER_H
#define SV_SERVER_H

#include "ov/msg.h"
#include "sv_audit.h"
#include "sv_core.h"
#include "sv_writer.h"

typedef struct sv_server sv_server;
typedef struct sv_session sv_session;

typedef struct sv_server_options {
  const sv_sys *sys;
  /* host names that devices are enrolled for and sign in HELLO; at least one, borrowed */
  const char *const *names;
  unsigned n_names;
  /* borrowed, like every organisation; knows which device belongs where */
  sv_org *programme;
  const ov_schemas *schemas;
  unsigned workers;
  void (*wake)(void *ctx);
  void *wake_ctx; /* any thread: sv_server_poll is due on the service thread */
  bool has_pin;
  uint8_t pin[OV_HASH_BYTES]; /* SHA-256 of the TLS certificate (DER), given at enrolment */
  uint32_t frame_bytes;       /* 0: OV_FRAME_BYTES_DEFAULT */
} sv_server_options;

/* Copies the options; what they point to is borrowed. 0 or OV_E_NOMEM. */
int sv_server_new(const sv_server_options *o, sv_server **out);
int sv_server_add_org(sv_server *s, sv_org *org);     /* OV_E_EXISTS, OV_E_LIMIT */
sv_org *sv_server_org(sv_server *s, const ov_id *id); /* NULL when not served here */
sv_org *sv_server_org_at(sv_server *s, unsigned i);   /* NULL past the end */
sv_org *sv_server_programme(sv_server *s);
sv_writer *sv_server_writer(sv_server *s);
/* Outcomes of commits: answers sessions, wakes live ones. After every wake. */
void sv_server_poll(sv_server *s);
/* Deadlines and housekeeping; call about every second. */
void sv_server_tick(sv_server *s);
/* Something changed in these scopes by other hands than a session's (administration): live sessions are
 * told. */
void sv_server_changed(sv_server *s, sv_org *org, const uint32_t *scopes, unsigned n);
/* A device was revoked: its sessions end at once. */
void sv_server_cut_device(sv_server *s, const ov_id *device);
/* Has this device a session now, and has it sent all that it has? Until when that was so before stands in its
 * row, at most a minute late. Service thread. */
bool sv_server_device_here(const sv_server *s, const ov_id *device, bool *all_sent);
/* Somebody was turned away: a line in the audit of the organisation (NULL: the programme's), at most
 * SV_AUDIT_REFUSALS_PER_MINUTE of all kinds together; the next line says how many got none. Service thread.
 * OV_E_BUSY, OV_E_NOMEM: there is no line. */
int sv_server_audit_refusal(sv_server *s, sv_org *org, const sv_audit_event *e);
/* Every session gets BYE with a retry window behind what it is owed; new ones are refused. Then drain the
 * writer, poll, and stop the network. */
void sv_server_shutdown(sv_server *s);
void sv_server_free(sv_server *s); /* sessions must be closed, the writer drained */

typedef struct sv_server_stats {
  uint64_t hellos, challenges, refused_auth, enrolled, refused_codes, pushes, ops_stored, ops_duplicate,
      forks, acks, deltas, records_sent, busy, need_keys, sessions_opened;
  unsigned sessions, live;
} sv_server_stats;
/* Service thread. Counters since the start; sessions and live are those of now. */
void sv_server_stats_get(sv_server *s, sv_server_stats *out);

/* What a session may ask of its connection. All service thread. */
typedef struct sv_link {
  void (*want_write)(void *ctx);                               /* sv_session_pull has something */
  void (*close)(void *ctx, unsigned code, const char *reason); /* after what is pulled */
  void (*pause)(void *ctx, bool paused);                       /* stop and go on reading */
  void *ctx;
} sv_link;

/* NULL when out of memory or shutting down. peer: the address, for the log; copied. */
sv_session *sv_session_open(sv_server *s, const sv_link *link, const char *peer);
void sv_session_message(sv_session *ss, const uint8_t *p, size_t n);
/* Appends the next frame to out and returns true, or false when nothing is owed now. Bounded work per
 * call. */
bool sv_session_pull(sv_session *ss, ov_buf *out);
/* The connection is gone; frees the session (a commit under way goes on and is remembered by the log). */
void sv_session_closed(sv_session *ss);

#endif
