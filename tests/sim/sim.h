/* A deterministic world: one organisation on the production server code, dozens of tablets on the production
 * client code, one thread, one seed. Time, network, random source and scheduling are virtual; stores are real
 * LMDB environments in a folder in memory. A run is a list of events, each of which means something in every
 * state of the world, so that any subset of a list can be run too (that is how a failing list is shrunk).
 *
 *   sim_random.c   the random sources          sim_world.c    the server: life, crash, backup
 *   sim_tablet.c   stores of tablets           sim_write.c    what people write;  sim_value.c values
 *   sim_net.c      links between them          sim_spy.c      what travels is looked at
 *   sim_tell.c     and told in words           sim_model.c    the flat list of all ops
 *   sim_check.c    what must hold in between   sim_quiet.c    what must hold at rest
 *   sim_seam.c     seals and commits on their way  sim_away.c    a tablet that was away for long
 *   sim_erase.c    erasure                     sim_end.c      the end of devices;  sim_role.c roles
 *   sim_events.c   events                      sim_run.c      one run;  sim_main.c seeds, shrinking */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "fixture.h"
#include "oc_internal.h"
#include "ov/peer.h"
#include "sv_rights.h"
#include "sv_server.h"

#define SIM_HOST "sync.test"
#define SIM_URL "wss://sync.test/sync"
#define SIM_TABLETS_MAX 48u
#define SIM_DEVICES_MAX 64u
#define SIM_LINKS_MAX 96u
#define SIM_TEAMS 3u
#define SIM_PEOPLE 6u
#define SIM_PARTICIPANTS_MAX 16u
#define SIM_BACKUPS_MAX 8u
#define SIM_IMAGES_MAX 6u

/* -- random ---------------------------------------------------------------------------------------------- */
typedef struct sim_rng {
  uint64_t state;
} sim_rng;
uint64_t sim_u64(sim_rng *r);
uint32_t sim_below(sim_rng *r, uint32_t n); /* 0 .. n-1; 0 for n == 0 */
bool sim_chance(sim_rng *r, uint32_t percent);
/* From here on OpenSSL draws from this seed too, so that keys and signatures are the same in each run. */
void sim_openssl_seed(uint64_t seed);

/* -- events ---------------------------------------------------------------------------------------------- */
typedef enum sim_what {
  EV_WRITE,
  EV_SYNC,
  EV_NET,
  EV_CUT,
  EV_CRASH_SERVER,
  EV_CRASH_TABLET,
  EV_FAULT_SERVER,
  EV_FAULT_TABLET,
  EV_TIME,
  EV_CLOCK_TABLET,
  EV_CLOCK_SERVER,
  EV_BACKUP,
  EV_RESTORE,
  EV_CLONE,
  EV_EVICT,
  EV_IMAGE,
  EV_IMAGE_BACK,
  EV_MOVE_DEVICE,
  EV_MOVE_PARTICIPANT,
  EV_PERSON,
  EV_RULE,
  EV_REVOKE,
  EV_ERASE,
  EV_ROLE,
  EV_PERSONAL,
  EV_SCHEMA,
  EV_DISK,
  EV_DISK_TABLET,
  EV_LONG_AWAY,
  EV_REPLAY,
  EV_QUIET,
  EV_COUNT
} sim_what;
extern const char *const sim_what_names[EV_COUNT];
typedef struct sim_event {
  uint32_t what, a, b;
} sim_event; /* a: whom it concerns, b: seeds its details */

/* -- the model: flat lists ------------------------------------------------------------------------------- */
typedef struct sim_op {
  ov_op op; /* as it was written */
  ov_hash head;
  int before;             /* the op before it in its branch; -1: none */
  bool by_server, broken; /* broken: its payload is none; it must end as a void */
  bool surely_applied;    /* nothing about it can be held */
  bool surely_held;
  bool was_safe;       /* in a verified backup at some time */
  bool acked;          /* a signed ACK covered it when it left the server */
  bool is_void;        /* on the server, at the last look */
  bool stored;         /* seen on the server; cleared by a restore of a backup that lacks it */
  bool dropped;        /* its payload was trimmed somewhere after it was safe */
  uint32_t in_backups; /* bit for each backup that holds it */
  bool receipted;
  int64_t receipt_ms;
  uint8_t verdict, reason; /* its first receipt here */
  int ruled;               /* last ruling on it: 0, admit 1, dismiss 2 */
  int64_t written_ms;      /* true time */
  unsigned device;         /* whose log it is in: index in admin.devices; of a tablet's op */
  bool late;               /* its device was revoked before the server had it: it is held whatever comes */
} sim_op;

