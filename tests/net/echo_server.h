/* A server on sv_net for its tests: echoes binary messages, runs in a thread of its own, and does what a
 * command message asks. Commands are whole messages:
 *   "!close 4001 why"   close with that code and reason, after what is queued
 *   "!burst N S"        send N messages of S bytes
 *   "!pause MS"         stop reading for MS milliseconds
 *   "!id"               answer with the connection's id in decimal
 *   "!huge"             hand out a message over the cap
 *   "!eat N", "!free"   take all file descriptors of the process but N, give them back
 *   "!log", "!sockets"  answer with the number of log lines, of sockets, in decimal
 * Everything else is echoed. */
#ifndef OV_TESTS_ECHO_SERVER_H
#define OV_TESTS_ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rawws.h"
#include "sv_net.h"

#define ECHO_ORIGIN "https://app.example.nl"
#define ECHO_LOG_CHARS 16384
#define ECHO_POST_MAX 20000u
#define ECHO_LARGE_BYTES 3000000u

typedef struct echo_server echo_server;

/* Defaults with short deadlines; per_address_max lifted, since all tests come from one address. */
sv_net_opts echo_opts(void);
/* Starts and serves; fails the test when it cannot. */
echo_server *echo_start(const sv_net_opts *opts);
/* The same in a process of its own, for what is measured or limited by process. Call it before any thread
 * exists. `fds` is its hard limit of open files, 0: as it is. SIGTERM stops it. Sets *port and *local_port
 * (may be NULL). */
pid_t echo_fork(const sv_net_opts *opts, unsigned fds, uint16_t *port, uint16_t *local_port);
/* Sends SIGTERM and waits; the exit status: 0 when sv_net_run returned 0. */
int echo_reap(pid_t pid);
/* Stops, joins, frees. The milliseconds sv_net_run took to return; *ran (may be NULL) is what it returned. */
int echo_stop(echo_server *s, int *ran);

sv_net *echo_net(echo_server *s);
uint16_t echo_port(echo_server *s);
uint64_t echo_count(echo_server *s, sv_net_counter which);
/* Polls until the counter is at least (at most) n; false after 2 s. */
bool echo_wait_at_least(echo_server *s, sv_net_counter which, uint64_t n);
bool echo_wait_at_most(echo_server *s, sv_net_counter which, uint64_t n);

/* Any thread: on the service thread, send `text` to the connection or the waiting request with this id; as
 * sessions' writers do. */
void echo_post(echo_server *s, uint64_t id, const char *text);
/* sv_net_tls_reload on the service thread; what it returned. */
int echo_reload(echo_server *s);
/* A request that /later has taken and not answered; 0 when none comes in 2 s. Answer by echo_post. */
uint64_t echo_later_id(echo_server *s);
uint8_t echo_large_byte(uint64_t i);
uint64_t echo_pulled(echo_server *s);    /* bytes that /large/ was asked for */
uint64_t echo_pull_ends(echo_server *s); /* bodies of /large/ given back */
uint64_t echo_wakes(echo_server *s);
/* Codes of on_close so far that equal `code`. */
unsigned echo_closed_with(echo_server *s, uint16_t code);
/* How often `text` is in the log so far. */
unsigned echo_logged(echo_server *s, const char *text);
unsigned echo_log_lines(echo_server *s);

#endif
