/* An open environment: faults, figures, reader slots, copies. Opening stands in env_open.c, growth in map.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "file.h"
#include "tables.h"

const char *sv_table_name(sv_table tab) {
  static const char *const names[SV_T_COUNT] = {
      [SV_T_META] = "meta",
      [SV_T_OPS] = "ops",
      [SV_T_TIPS] = "tips",
      [SV_T_DEVICES] = "devices",
      [SV_T_CODES] = "codes",
      [SV_T_RECORDS] = "records",
      [SV_T_RECORD_OPS] = "record_ops",
      [SV_T_PARTICIPANT] = "participant",
      [SV_T_KIND_DAY] = "kind_day",
      [SV_T_NATURAL] = "natural",
      [SV_T_SCOPES] = "scopes",
      [SV_T_POS_HASH] = "pos_hash",
      [SV_T_POS] = "pos",
      [SV_T_GONE] = "gone",
      [SV_T_WAITING] = "waiting",
      [SV_T_RULINGS] = "rulings",
      [SV_T_HELD] = "held",
      [SV_T_QUEUE] = "queue",
      [SV_T_SUMS] = "sums",
      [SV_T_SUMS_DUE] = "sums_due",
      [SV_T_RELEASES] = "releases",
      [SV_T_LOGINS] = "logins",
      [SV_T_ACCOUNTS] = "accounts",
      [SV_T_TOKENS] = "tokens",
  };
  return names[tab];
}

/* LMDB calls a short write EIO ("filesystem full?"), which it nearly always is: the disk tells them apart. */
static bool disk_is_full(const sv_env *e) {
  struct statvfs fs;
  return !statvfs(e->path, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < 65536;
}

int sv_env_error(sv_env *e, int rc) {
  switch (rc) {
  case 0: return 0;
  case MDB_NOTFOUND: return OV_E_NOTFOUND;
  case MDB_KEYEXIST: return OV_E_EXISTS;
  case MDB_MAP_FULL: return OV_E_MAPFULL;
  case MDB_READERS_FULL: return OV_E_BUSY;
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_INVALID:
  case MDB_VERSION_MISMATCH:
  case MDB_INCOMPATIBLE:
  case MDB_CURSOR_FULL:
  case MDB_PAGE_FULL: return OV_E_CORRUPT; /* the last two: a tree deeper, or a page fuller, than it can be */
  case MDB_PANIC: atomic_store(&e->readonly, true); return OV_E_READONLY;
  case MDB_BAD_TXN:
  case MDB_BAD_RSLOT:
  case MDB_BAD_VALSIZE:
  case MDB_BAD_DBI:
  case MDB_DBS_FULL:
  case MDB_TXN_FULL:
  case MDB_TLS_FULL:
  case EINVAL: return OV_E_INTERNAL;
  case EIO:
    if (disk_is_full(e)) return OV_E_FULL;
    /* After a failed fdatasync the next one may 'succeed' without having written: nothing more until an
     * administrator looked. */
    atomic_store(&e->readonly, true);
    return OV_E_IO;
  default: return rc < 0 ? OV_E_INTERNAL : sv_errno_error(rc);
  }
}

const ov_id *sv_env_organisation(const sv_env *e) { return &e->organisation; }

bool sv_env_readonly(const sv_env *e) { return e->opened_readonly || atomic_load(&e->readonly); }

void sv_env_stats_get(sv_env *e, sv_env_stats *out) {
  sv_txn *t;
  *out = (sv_env_stats){.map_bytes = e->map_bytes,
                        .commits = atomic_load(&e->commits),
                        .grows = atomic_load(&e->grows),
                        .readers = sv_gate_readers(&e->gate)};
  if (sv_txn_read(e, &t)) return;
  out->used_bytes = sv_map_used(e);
  out->ops = sv_tab_count(t, SV_T_OPS);
  out->records = sv_tab_count(t, SV_T_RECORDS);
  sv_txn_abort(t);
}

void sv_env_check_readers(sv_env *e) {
  int dead;
  (void)mdb_reader_check(e->m, &dead);
}

/* -- totals ---------------------------------------------------------------------------------------------- */

const char sv_totals_key[] = "store/totals";

/* LMDB's own counts stand in the open; these are sealed with the commit, so that a scrub sees rows that went
 * missing. */
int sv_env_totals_put(sv_txn *t) {
  sv_key k;
  sv_key_meta(sv_totals_key, &k);
  ov_buf_reset(&t->plain);
  ov_mpw_array(&t->plain, SV_T_COUNT);
  for (sv_table tab = 0; tab < SV_T_COUNT; tab++) ov_mpw_uint(&t->plain, sv_tab_count(t, tab));
  return sv_row_put(t, SV_T_META, SV_PART_TOTALS, &k);
}

int sv_env_totals_get(sv_txn *t, uint64_t totals[SV_T_COUNT]) {
  sv_key k;
  sv_key_meta(sv_totals_key, &k);
  int err = sv_row_get(t, SV_T_META, SV_PART_TOTALS, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  ov_mpr_array_of(&r, SV_T_COUNT);
  for (sv_table tab = 0; tab < SV_T_COUNT; tab++) totals[tab] = ov_mpr_uint(&r, INT64_MAX);
  return sv_row_done(t, &r);
}

/* -- copies ---------------------------------------------------------------------------------------------- */

/* The copy reads a snapshot of its own; it counts as a reader, so that the map stays where it is meanwhile.
 */
static int copy_into(sv_env *e, int fd) {
  int rc, adopted = 0;
  do { /* another process may have grown the map, again and again: nothing has been copied then */
    sv_gate_enter(&e->gate);
    rc = mdb_env_copyfd2(e->m, fd, MDB_CP_COMPACT);
    sv_gate_leave(&e->gate);
  } while (rc == MDB_MAP_RESIZED && adopted++ < 8 && !sv_map_adopt(e));
  if (rc > 0)
    return sv_errno_error(rc); /* the copy's disk, not the environment's: not a reason to go read-only */
  if (rc) return sv_env_error(e, rc);
  return fsync(fd) ? sv_errno_error(errno) : 0;
}

int sv_env_copy(sv_env *e, const char *file) {
  if (!access(file, F_OK)) return OV_E_EXISTS;
  char *tmp = sv_file_name(file, ".part");
  if (!tmp) return OV_E_NOMEM;
  int err = 0;
  /* Opened here with 0600: mdb_env_copy2 would make it 0644, and a umask is the whole process's. */
  int fd = unlink(tmp) && errno != ENOENT
               ? -1
               : open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    err = sv_errno_error(errno);
    free(tmp);
    return err;
  }
  err = copy_into(e, fd);
  close(fd);
  if (!err && rename(tmp, file)) err = sv_errno_error(errno);
  if (err) unlink(tmp);
  else err = sv_file_sync_folder(file);
  free(tmp);
  return err;
}