/* teams: bits */
typedef struct sim_person {
  ov_name name;
  uint32_t teams;
  bool active;
  unsigned role;
} sim_person;
typedef struct sim_participant {
  ov_name name;
  uint32_t teams;
  unsigned home;
  bool here, by_tablet;
} sim_participant;
typedef struct sim_device {
  ov_name record;
  uint32_t teams;
  bool revoked, personal;
  unsigned person; /* whose it is, when personal: index in admin.people */
} sim_device;
/* What administration has said; a restored backup takes it back. */
typedef struct sim_admin {
  unsigned n_people, n_participants, n_devices;
  sim_person people[SIM_PEOPLE];
  sim_participant participants[SIM_PARTICIPANTS_MAX];
  sim_device devices[SIM_DEVICES_MAX];
} sim_admin;

typedef struct sim_backup {
  bool used;
  char file[256], keyring[256], epoch[256];
  sim_admin admin;
  int64_t made_ms;
  uint64_t n_ops;
  uint8_t *ruled;
  uint32_t n_ruled;
} sim_backup;

/* -- tablets --------------------------------------------------------------------------------------------- */
typedef struct sim sim;
typedef struct sim_link sim_link;
typedef struct sim_tablet {
  sim *w;
  unsigned id;
  bool used, enrolled;
  bool lost_admin; /* its device was enrolled after the backup that was restored */
  unsigned device; /* in admin.devices */
  char path[256];
  oc_store *s;
  int64_t clock_off_ms;
  sim_rng random;
  long fail_in; /* the random source fails at this call, and from then on; < 0: never */
  bool failing;
  size_t map_bytes; /* 0: plenty */
  sim_link *link;
  bool old_app; /* writes as an app did that knew other limits: payloads that are none */
  unsigned syncs;
} sim_tablet;
typedef struct sim_image {
  bool used;
  unsigned tablet, device;
  char path[256];
} sim_image;

/* -- links ----------------------------------------------------------------------------------------------- */
typedef struct sim_msg {
  struct sim_msg *next;
  size_t n;
  uint8_t p[];
} sim_msg;
typedef struct sim_queue {
  sim_msg *head, **tail;
  unsigned n;
} sim_queue;
struct sim_link {
  bool used;
  unsigned id, weight;
  unsigned portion; /* about so many bytes of records go into one DELTA; 0: what fits */
  sim *w;
  sim_tablet *t; /* NULL: the client's end is gone */
  oc_session *cs;
  sv_session *ss; /* NULL: the server's end is gone */
  unsigned device;
  sim_queue up, down;
  bool paused, close_asked, want_write, client_idle;
  bool replay; /* recorded messages played again by somebody else */
  bool live, enrolling;
  bool left;    /* somebody left while this link fetched */
  ov_id writer; /* said in HELLO */
  unsigned n_up, n_down, n_heard;
  int said; /* what the client's session ended with */
};

typedef struct sim_options {
  uint64_t seed;
  unsigned steps, tablets; /* 0: drawn */
  bool trace, quiet;
} sim_options;

typedef struct sim_stats {
  uint64_t writes, syncs, finished, messages, bytes, cuts, crashes, restores, forks, quiets, refused, busy,
      deltas, acks, erased, wiped;
} sim_stats; /* all of them uint64_t */

