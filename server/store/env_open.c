/* Opening and closing. A folder that claims to be a store is never silently made new: beside LMDB's data.mdb
 * stands a small file `format` with version and organisation; with it, a data.mdb that is missing, empty or
 * shorter than its content is an error. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "secret.h"
#include "tables.h"

#define MAP_BYTES_DEFAULT ((size_t)16 << 20)
#define MAP_BYTES_MAX_DEFAULT ((size_t)1 << 40)
/* LMDB starts with two meta pages; less than this holds nothing. */
#define META_PAGES_BYTES 8192

static const char format_key[] = "store/format";

static int __attribute__((format(printf, 3, 4))) explain(char *why, int err, const char *text, ...) {
  if (why) {
    va_list ap;
    va_start(ap, text);
    vsnprintf(why, OV_ERROR_TEXT_MAX, text, ap);
    va_end(ap);
  }
  return err;
}

/* -- registry: LMDB lets one process open a path twice, and closing one then drops the locks of the other  */

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static sv_env *open_envs;

static int enter_registry(sv_env *e, char *why) {
  int err = 0;
  pthread_mutex_lock(&open_lock);
  for (sv_env *o = open_envs; o && !err; o = o->next_open) {
    if (o->dev == e->dev && o->ino == e->ino) err = OV_E_LOCKED;
  }
  if (!err) {
    e->next_open = open_envs;
    open_envs = e;
    e->registered = true;
  }
  pthread_mutex_unlock(&open_lock);
  return err ? explain(why, err, "%.120s is open in this process already", e->path) : 0;
}

static void leave_registry(sv_env *e) {
  if (!e->registered) return;
  pthread_mutex_lock(&open_lock);
  sv_env **at = &open_envs;
  while (*at != e) at = &(*at)->next_open;
  *at = e->next_open;
  pthread_mutex_unlock(&open_lock);
}

/* -- the files beside data.mdb --------------------------------------------------------------------------- */

static int write_format(const sv_env *e) {
  char hex[2 * OV_ID_BYTES + 1], text[128], *path = sv_file_name(e->path, "/format");
  if (!path) return OV_E_NOMEM;
  ov_hex(e->organisation.b, OV_ID_BYTES, hex);
  int n = snprintf(text, sizeof text, "overdracht store %d\norganisation %s\n", SV_FORMAT_VERSION, hex);
  int err = sv_file_replace(path, text, (size_t)n);
  free(path);
  return err;
}

static int judge_format(sv_env *e, const char *text, char *why) {
  unsigned version = 0;
  char hex[2 * OV_ID_BYTES + 1] = "", own[2 * OV_ID_BYTES + 1];
  ov_hex(e->organisation.b, OV_ID_BYTES, own);
  if (sscanf(text, "overdracht store %u", &version) != 1 || version == 0)
    return explain(why, OV_E_CORRUPT, "%.80s/format is damaged: " SV_ADVICE_RESTORE, e->path);
  if (version > SV_FORMAT_VERSION)
    return explain(why, OV_E_NEWER, "%.80s has format %u, this program knows up to %d: use a newer program",
                   e->path, version, SV_FORMAT_VERSION);
  if (sscanf(text, "overdracht store %u\norganisation %32s\n", &version, hex) != 2 ||
      strlen(hex) != 2 * OV_ID_BYTES)
    return explain(why, OV_E_CORRUPT, "%.80s/format is damaged: " SV_ADVICE_RESTORE, e->path);
  if (strcmp(hex, own))
    return explain(why, OV_E_CORRUPT, "%.80s belongs to another organisation (%s)", e->path, hex);
  return 0;
}

