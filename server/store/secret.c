/* Memory for keys; see secret.h. */
#include "secret.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ov/error.h"

static atomic_bool some_unlocked;

static size_t whole_pages(size_t n) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (n + page - 1) / page * page;
}

void *sv_secret_alloc(size_t n) {
  size_t bytes = whole_pages(n ? n : 1);
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  if (mlock(p, bytes)) atomic_store(&some_unlocked, true);
  (void)madvise(p, bytes, MADV_DONTDUMP);
  return p;
}

void sv_secret_free(void *p, size_t n) {
  if (!p) return;
  size_t bytes = whole_pages(n ? n : 1);
  OPENSSL_cleanse(p, bytes);
  munmap(p, bytes);
}

bool sv_secret_all_locked(void) { return !atomic_load(&some_unlocked); }

int sv_secret_process(void) {
  const struct rlimit none = {0, 0};
  int bad = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (setrlimit(RLIMIT_CORE, &none)) bad = -1;
  return bad ? OV_E_IO : 0;
}
