/* The fold: the state of a record is a pure function of the set of its ops and their verdicts; it cannot depend on the order of
 * delivery. For each field (for each element in a set field) the live values are those that no counting op replaces.
 *
 *  - An op counts when its verdict is APPLIED. HELD, DISMISSED, WAITING and VOID ops give no value.
 *  - Op R replaces op N in field f (element e) when R carries f (and e) and names N in `replaces`. R's replacements count when R is
 *    applied, or when R is held/dismissed and itself replaced in that field (element) by an op whose replacements count (no false
 *    conflict across a held link).
 *  - Two or more different live values of a field (for an element: added and deleted) are a conflict. Shown first: the latest by
 *    (corrected time, then name).
 *  - A retraction (field 1, a text) names the ops it saw; a live value of an applied op that it did not see makes the record a
 *    conflict again (unseen). A nil in field 1 undoes it.
 *  - corrected time = min(device time + clock offset, server time) by the earliest receipt of the op. */
#ifndef OV_FOLD_H
#define OV_FOLD_H

#include "ov/op.h"

typedef enum ov_verdict { OV_WAITING = 0, OV_APPLIED = 1, OV_HELD = 2, OV_DISMISSED = 3, OV_VOID = 4, OV_ERASED = 5 } ov_verdict;

/* Why an op is held; travels in receipts, ACK and DELTA; never renumbered. */
typedef enum ov_held {
  OV_HELD_NONE = 0, OV_HELD_TYPE = 1, OV_HELD_RANGE = 2, OV_HELD_CODE = 3, OV_HELD_LENGTH = 4, OV_HELD_UNKNOWN_FIELD = 5,
  OV_HELD_AUTHOR = 6, OV_HELD_DEVICE = 7, OV_HELD_SCOPE = 8, OV_HELD_ERASED = 9, OV_HELD_KIND = 10, OV_HELD_REF = 11,
  OV_HELD_REVOKED = 12, OV_HELD_FROZEN = 13, OV_HELD_COUNT
} ov_held;
const char *ov_held_text_en(int reason);   /* static, never NULL */
const char *ov_held_text_nl(int reason);   /* Dutch, B1, for carers */

/* One op with what the log's receipts and rulings make of it. */
typedef struct ov_fold_in {
  const ov_op *op;
  ov_verdict verdict;
  uint8_t reason;          /* ov_held, for HELD */
  int64_t server_time;     /* seconds, of the earliest receipt */
  int64_t clock_offset;    /* seconds to add to the device's time, of the earliest receipt */
} ov_fold_in;

#define OV_ROP_CLOCK_SUSPECT 1u   /* |offset| > OV_CLOCK_SUSPECT_S at the receipt */

/* An applied op that still holds a live value, or created the record. */
typedef struct ov_rop { ov_name name; bool has_author; ov_name author; int64_t time; uint8_t flags; } ov_rop;

/* A live value. In a set field one entry per element: elem is the element and v is INT 1 (added) or INT 0 (deleted). */
typedef struct ov_live { uint16_t field; bool is_elem; ov_value elem, v; uint32_t op; /* index in ops */ } ov_live;

typedef struct ov_heldop { ov_name name; uint8_t verdict; uint8_t reason; } ov_heldop; /* HELD or DISMISSED */

typedef struct ov_record {
  ov_name name;
  uint16_t kind, version;      /* version: the highest among its ops */
  uint32_t scope;              /* of the creating op */
  bool has_participant;
  ov_name participant;
  bool created;                /* the creating op is known and applied */
  ov_rop *ops;     uint32_t n_ops;    /* ascending names */
  ov_live *live;   uint32_t n_live;   /* ascending (field, elem), then latest (time, name) first: the shown value leads */
  ov_heldop *held; uint32_t n_held;   /* ascending names */
  ov_name *seen;   uint32_t n_seen;   /* union of `replaces` of the live retractions, ascending */
} ov_record;

/* Folds ops of one record (any order, no duplicates by name; n >= 1). Everything in out lives in the arena, values borrow from the
 * ops. 0, OV_E_NOMEM, OV_E_LIMIT (over OV_RECORD_OPS_MAX). Header parts (kind, participant, scope) come from the creating op if
 * present, else from the op with the smallest name. */
int ov_fold(const ov_fold_in *ops, size_t n, ov_arena *a, ov_record *out);

/* The state after one more op: equals folding the whole set again provided the record has no held ops and no stored op names
 * the new one. base may be NULL (op creates). Used by clients for their own ops. */
int ov_fold_absorb(const ov_record *base, const ov_fold_in *op, ov_arena *a, ov_record *out);

typedef enum ov_retract_state { OV_LIVE, OV_RETRACTED, OV_RETRACT_CONFLICT } ov_retract_state;
ov_retract_state ov_record_retracted(const ov_record *r);
/* First live entry of a field, or NULL; count of entries in *n (n may be NULL). */
const ov_live *ov_record_field(const ov_record *r, uint16_t field, uint32_t *n);
/* Different live values of this field (for sets: of any element)? */
bool ov_record_field_conflict(const ov_record *r, uint16_t field);
/* Number of fields (elements) in conflict, the retraction included. */
uint32_t ov_record_conflicts(const ov_record *r);
/* The names to put in `replaces` of an op that writes `field` (all its elements) having seen this record. Arena array. */
int ov_record_replaces(const ov_record *r, uint16_t field, ov_arena *a, ov_name **names, uint32_t *n);
/* Names of all ops holding live values: what a retraction names. */
int ov_record_seen_all(const ov_record *r, ov_arena *a, ov_name **names, uint32_t *n);

/* Canonical encoding (equal states give equal bytes; hashed for positions and used by caches and client stores). */
void ov_record_encode(const ov_record *r, ov_buf *out);
int ov_record_decode(const uint8_t *p, size_t n, ov_arena *a, ov_record *out);   /* borrows bytes */

/* A record as rows for the row codec (creating or first op first, others after), and back. The header of every row names the
 * record; time travels in device_time. held, seen, flags and created travel beside the rows in DELTA (see msg.h). */
int ov_record_to_rows(const ov_record *r, ov_arena *a, ov_op **rows, size_t *n);
int ov_record_from_rows(const ov_op *rows, size_t n, ov_arena *a, ov_record *out);

#endif