/* 0 with *exists false when there is none. */
static int check_format(sv_env *e, bool *exists, char *why) {
  char *path = sv_file_name(e->path, "/format");
  ov_buf text;
  ov_buf_init(&text, 0);
  int err = path ? sv_file_read(path, 4096, &text) : OV_E_NOMEM;
  free(path);
  *exists = err != OV_E_NOTFOUND;
  ov_buf_u8(&text, 0);
  if (!err) err = text.err;
  if (err == OV_E_NOTFOUND) err = 0;
  else if (err == OV_E_LIMIT)
    err = explain(why, OV_E_CORRUPT, "%.80s/format is damaged: " SV_ADVICE_RESTORE, e->path);
  else if (err) explain(why, err, "cannot read %.80s/format: %s", e->path, ov_err_text(err));
  else err = judge_format(e, (const char *)text.p, why);
  ov_buf_free(&text);
  return err;
}

/* LMDB is about to abort the process: leave a note, so that after the restart this store is refused and the
 * others are served. */
static void note_damage(MDB_env *m, const char *message) {
  sv_env *e = mdb_env_get_userctx(m);
  char *path = sv_file_name(e->path, "/damaged");
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
  if (fd >= 0) {
    if (write(fd, message, strlen(message)) > 0) (void)fsync(fd);
    close(fd);
  }
  free(path);
}

static int check_damaged(const sv_env *e, char *why) {
  char *path = sv_file_name(e->path, "/damaged");
  if (!path) return OV_E_NOMEM;
  bool damaged = !access(path, F_OK);
  free(path);
  return damaged ? explain(why, OV_E_CORRUPT, "%.80s/damaged says that LMDB found damage: " SV_ADVICE_RESTORE,
                           e->path)
                 : 0;
}

/* LMDB divides by the page size that its meta pages name, before it has checked anything: a damaged one would
 * kill the process. In data version 1 it stands 40 bytes into each meta page, in this machine's byte order.
 */
static bool page_size_sane(int fd) {
  uint32_t size[2] = {0};
  if (pread(fd, &size[0], sizeof size[0], 40) != sizeof size[0]) return false;
  if (size[0] < 256 || size[0] > 65536 || (size[0] & (size[0] - 1))) return false;
  return pread(fd, &size[1], sizeof size[1], (off_t)size[0] + 40) == sizeof size[1] && size[0] == size[1];
}

static int check_data_file(const sv_env *e, bool claimed, bool *exists, char *why) {
  struct stat st = {.st_size = 0};
  char *path = sv_file_name(e->path, "/data.mdb");
  if (!path) return OV_E_NOMEM;
  int fd = open(path, O_RDONLY | O_CLOEXEC), rc = fd < 0 || fstat(fd, &st) ? errno : 0;
  bool sane = !rc && (st.st_size < META_PAGES_BYTES || page_size_sane(fd));
  if (fd >= 0) close(fd);
  free(path);
  if (rc && rc != ENOENT)
    return explain(why, sv_errno_error(rc), "cannot read %.80s/data.mdb: %s", e->path, strerror(rc));
  *exists = !rc && st.st_size > 0;
  if (claimed && rc)
    return explain(why, OV_E_CORRUPT, "%.80s/data.mdb is missing: " SV_ADVICE_RESTORE, e->path);
  if ((claimed || *exists) && st.st_size < META_PAGES_BYTES)
    return explain(why, OV_E_CORRUPT, "%.80s/data.mdb is cut off: " SV_ADVICE_RESTORE, e->path);
  if (*exists && !sane)
    return explain(why, OV_E_CORRUPT, "%.80s/data.mdb is damaged at its start: " SV_ADVICE_RESTORE, e->path);
  return 0;
}

/* -- LMDB ------------------------------------------------------------------------------------------------ */

