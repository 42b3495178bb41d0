/* Inside of sv_web. */
#ifndef WEB_PRIV_H
#define WEB_PRIV_H

#include <jansson.h>
#include <pthread.h>

#include "sv_export.h"
#include "sv_limits.h"
#include "sv_web.h"

#define WEB_ROUTES_MAX 32u
#define WEB_SECRET_BYTES 32u
#define WEB_SECRET_TEXT (2u * WEB_SECRET_BYTES + 1u)

/* -- sessions.c and tickets ------------------------------------------------------------------------------ */

typedef struct web_session {
  bool used;
  uint8_t token[OV_HASH_BYTES], old_token[OV_HASH_BYTES]; /* SHA-256 of the cookie's value, now and before */
  bool has_old;
  char csrf[WEB_SECRET_TEXT];
  sv_web_session_info info;
  int64_t created, seen, rotated; /* monotonic ms */
} web_session;

/* The password was right; the code of the moment is awaited. */
typedef struct web_ticket {
  bool used;
  uint8_t hash[OV_HASH_BYTES];
  ov_id organisation;
  ov_name person;
  char login[SV_LOGIN_MAX + 1];
  int64_t until;
  unsigned tries;
} web_ticket;

typedef struct web_delay {
  bool used;
  uint8_t key[OV_HASH_BYTES];
  unsigned failures;
  int64_t next, last; /* monotonic ms */
} web_delay;

/* -- hashing (hasher.c) ---------------------------------------------------------------------------------- */

/* One password to be compared, and perhaps another to be hashed then; owned by whoever has it. */
typedef struct web_hash_job {
  struct web_hash_job *after;
  void (*done_fn)(sv_web *w, struct web_hash_job *job); /* takes job; service thread */
  uint64_t request_id;
  bool known; /* else hash is the stand-in, and the answer no, whatever it says */
  char hash[SV_PASSWORD_HASH_MAX + 1];
  char password[SV_PASSWORD_MAX + 1];
  ov_id organisation;
  ov_name person;
  char login[SV_LOGIN_MAX + 1];
  uint8_t address_key[16];
  char peer[SV_NET_PEER_CHARS]; /* for the audit */
  bool fits;
  /* The password that takes its place; empty: none does. Hashed only when the first one fits. */
  char next[SV_PASSWORD_MAX + 1], next_hash[SV_PASSWORD_HASH_MAX + 1];
  int next_err;
  char code[OV_CODE_TEXT_MAX + 1], session[9];
  char *headers; /* of the late answer, or NULL; owned */
} web_hash_job;

typedef struct web_hasher {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t work;
  web_hash_job *waiting, **waiting_end, *done;
  unsigned n; /* waiting and in hand */
  uint64_t hashes;
  bool running, stop;
  const sv_web_options *o; /* borrowed */
} web_hasher;

int web_hasher_start(web_hasher *h, const sv_web_options *o);
void web_hasher_stop(web_hasher *h);                      /* drops what waits */
bool web_hasher_submit(web_hasher *h, web_hash_job *job); /* false: full; the job stays the caller's */
web_hash_job *web_hasher_take(web_hasher *h);             /* a finished one, or NULL */
uint64_t web_hasher_count(web_hasher *h);
void web_hash_job_free(web_hash_job *job); /* wipes it */

/* -- answers that are made once for all (made.c) --------------------------------------------------------- */

typedef struct web_made web_made;
/* A page for each network and some older releases of them; with 100 KB each at most 6.4 MB. */
#define WEB_MADE_MAX 64u
#define WEB_MADE_KEY_MAX 64u
typedef struct web_made_slot {
  web_made *made;
  char key[WEB_MADE_KEY_MAX];
  uint64_t version;     /* of the programme's store */
  int64_t since, asked; /* monotonic ms */
} web_made_slot;

struct sv_web {
  sv_web_options o;
  sv_net *net;
  ov_hasher *hasher; /* SHA-256 on the service thread */
  web_hasher passwords;
  char stand_in[SV_PASSWORD_HASH_MAX + 1]; /* a hash that costs like a real one, of a password nobody knows */
  web_session *session;                    /* SV_WEB_SESSIONS_MAX */
  web_ticket *ticket;                      /* SV_WEB_TICKETS_MAX */
  web_delay *delay;                        /* SV_WEB_DELAYS_MAX */
  web_made_slot made[WEB_MADE_MAX];
  int64_t minute;
  unsigned tries;
  sv_web_stats stats;
  sv_net_route routes[WEB_ROUTES_MAX];
};

int64_t web_now(const sv_web *w); /* monotonic ms */
/* Fresh random bytes in hex. */
int web_secret(sv_web *w, char out[WEB_SECRET_TEXT]);
int web_hash_text(sv_web *w, const char *text, uint8_t out[OV_HASH_BYTES]);

/* -- replies (reply.c) ----------------------------------------------------------------------------------- */

