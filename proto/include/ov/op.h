/* An op: the immutable unit of change. Its header is schema-independent, its payload holds fields and the
 * names of the ops whose values of these fields it replaces. The canonical encodings below are what the chain
 * hashes. */
#ifndef OV_OP_H
#define OV_OP_H

#include "ov/arena.h"
#include "ov/error.h"
#include "ov/limits.h"
#include "ov/mp_read.h"
#include "ov/mp_write.h"
#include "ov/name.h"

/* Field 1 of every kind: the retraction ("entered in error"), a text that says why; nil undoes it. */
#define OV_FIELD_RETRACTED 1

/* Kinds the protocol itself gives a meaning; all others are data. */
#define OV_KIND_SCHEMA 1 /* built in: fields 2 kind id (int), 3 version (int), 4 body (bytes) */
#define OV_KIND_ORGANISATION 2
#define OV_KIND_TEAM 3
#define OV_KIND_PERSON 4
#define OV_KIND_DEVICE 5
#define OV_KIND_PARTICIPANT 6
#define OV_KIND_RULING 15
#define OV_KIND_ERASURE 16 /* a participant was erased: whoever receives it purges */
#define OV_KIND_PURGE 17   /* a device says that it has */
#define OV_KIND_LOOK 18    /* a device says who looked at whose data on it */

typedef enum ov_vtype { OV_V_NIL, OV_V_INT, OV_V_TEXT, OV_V_BYTES, OV_V_SET } ov_vtype;

typedef struct ov_value ov_value;
struct ov_value {
  ov_vtype type;
  union {
    /* INT: numbers, codes, dates (days), datetimes (UTC seconds) */
    int64_t i;
    /* TEXT (UTF-8), BYTES; borrowed or in an arena */
    struct {
      const uint8_t *p;
      uint32_t n;
    } s;
    struct {
      ov_value *add, *del;
      uint32_t n_add, n_del;
    } set; /* SET: elements are INT or BYTES, ascending, unique, disjoint */
  };
};

typedef struct ov_field {
  uint16_t id;
  ov_value v;
} ov_field;

typedef struct ov_op {
  ov_name name; /* tag is zero until the op is chained */
  /* 0 programme, 1 organisation, 2.. teams: the scope given by the author's side at creation */
  uint32_t scope;
  bool creates; /* the op creates its record; then record == name */
  bool has_participant, has_author;
  ov_name record;
  uint16_t kind, version;
  ov_name participant, author;
  int64_t device_time; /* seconds since 1970 by the device's own clock: a claim */
  ov_field *fields;    /* ascending ids, unique */
  uint32_t n_fields;
  ov_name *replaces; /* ascending, unique */
  uint32_t n_replaces;
  /* Verbatim parts. When set, header/payload are these canonical (or, for a payload, possibly broken)
   * bytes. */
  const uint8_t *header_bytes, *payload_bytes;
  uint32_t header_len, payload_len;
  /* only hashes are known: header_hash and commitment below count, all else but name is empty */
  bool is_void;
  /* commitment is given (void, or an erased participant's op: header known, payload not) */
  bool has_commitment;
  /* OV_E_OP_FORMAT / OV_E_OP_LIMIT when the payload bytes are no payload; 0 otherwise */
  int payload_err;
  ov_hash header_hash, commitment;
} ov_op;

/* Canonical header: MessagePack array [scope, record bin28 | nil, kind, version, participant bin28 | nil,
 * author bin28 | nil, device_time], shortest integers. scope 0..2^32-1, kind 1..OV_KIND_ID_MAX, version
 * 0..65535, device_time within ±OV_TIME_S_MAX, seqs in names 1..OV_SEQ_MAX. Appends op->header_bytes verbatim
 * if they are set. */
void ov_op_header_encode(const ov_op *op, ov_buf *out);
/* Canonical payload: array [map {field id: value} ascending, array of replaced names bin28 ascending]. A
 * value is nil, int, str, bin, or array [[added ...], [deleted ...]]. Field ids 1..OV_FIELD_ID_MAX. Appends
 * op->payload_bytes verbatim if they are set. */
void ov_op_payload_encode(const ov_op *op, ov_buf *out);
/* Decoders fill their part of op; refuse what is not canonical (order, duplicates, longer integers, unknown
 * types, bad UTF-8) with OV_E_OP_FORMAT, what is over a limit with OV_E_OP_LIMIT, and give OV_E_NOMEM when
 * the arena is full. Borrow from the bytes; arrays from the arena. Both set the verbatim bytes to p; the
 * payload decoder also when it refuses them, and then sets payload_err and leaves no fields. Who changes a
 * decoded op afterwards clears them. */
int ov_op_header_decode(const uint8_t *p, size_t n, ov_op *op);
int ov_op_payload_decode(const uint8_t *p, size_t n, ov_arena *a, ov_op *op);
/* Checks order, uniqueness, UTF-8, ranges and limits (encoded size too) of a struct built by hand, so that
 * what passes encodes to bytes that the decoders take. Of a void only the seq counts; of verbatim bytes their
 * length and payload_err. 0, OV_E_OP_FORMAT, OV_E_OP_LIMIT. */
int ov_op_validate(const ov_op *op);
/* Deep copy into the arena; NULL when it is full. */
ov_op *ov_op_dup(const ov_op *op, ov_arena *a);

/* Order: type, then content (ints by value, bytes lexically then by length); sets by adds then deletes. */
int ov_value_compare(const ov_value *a, const ov_value *b);
bool ov_value_equal(const ov_value *a, const ov_value *b);
void ov_value_encode(const ov_value *v, ov_buf *out);
/* Reads one value (canonical form demanded); on error the reader is stuck with OV_E_FORMAT, OV_E_LIMIT or
 * OV_E_NOMEM, which the op decoders turn into the codes for ops. */
void ov_value_decode(ov_mpr *r, ov_arena *a, ov_value *v);
int ov_value_dup(const ov_value *v, ov_arena *a, ov_value *out);
/* The field of that id, or NULL. */
const ov_field *ov_op_field(const ov_op *op, uint16_t id);
static inline ov_value ov_int(int64_t i) {
  ov_value v = {.type = OV_V_INT, .i = i};
  return v;
}
static inline ov_value ov_nil(void) {
  ov_value v = {.type = OV_V_NIL, .i = 0};
  return v;
}
ov_value ov_text(const char *s);              /* borrows s */
ov_value ov_bytes(const void *p, uint32_t n); /* borrows p */

#endif