static int open_lmdb(sv_env *e, bool existed, char *why) {
  if (mdb_env_create(&e->m)) return OV_E_NOMEM;
  mdb_env_set_userctx(e->m, e);
  mdb_env_set_assert(e->m, note_damage);
  int rc = mdb_env_set_maxdbs(e->m, SV_T_COUNT);
  if (!rc) rc = mdb_env_set_maxreaders(e->m, e->readers_max);
  if (!rc) rc = mdb_env_set_mapsize(e->m, e->map_bytes);
  if (rc) return sv_env_error(e, rc);
  unsigned flags = MDB_NOTLS | (e->opened_readonly ? MDB_RDONLY : 0);
  rc = mdb_env_open(e->m, e->path, flags, 0600);
  if (!rc) return 0;
  /* A meta page that claims an absurd size cannot be mapped: that is damage, not want of memory. */
  int err = existed && (rc == ENOMEM || rc == EINVAL) ? OV_E_CORRUPT : sv_env_error(e, rc);
  return explain(why, err, "cannot open %.80s: %.60s%s", e->path, mdb_strerror(rc),
                 err == OV_E_CORRUPT ? ": " SV_ADVICE_RESTORE : "");
}

/* Since the file is made as long as the map before the map is used, a file shorter than its content was cut.
 */
static int check_length(sv_env *e, char *why) {
  MDB_envinfo info;
  MDB_stat st;
  struct stat file;
  mdb_filehandle_t fd;
  if (mdb_env_info(e->m, &info) || mdb_env_stat(e->m, &st) || mdb_env_get_fd(e->m, &fd) || fstat(fd, &file))
    return OV_E_IO;
  e->page_bytes = st.ms_psize;
  e->map_bytes = info.me_mapsize;
  if (info.me_last_pgno >= (uint64_t)file.st_size / e->page_bytes && (uint64_t)file.st_size > 0)
    return explain(why, OV_E_CORRUPT,
                   "%.80s/data.mdb is cut off (%lld bytes, it had at least %zu): " SV_ADVICE_RESTORE, e->path,
                   (long long)file.st_size, (info.me_last_pgno + 1) * e->page_bytes);
  if (e->opened_readonly) return 0;
  int err = sv_map_extend_file(e, e->map_bytes);
  return err ? explain(why, err, "cannot extend %.80s/data.mdb: %s", e->path, ov_err_text(err)) : 0;
}

/* A table that is missing from a store is damage: making it anew would be silent loss. */
static int open_tables(sv_env *e, bool create) {
  MDB_txn *m;
  int rc = mdb_txn_begin(e->m, NULL, create ? 0 : MDB_RDONLY, &m);
  if (rc) return sv_env_error(e, rc);
  for (sv_table tab = 0; tab < SV_T_COUNT && !rc; tab++)
    rc = mdb_dbi_open(m, sv_table_name(tab), create ? MDB_CREATE : 0, &e->dbi[tab]);
  if (rc) {
    mdb_txn_abort(m);
    return rc == MDB_NOTFOUND ? OV_E_CORRUPT : sv_env_error(e, rc);
  }
  return sv_env_error(e, mdb_txn_commit(m));
}

/* Is there not a single row in any table? */
static int is_empty(sv_env *e, bool *empty) {
  MDB_txn *m;
  MDB_stat st;
  size_t rows = 0;
  int rc = mdb_txn_begin(e->m, NULL, MDB_RDONLY, &m);
  if (rc) return sv_env_error(e, rc);
  for (sv_table tab = 0; tab < SV_T_COUNT && !rc; tab++) {
    rc = mdb_stat(m, e->dbi[tab], &st);
    if (!rc) rows += st.ms_entries;
  }
  *empty = !rc && rows == 0;
  mdb_txn_abort(m);
  return sv_env_error(e, rc);
}

/* -- format and keys ------------------------------------------------------------------------------------- */

