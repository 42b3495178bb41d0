/* sv_web: what people and programs ask over HTTP. Above the network and the core, below the daemon; one
 * handler a file. Everything runs on the service thread except password hashing (a thread of its own here)
 * and writes (the writer's workers).
 *
 * Signing in
 *
 *     POST /api/sign-in        {"login", "password"}  -> {"step": "totp", "ticket"}
 *     POST /api/sign-in/totp   {"ticket", "code"}     -> {"csrf", "me", ...} and the cookie
 *     GET  /api/me             who is signed in
 *     POST /api/device         a one-time enrolment code: this browser becomes the person's device
 *     POST /api/sign-out
 *     POST /api/password       {"password", "new", "code"}: another password; all other sessions end
 *     GET  /api/releases...    what /v1/ has; GET, POST /api/tokens, POST /api/tokens/revoke: own tokens
 *
 * Once signed in, as far as the role goes (core/sv_rights.h)
 *
 *     GET  /api/network        ?network=N&release=ID: the network page's figures, from the release ledger
 *     GET  /api/own/devices    tablets and browsers of the own organisation, and when they were last here
 *     GET  /api/own/held       what is held in it, with its values
 *     POST /api/own/ruling     {"op", "verdict": "admit"|"dismiss", "reason"}: an op of the server's log
 *
 *   What shows anything of the own organisation leaves its lines in the audit in the transaction that reads
 *   it, before the answer goes. The organisation is the session's, never the request's.
 *
 * What protects a session
 *   - The cookie (`__Host-overdracht`: Secure, HttpOnly, SameSite=Strict; `overdracht` on plain loopback)
 *     alone authorises nothing: every call needs `X-Overdracht: 1` (no form and no image can send it) and,
 *     once signed in, `X-Overdracht-CSRF` with the value from the sign-in answer; every POST also an Origin
 *     that is this server's own or listed. No websocket ever looks at the cookie.
 *   - It lives 30 minutes without use and 8 hours at most, in memory only: a restart signs everybody out. Its
 *     value changes every 10 minutes; an old value that comes after that was stolen from one of the two who
 *     use it, and ends the session.
 *   - `overdracht-admin session revoke`, disabling an account and making a person inactive end it at once.
 *
 * What protects the password: see sv_account.h; unknown, disabled and known names cost the same work and get
 * the same answer; tries are slowed per name, per address and for the whole server (delays.c); the code of
 * the moment is used once. */
#ifndef SV_WEB_H
#define SV_WEB_H

#include "sv_account.h"
#include "sv_net.h"
#include "sv_server.h"

typedef struct sv_web sv_web;

/* Sessions at a time: some leads and administrators of each organisation. The oldest of the same account goes
 * first when it has SV_WEB_SESSIONS_EACH; a full table refuses. */
#define SV_WEB_SESSIONS_MAX 2048u
#define SV_WEB_SESSIONS_EACH 5u
#define SV_WEB_IDLE_MS (30 * 60 * 1000)
#define SV_WEB_ABSOLUTE_MS (8 * 60 * 60 * 1000)
#define SV_WEB_ROTATE_MS (10 * 60 * 1000)
#define SV_WEB_OLD_TOKEN_MS (60 * 1000) /* requests that were under way when it changed */
/* Between password and code. Tries: a typing mistake or two. */
#define SV_WEB_TICKETS_MAX 512u
#define SV_WEB_TICKET_MS (5 * 60 * 1000)
#define SV_WEB_TICKET_TRIES 5u
/* Passwords waiting for the one hashing thread: at 0.2 s each the last waits 3 s. More is told to come
 * back. */
#define SV_WEB_HASHES_WAITING_MAX 16u
/* Names and addresses whose failures are remembered. */
#define SV_WEB_DELAYS_MAX 4096u
#define SV_WEB_TRIES_PER_MINUTE 120u /* of the whole server: 24 core-seconds of hashing */
#define SV_WEB_BODY_BYTES_MAX 4096u
/* A browser enrolled by a signed-in person is that person's device for a working day. */
#define SV_WEB_DEVICE_LIFE_MS (12ll * 60 * 60 * 1000)

typedef struct sv_web_options {
  const sv_sys *sys;
  sv_server *server;
  void (*wake)(void *ctx); /* any thread: sv_web_poll is due */
  void *wake_ctx;
  bool tls;          /* cookies are Secure */
  sv_hash_cost cost; /* of new and of stand-in hashes */
} sv_web_options;

/* Starts the hashing thread. Options are copied, what they point to is borrowed. */
int sv_web_new(const sv_web_options *o, sv_web **out);
/* Its routes; they live as long as web. */
const sv_net_route *sv_web_routes(sv_web *w, size_t *n);
/* Where late answers go; before the network runs. */
void sv_web_set_net(sv_web *w, sv_net *net);
/* Answers what the hashing thread has finished. Service thread, after every wake. */
void sv_web_poll(sv_web *w);
/* Joins the hashing thread and forgets the network: nothing is woken or answered from here on. Before the
 * network goes; sv_web_free does it else. */
void sv_web_stop(sv_web *w);
/* The network is gone (or was never made), the writer drained. NULL is fine. */
void sv_web_free(sv_web *w);

typedef struct sv_web_session_info {
  char id[9]; /* to name it by; says nothing about its token */
  ov_id organisation;
  ov_name person;
  char login[SV_LOGIN_MAX + 1], peer[SV_NET_PEER_CHARS];
  int64_t created_ms, seen_ms; /* since 1970 */
} sv_web_session_info;
/* Sessions now, oldest first; at most max. Service thread. */
unsigned sv_web_sessions(sv_web *w, sv_web_session_info *out, unsigned max);
/* Ends sessions: the one with this id, or all of a person; how many. Service thread. */
unsigned sv_web_revoke(sv_web *w, const char *id, const ov_name *person);

typedef struct sv_web_stats {
  uint64_t hashes, signed_in, refused, slowed, stolen;
  uint64_t made; /* lists, codebooks and pages put together, rather than given again */
  unsigned sessions;
} sv_web_stats;
void sv_web_stats_get(sv_web *w, sv_web_stats *out); /* service thread */

#endif
