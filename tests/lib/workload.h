/* A deterministic, seeded workload of care logs for tests and measurements: three kinds shaped like sleep,
 * activity and contact logs. A shift is 40 new records and 12 edits (6 of own new records, 6 of the team's
 * earlier ones), in order of time. Equal seeds give equal bytes for ever; test_workload pins checksums. Not
 * for production: kinds and field ids are the test's own. */
#ifndef TESTS_WORKLOAD_H
#define TESTS_WORKLOAD_H

#include "ov/op.h"

#define WL_CLIENTS 12
#define WL_STAFF 15
#define WL_SHIFT_OPS 52
#define WL_TABLETS 4 /* writers of one team */
#define WL_NOTE_MAX 121
#define WL_FIELDS_MAX 11
#define WL_SCOPE 2

/* Seeded generator of 32-bit numbers. */
typedef struct wl_rng {
  uint32_t a, b, c, d;
} wl_rng;
void wl_rng_init(wl_rng *r, uint32_t seed);
uint32_t wl_u32(wl_rng *r);
uint32_t wl_int(wl_rng *r, uint32_t n);              /* 0..n-1 */
int64_t wl_range(wl_rng *r, int64_t lo, int64_t hi); /* lo..hi */
void wl_bytes(wl_rng *r, void *p, size_t n);

typedef enum wl_kind { WL_SLEEP = 0, WL_ACTIVITY = 1, WL_CONTACT = 2 } wl_kind;
/* Kind id of the ops; version 1. Field ids are 10 + index in the kind's list of fields; the last is the note
 * (text), all others are integers. */
#define WL_KIND_ID(kind) (3000u + (unsigned)(kind))
#define WL_FIELD_ID(index) (10u + (unsigned)(index))
uint32_t wl_kind_fields(wl_kind k); /* number of fields, note included */
const char *wl_kind_name(wl_kind k);
const char *wl_field_name(wl_kind k, uint32_t index);
const char *wl_code_name(wl_kind k, uint32_t index, int64_t code); /* NULL when the field is no code list */

typedef struct wl_record {
  wl_kind kind;
  uint32_t uuid[4];         /* identity in the JSON form only */
  uint32_t client, author;  /* index in the team */
  int64_t v[WL_FIELDS_MAX]; /* by field index; times are UTC seconds, code lists their index */
  char note[WL_NOTE_MAX];
} wl_record;

/* One op: a new record, or an edit of 1 or 2 fields. */
typedef struct wl_op {
  bool put, of_base;      /* edit: of a record of the base, else of this list */
  uint32_t record;        /* index in the base's records, or among the puts of this list */
  int64_t t;              /* when it was written */
  wl_record rec;          /* put: the record; edit: kind and the new values */
  uint32_t n_set, set[2]; /* edit: field indexes in order of change */
} wl_op;

typedef struct wl_base {
  wl_record *recs;
  wl_op *ops;
  uint32_t n_recs, n_ops;
  int64_t t;
  uint32_t seed;
} wl_base;
/* n records, 30 % of them edited. 0, or -1 when out of memory. */
int wl_base_make(wl_base *b, uint32_t seed, uint32_t n);
void wl_base_free(wl_base *b);
void wl_shift_make(wl_op ops[WL_SHIFT_OPS], uint32_t seed, uint32_t tablet, const wl_base *b);
/* One op as a JSON line; with_kind: edits carry their kind. The team's ids stand in the JSON form only. */
typedef struct wl_json_team {
  uint32_t clients[WL_CLIENTS][4], staff[WL_STAFF][4];
} wl_json_team;
void wl_json_team_make(wl_json_team *team, uint32_t seed);
void wl_op_json(const wl_op *op, const wl_json_team *team, bool with_kind, ov_buf *out);

/* The same as ops with made-up names: a server (writer of participants and staff) and WL_TABLETS tablets.
 * Tags are random, as real ones look. The base's ops are spread over the tablets; a shift continues the log
 * of tablet % WL_TABLETS. */
typedef struct wl_named {
  ov_id server, tablets[WL_TABLETS];
  ov_name clients[WL_CLIENTS], staff[WL_STAFF];
  uint64_t next_seq[WL_TABLETS];
  ov_op *base;
  uint32_t n_base;                  /* in the order of base->ops */
  uint32_t *base_created;           /* record -> its op in base */
  ov_name (*latest)[WL_FIELDS_MAX]; /* record, field -> op with the live value; seq 0: none */
  ov_arena arena;
} wl_named;
int wl_named_make(wl_named *m, const wl_base *b);
void wl_named_free(wl_named *m);
/* The ops of a shift; they live in the arena. */
int wl_named_shift(wl_named *m, const wl_op ops[WL_SHIFT_OPS], uint32_t seed, uint32_t tablet, ov_arena *a,
                   ov_op out[WL_SHIFT_OPS]);
/* Record `i` of the base as it is now, as rows: the creating op with the values that are still live, then
 * each edit that holds one. At most 1 + WL_FIELDS_MAX rows; gives their number. Without replaces, as catch-up
 * sends them. */
uint32_t wl_named_rows(const wl_named *m, const wl_base *b, uint32_t i, ov_arena *a,
                       ov_op rows[1 + WL_FIELDS_MAX]);

#endif