/* A store that exists must not be given new keys: all its rows would be unreadable. */
static int load_keys(sv_env *e, bool fresh, char *why) {
  static const ov_name none;
  int (*key)(sv_keyring *, sv_key_type, const ov_name *, uint8_t *) = fresh ? sv_keyring_need
                                                                            : sv_keyring_get;
  int err = key(e->keyring, SV_KEY_SEAL_ORG, &none, e->seal_key);
  if (!err) err = key(e->keyring, SV_KEY_INDEX, &none, e->index_key);
  if (!err && fresh) err = sv_keyring_save(e->keyring);
  if (err == OV_E_NOTFOUND)
    return explain(why, OV_E_CORRUPT,
                   "the keyring has no keys for %.80s: restore the keyring that belongs to it", e->path);
  return err ? explain(why, err, "keys for %.80s: %s", e->path, ov_err_text(err)) : 0;
}

static int write_version(sv_txn *t) {
  sv_key k;
  sv_key_meta(format_key, &k);
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, SV_FORMAT_VERSION);
  return sv_row_put(t, SV_T_META, SV_PART_META, &k);
}

static int first_rows(sv_env *e) {
  sv_txn *t;
  int err = sv_txn_write(e, &t);
  if (err) return err;
  write_version(t);
  sv_env_totals_put(t); /* so that the row is there when the commit counts */
  return sv_txn_commit(t);
}

/* One step from an older format to the next, in a transaction of its own. Version 1 is the first. */
static int migrate_step(sv_txn *t, unsigned from) {
  switch (from) {
  default: return sv_txn_stick(t, OV_E_CORRUPT);
  }
}

static int migrate(sv_env *e, unsigned from) {
  for (; from < SV_FORMAT_VERSION; from++) {
    sv_txn *t;
    int err = sv_txn_write(e, &t);
    if (err) return err;
    migrate_step(t, from);
    write_version(t);
    err = sv_txn_commit(t);
    if (err) return err;
  }
  return 0;
}

static int read_version(sv_env *e, unsigned *version, char *why) {
  sv_txn *t;
  sv_key k;
  sv_key_meta(format_key, &k);
  int err = sv_txn_read(e, &t);
  if (err) return explain(why, err, "cannot read %.80s: %s", e->path, ov_err_text(err));
  err = sv_row_get(t, SV_T_META, SV_PART_META, &k);
  if (!err) {
    ov_mpr r = sv_row_reader(t);
    *version = (unsigned)ov_mpr_uint(&r, UINT16_MAX);
    err = sv_row_done(t, &r);
  }
  sv_txn_abort(t);
  if (err == OV_E_NOTFOUND) err = OV_E_CORRUPT;
  return err ? explain(why, err,
                       "%.70s is damaged, or its keyring or organisation is another's: " SV_ADVICE_RESTORE,
                       e->path)
             : 0;
}

static int settle_format(sv_env *e, bool fresh, bool claimed, char *why) {
  unsigned version = 0;
  int err = 0;
  if (fresh) {
    err = first_rows(e);
    if (err) return explain(why, err, "cannot start %.80s: %s", e->path, ov_err_text(err));
  }
  err = read_version(e, &version, why);
  if (err) return err;
  if (version > SV_FORMAT_VERSION)
    return explain(why, OV_E_NEWER, "%.80s has format %u: use a newer program", e->path, version);
  if (e->opened_readonly) return 0;
  if (version < SV_FORMAT_VERSION) err = migrate(e, version);
  if (!err && (!claimed || version < SV_FORMAT_VERSION)) err = write_format(e);
  return err ? explain(why, err, "format of %.80s: %s", e->path, ov_err_text(err)) : 0;
}

/* -- open and close -------------------------------------------------------------------------------------- */

static int make_locks(sv_env *e) {
  pthread_mutexattr_t attr;
  if (pthread_mutexattr_init(&attr)) return OV_E_NOMEM;
  pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
  e->write_lock_made = !pthread_mutex_init(&e->write_lock, &attr);
  pthread_mutexattr_destroy(&attr);
  e->pool_made = !pthread_mutex_init(&e->pool_lock, NULL);
  e->gate_made = !sv_gate_init(&e->gate);
  return e->write_lock_made && e->pool_made && e->gate_made ? 0 : OV_E_NOMEM;
}

