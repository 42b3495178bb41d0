/* A server and tablets in one process and one thread: the production session, ingest, store and client code
 * over links that a test cuts, counts and orders as it likes. Only the clock, the random source and the wire
 * are the test's. Whatever goes wrong in here ends the program with a message. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "fixture.h"
#include "overdracht.h"
#include "sv_enrol.h"
#include "sv_server.h"

#define WORLD_HOST "sync.test"
#define WORLD_URL "wss://sync.test/sync"

typedef struct world {
  fx_world fx;
  const char *data;
  sv_org *programme, *org;
  sv_server *server;
  /* threads that commit; 0 (the default): world_work does. Set before world_restart */
  unsigned workers;
  char saved[512]; /* folder of world_backup's copy */
} world;

typedef struct tablet {
  world *w;
  char path[256];
  oc_store *s;
  int64_t clock_off_ms; /* what its clock is off */
  uint64_t random;
  char said[256]; /* message of the last sync that failed */
} tablet;

/* A link's behaviour in one sync, and what was seen. Zero: a good link. */
typedef struct link_plan {
  /* the link breaks behind the n-th message in that direction; 0: never */
  unsigned cut_after_up, cut_after_down;
  /* ... instead of delivering the n-th message down: it is lost and the link breaks; 0: none */
  unsigned lose_down;
  /* called before the n-th message down is delivered */
  void (*before_down)(void *ctx, unsigned n);
  void *ctx;
  bool live; /* stay: the caller goes on with world_pump */
  uint32_t credit, frame_bytes;
} link_plan;

typedef struct link_seen {
  unsigned up, down; /* messages */
  uint64_t up_bytes, down_bytes;
  unsigned up_of[16], down_of[16]; /* messages by type */
  uint64_t up_bytes_of[16], down_bytes_of[16];
  unsigned turns;      /* times the client had to wait for the server before it could say more */
  unsigned close_code; /* by the server; 0: none */
  bool cut;
} link_seen;

void world_open(world *w, uint64_t seed);
void world_close(world *w);
/* Schema files besides the production ones (a folder). */
void world_publish(world *w, const char *schema_dir);
/* The process ends (without a drain) and starts again on the same data. */
void world_restart(world *w);
/* Remembers the organisation's store as it is; restores it later, as an administrator would: the server goes
 * on under a new writer. */
void world_backup(world *w);
void world_restore(world *w);
/* From now on another server serves: one that holds the same organisation as it is now, with another id. */
void world_move_to_copy(world *w);
/* Runs what waits for the writer, and answers. */
void world_work(world *w);

void tablet_open(tablet *t, world *w, const char *name); /* not yet enrolled */
void tablet_close(tablet *t);
void tablet_reopen(tablet *t);
/* Makes a device of these teams and enrols with a real code. */
void tablet_enrol(tablet *t, const char *name, const uint32_t *teams, uint32_t n);
/* A copy of the store's folder, as a cloned image would be. */
void tablet_clone(tablet *t, tablet *copy, const char *name);
/* One sync; returns what the client's session said last (0: finished or cut by plan). plan and seen may be
 * NULL. */
/* The same for a session of the caller's (enrolment, or one that goes on living). */
int world_sync_session(world *w, oc_session *cs, const link_plan *plan, link_seen *seen, oc_error *e);
int tablet_sync(tablet *t, const link_plan *plan, link_seen *seen);
/* A connection that stays: pump until nothing moves; what the server says last may end it. */
typedef struct world_wire world_wire;
world_wire *world_connect(world *w, oc_session *cs);
int world_pump(world_wire *ww, oc_error *e); /* 0, or what the client's session said */
const link_seen *world_seen(const world_wire *ww);
bool world_closed(const world_wire *ww, unsigned *code); /* by the server, and with which code */
void world_inject(world_wire *ww, const uint8_t *p, size_t n);
bool world_pull(world_wire *ww, ov_buf *out); /* one message down, kept from the client; nothing is worked */
void world_disconnect(world_wire *ww);
/* An enrolment code for a new device of these teams. */
void world_code(world *w, const char *name, const uint32_t *teams, uint32_t n, char code[SV_CODE_TEXT],
                ov_name *device);
/* Syncs and demands that all went well; again while the client asks (an older log, changed rights). */
void tablet_sync_ok(tablet *t);

/* Writing through the public API; all demand success. Field texts: "name=value" up to NULL. */
void tablet_add(tablet *t, const char *kind, const ov_name *participant, const ov_name *author,
                char id[OC_ID_TEXT], ...) __attribute__((sentinel));
void tablet_edit(tablet *t, const char *record, const ov_name *author, ...) __attribute__((sentinel));
/* Shown text (raw) of a field, in a static buffer; "" when none. n: number of live values. */
const char *tablet_value(tablet *t, const char *record, const char *field, unsigned *n);
bool tablet_has(tablet *t, const char *record);
oc_status tablet_status(tablet *t);
/* Every record of the replica as canonical bytes by name, for comparing two tablets, or a tablet with the
 * server: a digest. */
ov_hash tablet_digest(tablet *t);
/* The same of what the server would give a device with these scopes. */
ov_hash world_digest(world *w, const uint32_t *scopes, uint32_t n);

#endif
