/* What the files of the row codec share. One walk over the rows (rows_walk.c) codes every value in both
 * directions; the encoder only prepares what it walks over (rows_encode.c, rows_columns.c), the decoder only
 * checks what came out (rows_decode.c). */
#ifndef OV_ROWS_PRIV_H
#define OV_ROWS_PRIV_H

#include "ov/rows.h"
#include "range_coder.h"

/* What a row's payload is on the wire. */
typedef enum ov_form {
  OV_FORM_FIELDS = 0,
  OV_FORM_VERBATIM = 1,
  OV_FORM_ABSENT = 2,
  OV_FORM_VOID = 3
} ov_form;
/* What a value is on the wire: NAME is a BYTES value of 28 bytes that reads as a name and is coded as a
 * reference. */
typedef enum ov_wire {
  OV_W_NIL = 0,
  OV_W_INT = 1,
  OV_W_TEXT = 2,
  OV_W_BYTES = 3,
  OV_W_SET = 4,
  OV_W_NAME = 5
} ov_wire;
/* Where a name stands; each place has its own statistics. */
typedef enum ov_place {
  OV_AT_RECORD,
  OV_AT_PARTICIPANT,
  OV_AT_AUTHOR,
  OV_AT_REPLACES,
  OV_AT_VALUE,
  OV_AT_COUNT
} ov_place;
/* How `replaces` is told. */
typedef enum ov_told { OV_REPLACES_EXPECTED = 0, OV_REPLACES_NONE = 1, OV_REPLACES_LISTED = 2 } ov_told;

/* Bytes values up to this long go among the bytes that deflate leaves alone: keys, salts and hashes, not
 * documents. */
#define OV_RAW_VALUE_BYTES_MAX 64u
/* Names a place remembers by how recently they stood there. */
#define OV_RECENT_MAX 255u
/* Rows of one record that are looked through for the value that an edit replaces. */
#define OV_LOOKBACK_ROWS_MAX 8u
/* Values a column may set apart, such as the codes for missing. */
#define OV_APART_MAX 4u
/* Working memory of the walk, the same in both directions, so that what can be encoded can be decoded. */
#define OV_ROWS_WORK_BYTES_MAX (8u * 1024u * 1024u)
/* What else an encoder makes: copies of the ops, the columns' values, the map of names. */
#define OV_ROWS_PLAN_BYTES_MAX (64u * 1024u * 1024u)
/* A decoder keeps no more than this of one message's rows, so that the message around them has room in its
 * arena too. */
#define OV_ROWS_KEEP_BYTES_MAX (OV_DECODE_ARENA_BYTES_MAX / 4u * 3u)

#define OV_REF_NONE UINT32_MAX

/* References are numbers: a row of this message is its index, any other name is n_rows + its place in the
 * table of names. */
typedef struct ov_rows_name {
  ov_name name;
  uint32_t last_row;
} ov_rows_name;
typedef struct ov_rows_recent {
  uint32_t ref[OV_RECENT_MAX];
  uint32_t n;
  ov_rc_num rank;
  ov_rc_bit how[4];
} ov_rows_recent;
/* Counted choice among what was met so far, in order of first use. */
typedef struct ov_rows_choice {
  uint32_t *ref, *count;
  uint32_t n, cap, total;
} ov_rows_choice;
typedef struct ov_rows_writer {
  ov_id id;
  uint64_t seq[OV_AT_COUNT], row_seq;
} ov_rows_writer;

typedef enum ov_column_mode {
  OV_COL_PLAIN = 0,
  OV_COL_SECONDS = 1,
  OV_COL_DAYS = 2,
  OV_COL_WIDE = 3
} ov_column_mode;
typedef struct ov_column {
  struct ov_column *next;
  uint32_t of; /* kind, field id */
  bool typed, headed;
  uint8_t type;        /* ov_wire of the last shape that names it */
  uint8_t mode, scale; /* scale: index in ov_rows_scales */
  uint8_t n_apart;
  int64_t apart[OV_APART_MAX];
  int64_t low;
  uint64_t max;
  ov_rc_bit *nodes, *apart_nodes;
  ov_rc_bit is_apart;
  ov_rc_num *wide;
  ov_rc_num *rank; /* for names in values */
  /* encoder: the column's values and the device times of their rows */
  int64_t *x, *t;
  uint32_t n, filled;
} ov_column;

typedef struct ov_shape {
  uint8_t form;
  bool creates, has_participant, has_author;
  uint16_t kind, version;
  uint32_t n_fields;
  uint8_t *ids, *types;
} ov_shape;

typedef struct ov_rows_row {
  uint32_t record, participant, same_record, last_row;
} ov_rows_row;

#define OV_COLUMN_BUCKETS 256u

