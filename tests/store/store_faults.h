/* Faults under the store: calls of the C library by LMDB and by us (this program's own definitions stand
 * before the library's), and calls of LMDB and of the allocator by us (the linker's --wrap). */
#ifndef STORE_FAULTS_H
#define STORE_FAULTS_H

#include <stdbool.h>

typedef enum fault_kind {
  FAULT_WRITE,    /* pwrite, writev, write */
  FAULT_SYNC,     /* fdatasync, fsync */
  FAULT_TRUNCATE, /* ftruncate */
  FAULT_RENAME,
  FAULT_MAP,   /* mmap of a file that is shared */
  FAULT_ALLOC, /* malloc, calloc, strdup by the store and proto */
  FAULT_LMDB,  /* calls of LMDB that can fail */
  FAULT_KINDS
} fault_kind;

/* The k-th call of that kind from now on fails with error (errno, or LMDB's code); forever: and all after it.
 * k 0: none. */
void fault_arm(fault_kind kind, unsigned k, int error, bool forever);
/* Was it reached? Disarms. */
bool fault_disarm(void);
/* While paused nothing fails or counts: for the test's own calls in between. */
void fault_pause(bool paused);
unsigned fault_syncs(void); /* fdatasync calls so far */
/* While held, a call of fsync does not come back. Any thread. */
void fault_hold_fsync(bool hold);
bool fault_fsync_waits(void); /* one is being held */

#endif
