/* Shared by the files of the importer only. A map is parsed into fields with slots (one slot per field name);
 * each row of the file becomes a draft (one value per slot); drafts are merged, checked and become rows. */
#ifndef IMPORT_INTERNAL_H
#define IMPORT_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include "oc_import.h"
#include "ov/arena.h"
#include "ov/mp_read.h"

enum { DAY_S = 86400, HOUR_S = 3600, NOON_S = 12 * HOUR_S };

/* -- the map
 * ------------------------------------------------------------------------------------------------- */
typedef enum ftype {
  FT_INT,
  FT_MINUTES,
  FT_BOOL,
  FT_CODE,
  FT_CODES,
  FT_DATE,
  FT_DATETIME,
  FT_TIME,
  FT_NIGHT,
  FT_TEXT,
  FT_STATE,
  FT_COUNT
} ftype;
typedef enum sleep_state { ST_TO_SLEEP = 1, ST_ASLEEP, ST_AWAKE, ST_UP, ST_BROKEN } sleep_state;
typedef enum encoding { ENC_AUTO, ENC_UTF8, ENC_1252, ENC_COUNT } encoding;
typedef enum decimal { DEC_AUTO, DEC_POINT, DEC_COMMA } decimal;
typedef enum date_order { ORDER_DMY, ORDER_MDY, ORDER_YMD } date_order;
typedef enum overlap { OVERLAP_ORDER, OVERLAP_SECOND, OVERLAP_REJECT } overlap;
typedef enum client_source {
  CLIENT_NONE,
  CLIENT_COLUMN,
  CLIENT_FIXED,
  CLIENT_OPTION,
  CLIENT_PREAMBLE
} client_source;

typedef struct map_value {
  const char *text, *to;
  int64_t code;
} map_value;
typedef struct map_values {
  map_value *v;
  unsigned n;
} map_values;
/* "column" = "a", "b"; column is an index into map.columns. */
typedef struct map_cond {
  bool set;
  unsigned column;
  const char **values;
  unsigned n;
} map_cond;
typedef struct map_list {
  unsigned *slot;
  unsigned n;
} map_list;

typedef struct map_field {
  unsigned line, slot;
  ftype type;
  bool has_type, has_fixed, has_empty, round, optional, morning, has_day;
  unsigned from[OC_IMPORT_FROM_MAX], n_from;
  const char *fixed;
  int64_t fixed_int, empty;
  int64_t unit_s; /* FT_MINUTES: seconds that a plain number counts */
  const char *of; /* FT_NIGHT: name of the time that decides */
  unsigned of_slot;
  const char *split; /* FT_CODES */
  map_cond when;
  map_values values;
} map_field;

typedef struct map_slot {
  const char *name;
  ftype type;
  bool hidden;
} map_slot;

struct oc_import_map {
  ov_arena arena;
  const char *kind, *zone, *end;
  char delimiter; /* 0: auto */
  encoding enc;
  decimal dec;
  date_order order;
  overlap over;
  bool gap_forward, change, merge, descending;
  const char **missing;
  unsigned n_missing;
  const char *columns[OC_IMPORT_COLUMNS_MAX];
  bool needed[OC_IMPORT_COLUMNS_MAX];
  unsigned n_columns;
  map_cond keep, skip;
  client_source client;
  unsigned client_column;
  const char *client_text; /* fixed text, or the label in the preamble */
  map_values client_values;
  map_field fields[OC_IMPORT_MAP_FIELDS_MAX];
  unsigned n_fields;
  map_slot slots[2 * OC_IMPORT_MAP_FIELDS_MAX];
  unsigned n_slots;
  map_list key, needs, sequence, sum;
  bool has_fits;
  unsigned fits_from, fits_to;
  unsigned night;     /* slot of the date that times of day belong to; n_slots: none */
  unsigned at, state; /* each_row = change */
  unsigned night_base;
  int64_t nap_from, nap_to; /* seconds of the day, -1: naps are not told apart */
  int64_t join_s;           /* out of bed shorter than this is one night */
  int64_t nap_max_s;
};

/* Slot by name, or m->n_slots. */
unsigned map_slot_find(const oc_import_map *m, const char *name);
oc_import_type map_slot_type(const oc_import_map *m, unsigned slot);
/* Slots of a folded night: made by `each_row = change` in this order, from slot night_base on. */
enum night_slot { NS_DATE, NS_BED, NS_TRY, NS_SOL, NS_WAKES, NS_WASO, NS_WAKE, NS_UP, NS_NAP, NS_COUNT };
extern const struct night_slot_def {
  const char *name;
  ftype type;
} NIGHT_SLOTS[NS_COUNT];

/* Words of a map line: quoted texts, bare words, '=' and ','. */
typedef struct token {
  const char *text;
  bool quoted;
} token;
typedef struct tokens {
  token t[OC_IMPORT_MAP_TOKENS_MAX];
  unsigned n;
} tokens;