struct sim {
  fx_world fx; /* first: its random source is called with it */
  sim_options o;
  sim_rng rng; /* of the world's own making */
  int64_t true_ms, server_off_ms;
  int64_t server_high_ms; /* what the server's clock showed before it was last set otherwise, at the most */
  const char *data, *dir; /* of all that this run writes */
  sv_org *programme, *org;
  sv_server *server;
  /* storage faults of the server: only while messages move */
  long fail_in, commit_fails_in;
  bool failing, fail_once, in_net;
  bool disk_full;
  uint32_t scopes[SIM_TEAMS];
  sim_admin admin;
  uint32_t person_ever[SIM_PEOPLE], participant_ever[SIM_PARTICIPANTS_MAX]; /* teams, also those left since */
  uint32_t role_ever[SIM_PEOPLE];                                           /* roles, likewise */
  ov_name erased[SIM_PARTICIPANTS_MAX];                                     /* no backup takes that back */
  unsigned n_erased;
  sim_backup backups[SIM_BACKUPS_MAX];
  sim_tablet tablets[SIM_TABLETS_MAX];
  sim_image images[SIM_IMAGES_MAX];
  sim_link links[SIM_LINKS_MAX];
  unsigned n_files, n_links;
  sim_op *ops;
  uint32_t n_ops, cap_ops, *slots, n_slots;
  uint32_t server_ops_seen;
  /* a greeting somebody has listened to, in order */
  sim_msg *recorded;
  unsigned recorded_n, recorded_link;
  int64_t newest_schema;
  ov_packer *packer;
  ov_arena spy_arena, tmp; /* tmp: for one check at a time */
  sim_stats st, *told;     /* told: where they are kept when the run is over */
  unsigned step;
  bool rights_changed; /* since then an honest op may be held */
};

