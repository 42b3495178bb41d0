/* The note in an organisation's meta of its last verified backup. */
#include <string.h>

#include "backup.h"

json_t *backup_mark_json(sv_txn *t) {
  ov_buf b;
  ov_buf_init(&b, 8192);
  int err = sv_meta_get(t, BACKUP_MARK, &b);
  json_t *j = err || !b.n ? NULL : json_loadb((const char *)b.p, b.n, 0, NULL);
  ov_buf_free(&b);
  return j;
}
