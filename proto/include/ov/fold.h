/* The fold: the state of a record is a pure function of the set of its ops and their verdicts; it cannot
 * depend on the order of delivery. For each field (for each element in a set field) the live values are those
 * that no counting op replaces.
 *
 *  - An op counts when its verdict is APPLIED. HELD, DISMISSED, WAITING, VOID and ERASED ops give no value.
 *  - A cell is a field, or a field and an element where the value is a set. A single value and the elements
 *    of a set in one field are cells of their own (this happens under unknown schemas only). A set value
 *    without elements carries no cell.
 *  - Op R replaces op N in a cell when both carry it and R names N in `replaces`. R's replacements count when
 *    R is applied, or when R is held/dismissed and itself replaced in that cell by an op whose replacements
 *    count (no false conflict across a held link). This is the least set that satisfies it: held ops that
 *    name each other in a circle count for nothing. An op that names itself (only a forged tag can) does not
 *    replace itself; names that are not among the ops replace nothing.
 *  - So a retraction, which carries field 1 only, kills no value of another field.
 *  - Two or more different live values of a cell (for an element: added and deleted) are a conflict; equal
 *    values are none. Shown first: the latest by (corrected time, then name).
 *  - A live value in field 1 other than nil retracts the record. It saw the ops it names, and its own. A live
 *    value of any other field whose op no live retraction saw makes the record a conflict again (unseen), as
 *    does a live nil beside it. A nil that replaces it undoes it.
 *  - corrected time = min(device time + clock offset, server time) by the earliest receipt of the op,
 *    saturating. */
#ifndef OV_FOLD_H
#define OV_FOLD_H

#include "ov/op.h"

/* PROTO-87 */
typedef enum ov_verdict {
  OV_WAITING = 0,
  OV_APPLIED = 1,
  OV_HELD = 2,
  OV_DISMISSED = 3,
  OV_VOID = 4,
  OV_ERASED = 5
} ov_verdict;

/* Why an op is held; travels in receipts, ACK and DELTA; never renumbered. PROTO-91 */
typedef enum ov_held {
  OV_HELD_NONE = 0,
  OV_HELD_TYPE = 1,
  OV_HELD_RANGE = 2,
  OV_HELD_CODE = 3,
  OV_HELD_LENGTH = 4,
  OV_HELD_UNKNOWN_FIELD = 5,
  OV_HELD_AUTHOR = 6,
  OV_HELD_DEVICE = 7,
  OV_HELD_SCOPE = 8,
  OV_HELD_ERASED = 9,
  OV_HELD_KIND = 10,
  OV_HELD_REF = 11,
  OV_HELD_REVOKED = 12,
  OV_HELD_FROZEN = 13,
  OV_HELD_COUNT
} ov_held;
const char *ov_held_text_en(int reason); /* static, never NULL */
const char *ov_held_text_nl(int reason); /* Dutch, B1, for carers */

/* One op with what the log's receipts and rulings make of it. */
typedef struct ov_fold_in {
  const ov_op *op;
  ov_verdict verdict;
  uint8_t reason;       /* ov_held, for HELD */
  int64_t server_time;  /* seconds, of the earliest receipt; INT64_MAX while there is none */
  int64_t clock_offset; /* seconds to add to the device's time, of the earliest receipt */
} ov_fold_in;

#define OV_ROP_CLOCK_SUSPECT 1u /* |offset| > OV_CLOCK_SUSPECT_S at the receipt */

/* An applied op that still holds a live value, or created the record. */
typedef struct ov_rop {
  ov_name name;
  bool has_author;
  ov_name author;
  int64_t time;
  uint8_t flags;
} ov_rop;

/* A live value, never a SET. In a set field one entry per element: elem is the element and v is INT 1 (added)
 * or INT 0 (deleted). */
typedef struct ov_live {
  uint16_t field;
  bool is_elem;
  ov_value elem, v;
  uint32_t op; /* index in ops */
} ov_live;

typedef struct ov_heldop {
  ov_name name;
  uint8_t verdict;
  uint8_t reason;
} ov_heldop; /* HELD or DISMISSED */

typedef struct ov_record {
  ov_name name;
  /* version: the highest among its applied ops and the op that gives the header */
  uint16_t kind, version;
  uint32_t scope; /* of the creating op */
  bool has_participant;
  ov_name participant;
  bool created; /* the creating op is known and applied; then it is among ops */
  ov_rop *ops;
  uint32_t n_ops; /* ascending names */
  /* ascending (field, elem), then latest (time, name) first: the shown value leads */
  ov_live *live;
  uint32_t n_live;
  ov_heldop *held;
  uint32_t n_held; /* ascending names */
  ov_name *seen;
  uint32_t n_seen; /* those of ops that a live retraction names, ascending */
} ov_record;

