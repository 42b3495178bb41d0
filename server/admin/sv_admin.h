/* Administration: one JSON request in, JSON lines out (progress lines, then one reply). Used by the running
 * server over its Unix socket and by overdracht-admin itself when no server runs; the two differ in the host
 * only. */
#ifndef SV_ADMIN_H
#define SV_ADMIN_H

#include "sv_ingest.h"
#include "sv_org.h"

/* Work inside one write transaction. May be run again from the start (the map grew). */
typedef int (*sv_admin_work)(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches);

/* What administration needs of its surroundings. All functions may be called from the one thread that handles
 * requests. */
typedef struct sv_admin_host {
  const char *data; /* data folder */
  const char *master_key_file;
  const char *schema_dir;
  const sv_sys *sys;
  const ov_schemas *schemas;
  sv_org *programme;
  bool online;   /* a server is running around us */
  char user[48]; /* who asks, for the audit: set before each request by whoever knows */
  /* i-th organisation, NULL past the end. */
  sv_org *(*org_at)(void *ctx, unsigned i);
  /* Runs work in a write transaction of org and returns when it is on disk (or failed: the error). Tells live
   * sessions what was touched. */
  int (*write)(void *ctx, sv_org *org, sv_admin_work work, void *arg);
  /* A new organisation is open: serve it from now on. Takes ownership when it returns 0. */
  int (*org_created)(void *ctx, sv_org *org);
  /* A device was revoked: cut it now. */
  void (*device_revoked)(void *ctx, const ov_id *device);
  /* Web sessions of the running server: a JSON array as text (malloc'd); NULL member: no server runs. */
  char *(*sessions)(void *ctx);
  /* Ends the session with this id, or all of a person; how many. NULL member: no server runs. */
  unsigned (*sessions_end)(void *ctx, const char *id, const ov_name *person);
  /* Address of the web app for QR codes, e.g. "https://sync.example.nl"; NULL: unknown. */
  const char *web_url;
  /* Counters of the running server as a JSON object text (malloc'd), or NULL. */
  char *(*status)(void *ctx);
  void *ctx;
} sv_admin_host;

/* One line of JSON without the newline; called from the handling thread. Returns false when the asker is gone
 * (long work stops). */
typedef bool (*sv_admin_out)(void *ctx, const char *line);

/* Handles one request {"cmd": "...", ...}. Emits progress lines {"progress": ...} and at the end exactly one
 * {"ok": true, ...} or {"ok": false, "error": slug, "message": text, "hint": text}. Returns 0 or the error it
 * told. */
int sv_admin_handle(sv_admin_host *h, const char *request, size_t n, sv_admin_out out, void *out_ctx);

/* Largest request: an administrator's import of participants comes line by line, not as one request. */
#define SV_ADMIN_REQUEST_BYTES_MAX (1024u * 1024u)

/* The socket in the data folder, mode 0600: one request a connection, one request at a time, served by a
 * thread of its own. Who is slow to send theirs holds up nobody. */
typedef struct sv_admin_socket sv_admin_socket;
int sv_admin_socket_open(sv_admin_host *h, const char *path, sv_admin_socket **out);
void sv_admin_socket_close(sv_admin_socket *s); /* waits for a request under way */

#endif
