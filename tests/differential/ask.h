/* One question to the C core, as a JSON object, and its answer. The notation is that of the vectors; an op
 * whose payload is no canonical payload carries it as "payload" (hex) in place of fields and replaces. What
 * the core refuses is answered with {"error": slug}. */
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
ov_op *ask_read_op(vec *v, json_t *j);
json_t *ask_op(const ov_op *op); /* as vec_op, broken payloads included */
/* An array of ops, one after the other in the arena; *n their number. */
ov_op *ask_read_list(vec *v, json_t *list, size_t *n);

#endif
