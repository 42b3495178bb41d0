/* One question to the C core, as a JSON object, and its answer, in the notation of the vectors. What the core
 * refuses is answered with {"error": slug}. */
#ifndef OV_ASK_H
#define OV_ASK_H

#include "vec.h"

typedef json_t *(*ask_fn)(vec *v, json_t *question);
typedef struct ask_entry {
  const char *what;
  ask_fn fn;
} ask_entry;

/* Each ends with a NULL name. */
extern const ask_entry ask_ops[], ask_records[], ask_wire[];

json_t *ask_error(int err);
/* An array of ops, one after the other in the arena; *n their number. */
ov_op *ask_read_list(vec *v, json_t *list, size_t *n);

#endif
