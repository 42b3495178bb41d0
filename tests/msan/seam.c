/* What MemorySanitizer must be told of libraries that are not built with it. Loaded before them (LD_PRELOAD),
 * so that each function here stands in for the library's: it asks that what goes in is initialised, which
 * catches bytes nobody wrote on their way to a digest, a cipher, a compressed frame or the disk, and says
 * that what came out is. Programs without MemorySanitizer may load it too; then it only passes on. See
 * tools/check --only msan. */
#include <argon2.h>
#include <dlfcn.h>
#include <ftw.h>
#include <jansson.h>
#include <link.h>
#include <lmdb.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void __msan_unpoison(const volatile void *at, size_t n) __attribute__((weak));
void __msan_unpoison_param(size_t n) __attribute__((weak));
void __msan_scoped_disable_interceptor_checks(void) __attribute__((weak));
void __msan_scoped_enable_interceptor_checks(void) __attribute__((weak));
void __msan_check_mem_is_initialized(const volatile void *at, size_t n) __attribute__((weak));

static void came(const volatile void *at, size_t n) {
  if (__msan_unpoison && at && n) __msan_unpoison(at, n);
}

/* Libraries call these functions among themselves, with memory that only they know of: what goes in is looked
 * at when the program itself calls. */
static uintptr_t program_from, program_to;

static int program_code(struct dl_phdr_info *i, size_t n, void *unused) {
  (void)n, (void)unused;
  for (int k = 0; k < i->dlpi_phnum; k++) {
    const ElfW(Phdr) *p = &i->dlpi_phdr[k];
    if (p->p_type != PT_LOAD || !(p->p_flags & PF_X)) continue;
    program_from = i->dlpi_addr + p->p_vaddr;
    program_to = program_from + p->p_memsz;
  }
  return 1; /* the first is the program */
}

static void goes_for(const void *caller, const volatile void *at, size_t n) {
  if ((uintptr_t)caller < program_from || (uintptr_t)caller >= program_to) return;
  if (__msan_check_mem_is_initialized && at && n) __msan_check_mem_is_initialized(at, n);
}
#define goes(at, n) goes_for(__builtin_return_address(0), at, n)

/* Functions of C are watched when a library calls them too, with what it wrote unseen: not between these
 * two. */
static void enter(void) {
  if (__msan_scoped_disable_interceptor_checks) __msan_scoped_disable_interceptor_checks();
}

static void leave(void) {
  if (__msan_scoped_enable_interceptor_checks) __msan_scoped_enable_interceptor_checks();
}

/* The library's own NAME, as this function's type. */
#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *f = dlsym(RTLD_NEXT, name);
  if (!f) abort(); /* the program asked for it, so a library has it */
  return f;
}

/* -- OpenSSL --------------------------------------------------------------------------------------------- */

int EVP_DigestUpdate(EVP_MD_CTX *c, const void *in, size_t n) {
  goes(in, n);
  return REAL(EVP_DigestUpdate)(c, in, n);
}

int EVP_DigestFinal_ex(EVP_MD_CTX *c, unsigned char *out, unsigned *n) {
  int ok = REAL(EVP_DigestFinal_ex)(c, out, n);
  if (ok > 0) came(out, (size_t)EVP_MD_CTX_get_size(c));
  came(n, n ? sizeof *n : 0);
  return ok;
}

int EVP_MAC_update(EVP_MAC_CTX *c, const unsigned char *in, size_t n) {
  goes(in, n);
  return REAL(EVP_MAC_update)(c, in, n);
}

int EVP_MAC_final(EVP_MAC_CTX *c, unsigned char *out, size_t *n, size_t room) {
  int ok = REAL(EVP_MAC_final)(c, out, n, room);
  came(n, n ? sizeof *n : 0);
  if (ok > 0) came(out, n ? *n : room);
  return ok;
}

int EVP_CipherUpdate(EVP_CIPHER_CTX *c, unsigned char *out, int *n, const unsigned char *in, int n_in) {
  goes(in, (size_t)n_in);
  int ok = REAL(EVP_CipherUpdate)(c, out, n, in, n_in);
  came(n, sizeof *n);
  if (ok > 0) came(out, (size_t)*n);
  return ok;
}

