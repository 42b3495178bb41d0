/* Schemas as data: kinds, fields, types, ranges, code lists. Loaded from MessagePack only (a server makes it
 * from JSON files). One schema drives validation, forms, codebook and export.
 *
 * MessagePack form of one kind, an array:
 *  [ id, name str, version, scope 0|1|2, participant 0..3, windowed bool, occurred field id (0: none),
 *  natural_key [field ids; 0 is the participant],
 *    label_nl, label_en, fields [ field ... ] ]
 *  field: [ id, name, type, label_nl, label_en, required bool, required_if [[field id, negate bool, [codes]]
 *  ...] (any one holds),
 *           lo int|nil, hi int|nil, max_length, unit str|nil, exported bool, ref kind id (0: none), codes
 *           [[code, nl, en] ...], missing [codes], help_nl str|nil, help_en str|nil ] */
#ifndef OV_SCHEMA_H
#define OV_SCHEMA_H

#include "ov/fold.h"

#define OV_SCHEMA_FIELD_KIND 2
#define OV_SCHEMA_FIELD_VERSION 3
#define OV_SCHEMA_FIELD_BODY 4

typedef enum ov_ftype {
  OV_F_INT,
  OV_F_BOOL,
  OV_F_CODE,
  OV_F_CODESET,
  OV_F_DATE,
  OV_F_DATETIME,
  OV_F_TEXT,
  OV_F_REF,
  OV_F_REFSET,
  OV_F_SCOPESET,
  OV_F_BYTES,
  OV_F_COUNT
} ov_ftype;
typedef enum ov_pmode { OV_P_NONE, OV_P_OPTIONAL, OV_P_REQUIRED, OV_P_SELF } ov_pmode;

typedef struct ov_code {
  int32_t code;
  const char *nl, *en;
} ov_code;
typedef struct ov_reqif {
  uint16_t field;
  bool negate;
  const int32_t *codes;
  uint32_t n;
} ov_reqif;
typedef struct ov_sfield {
  uint16_t id;
  const char *name;
  ov_ftype type;
  const char *nl, *en;
  bool required;
  const ov_reqif *reqif;
  uint32_t n_reqif;
  bool has_lo, has_hi;
  int64_t lo, hi;
  uint32_t max_length;
  const char *unit;
  bool exported;
  uint16_t ref;
  const ov_code *codes;
  uint32_t n_codes;
  const int32_t *missing;
  uint32_t n_missing;
  const char *help_nl, *help_en;
} ov_sfield;
typedef struct ov_skind {
  uint16_t id, version;
  const char *name;
  uint8_t scope;
  ov_pmode participant;
  bool windowed;
  uint16_t occurred;
  const uint16_t *natural_key;
  uint32_t n_natural_key;
  const char *nl, *en;
  const ov_sfield *fields;
  uint32_t n_fields; /* ascending ids */
} ov_skind;

/* A set of kinds, newest version of each; owns its memory. Reading is thread safe once nobody adds. */
typedef struct ov_schemas ov_schemas;
ov_schemas *ov_schemas_new(void); /* holds kind `schema`; NULL when out of memory */
void ov_schemas_free(ov_schemas *s);
/* What must hold beyond the layout: 1..127 field ids without 1 (the retraction, of every kind), ascending;
 * unique names [a-z][a-z0-9_]*; ids in occurred, natural_key and required_if exist and fit; ranges, codes,
 * max_length (bytes; 0: the protocol's limit) and ref stand only where the type has a use for them; text,
 * bytes and sets of references or scopes are never exported; a missing code is no code and lies in no range;
 * a newer version keeps the name of the kind, and name and type of each field id. */
/* Adds or, if the version is higher, replaces a kind (a lower or equal version is ignored, 0). Pointers to a
 * replaced kind stay valid until free. On OV_E_FORMAT / OV_E_LIMIT `why` (>= OV_ERROR_TEXT_MAX bytes, may be
 * NULL) says what is wrong where. */
int ov_schemas_add(ov_schemas *s, const uint8_t *p, size_t n, char *why);
const ov_skind *ov_schemas_kind(const ov_schemas *s, uint16_t id);
const ov_skind *ov_schemas_by_name(const ov_schemas *s, const char *name);
const ov_skind *ov_schemas_at(const ov_schemas *s, uint32_t i); /* ascending ids; NULL past the end */
/* Field 1 gives the built-in retraction, which is not among k->fields. */
const ov_sfield *ov_skind_field(const ov_skind *k, uint16_t id);
const ov_sfield *ov_skind_by_name(const ov_skind *k, const char *name);

typedef struct ov_problem {
  int reason;
  uint16_t field;
  char text_en[160], text_nl[160];
} ov_problem;
/* Judges an op's values: 0 = fine (also when the kind is unknown or the op's version is newer), else the
 * ov_held reason of the first problem with exact texts in *why (may be NULL). A creating op's scope must be
 * of the kind's level (OV_HELD_SCOPE), and a participant must be named or not as the kind says (OV_HELD_REF;
 * field 0). A field unknown here is fine in an op of an older version: it was dropped since. Does not look at
 * required fields. */
int ov_schema_check_op(const ov_schemas *s, const ov_op *op, ov_problem *why);
/* Judges one value against its field; same result. nil clears and is fine, but not in a set field, where
 * elements are deleted one by one. A deleted element need not be in the code list any more. */
int ov_schema_check_value(const ov_skind *k, const ov_sfield *f, const ov_value *v, ov_problem *why);
/* Fields that a folded record still lacks (required and required-if; a missing code satisfies; nil, an empty
 * text and a set without added elements do not). A condition looks at the shown value (for a set: whether an
 * added element is in the codes); "not in" also holds when there is no value. Ids ascending, at most max;
 * returns the count. */
uint32_t ov_schema_missing(const ov_skind *k, const ov_record *r, uint16_t *ids, uint32_t max);
/* Day of occurrence (days since 1970 UTC) by the kind's `occurred` field's shown value, else (none, or a
 * missing code) by the time of the creating op, else of the earliest op, else 0. Kept within the years 1 to
 * 9999. */
int64_t ov_schema_occurred_day(const ov_skind *k, const ov_record *r);
/* Natural key bytes (canonical MessagePack of shown values), appended; false when the kind has none or a
 * part is lacking or a missing code. Equal bytes within one kind: a possible double. */
bool ov_schema_natural_key(const ov_skind *k, const ov_record *r, ov_buf *out);
/* Is a windowed record outside the window at `now` (seconds)? last_change: server time of its last change
 * (s). The window runs from the later of occurrence and last change, and as occurrence counts no later than
 * last change (else a date in the future would stay for ever), the last change decides. */
bool ov_schema_outside_window(const ov_skind *k, const ov_record *r, int64_t last_change, int64_t now);

#endif
