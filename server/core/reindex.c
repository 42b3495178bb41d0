/* What a record is indexed by follows from its state and its kind's schema, so it is made again when the
 * schema changes. */
#include <string.h>

#include "ingest_priv.h"

int index_record(sv_txn *t, const sv_org *org, sv_record_row *row, ov_buf *scratch) {
  const ov_skind *k = ov_schemas_kind(org->schemas, row->rec.kind);
  int64_t created = row->rec.n_ops ? row->rec.ops[0].time : row->changed;
  row->indexed = true;
  row->index_kind = row->rec.kind;
  row->day = k ? ov_schema_occurred_day(k, &row->rec) : created / 86400;
  ov_buf_reset(scratch);
  row->has_natural_key = k && ov_schema_natural_key(k, &row->rec, scratch);
  if (scratch->err) return scratch->err;
  return row->has_natural_key ? sv_natural_hash(t, &row->rec, scratch->p, scratch->n, row->natural_key) : 0;
}

int sv_reindex(sv_txn *t, sv_org *org, const ov_name *record, ov_arena *a, bool *differed) {
  sv_record_row row, now;
  ov_buf scratch;
  *differed = false;
  int err = sv_record_get(t, record, a, &row);
  if (!err && row.erased) return 0; /* stands in no index */
  ov_buf_init(&scratch, OV_RECORD_BYTES_MAX);
  now = row;
  if (!err) err = index_record(t, org, &now, &scratch);
  ov_buf_free(&scratch);
  if (err) return err;
  *differed = !row.indexed || now.day != row.day || now.has_natural_key != row.has_natural_key ||
              (now.has_natural_key && memcmp(now.natural_key, row.natural_key, sizeof now.natural_key));
  if (*differed) sv_record_put(t, &now);
  return sv_txn_error(t);
}
