/* The real overdrachtd as a child process, on data that is prepared and looked at by this process while no
 * server runs on it; and tablets that speak the protocol to it, message by message, rightly or wrongly.
 *
 * Everything waits with a deadline. What goes wrong in the preparation ends the program with a message;
 * what the server does is returned, for the test to judge. A child dies with its test. */
#ifndef TESTS_DAEMON_H
#define TESTS_DAEMON_H

#include <stdio.h>
#include <sys/types.h>

#include "fixture.h"
#include "ov/peer.h"
#include "rawws.h"

#define DM_WAIT_MS 8000    /* the longest wait for one thing that must happen */
#define DM_START_MS 120000 /* a start, on a machine with much other work */
#define DM_WHY 200         /* bytes of a text that says what went wrong */

/* -- data ------------------------------------------------------------------------------------------------ */

/* An organisation as its tablets know it, open or not: `shell` has its id, its server's id and key, and
 * commit keys as they were when it was made. */
typedef struct dm_org {
  sv_org shell;
  sv_org *open; /* between dm_site_open_orgs and dm_site_close_orgs; else NULL */
  uint32_t team, other_team;
  ov_name carer, anna; /* a person and a participant of the team */
} dm_org;

typedef struct dm_tablet {
  struct dm_site *site;
  dm_org *org;
  fx_tablet *t;
  uint32_t acked; /* own ops covered by an ACK whose signature and head were checked */
  uint32_t floor; /* the most there ever was of that: what must be found again after anything but a restore */
  ov_id server;   /* whose cursors follow */
  ov_cursor cursors[OV_SCOPES_MAX];
  uint32_t n_cursors;
  uint32_t records; /* received in all */
} dm_tablet;

#define DM_ORGS 2u
#define DM_TABLETS_MAX 320u

typedef struct dm_site {
  fx_world fx;
  const char *data;
  sv_org *programme; /* as `open` of an organisation */
  dm_org orgs[DM_ORGS];
  dm_tablet *tablets[DM_TABLETS_MAX];
  uint32_t n_tablets;
} dm_site;

/* Two organisations with a team, a carer and a participant each, on the real clock; nothing is left open. */
void dm_site_open(dm_site *s, uint64_t seed);
void dm_site_close(dm_site *s);
/* The world's clock follows the real one. */
void dm_site_now(dm_site *s);
/* Opens the stores in this process, with no server on them. false: one cannot be opened (why says so). */
bool dm_site_open_orgs(dm_site *s, char why[DM_WHY]);
void dm_site_close_orgs(dm_site *s);
/* An enrolled device of the organisation's team (of another one when `other` is set). The organisations are
 * opened and closed unless they are open. */
dm_tablet *dm_tablet_new(dm_site *s, unsigned org, bool other);
/* A cloned image of it. */
dm_tablet *dm_tablet_clone(dm_tablet *tb);
/* Writes n short notes about its participant. */
void dm_tablet_note(dm_tablet *tb, unsigned n, const char *text);
/* One note with a text of this many bytes (at most OV_TEXT_BYTES_MAX). */
void dm_tablet_long(dm_tablet *tb, uint32_t bytes);
/* Every op that was ever acknowledged is stored, with the very bytes that its tablet has. The organisations
 * must be open. With `walk` every record is folded again and every index checked. */
bool dm_check_acked(dm_site *s, bool walk, char why[DM_WHY]);

/* -- the process ----------------------------------------------------------------------------------------- */

typedef struct dm_options {
  const char *cert_file, *key_file; /* NULL: plain */
  const char *preload;              /* shared object for LD_PRELOAD */
  const char *env[8];               /* NAME=VALUE, up to NULL */
  unsigned workers;                 /* 0: the server's default */
  const char *data;                 /* another folder than the site's */
  const char *names[4];             /* host names, up to NULL; none: the server's default */
} dm_options;

typedef struct dm_server {
  dm_site *site;
  dm_options o;
  pid_t pid; /* 0: not running */
  uint16_t port, local_port;
  char log_file[200], port_file[200];
  int status; /* of the last process that ended, as waitpid gives it */
} dm_server;

/* Starts and waits until it listens. false: it ended or took too long; why tells, with the log's last line.
 */
bool dm_start(dm_server *d, dm_site *s, const dm_options *o, char why[DM_WHY]);
/* The same options on the same data again. */
bool dm_again(dm_server *d, char why[DM_WHY]);
/* Sends the signal and waits for the end; true when it came in time. With SIGTERM the exit status must be
 * 0. */
bool dm_stop(dm_server *d, int sig);
bool dm_running(dm_server *d);
/* SIGKILL if it still runs, and its files go. */
void dm_end(dm_server *d);
/* The whole log, from malloc. */
char *dm_log(const dm_server *d);
bool dm_log_has(const dm_server *d, const char *text);
/* No sign of a crash, a sanitizer or a broken invariant, and none of `secret` (a text planted in payloads).
 */
