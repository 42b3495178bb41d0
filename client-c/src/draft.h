/* Inside of drafts, shared by draft.c (collecting), draft_op.c (to ops), draft_write.c (on disk) and
 * draft_once.c (imports). */
#ifndef OC_DRAFT_H
#define OC_DRAFT_H

#include "query_find.h"

typedef struct oc_draft_field {
  uint16_t id;
  bool exact;
  ov_value v;
} oc_draft_field;

struct oc_draft {
  oc_store *s;
  char kind_name[OV_FIELD_NAME_MAX + 1];
  uint16_t kind; /* 0 until it is known; schemas may be replaced while a draft lives, so no pointer is kept */
  bool edit;
  ov_name record;             /* of an edit */
  ov_arena seen_arena, arena; /* what the edit saw; values */
  oc_view seen;
  bool has_participant, has_author, has_team;
  ov_name participant, author;
  uint32_t team;
  oc_draft_field fields[OV_OP_FIELDS_MAX];
  uint32_t n_fields;
};

/* Values an op takes the place of, for one field; ascending names in the arena. Default: what the draft's
 * edit saw. */
typedef int (*oc_replaces_fn)(void *ctx, uint16_t field, ov_arena *a, ov_name **names, uint32_t *n);

/* The draft as an op, with header, without name; everything in it is judged. Nothing of an edit left to
 * write: *nothing. t: for looking things up. */
int oc_draft_op(oc_draft *d, oc_txn *t, ov_arena *a, ov_op *op, bool *nothing, oc_error *e);
/* Judges a finished op as the server will, and whether it can be chained, so that oc_log_append does not fail
 * on it. */
int oc_op_check(oc_store *s, oc_txn *t, const ov_op *op, ov_arena *a, oc_error *e);
/* May anything be written in this store, and by hand in this kind? */
int oc_may_write(const oc_store *s, oc_error *e);
const ov_skind *oc_draft_kind(oc_draft *d, oc_error *e);
/* Adds names, kept ascending and unique. OV_E_LIMIT over OV_OP_REPLACES_MAX. */
int oc_names_add(ov_op *op, const ov_name *names, uint32_t n, ov_arena *a);

/* One write transaction; on failure the store's memory is as before. begin fills *before. */
int oc_write_begin(oc_store *s, oc_txn **t, oc_self *before, oc_error *e);
/* err 0: commits. Frees t either way. */
int oc_write_end(oc_store *s, oc_txn *t, const oc_self *before, int err, oc_error *e);

#endif
