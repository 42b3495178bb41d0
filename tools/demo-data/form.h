/* What somebody fills in: values by the schema's field names. Unknown names end the program, so that a
 * changed schema is noticed. */
#ifndef DD_FORM_H
#define DD_FORM_H

#include "ov/schema.h"

#define DD_FORM_FIELDS_MAX 24
#define DD_FORM_REFS_MAX 4
#define DD_FORM_ELEMS_MAX 80

/* Values point into the form, so it must not move while it is in use; texts are borrowed. */
typedef struct dd_form {
  const ov_skind *kind;
  ov_field fields[DD_FORM_FIELDS_MAX];
  uint32_t n;
  uint8_t refs[DD_FORM_REFS_MAX][OV_NAME_BYTES];
  uint32_t n_refs;
  ov_value elems[DD_FORM_ELEMS_MAX];
  uint32_t n_elems;
} dd_form;

void dd_form_init(dd_form *f, const ov_schemas *s, const char *kind);
uint16_t dd_field_id(const ov_skind *kind, const char *field);
/* Fields come in any order and are kept ascending; each once. */
void dd_int(dd_form *f, const char *field, int64_t v);
void dd_text(dd_form *f, const char *field, const char *v);
void dd_ref(dd_form *f, const char *field, const ov_name *v);
/* Ascending, unique. */
void dd_set(dd_form *f, const char *field, const int64_t *v, uint32_t n);
void dd_refset(dd_form *f, const char *field, const ov_name *v, uint32_t n);
const ov_value *dd_form_get(const dd_form *f, uint16_t id); /* NULL when not filled in */
/* The op that creates the record; borrows from the form. */
ov_op dd_form_op(dd_form *f, uint32_t scope);

#endif
