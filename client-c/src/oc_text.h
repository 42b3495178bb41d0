/* Values from text and to text, by the schema's field. Pure functions: what they need of the store (names of
 * people, teams) comes as callbacks. */
#ifndef OC_TEXT_H
#define OC_TEXT_H

#include "oc_zone.h"
#include "ov/schema.h"
#include "overdracht.h"

typedef struct oc_text_env {
  const oc_zone *zone;
  int64_t now; /* seconds, for "now" and "today" */
  ov_arena *a; /* what is made lives here */
  /* Record of that kind by id or by what it is called; fills e (may be NULL). 0 or an oc_err. */
  int (*find)(void *ctx, uint16_t kind, const char *text, ov_name *out, oc_error *e);
  int (*find_team)(void *ctx, const char *text, uint32_t *scope, oc_error *e);
  /* What it is called; "" when it is not here. In the arena, NULL when that is full. */
  const char *(*label)(void *ctx, const ov_name *record);
  const char *(*team_label)(void *ctx, uint32_t scope);
  void *ctx;
} oc_text_env;

/* The built-in field 1 as people name it. */
#define OC_FIELD_RETRACTION "retraction"

/* Text of one field to its value; what the schema refuses is refused here, with the exact reason in English
 * (after the field's name) and Dutch (after its label). "" gives nil. A set: exact says that elements not
 * named are to go ("=1,2", or "" for none), else the value adds and deletes. 0, OC_E_INVALID, OC_E_NOTFOUND
 * (a reference to nothing), OC_E_NOMEM. */
int oc_value_read(const oc_text_env *env, const ov_skind *k, const ov_sfield *f, const char *text,
                  ov_value *out, bool *exact, oc_error *e);

/* Ready to show. f NULL: a field that no schema here knows. v is never a set. NULL: the arena is full. */
const char *oc_value_text(const oc_text_env *env, const ov_sfield *f, const ov_value *v, bool dutch);
/* As oc_value_read takes it back; "" for nil and for bytes, which are not read from text. */
const char *oc_value_raw(const oc_text_env *env, const ov_sfield *f, const ov_value *v);
bool oc_ftype_is_set(ov_ftype t);

/* Arena strings; NULL when it is full. */
char *oc_fmt(ov_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define OC_MOMENT_TEXT 56
void oc_date_text(int64_t day, bool dutch, char out[OC_MOMENT_TEXT]); /* 2026-03-28; 28-03-2026 */
/* Local time, with the offset where the clock shows it twice: 2026-10-25 02:30 (+01:00). Seconds only when
 * there are any. */
void oc_moment_text(const oc_zone *z, int64_t utc, bool dutch, char out[OC_MOMENT_TEXT]);
void oc_moment_raw(const oc_zone *z, int64_t utc,
                   char out[OC_MOMENT_TEXT]); /* RFC 3339 with the zone's offset */
int64_t oc_local_day(const oc_zone *z, int64_t utc);
/* Codes for what is missing, -97 to -99; 0 when the word is none. */
int32_t oc_missing_code(const char *word);
const char *oc_missing_word(int64_t code, bool dutch); /* NULL when it is none */

/* ASCII letters without case, other bytes as they are. */
bool oc_same_word(const char *a, const char *b);
/* Leaves out what is no UTF-8: a character cut by a buffer's end, bytes that somebody typed. */
void oc_whole_chars(char *text);
/* A whole number and nothing else. */
bool oc_whole_number(const char *text, int64_t *out);

#endif
