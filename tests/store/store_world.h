/* A real environment and keyring in a folder of their own, and ops and records to fill them with.
 * Deterministic. */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sv_store.h"

/* Text that stands in payloads, labels and names, and must never be seen in a file. */
#define PLANTED "Mevrouw Geplant sliep slecht"

typedef struct world {
  char folder[64], env_path[96], keyring_path[96], epoch_path[112], data_path[112];
  uint64_t random; /* state of the generator; a test may set it */
  ov_id organisation;
  uint8_t master[OV_KEY_BYTES];
  sv_keyring *keyring;
  sv_env *env;
  ov_arena arena;
  char why[OV_ERROR_TEXT_MAX];
} world;

/* cmocka fixtures: *state is a world with an open environment. */
int world_setup(void **state);
int world_teardown(void **state);
/* Folder and keys only. */
void world_init(world *w);
void world_free(world *w);
sv_env_options world_options(world *w);
int world_open(
    world *w,
    const sv_env_options *o); /* o NULL: world_options; opens the keyring again when it was closed */
void world_close(world *w);   /* environment and keyring */

int world_random(void *ctx, void *p, size_t n);
ov_id make_id(uint8_t n);
ov_name make_name(uint8_t writer, uint64_t seq);
ov_hash make_hash(uint8_t n);
/* An op of writer with a payload that carries PLANTED; participant NULL: none. */
sv_op_row make_op(uint8_t writer, uint64_t seq, const ov_name *participant);
/* A folded record with PLANTED as a live value, in the world's arena. */
sv_record_row make_record(world *w, const ov_name *name, uint16_t kind, const ov_name *participant,
                          int64_t day);

/* One transaction each; every error fails the test. */
sv_txn *must_write(world *w);
sv_txn *must_read(world *w);
void must_commit(sv_txn *t);

/* Is the text (or its bytes) anywhere in the file? */
bool file_contains(const char *path, const void *p, size_t n);
unsigned file_mode(const char *path);
void copy_file(const char *from, const char *to);
bool same_file(const char *a, const char *b);
void flip_bit(const char *path, uint64_t bit);

#endif