/* Parsing of a map with a sticky error. */
typedef struct map_parser {
  oc_import_map *m;
  oc_import_error *err;
  unsigned line;
  int failed; /* 0 or ov_err */
  int section;
  map_field *field;
  tokens tok;
} map_parser;
void map_fail(map_parser *p, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Splits one line into p->tok. */
void map_tokens(map_parser *p, const char *s, size_t n);
/* Handles a line `key = …` of the section the parser is in. */
void map_file_line(map_parser *p, const char *key);
void map_rows_line(map_parser *p, const char *key);
void map_client_line(map_parser *p, const char *key);
void map_field_line(map_parser *p, const char *key);
/* What must hold between sections. */
void map_check(map_parser *p);
/* Pieces of a line, from token i on. */
const char *map_one(map_parser *p, const char *what);
int map_choice(map_parser *p, const char *const *names);
bool map_yes(map_parser *p);
int64_t map_int(map_parser *p, int64_t lo, int64_t hi);
unsigned map_column(map_parser *p, const char *name, bool needed);
void map_cond_line(map_parser *p, map_cond *c);
const char **map_texts(map_parser *p, unsigned from, unsigned *n);
void map_value_line(map_parser *p, map_values *v, bool to_int);
bool map_whole(const char *s, int64_t *out);
void map_add_night_slots(map_parser *p);

/* -- one import
 * ---------------------------------------------------------------------------------------------- */
typedef enum vkind { V_NONE, V_INT, V_CODE, V_TEXT, V_SET, V_LOCAL, V_CLOCK } vkind;
/* V_CODE: a missing code. V_LOCAL: local seconds, V_CLOCK: seconds of the day, both still to be placed in
 * time. */
typedef struct value {
  vkind kind;
  int64_t i, local; /* local: what the clock showed, for times that are placed */
  bool has_local;
  const char *text;
  const int64_t *codes;
  size_t n_codes;
} value;

typedef struct cell {
  const char *p;
  size_t n;
} cell;
typedef struct record {
  unsigned line, next_line;
  const char *raw;
  size_t raw_n;
  cell cells[OC_IMPORT_COLUMNS_MAX];
  unsigned n;
  const char *broken; /* why its cells cannot be told apart, or NULL */
} record;

typedef struct draft {
  const char *client;
  value *v; /* one per slot */
  unsigned line, last_line, seq;
  bool dropped;
  const char *raw;
  uint8_t key[OC_IMPORT_KEY_BYTES];
} draft;

typedef struct change {
  const char *client; /* NULL: not known */
  unsigned line, seq;
  sleep_state state;
  value at;
  const char *raw;
} change;

typedef struct problems {
  oc_import_problem *p;
  size_t n, cap, unlisted;
} problems;

typedef struct result_box {
  oc_import_result r;
  ov_arena arena;
} result_box;

typedef struct importer {
  const oc_import_map *m;
  const oc_zone *zone;
  const char *client;
  result_box *box;
  ov_arena *a;
  oc_import_error *err;
  int failed;       /* sticky: memory, limits, no text */
  const char *text; /* the whole file as UTF-8 */
  size_t n, pos;
  unsigned line;
  char delimiter;
  int cell_of[OC_IMPORT_COLUMNS_MAX];
  unsigned n_header;
  const char *preamble_client;
  draft *drafts;
  size_t n_drafts, cap_drafts;
  change *changes;
  size_t n_changes, cap_changes;
  problems bad, notes;
  record rec;
  char reason[OC_IMPORT_REASON_MAX];
  const char *column; /* of the reason */
} importer;

/* problems.c: memory, and what is said of a file and its lines. */
int import_fail(importer *im, int err, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Zeroed memory or NULL with the importer failed. */
void *import_alloc(importer *im, size_t n);
char *import_copy(importer *im, const char *p, size_t n);
/* Room for one more in a growing arena array. */
void *import_more(importer *im, void *p, size_t n, size_t *cap, size_t size, size_t max, const char *what);
/* Sets the reason why the present row cannot be used; returns false. */
bool import_no(importer *im, const char *column, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void import_bad(importer *im, unsigned line, const char *column, const char *reason, const char *raw);
void import_note(importer *im, unsigned line, const char *column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Start of a row's text, for reports. */
const char *import_raw(importer *im, const char *p, size_t n);

/* text.c: any of the encodings to UTF-8. */
void import_decode(importer *im, const uint8_t *p, size_t n);
/* table.c */
bool table_next(importer *im, char delimiter, record *r);
void table_find_header(importer *im);
bool same_text(const char *p, size_t n, const char *name);
cell trimmed(cell c);
/* value.c: false and a reason when the text is none of its type. Texts are trimmed and not empty. */
typedef struct clock_text {
  int64_t days;
  bool has_days;
  int64_t seconds;
  bool has_seconds;
  bool has_offset;
  int64_t offset;
} clock_text;
bool parse_thousandths(importer *im, cell c, int64_t *out);
bool parse_int(importer *im, cell c, bool round, int64_t *out);
bool parse_minutes(importer *im, cell c, int64_t unit_s, int64_t *out);
bool parse_bool(importer *im, cell c, int64_t *out);
/* clock.c */
bool parse_when(importer *im, cell c, bool date_wanted, bool time_wanted, clock_text *out);
/* "22:30", "2026-03-29 02:30" for reports. */
void show_local(int64_t local, bool with_date, char out[40]);
/* field.c */
bool cells_fit(importer *im); /* can the cells of the present record be told apart? */
bool cond_holds(const importer *im, const map_cond *c);
cell column_cell(const importer *im, unsigned column);
value fixed_value(importer *im, const map_field *f);
bool read_fields(importer *im, value *v);
bool read_client(importer *im, const char **client);
/* times.c */
bool place_one(importer *im, const char *name, value *v, bool has_before, int64_t before);
bool place_times(importer *im, value *v);
int64_t night_of(int64_t local);
/* changes.c */
void read_change(importer *im);
void fold_changes(importer *im);
/* drafts.c */
void add_draft(importer *im, const char *client, value *v, unsigned line, unsigned last_line,
               const char *raw);
void finish_drafts(importer *im);

#endif
