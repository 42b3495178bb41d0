/* A real organisation for tests of the server's core: folders, keyrings, stores, the schemas of proto/schema,
 * teams, people, participants, and tablets with real keys that write real logs. Nothing is mocked but the
 * clock and the random source, so that every run is the same. Whatever goes wrong in here ends the program
 * with a message. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "ov_p256.h"
#include "sv_erase.h"
#include "sv_ingest.h"
#include "sv_kinds.h"
#include "sv_org.h"

#define FX_START_MS 1760000000000 /* 2025-10-09: the clock's start */

typedef struct fx_world {
  char dir[128];   /* removed by fx_close */
  unsigned n_data; /* data folders made */
  sv_sys sys;
  int64_t now_ms;    /* set freely */
  uint64_t random;   /* state of the random source */
  unsigned warnings; /* log lines at WARN or above */
  uint8_t master[OV_KEY_BYTES];
  ov_schemas *schemas;
  ov_hasher *hasher;
  ov_arena arena;   /* for what a test reads; lives until fx_close */
  size_t map_bytes; /* of stores opened from now on; 0: default */
} fx_world;

/* seed: of the random source; different seeds give different ids. */
void fx_open(fx_world *w, uint64_t seed);
void fx_close(fx_world *w);
/* A new data folder in the world's folder; the path lives in the arena. */
const char *fx_data(fx_world *w);
sv_org_options fx_org_options(fx_world *w, const char *data);
sv_org *fx_org(fx_world *w, const char *data, const char *name);
sv_org *fx_programme(fx_world *w, const char *data);
/* The same organisation on another server: a copy of store and keyring in a new data folder, under a new
 * writer. */
sv_org *fx_org_copy(fx_world *w, sv_org *org);

/* Administration, each in its own transaction. */
ov_name fx_local(fx_world *w, sv_org *org, ov_op op, sv_touches *touches); /* sv_ingest_local */
uint32_t fx_team(fx_world *w, sv_org *org, const char *name);              /* gives its scope */
ov_name fx_team_record(fx_world *w, sv_org *org, uint32_t scope);
ov_name fx_person(fx_world *w, sv_org *org, const char *name, const uint32_t *teams, uint32_t n);
/* Another role for a person (sv_role), from now on. */
void fx_role(fx_world *w, sv_org *org, const ov_name *person, int role);
ov_name fx_participant(fx_world *w, sv_org *org, const char *label, const uint32_t *teams, uint32_t n);
/* Writes `fields` over what is there now. */
ov_name fx_change(fx_world *w, sv_org *org, const ov_name *record, ov_field *fields, uint32_t n);
void fx_rule(fx_world *w, sv_org *org, const ov_name *target, int verdict);

/* Values. Sets live in the world's arena. */
#define FX_INT(id, x)                                                                                        \
  {                                                                                                          \
    (id), { .type = OV_V_INT, .i = (x) }                                                                     \
  }
ov_field fx_text(uint16_t id, const char *text);
ov_field fx_set(fx_world *w, uint16_t id, const int64_t *add, uint32_t n_add, const int64_t *del,
                uint32_t n_del);
ov_field fx_ref(fx_world *w, uint16_t id, const ov_name *name);

/* A tablet and its log: ops and heads as it has them. heads[i] is before op i + 1 (seq). */
typedef struct fx_tablet {
  fx_world *w;
  sv_org *org; /* whose keyring gives the commit keys */
  sv_device device;
  ov_p256 *key;
  ov_id writer;
  uint32_t scope; /* of what it creates; its first team */
  ov_name author;
  int64_t clock_off_s; /* added to the world's clock for device times */
  ov_op **ops;
  ov_hash *heads;
  uint32_t n, cap;
  ov_push_key keys[8];
  uint32_t n_keys; /* keys that the organisation's keyring does not have */
  bool send_keys;  /* put them into pushes */
  bool shared_key; /* a clone does not own the key */
} fx_tablet;

/* An enrolled device of these teams with a first author. */
fx_tablet *fx_tablet_new(fx_world *w, sv_org *org, const uint32_t *teams, uint32_t n, const ov_name *author);
/* A cloned image: the same key, writer and log. */
fx_tablet *fx_tablet_clone(const fx_tablet *t);
/* The same device after a reinstall: a new writer and an empty log. */
void fx_tablet_new_writer(fx_tablet *t);
void fx_tablet_free(fx_tablet *t);
/* Chains op at the end of the log (name, device_time and author are filled in when empty); gives its name. */
ov_name fx_add(fx_tablet *t, ov_op op);
ov_name fx_create(fx_tablet *t, uint16_t kind, const ov_name *participant, ov_field *fields, uint32_t n);
/* base: an op of the record, or the record itself, that this tablet wrote; else see fx_edit_of. */
ov_name fx_edit_of(fx_tablet *t, const ov_op *header, const ov_name *record, ov_field *fields, uint32_t n,
                   const ov_name *replaces, uint32_t n_replaces);
/* Edits a stored record having seen its state in org: replaces what is live in these fields. */
ov_name fx_edit(fx_tablet *t, sv_org *org, const ov_name *record, ov_field *fields, uint32_t n);
/* Forgets the payload of an op that was safe: it is sent as a void from now on. */
void fx_drop(fx_tablet *t, uint32_t seq);
/* A payload of these raw bytes (it need not be one). */
ov_name fx_add_raw(fx_tablet *t, ov_op op, const uint8_t *payload, uint32_t n);

/* The push of ops [from, to] (seqs, from 1; to = from - 1: none). *rows keeps the encoded rows; free it after
 * the push. */
void fx_push_in(fx_tablet *t, uint32_t from, uint32_t to, ov_buf *rows, sv_push_in *in);
/* Pushes to org in its own transaction. Returns out->err. Free out->touches. */
int fx_push(fx_tablet *t, sv_org *org, uint32_t from, uint32_t to, sv_push_out *out);
/* Pushes and demands that all was taken. */
void fx_push_ok(fx_tablet *t, sv_org *org, uint32_t from, uint32_t to);

/* For sv_erase_run: each piece of work in a write transaction of its own. ctx is not used. */
int fx_erase_write(void *ctx, sv_org *org, sv_erase_work work, void *arg);

/* Looking, each in its own read transaction; results live in the world's arena. */
bool fx_record(fx_world *w, sv_org *org, const ov_name *record, sv_record_row *out); /* false when unknown */
bool fx_op(fx_world *w, sv_org *org, const ov_name *name, sv_op_row *out);
ov_verdict fx_verdict(fx_world *w, sv_org *org, const ov_name *name,
                      uint8_t *reason);                   /* reason may be NULL */
int64_t fx_int(const sv_record_row *row, uint16_t field); /* shown value; INT64_MIN when none */
bool fx_in_scope(const sv_record_row *row, uint32_t scope);
/* Entries of a scope's position index, in order. */
uint32_t fx_positions(fx_world *w, sv_org *org, uint32_t scope, sv_posent *out, uint32_t max);
/* Walks everything: every record folded again equals its cache, every position index holds each record once
 * where it belongs, heads fit. Returns the number of records. */
uint32_t fx_verify(fx_world *w, sv_org *org);

_Noreturn void fx_die(const char *file, int line, const char *what, int err);
#define FX_MUST(cond) ((cond) ? (void)0 : fx_die(__FILE__, __LINE__, #cond, 0))
#define FX_OK(call)                                                                                          \
  do {                                                                                                       \
    int fx_err_ = (call);                                                                                    \
    if (fx_err_) fx_die(__FILE__, __LINE__, #call, fx_err_);                                                 \
  } while (0)

#endif
