/* A browser's side of the web calls, without its manners: every header is the test's to give or to leave. */
#ifndef WEB_CLIENT_H
#define WEB_CLIENT_H

#include <jansson.h>

#include "daemon.h"

typedef struct wc_answer {
  int status; /* 0: none came */
  char head[4096];
  char body[65536];
  json_t *json; /* of the body, or NULL; lives until the next call */
} wc_answer;

/* Starts the server on the site; false: said why on stderr. */
bool wc_start(dm_server *d, dm_site *site);
/* Stops and removes both: 0 when it ended well and its log is clean, also of `secret`; else -1. */
int wc_stop(dm_server *d, dm_site *site, const char *secret);
/* A release of a month that is closed, whatever the grace: "2026-02". */
void wc_release(const dm_server *d, char month[8]);
/* A researcher's token by the administrator's command (args: more JSON members, each after a comma): its
 * header line, and its id unless that is NULL. */
void wc_token(const dm_server *d, const char *args, char header[100], char id[20]);

/* One person's browser: what it remembers is sent along. */
typedef struct wc {
  const dm_server *d;
  char cookie[200];   /* "name=value", or "" */
  char csrf[100];     /* or "" */
  const char *origin; /* NULL: none is sent */
  const char *header; /* value of X-Overdracht; NULL: none */
  const char *type;   /* Content-Type of a body */
  char from[16];      /* own address; each wc_open takes another, since failures count by address */
  const char *extra;  /* more header lines */
  wc_answer a;
} wc;

/* A well-behaved page of the server itself. */
wc wc_open(const dm_server *d);
/* As curl asks: no page, no cookie; header lines are borrowed. */
wc wc_program(const dm_server *d, const char *headers);
void wc_close(wc *c);
/* body NULL: GET. Returns the status; cookies that come are kept. */
int wc_ask(wc *c, const char *path, const char *body);
/* A text of the last answer's JSON, or "". */
const char *wc_text(const wc *c, const char *key);

/* A new account of a new person of the organisation; false: the admin said no. */
typedef struct wc_account {
  char person[64], login[64], password[64], recovery[10][20];
  uint8_t secret[20];
} wc_account;
bool wc_account_make(const dm_server *d, const char *organisation, const char *person, const char *role,
                     const char *team, wc_account *out);
/* The code of the moment, `off` steps from now. */
void wc_code(const wc_account *a, int off, char out[7]);
/* Both steps; true when signed in, csrf and cookie are kept. code NULL: that of the moment. */
bool wc_sign_in(wc *c, const wc_account *a, const char *code);

#endif
