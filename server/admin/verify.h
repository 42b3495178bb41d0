/* The verification of one organisation's store. Many short read transactions, so that the server keeps
 * running and the map can grow: what belongs together (an op and the one before it, a record and its places)
 * is compared within one of them. Findings that need the whole (counts) are only made when nothing was
 * committed meanwhile. Memory is bounded by one page and one record. */
#ifndef ADMIN_VERIFY_H
#define ADMIN_VERIFY_H

#include "admin_priv.h"

/* Findings told one by one; the rest are counted. One damaged page can spoil thousands of rows. */
#define VF_TOLD_MAX 1000u
/* Ops side by side at one seq of a writer: its branches. */
#define VF_LEVEL_MAX (OV_TIPS_MAX + 1u)
#define VF_ARENA_BYTES_MAX ((size_t)256 << 20)

typedef struct vf_level {
  ov_name v[VF_LEVEL_MAX];
  bool followed[VF_LEVEL_MAX];
  uint32_t n;
} vf_level;

typedef struct vf {
  adm *m;
  sv_org *org, *programme; /* programme: where ops of its scope must be; NULL: not looked at */
  sv_txn *t, *pt;          /* of this page; pt in the programme, NULL unless there is one */
  ov_arena a;
  ov_hasher *h;
  const char *what; /* for progress */
  uint64_t total, done;
  uint64_t findings, ops, records, positions, waiting, unchecked;
  ov_id writer;
  bool has_writer, chained; /* of the ops walked now; chained: its log is here whole */
  vf_level level, before;
  ov_name last;
  ov_hash last_head;
  bool has_last;
  ov_name held;
  bool held_end; /* the next entry of the held list, in step with the ops */
} vf;

/* Everything. Returns 0 when the walk came to its end (see findings), OV_E_CANCELLED, or an error that was
 * told. */
int vf_run(adm *m, sv_org *org, sv_org *programme, uint64_t *findings, uint64_t *ops, uint64_t *records);

/* where: a name as text, or a word; advice: what to do. */
void vf_found(vf *v, const char *where, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void vf_found_at(vf *v, const ov_name *where, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define VF_RESTORE "restore this organisation from a verified backup; tablets refill what it lacks"
#define VF_DERIVED                                                                                           \
  "the ops are sound but what is derived from them is not: restore from a verified backup, or ask the "      \
  "makers"
#define VF_KEYS "put the keyring back from its own backup"

/* A page: one read transaction. False when it cannot be had, or the asker is gone. */
bool vf_page(vf *v);
void vf_page_end(vf *v);
/* A walk over names in key order: check runs in a page, and may leave a sticky error in v->t; the walk goes
 * on in a new page. */
typedef int (*vf_next)(sv_txn *t, const ov_name *after, ov_name *out);
void vf_walk(vf *v, vf_next next, void (*page_start)(vf *v, const ov_name *after),
             void (*check)(vf *v, const ov_name *name));
/* Is there a row of exactly this name? Reads no value. */
bool vf_record_exists(vf *v, const ov_name *name);

void vf_check_ops(vf *v);
void vf_check_records(vf *v);
void vf_check_scopes(vf *v);
void vf_check_rest(vf *v);

#endif