static int find_folder(sv_env *e, char *why) {
  struct stat st;
  bool made = !e->opened_readonly && !mkdir(e->path, 0700);
  if (!e->opened_readonly && !made && errno != EEXIST)
    return explain(why, sv_errno_error(errno), "cannot make %.80s: %s", e->path, strerror(errno));
  /* its name is on disk before anything in it is promised */
  int err = made ? sv_file_sync_folder(e->path) : 0;
  if (err) return explain(why, err, "cannot make %.80s: %s", e->path, ov_err_text(err));
  if (stat(e->path, &st)) return explain(why, sv_errno_error(errno), "%.80s: %s", e->path, strerror(errno));
  if (!S_ISDIR(st.st_mode)) return explain(why, OV_E_IO, "%.80s is not a folder", e->path);
  e->dev = st.st_dev;
  e->ino = st.st_ino;
  return 0;
}

static int open_steps(sv_env *e, char *why) {
  bool claimed = false, existed = false, fresh = false;
  int err = make_locks(e);
  if (!err) err = find_folder(e, why);
  if (!err) err = enter_registry(e, why);
  if (!err) err = check_damaged(e, why);
  if (!err) err = check_format(e, &claimed, why);
  if (!err) err = check_data_file(e, claimed, &existed, why);
  if (!err && !existed && e->opened_readonly)
    err = explain(why, OV_E_NOTFOUND, "%.80s holds no store", e->path);
  if (!err) err = open_lmdb(e, existed, why);
  if (!err) err = check_length(e, why);
  if (!err) {
    err = open_tables(e, !claimed && !e->opened_readonly);
    if (err) explain(why, err, "tables of %.80s: %s: " SV_ADVICE_RESTORE, e->path, ov_err_text(err));
  }
  /* Without a `format` file and without a row this is a first start, or one that was cut short. */
  if (!err && !claimed) err = is_empty(e, &fresh);
  if (!err && fresh && e->opened_readonly) err = explain(why, OV_E_NOTFOUND, "%.80s holds no store", e->path);
  if (!err) err = load_keys(e, fresh, why);
  return err ? err : settle_format(e, fresh, claimed, why);
}

int sv_env_open(const sv_env_options *o, sv_env **out, char *why) {
  *out = NULL;
  if (why) why[0] = 0;
  sv_env *e = sv_secret_alloc(sizeof *e); /* it holds keys */
  if (!e) return OV_E_NOMEM;
  e->organisation = *o->organisation;
  e->keyring = o->keyring;
  e->random = o->random;
  e->random_ctx = o->random_ctx;
  e->opened_readonly = o->read_only;
  e->map_bytes = o->map_bytes ? o->map_bytes : MAP_BYTES_DEFAULT;
  e->map_bytes_max = o->map_bytes_max ? o->map_bytes_max : MAP_BYTES_MAX_DEFAULT;
  e->readers_max = o->readers_max ? o->readers_max : 126;
  e->path = strdup(o->path);
  int err = e->path ? open_steps(e, why) : OV_E_NOMEM;
  if (!err) {
    *out = e;
    return 0;
  }
  if (why && !why[0]) explain(why, err, "cannot open %.80s: %s", o->path, ov_err_text(err));
  sv_env_close(e);
  return err;
}

void sv_env_close(sv_env *e) {
  if (!e) return;
  while (e->pool) {
    sv_txn *t = e->pool;
    e->pool = t->next;
    sv_txn_destroy(t);
  }
  if (e->m) mdb_env_close(e->m);
  leave_registry(e);
  if (e->gate_made) sv_gate_destroy(&e->gate);
  if (e->pool_made) pthread_mutex_destroy(&e->pool_lock);
  if (e->write_lock_made) pthread_mutex_destroy(&e->write_lock);
  free(e->path);
  sv_secret_free(e, sizeof *e);
}