typedef struct ov_rows {
  const ov_rows_ctx *c;
  ov_rc rc;
  bool decoding;
  ov_arena work; /* tables; freed at the end */
  ov_arena plan; /* encoder: what it prepares; freed at the end */
  ov_arena *out; /* decoder: what the caller keeps */
  uint32_t n;
  ov_op *ops;
  ov_shape *planned; /* encoder: shape of each row */
  ov_rows_row *rows;
  ov_rows_name *names;
  uint32_t n_names, cap_names;
  uint32_t *map; /* encoder: open hash of name -> ref + 1 */
  uint32_t map_mask;
  ov_rows_writer *writers;
  uint32_t n_writers, cap_writers;
  ov_shape *shapes;
  uint32_t n_shapes, cap_shapes;
  struct {
    uint16_t kind, version;
  } * kinds;
  uint32_t n_kinds, cap_kinds;
  ov_column *columns[OV_COLUMN_BUCKETS];
  ov_column scope, time_created, time_edited;
  int64_t last_time, last_created_time;
  bool any_time, any_created;
  /* the two byte runs beside the coded part */
  ov_buf text, raw;                                   /* encoder */
  const uint8_t *text_p, *text_end, *raw_p, *raw_end; /* decoder */
  /* models */
  ov_rows_recent recent[OV_AT_COUNT];
  ov_rows_choice shape_choice, row_writer_choice, people[2];
  ov_rc_num m_count, m_first_time, m_row_seq[2], m_writer, m_seq[OV_AT_COUNT], m_back, m_listed, m_text_len,
      m_bytes_len, m_payload_len, m_kind, m_version, m_kind_index, m_fields[2], m_field_step[2], m_set_len,
      m_set_int;
  ov_rc_num m_low[4], m_max, m_apart;
  ov_rc_bit m_form[4], m_creates, m_has_participant[2], m_has_author[2], m_same_type, m_type[8],
      m_same_participant, m_told[2][4], m_is_record, m_mode[4], m_scale[16], m_n_apart[8], m_element[4];
} ov_rows;

extern const uint32_t ov_rows_scales[16];

/* rows_model.c: tables and references */
int ov_rows_begin(ov_rows *s, const ov_rows_ctx *c, uint32_t n);
void ov_rows_end(ov_rows *s);
void ov_rows_fail(ov_rows *s, int err);
/* Zeroed memory of an arena, or NULL and failed: OV_E_LIMIT when the arena is full, OV_E_NOMEM when the
 * system is. */
void *ov_rows_alloc(ov_rows *s, ov_arena *a, size_t count, size_t size);
int ov_rows_arena_err(const ov_arena *a, size_t wanted);
/* Grows a table in the working memory to hold one more; false and failed when there is no room. */
bool ov_rows_room(ov_rows *s, void **table, uint32_t n, uint32_t *cap, size_t size);
const ov_name *ov_rows_name_of(const ov_rows *s, uint32_t ref);
uint32_t ov_rows_find(const ov_rows *s, const ov_name *name);
void ov_rows_map_add(ov_rows *s, const ov_name *name, uint32_t ref);
uint32_t *ov_rows_last_row(ov_rows *s, uint32_t ref);
void ov_rows_recent_use(ov_rows_recent *l, uint32_t ref);
/* Codes a reference: name is read when encoding. Gives the ref, or OV_REF_NONE on error. rank: the model for
 * the rank, NULL for the place's own. */
uint32_t ov_rows_ref(ov_rows *s, ov_place at, uint32_t row, const ov_name *name, ov_rc_num *rank);
/* The same for participants and authors, which are few and come again. */
uint32_t ov_rows_person(ov_rows *s, ov_place at, uint32_t row, const ov_name *name);
uint32_t ov_rows_writer_index(ov_rows *s, ov_rc_num *m, const ov_id *id);
/* Index among what was met, or n for something new; the caller adds it then. */
uint32_t ov_rows_choose(ov_rows *s, ov_rows_choice *l, uint32_t index);
void ov_rows_choice_add(ov_rows *s, ov_rows_choice *l, uint32_t ref);
void ov_rows_raw(ov_rows *s, uint8_t *p, size_t n);
const uint8_t *ov_rows_text(ov_rows *s, const uint8_t *p, size_t n);
/* Would a value of these bytes in this message be coded as a name? */
bool ov_rows_reads_as_name(const ov_rows *s, const uint8_t *p, size_t n, ov_name *name);
/* Has the name a tag that the receiver completes itself? */
bool ov_rows_in_push(const ov_rows *s, const ov_name *name);

/* rows_columns.c: integer columns */
ov_column *ov_rows_column(ov_rows *s, uint16_t kind, uint16_t field);
void ov_column_plan(ov_column *k, bool with_times);
int64_t ov_column_code(ov_rows *s, ov_column *k, int64_t x, int64_t t);

/* rows_walk.c: every row in both directions */
void ov_rows_walk(ov_rows *s);
ov_wire ov_rows_wire(const ov_rows *s, const ov_value *v);
/* What device times of this row travel relative to; moves on. */
int64_t ov_rows_time_base(const ov_rows *s, bool creates);
void ov_rows_time_seen(ov_rows *s, int64_t t, bool creates);

#endif