int EVP_CipherFinal_ex(EVP_CIPHER_CTX *c, unsigned char *out, int *n) {
  int ok = REAL(EVP_CipherFinal_ex)(c, out, n);
  came(n, sizeof *n);
  if (ok > 0) came(out, (size_t)*n);
  return ok;
}

int EVP_EncryptUpdate(EVP_CIPHER_CTX *c, unsigned char *out, int *n, const unsigned char *in, int n_in) {
  goes(in, (size_t)n_in);
  int ok = REAL(EVP_EncryptUpdate)(c, out, n, in, n_in);
  came(n, sizeof *n);
  if (ok > 0) came(out, (size_t)*n);
  return ok;
}

int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *c, int what, int arg, void *at) {
  if (what == EVP_CTRL_AEAD_SET_TAG) goes(at, (size_t)arg);
  int ok = REAL(EVP_CIPHER_CTX_ctrl)(c, what, arg, at);
  if (ok > 0 && what == EVP_CTRL_AEAD_GET_TAG) came(at, (size_t)arg);
  return ok;
}

int RAND_bytes(unsigned char *out, int n) {
  int ok = REAL(RAND_bytes)(out, n);
  if (ok > 0) came(out, (size_t)n);
  return ok;
}

int RAND_priv_bytes(unsigned char *out, int n) {
  int ok = REAL(RAND_priv_bytes)(out, n);
  if (ok > 0) came(out, (size_t)n);
  return ok;
}

int EVP_DigestSign(EVP_MD_CTX *c, unsigned char *sig, size_t *n, const unsigned char *in, size_t n_in) {
  goes(in, n_in);
  int ok = REAL(EVP_DigestSign)(c, sig, n, in, n_in);
  came(n, sizeof *n);
  if (ok > 0) came(sig, *n);
  return ok;
}

int EVP_DigestVerify(EVP_MD_CTX *c, const unsigned char *sig, size_t n, const unsigned char *in,
                     size_t n_in) {
  goes(sig, n);
  goes(in, n_in);
  return REAL(EVP_DigestVerify)(c, sig, n, in, n_in);
}

int EVP_PKEY_get_octet_string_param(const EVP_PKEY *k, const char *name, unsigned char *out, size_t room,
                                    size_t *n) {
  int ok = REAL(EVP_PKEY_get_octet_string_param)(k, name, out, room, n);
  came(n, n ? sizeof *n : 0);
  if (ok > 0) came(out, n ? *n : room);
  return ok;
}

int EVP_PKEY_get_bn_param(const EVP_PKEY *k, const char *name, BIGNUM **n) {
  int ok = REAL(EVP_PKEY_get_bn_param)(k, name, n);
  came(n, sizeof(void *));
  return ok;
}

int EVP_PKEY_fromdata(EVP_PKEY_CTX *c, EVP_PKEY **k, int what, OSSL_PARAM params[]) {
  int ok = REAL(EVP_PKEY_fromdata)(c, k, what, params);
  came(k, sizeof(void *));
  return ok;
}

int BN_bn2binpad(const BIGNUM *a, unsigned char *out, int n) {
  int done = REAL(BN_bn2binpad)(a, out, n);
  if (done > 0) came(out, (size_t)done);
  return done;
}

unsigned char *HMAC(const EVP_MD *md, const void *key, int n_key, const unsigned char *in, size_t n_in,
                    unsigned char *out, unsigned *n) {
  goes(key, (size_t)n_key);
  goes(in, n_in);
  unsigned char *mac = REAL(HMAC)(md, key, n_key, in, n_in, out, n);
  came(n, n ? sizeof *n : 0);
  if (mac) came(mac, (size_t)EVP_MD_get_size(md));
  return mac;
}

int PKCS5_PBKDF2_HMAC(const char *pass, int n_pass, const unsigned char *salt, int n_salt, int rounds,
                      const EVP_MD *md, int n, unsigned char *out) {
  int ok = REAL(PKCS5_PBKDF2_HMAC)(pass, n_pass, salt, n_salt, rounds, md, n, out);
  if (ok > 0) came(out, (size_t)n);
  return ok;
}

