/* Finding records by what people call them: ids and their short forms, names, labels. */
#ifndef OC_FIND_H
#define OC_FIND_H

#include "oc_internal.h"
#include "oc_text.h"

/* The fewest digits of a short id: below it chance makes two records alike too often. */
#define OC_SHORT_ID_MIN 4
/* Label of one record; one that is longer is cut when it is shown. */
#define OC_NAME_SHOWN_MAX 160

/* Whole id ("<32 hex>-<seq>-<8 hex>"), or its start, or "<seq>-<8 hex>", or the first digits of its last
 * part; must be the only such record here. 0, OC_E_NOTFOUND, OC_E_INVALID (several). */
int oc_find_record(oc_store *s, oc_txn *t, const char *text, ov_name *out, oc_error *e);
/* Record of that kind by id or by a name it carries (display_label, display_name, name, title, pseudonym,
 * number). */
int oc_find_named(oc_store *s, oc_txn *t, uint16_t kind, const char *text, ov_name *out, oc_error *e);
/* Scope of a team by its number, id or name. */
int oc_find_team(oc_store *s, oc_txn *t, const char *text, uint32_t *scope, oc_error *e);
/* What the record is called; "" when it is not here or has no name. In the arena; NULL when that is full. */
const char *oc_name_of(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a);
/* Set of scopes in a record's field `teams`, live ones; 0 when it has none. */
uint32_t oc_live_scopes(const oc_store *s, const ov_record *r, uint32_t out[OV_SCOPES_MAX]);

typedef struct oc_find_ctx {
  oc_store *s;
  oc_txn *t;
  ov_arena *a;
} oc_find_ctx;
/* The environment for texts of this store; c must outlive it. */
oc_text_env oc_text_env_of(oc_find_ctx *c);
/* A store's error as what the caller gets, unless e says more already. */
int oc_fail(oc_error *e, int ov);

#endif