/* -- saying and failing ---------------------------------------------------------------------------------- */
void sim_say(sim *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends the process: "FAIL category: text" on stderr. */
_Noreturn void sim_fail(sim *w, const char *category, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *sim_name(const ov_name *n); /* short text in a static ring of buffers */
void sim_check_ok(sim *w, int err, const char *what);

/* sim_world.c */
void sim_server_open(sim *w);
void sim_server_start(sim *w);
/* Everything in memory is gone; what waits for a commit is not stored. */
void sim_server_crash(sim *w);
void sim_world_close(sim *w);
int64_t sim_server_ms(const sim *w);
void sim_changed(sim *w); /* administration changed something: sessions are told */
void sim_backup_make(sim *w);
void sim_restore(sim *w, uint32_t pick, sim_rng *r);
void sim_disk(sim *w, bool full);
void sim_copy_file(const char *from, const char *to);
void sim_make_device(sim *w, const char *name, uint32_t teams, unsigned *device);
void sim_set_device_teams(sim *w, unsigned device, uint32_t teams);
void sim_set_participant_teams(sim *w, unsigned i, uint32_t teams);
void sim_set_person(sim *w, unsigned i, uint32_t teams, bool active);
void sim_rule(sim *w, sim_rng *r);
void sim_publish(sim *w);

/* sim_away.c */
void sim_long_away(sim *w, sim_tablet *t, sim_rng *r);

/* sim_tablet.c */
sim_tablet *sim_tablet_new(sim *w);              /* a free slot with a path, or NULL */
sim_tablet *sim_tablet_pick(sim *w, uint32_t a); /* an enrolled one, or NULL */
int sim_store_open(sim_tablet *t);
void sim_store_close(sim_tablet *t);
void sim_tablet_crash(sim_tablet *t); /* closes without goodbye and opens again */
bool sim_tablet_enrol(sim_tablet *t, unsigned device);
void sim_tablet_clone(sim *w, sim_tablet *t);
void sim_tablet_evict(sim_tablet *t);
void sim_image_take(sim *w, sim_tablet *t);
void sim_image_back(sim *w, uint32_t pick);
bool sim_image_back_on(sim *w, const sim_tablet *t); /* the latest of this tablet, if any */
uint32_t sim_teams_of(const sim_tablet *t);          /* bits, by administration: where it may look */
/* What an app does when a session is over: what an erasure left to do, receipts of it. */
void sim_tablet_afterwards(sim_tablet *t);

/* sim_write.c */
void sim_write(sim_tablet *t, sim_rng *r);
/* sim_value.c */
bool sim_value(sim *w, sim_tablet *t, const ov_sfield *f, sim_rng *r, bool valid, ov_arena *a, ov_value *out);

/* sim_net.c */
sim_link *sim_connect(sim_tablet *t, sim_rng *r, bool perfect);
void sim_net(sim *w, sim_rng *r, unsigned moves);
bool sim_net_move(sim *w, sim_rng *r);                 /* false: nothing can move */
void sim_link_cut(sim *w, sim_link *l, unsigned mode); /* 0 both ends, 1 the client's, 2 the server's */
void sim_links_drop(sim *w);
/* One sync over a perfect link, to its end; what the client's session said. */
int sim_sync(sim_tablet *t);
void sim_replay(sim *w, sim_rng *r);

/* sim_spy.c: frames on their way */
void sim_spy_up(sim_link *l, const uint8_t *p, size_t n);
void sim_spy_down(sim_link *l, const uint8_t *p, size_t n);

/* sim_seam.c: from here on nonces are watched and commits may fail; NULL: no more */
void sim_seams(sim *w);

/* sim_tell.c */
void sim_tell(sim_link *l, bool up, const ov_msg *m);

/* sim_model.c */
sim_op *sim_op_find(sim *w, const ov_name *name);
sim_op *sim_op_add(sim *w, const ov_op *op, const ov_hash *head);
void sim_model_server(sim *w); /* takes down the ops of servers' own logs */
/* Scopes where administration's word puts a record, as bits of teams; *scope is set when it belongs to no
 * team. */
typedef struct sim_where {
  bool known;
  uint32_t teams;
  uint32_t scope;
} sim_where;
sim_where sim_record_where(sim *w, const ov_name *record);
/* does any op replace it in this cell? */
bool sim_replaced(sim *w, const sim_op *o, uint16_t field, const ov_value *elem);

/* sim_erase.c */
void sim_erase(sim *w, sim_rng *r);
bool sim_is_erased(const sim *w, const ov_name *participant);
bool sim_op_erased(const sim *w, const ov_op *op); /* is it about somebody who was erased? */
bool sim_rec_erased(const sim *w, const ov_record *rec);
/* As each start of a server does. */
void sim_erase_again(sim *w);
void sim_check_erased_server(sim *w);
void sim_check_erased_tablet(sim_tablet *t);

/* sim_end.c */
void sim_revoke(sim *w, unsigned device);
void sim_check_ended(sim_tablet *t);
/* The next thing a tablet says; looks on when that ends it. */
const uint8_t *sim_output(sim_link *l, size_t *n);

/* sim_role.c */
void sim_set_role(sim *w, unsigned person, unsigned role);
/* A device of one person, with a tablet. */
void sim_personal(sim *w, unsigned person);
uint32_t sim_device_teams(const sim *w, unsigned device); /* bits of the teams whose scopes it follows */
bool sim_may_read(const sim *w, unsigned device, const ov_record *rec, uint32_t scope);
bool sim_role_may(unsigned role, const ov_op *op);
/* May one of these roles (bits) do it in other teams too? */
bool sim_role_reaches(uint32_t roles, const ov_op *op);
void sim_check_role(sim *w, const sim_op *o);

/* sim_check.c */
void sim_check_own(sim_tablet *t, sim_rng *r, unsigned some);
void sim_check_acked(sim_tablet *t);
void sim_describe(sim *w, const char *who, const ov_record *r);
/* sim_quiet.c */
/* Notes which ops the tablet has dropped the content of; fails when one was never safe. Also called before
 * its store, or the server's, is replaced by an older one. */
void sim_note_dropped(sim_tablet *t);
void sim_quiesce(sim *w);
ov_hash sim_state(sim *w);

/* sim_events.c */
typedef struct sim_plan {
  unsigned tablets;
  sim_event *events;
  unsigned n;
} sim_plan;
void sim_plan_make(sim_plan *p, const sim_options *o);
void sim_plan_free(sim_plan *p);
void sim_do(sim *w, const sim_event *e);
/* sim_run.c */
/* state: a hash of what is left, in hex; what was counted is added to *stats even if the run fails later. */
void sim_run(const sim_options *o, const sim_plan *p, char state[65], sim_stats *stats);

/* -- bugs planted on purpose ----------------------------------------------------------------------------- */

/* What sim_planted was built with (planted.txt); the list of sim itself is empty. */
typedef struct sim_plant {
  const char *name, *says;
  bool on;
} sim_plant;
extern sim_plant sim_plants[];
extern const unsigned sim_n_plants;
/* Asked by the changed lines: is this bug switched on? */
bool sim_planted(unsigned i);

#endif
