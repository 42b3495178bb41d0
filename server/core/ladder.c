#include "sv_ladder.h"

#include <string.h>

/* PROTO-55 */
int sv_ladder_rungs(sv_txn *t, const ov_id *writer, const ov_head *tip, ov_arena *a,
                    ov_rung rungs[OV_LADDER_MAX], uint32_t *n) {
  *n = 0;
  ov_name name = {.writer = *writer, .seq = tip->seq};
  memcpy(name.tag, tip->head.b, OV_TAG_BYTES);
  uint64_t step = 0;
  /* A branch is walked by the tag of the op before; where only one op has a seq, a jump needs no walk. */
  while (name.seq > 0 && *n < OV_LADDER_MAX) {
    sv_op_row row;
    int err = sv_op_get(t, &name, a, &row);
    if (err) return err;
    rungs[*n].seq = name.seq;
    memcpy(rungs[*n].head, row.head.b, sizeof rungs[*n].head);
    (*n)++;
    step = step ? step * 2 : 1;
    if (step == 1) {
      name.seq--;
      memcpy(name.tag, row.prev_tag, OV_TAG_BYTES);
      continue;
    }
    if (step >= name.seq) break;
    ov_name found[2];
    uint32_t k = 0;
    name.seq -= step;
    err = sv_ops_of_writer(t, writer, name.seq, name.seq, found, 2, &k);
    if (err) return err;
    if (k == 0) return OV_E_CORRUPT;
    /* below the fork both branches are one; above it a wrong rung matches nobody and does no harm */
    name = found[0];
  }
  return 0;
}