int argon2id_hash_encoded(uint32_t passes, uint32_t memory, uint32_t lanes, const void *password, size_t n,
                          const void *salt, size_t n_salt, size_t n_hash, char *encoded, size_t room) {
  int rc = REAL(argon2id_hash_encoded)(passes, memory, lanes, password, n, salt, n_salt, n_hash, encoded,
                                       room);
  if (!rc) came(encoded, room);
  return rc;
}

/* -- zlib ------------------------------------------------------------------------------------------------ */

static int flowed(z_streamp s, const Bytef *out, int rc) {
  came(s, sizeof *s);
  came(out, (size_t)(s->next_out - out));
  return rc;
}

int deflateInit2_(z_streamp s, int level, int method, int bits, int mem, int how, const char *version,
                  int n) {
  int rc = REAL(deflateInit2_)(s, level, method, bits, mem, how, version, n);
  came(s, sizeof *s);
  return rc;
}

int inflateInit2_(z_streamp s, int bits, const char *version, int n) {
  int rc = REAL(inflateInit2_)(s, bits, version, n);
  came(s, sizeof *s);
  return rc;
}

int deflateReset(z_streamp s) {
  int rc = REAL(deflateReset)(s);
  came(s, sizeof *s);
  return rc;
}

int inflateReset(z_streamp s) {
  int rc = REAL(inflateReset)(s);
  came(s, sizeof *s);
  return rc;
}

int deflate(z_streamp s, int flush) {
  const Bytef *out = s->next_out;
  goes(s->next_in, s->avail_in);
  return flowed(s, out, REAL(deflate)(s, flush));
}

int deflateParams(z_streamp s, int level, int how) {
  const Bytef *out = s->next_out;
  return flowed(s, out, REAL(deflateParams)(s, level, how));
}

int inflate(z_streamp s, int flush) {
  const Bytef *out = s->next_out;
  goes(s->next_in, s->avail_in);
  return flowed(s, out, REAL(inflate)(s, flush));
}

/* -- LMDB ------------------------------------------------------------------------------------------------ */

static int gave(MDB_val *key, MDB_val *data, int rc) {
  if (rc) return rc;
  came(key, key ? sizeof *key : 0);
  came(data, data ? sizeof *data : 0);
  if (key) came(key->mv_data, key->mv_size);
  if (data) came(data->mv_data, data->mv_size);
  return rc;
}

int mdb_get(MDB_txn *t, MDB_dbi d, MDB_val *key, MDB_val *data) {
  goes(key->mv_data, key->mv_size);
  return gave(NULL, data, REAL(mdb_get)(t, d, key, data));
}

int mdb_cursor_get(MDB_cursor *c, MDB_val *key, MDB_val *data, MDB_cursor_op op) {
  return gave(key, data, REAL(mdb_cursor_get)(c, key, data, op));
}

int mdb_put(MDB_txn *t, MDB_dbi d, MDB_val *key, MDB_val *data, unsigned flags) {
  goes(key->mv_data, key->mv_size);
  if (!(flags & MDB_RESERVE)) goes(data->mv_data, data->mv_size);
  int rc = REAL(mdb_put)(t, d, key, data, flags);
  came(data, sizeof *data);
  return rc;
}

int mdb_del(MDB_txn *t, MDB_dbi d, MDB_val *key, MDB_val *data) {
  goes(key->mv_data, key->mv_size);
  return REAL(mdb_del)(t, d, key, data);
}

int mdb_env_create(MDB_env **env) {
  int rc = REAL(mdb_env_create)(env);
  came(env, sizeof(void *));
  return rc;
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **t) {
  int rc = REAL(mdb_txn_begin)(env, parent, flags, t);
  came(t, sizeof(void *));
  return rc;
}

int mdb_txn_commit(MDB_txn *t) {
  enter();
  int rc = REAL(mdb_txn_commit)(t);
  leave();
  return rc;
}

int mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode) {
  enter();
  int rc = REAL(mdb_env_open)(env, path, flags, mode);
  leave();
  return rc;
}

int mdb_dbi_open(MDB_txn *t, const char *name, unsigned flags, MDB_dbi *d) {
  int rc = REAL(mdb_dbi_open)(t, name, flags, d);
  came(d, sizeof *d);
  return rc;
}