/* The errors of this interface: what people read, in both languages, and what programs compare. */
typedef enum web_problem {
  WEB_P_HEADER,       /* 403 */
  WEB_P_ORIGIN,       /* 403 */
  WEB_P_TYPE,         /* 415 */
  WEB_P_BODY,         /* 400 */
  WEB_P_SIGN_IN,      /* 401: name or password */
  WEB_P_CODE,         /* 401 */
  WEB_P_TICKET,       /* 401 */
  WEB_P_SESSION,      /* 401 */
  WEB_P_PASSWORD,     /* 403: the present one, or the code */
  WEB_P_NEW_PASSWORD, /* 400 */
  WEB_P_CSRF,         /* 403 */
  WEB_P_ROLE,         /* 403 */
  WEB_P_UNKNOWN,      /* 404 */
  WEB_P_RULED,        /* 409 */
  WEB_P_SLOW,         /* 429 */
  WEB_P_BUSY,         /* 503 */
  WEB_P_FULL,         /* 503 */
  WEB_P_NO_TOKEN,     /* 404: no such token of this person */
  WEB_P_TOKENS,       /* 409: as many as one may have */
  WEB_P_INTERNAL,     /* 500 */
  WEB_PROBLEMS
} web_problem;
/* application/problem+json (RFC 9457). after_s: Retry-After, 0: none. Always returns 0. */
int web_problem_reply(sv_net_reply *reply, web_problem p, unsigned after_s);
/* Takes j. Status 200. Returns 0. */
int web_json_reply(sv_net_reply *reply, json_t *j);
/* Appends a header line; false when out of memory. */
bool web_reply_header(sv_net_reply *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -- guard.c --------------------------------------------------------------------------------------------- */

/* Every call: our header, and no foreign page. False: reply holds the refusal. */
bool web_guard(const sv_net_request *q, sv_net_reply *reply);
/* The JSON object of a POST, or NULL with the refusal. */
json_t *web_body(const sv_net_request *q, sv_net_reply *reply);
/* The session of a call, checked whole and touched (may set a new cookie), or NULL with the refusal. */
web_session *web_guard_session(sv_web *w, const sv_net_request *q, sv_net_reply *reply);

/* -- sessions.c ------------------------------------------------------------------------------------------ */

/* Opens a session and puts its cookie into reply. OV_E_FULL, OV_E_CRYPTO, OV_E_NOMEM. */
int web_session_open(sv_web *w, const sv_web_session_info *info, web_session **out, sv_net_reply *reply);
void web_session_end(web_session *ss);
/* All of this person but the one with this id; how many. */
unsigned web_session_end_others(sv_web *w, const ov_name *person, const char *id);
/* By a Cookie header; NULL when there is none, it is unknown, or it is over. */
web_session *web_session_find(sv_web *w, const char *cookie);
int web_session_touch(sv_web *w, web_session *ss, sv_net_reply *reply);
void web_session_forget_cookie(sv_web *w, sv_net_reply *reply);

/* -- delays.c -------------------------------------------------------------------------------------------- */

/* Charges a try to a name and an address before any work is done for it, known or not. Seconds to wait, or 0:
 * go on. */
unsigned web_delay_charge(sv_web *w, const char *folded, const uint8_t address_key[16]);
/* It was no failure after all. */
void web_delay_refund(sv_web *w, const char *folded, const uint8_t address_key[16]);
void web_delay_clear(sv_web *w, const char *folded); /* signed in: the name starts afresh */

/* -- people.c -------------------------------------------------------------------------------------------- */

typedef struct web_person {
  char name[OV_LABEL_BYTES_MAX + 1];
  unsigned role;
  uint32_t teams[OV_SCOPES_MAX];
  uint32_t n_teams;
  bool active;
} web_person;
/* OV_E_NOTFOUND; errors of the store. */
int web_person_get(sv_web *w, const ov_id *organisation, const ov_name *person, web_person *out);
/* The same inside a transaction of the organisation. */
int web_person_read(sv_txn *t, ov_arena *a, const ov_name *person, web_person *out);
/* {"name", "role", "organisation": {"id", "name"}, "teams": [..]}; NULL when out of memory. */
uint8_t web_role_of(const ov_record *person);
json_t *web_person_json(sv_web *w, const ov_id *organisation, const ov_name *person, const web_person *p);

/* -- made.c ---------------------------------------------------------------------------------------------- */

/* How an answer is made: whole, of the programme's store. life_ms: made anew after so long even so, for what
 * depends on organisations' stores too; 0: never. */
typedef struct web_making {
  const char *key;  /* below WEB_MADE_KEY_MAX; the same key, the same question */
  const char *type; /* static */
  int64_t life_ms;
  int (*make)(sv_web *w, const struct web_making *how, sv_export *e);
  unsigned number; /* for make */
  const char *text;
} web_making;
/* Entity tag, gzip, ranges and all. An error of make or the store: reply is as it was. */
int web_made_reply(sv_web *w, const sv_net_request *q, const web_making *how, sv_net_reply *reply);
void web_made_forget(sv_web *w);

/* -- handlers -------------------------------------------------------------------------------------------- */

int web_sign_in(void *user, const sv_net_request *q, sv_net_reply *reply);
/* Begins a line about signing in. peer: SV_NET_PEER_CHARS bytes. */
void web_sign_in_event(sv_audit_event *e, const ov_name *person, const char *peer);
int web_sign_in_totp(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_password(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_sign_out(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_me(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_v1(void *user, const sv_net_request *q, sv_net_reply *reply);
/* What /v1/ has, at the same paths under /api/, for somebody who is signed in and may have it. */
int web_v1_for_person(sv_web *w, const sv_net_request *q, sv_net_reply *reply);
extern const char web_v1_openapi[];
/* A token that was found and is not over: may its person, if it has one, still see releases? */
bool web_token_stands(sv_web *w, const sv_token *tok);
int web_releases(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_tokens(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_tokens_revoke(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_device(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_network(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_own_devices(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_own_held(void *user, const sv_net_request *q, sv_net_reply *reply);
int web_own_ruling(void *user, const sv_net_request *q, sv_net_reply *reply);

#endif
