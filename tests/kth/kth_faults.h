/* The k-th call that can fail does fail, once. The linker sends calls of the code under test through here
 * (--wrap), pwrite, fdatasync and their kin are this program's own. Nothing counts but between kth_on(true)
 * and kth_on(false), so that the test's own calls are left alone. */
#ifndef TESTS_KTH_FAULTS_H
#define TESTS_KTH_FAULTS_H

#include <stdbool.h>

typedef enum kth_kind {
  KTH_ALLOC,  /* malloc and the like: NULL */
  KTH_LMDB,   /* calls into LMDB: ENOMEM */
  KTH_CRYPTO, /* calls into OpenSSL */
  KTH_FILE,   /* open: EMFILE; read: EIO; mkdir, rename, ftruncate: ENOSPC; flock: ENOLCK */
  KTH_WRITE,  /* pwrite, writev, write: ENOSPC */
  KTH_SYNC,   /* fdatasync, fsync: EIO */
  KTH_RANDOM, /* the random source, where the test asks kth_fails */
  KTH_KINDS
} kth_kind;
extern const char *const kth_names[KTH_KINDS];

void kth_arm(kth_kind kind, unsigned k);
void kth_on(bool on);
/* While paused nothing counts, on or off: for code under test that is called to prepare. */
void kth_pause(bool paused);
/* Has a call of this kind failed by now? */
bool kth_hit(kth_kind kind);
/* Was it reached? Disarms. */
bool kth_disarm(void);
/* How many calls there were between arming and disarming. */
unsigned kth_counted(void);
/* For what the test hands in itself. */
bool kth_fails(kth_kind kind);

#endif
