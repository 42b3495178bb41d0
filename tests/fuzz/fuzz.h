/* What the fuzz targets share. Each fuzz_NAME.c is one target: libFuzzer's entry point, seeds, and what must
 * hold for every input. driver.c runs a target without libFuzzer. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "ov/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
/* Gives the target's seeds, made from proto/vectors or by hand, one by one to `add`. */
void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx);

/* Ends the program, which is how a target reports that something does not hold. */
#define FUZZ_MUST(cond) ((cond) ? (void)0 : fuzz_die(__FILE__, __LINE__, #cond))
_Noreturn void fuzz_die(const char *file, int line, const char *what);

/* -- choices: the input as a row of decisions, so that every input means something --------------------------
 * */

typedef struct choices {
  const uint8_t *p;
  size_t n;
} choices;
bool pick_more(const choices *c);
uint8_t pick_u8(choices *c); /* 0 at the end, as all of these */
uint16_t pick_u16(choices *c);
uint32_t pick_below(choices *c, uint32_t n); /* 0..n-1; one byte decides when n <= 256 */
/* Small numbers, and now and then one near a power of two or a limit. */
int64_t pick_int(choices *c);
/* A length byte, then so many bytes (at most max, at most what is left); borrowed. */
const uint8_t *pick_bytes(choices *c, size_t max, size_t *n);

/* -- messages ------------------------------------------------------------------------------------------- */

/* The plain messages of proto/vectors/messages.json. */
typedef struct fuzz_samples {
  unsigned n;
  ov_buf plain[64];
  ov_msg_type type[64];
} fuzz_samples;
const fuzz_samples *fuzz_messages(void);
/* Copies bytes to out with a few edits that the choices ask for: other bytes, heads of MessagePack, cuts,
 * repeats. */
void fuzz_edit(choices *c, const uint8_t *p, size_t n, ov_buf *out);
/* One of the samples, edited. Returns its type before the edits. */
ov_msg_type fuzz_message(choices *c, ov_buf *out);

/* -- ops ------------------------------------------------------------------------------------------------ */

/* Some value; elements and texts live in the arena. */
ov_value fuzz_value(choices *c, ov_arena *a);
/* Ascending fields with values; at most max. */
ov_field *fuzz_fields(choices *c, ov_arena *a, uint32_t max, uint32_t *n);

/* -- files ---------------------------------------------------------------------------------------------- */

/* A whole file of the source tree; free() it. Ends the program when it cannot be read. */
uint8_t *fuzz_file(const char *path_in_tree, size_t *n);
/* Every string under `key` of a vectors file, from hex. */
typedef void (*fuzz_each)(void *ctx, const char *name, const uint8_t *p, size_t n);
void fuzz_vectors(const char *file, const char *key, fuzz_each each, void *ctx);

#endif