/* Folds ops of one record (any order, no duplicates by name; n >= 1). Everything in out lives in the arena,
 * values borrow from the ops. 0, OV_E_NOMEM, OV_E_LIMIT (over OV_RECORD_OPS_MAX, _VALUES_MAX or _LINKS_MAX),
 * OV_E_INVALID (a name twice). Header parts (kind, participant, scope) come from the creating op if present,
 * whatever its verdict, else from the op with the smallest name; a void op has none to give. Scratch memory
 * comes from the arena too: a usual record takes a few KiB. */
int ov_fold(const ov_fold_in *ops, size_t n, ov_arena *a, ov_record *out);

/* The state after one more op; what base points to is not changed, out borrows from both
 * and may be base's own struct. Equals folding the whole set again provided that base is NULL or
 * created, that no op of base names the new one, that the new one names no held op of base (what that op
 * replaces is not known here), and that it replaces all live retractions or none (what each of them saw is
 * not known apart). Outside this the result errs only until the next DELTA. An op that base already lists
 * changes nothing. Used by clients for their own ops. */
int ov_fold_absorb(const ov_record *base, const ov_fold_in *op, ov_arena *a, ov_record *out);

typedef enum ov_retract_state { OV_LIVE, OV_RETRACTED, OV_RETRACT_CONFLICT } ov_retract_state;
/* RETRACT_CONFLICT: retracted, but a value is unseen or a nil in field 1 is live too. Two retractions with
 * different reasons agree. */
ov_retract_state ov_record_retracted(const ov_record *r);
/* First live entry of a field, or NULL; count of entries in *n (n may be NULL). */
const ov_live *ov_record_field(const ov_record *r, uint16_t field, uint32_t *n);
/* Different live values of this field (for sets: of any element)? For field 1 also: a retraction in
 * conflict. */
bool ov_record_field_conflict(const ov_record *r, uint16_t field);
/* Number of cells in conflict; the retraction counts as one at most. */
uint32_t ov_record_conflicts(const ov_record *r);
/* The names to put in `replaces` of an op that writes `field` (all its elements) having seen this record:
 * ascending, in an arena array, at most OV_OP_REPLACES_MAX (the shown ones first; a second op settles the
 * rest). 0 or OV_E_NOMEM. */
int ov_record_replaces(const ov_record *r, uint16_t field, ov_arena *a, ov_name **names, uint32_t *n);
/* Names of all ops holding live values: what a retraction names; same bounds. */
int ov_record_seen_all(const ov_record *r, ov_arena *a, ov_name **names, uint32_t *n);

/* Canonical encoding (equal states give equal bytes; hashed for positions and used by caches and client
 * stores). */
void ov_record_encode(const ov_record *r, ov_buf *out);
/* Borrows bytes. OV_E_FORMAT when it is not such an encoding (order and indices included), OV_E_LIMIT,
 * OV_E_NOMEM. */
int ov_record_decode(const uint8_t *p, size_t n, ov_arena *a, ov_record *out);

/* A record as rows for the row codec, and back. The first row always is the creating op's, others follow by
 * name; a record whose creating op is not applied gets a row without fields in its place, so that kind, scope
 * and participant travel, and the caller sends not_created beside it. Every row names the record and carries
 * its header; the corrected time travels in device_time; replaces is empty. */
int ov_record_to_rows(const ov_record *r, ov_arena *a, ov_op **rows, size_t *n);
/* 0, OV_E_FORMAT (no creating row, another record's row, a name twice), OV_E_LIMIT, OV_E_NOMEM. Values borrow
 * from the rows. Then the caller puts back what travels beside them. */
int ov_record_from_rows(const ov_op *rows, size_t n, ov_arena *a, ov_record *out);
/* Puts back what rows do not carry: drops the stand-in row when not_created, sets flags (one for each of
 * r->ops in order; n_flags 0 means all 0), held and seen (borrowed). OV_E_FORMAT when they do not fit the
 * record. */
int ov_record_put_beside(ov_record *r, bool not_created, const uint8_t *flags, uint32_t n_flags,
                         ov_heldop *held, uint32_t n_held, ov_name *seen, uint32_t n_seen);

#endif