bool dm_log_clean(const dm_server *d, const char *secret, char why[DM_WHY]);
/* Stops with SIGTERM and removes the site. false: it did not stop well, or its log is not clean. */
bool dm_finish(dm_server *d, dm_site *s, char why[DM_WHY]);
/* GET on the local listener: the status, or -1; body is cut at cap - 1. */
int dm_get(const dm_server *d, const char *path, char *body, size_t cap);
/* A number of /metrics, without its prefix; -1 when it cannot be had. */
long long dm_metric(const dm_server *d, const char *name);
/* VmRSS, VmHWM ... of /proc/PID/status in KiB; -1. */
long dm_memory_kib(const dm_server *d, const char *field);
/* One request of an administrator over the server's socket: its last answer line in reply; false when it
 * says no. */
bool dm_admin(const dm_server *d, const char *json, char *reply, size_t cap);
/* The same with all lines of the answer, parted by newlines. */
bool dm_admin_lines(const dm_server *d, const char *json, char *reply, size_t cap);
/* An enrolment code for a new device of team Beuk. Ends the program when the server says no. */
#define DM_CODE_TEXT 15
void dm_code(const dm_server *d, const ov_id *organisation, const char *name, char code[DM_CODE_TEXT]);
int64_t dm_mono_ms(void);
void dm_sleep_ms(unsigned ms);

/* -- a connection ---------------------------------------------------------------------------------------- */

typedef struct dm_wire {
  dm_tablet *tb;
  rawws *ws;
  ov_packer *packer;
  ov_peer *peer;
  int64_t hello_ms; /* HELLO's time: base of the rows of its pushes */
  ov_hash hello_body;
  ov_id rows_server;   /* the server that HELLO named */
  ov_welcome welcome;  /* without its pointers */
  bool welcomed, mute; /* mute: leave pings unanswered */
  bool ended;          /* WELCOME said that the device has ended (PROTO-160) */
  int close_code;      /* 0 until it is over; 1006 without a close frame */
  int last_error;      /* of the last ERROR or BYE: an ov_err, 0 none; what may not come counts as internal */
  char broke[120];     /* what came that may not */
  unsigned up, down, deltas;
  uint64_t up_bytes, down_bytes; /* websocket payloads */
} dm_wire;

/* What to change about a right HELLO; zero changes nothing. */
typedef struct dm_hello {
  bool live, push_follows, bad_signature, fresh_cursors;
  int64_t clock_off_ms;
  const ov_id *device, *writer;
  const ov_head *own;
  const uint8_t *nonce;
  uint32_t credit, version_min, version_max;
} dm_hello;

/* Connects and upgrades; false when either fails. rcvbuf: 0 default. */
bool dm_wire_open(dm_wire *w, const dm_server *d, dm_tablet *tb, int rcvbuf);
void dm_wire_close(dm_wire *w); /* without goodbye; fine after a failed open */
/* A frame of these plain bytes, not packed and not looked at. */
bool dm_send_plain(dm_wire *w, const void *plain, size_t n);
bool dm_send_frame(dm_wire *w, const void *frame, size_t n);
/* The frame that would be sent, for a replay or another transport. */
void dm_hello_plain(dm_wire *w, const dm_hello *h, ov_buf *plain);
bool dm_send_hello(dm_wire *w, const dm_hello *h);
/* PUSH of ops [from, to]. prev: says the head before it. */
typedef struct dm_push {
  uint32_t from, to;
  bool prev, more, bad_signature;
  const ov_hash *other_prev;
  const ov_id *signed_org;
} dm_push;
void dm_push_plain(dm_wire *w, const dm_push *p, ov_buf *plain);
bool dm_send_push(dm_wire *w, const dm_push *p);
/* The next message: 1 with *m (valid until the next call), 0 when the connection is over (close_code), -1
 * nothing in time. DELTAs move the tablet's cursors, ACKs are checked and move `acked`, a CHALLENGE is
 * answered. */
int dm_recv(dm_wire *w, ov_msg **m, int timeout_ms);
/* Skips to the next message of this type; false when it is over before, or too late. */
bool dm_expect(dm_wire *w, ov_msg_type type, ov_msg **m);
/* Reads until the connection is over; the close code, -1 when it stays open. */
int dm_expect_close(dm_wire *w, int timeout_ms);
/* HELLO, WELCOME. */
bool dm_greet(dm_wire *w, const dm_server *d, dm_tablet *tb, const dm_hello *h);

/* A whole sync as a good client does it: everything unacknowledged is pushed, everything new received.
 * Finds its place in a server that was restored; gives its receipt when it has ended. false: why. */
bool dm_sync(const dm_server *d, dm_tablet *tb, char why[DM_WHY]);
/* On a connection that was welcomed: pushes the rest and reads to SYNCED. */
bool dm_catch_up(dm_wire *w, char why[DM_WHY]);

#endif