int mdb_cursor_open(MDB_txn *t, MDB_dbi d, MDB_cursor **c) {
  int rc = REAL(mdb_cursor_open)(t, d, c);
  came(c, sizeof(void *));
  return rc;
}

int mdb_stat(MDB_txn *t, MDB_dbi d, MDB_stat *s) {
  int rc = REAL(mdb_stat)(t, d, s);
  came(s, sizeof *s);
  return rc;
}

int mdb_env_stat(MDB_env *env, MDB_stat *s) {
  int rc = REAL(mdb_env_stat)(env, s);
  came(s, sizeof *s);
  return rc;
}

int mdb_env_info(MDB_env *env, MDB_envinfo *i) {
  int rc = REAL(mdb_env_info)(env, i);
  came(i, sizeof *i);
  return rc;
}

int mdb_env_get_fd(MDB_env *env, mdb_filehandle_t *fd) {
  int rc = REAL(mdb_env_get_fd)(env, fd);
  came(fd, sizeof *fd);
  return rc;
}

int mdb_reader_check(MDB_env *env, int *dead) {
  int rc = REAL(mdb_reader_check)(env, dead);
  came(dead, dead ? sizeof *dead : 0);
  return rc;
}

/* -- Jansson --------------------------------------------------------------------------------------------- */

json_t *json_loads(const char *in, size_t flags, json_error_t *e) {
  enter();
  json_t *j = REAL(json_loads)(in, flags, e);
  leave();
  came(e, e ? sizeof *e : 0);
  return j;
}

json_t *json_loadb(const char *in, size_t n, size_t flags, json_error_t *e) {
  goes(in, n);
  enter();
  json_t *j = REAL(json_loadb)(in, n, flags, e);
  leave();
  came(e, e ? sizeof *e : 0);
  return j;
}

json_t *json_load_file(const char *path, size_t flags, json_error_t *e) {
  enter();
  json_t *j = REAL(json_load_file)(path, flags, e);
  leave();
  came(e, e ? sizeof *e : 0);
  return j;
}

char *json_dumps(const json_t *j, size_t flags) {
  enter();
  char *text = REAL(json_dumps)(j, flags);
  leave();
  return text;
}

int json_dumpf(const json_t *j, FILE *f, size_t flags) {
  enter();
  int rc = REAL(json_dumpf)(j, f, flags);
  leave();
  return rc;
}

int json_dump_callback(const json_t *j, json_dump_callback_t put, void *data, size_t flags) {
  enter();
  int rc = REAL(json_dump_callback)(j, put, data, flags);
  leave();
  return rc;
}

/* -- the C library's walk over a folder, which calls the program with memory of its own ------------------ */

static __thread __nftw_func_t visit;

static int visited(const char *path, const struct stat *st, int kind, struct FTW *at) {
  came(path, strlen(path) + 1);
  came(st, sizeof *st);
  came(at, sizeof *at);
  if (__msan_unpoison_param) __msan_unpoison_param(4);
  return visit(path, st, kind, at);
}

int nftw(const char *dir, __nftw_func_t f, int descriptors, int flags) {
  __nftw_func_t before = visit;
  visit = f;
  enter();
  int rc = REAL(nftw)(dir, visited, descriptors, flags);
  leave();
  visit = before;
  return rc;
}

/* -- memory of the libraries ---------------------------------------------------------------------------- */

/* What libraries allocate counts as written: Jansson's values are read by macros of its header, and OpenSSL
 * hands memory of its own to functions of C that are watched. */

static void *written(size_t n) {
  void *at = malloc(n);
  came(at, at ? n : 0);
  return at;
}

static void *written_for(size_t n, const char *file, int line) {
  (void)file, (void)line;
  return written(n);
}

static void *rewritten_for(void *old, size_t n, const char *file, int line) {
  (void)file, (void)line;
  void *at = realloc(old, n);
  came(at, at ? n : 0);
  return at;
}

static void unneeded(void *at, const char *file, int line) {
  (void)file, (void)line;
  free(at);
}

__attribute__((constructor)) static void begin(void) {
  dl_iterate_phdr(program_code, NULL);
  json_set_alloc_funcs(written, free);
  if (!CRYPTO_set_mem_functions(written_for, rewritten_for, unneeded)) abort();
}
