/* What the test tells the preloaded faults_preload.so, and what that tells back: one file, mapped by both. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

#define FAULTS_EVENTS_MAX 65536u
#define FAULTS_HEAD_BYTES 64u
#define FAULTS_ENV "OVERDRACHT_FAULTS"

/* SYNCED: fdatasync or fsync of the watched file has returned 0. META: a write to it through a descriptor
 * that is synchronous itself (O_DSYNC), which is how LMDB makes a commit valid. */
typedef enum fault_kind { FAULT_RECV = 1, FAULT_SEND, FAULT_SYNC, FAULT_SYNCED, FAULT_META } fault_kind;

typedef struct fault_event {
  _Atomic uint32_t kind; /* 0: not yet written */
  int32_t fd;
  uint32_t n;                      /* bytes */
  uint8_t head[FAULTS_HEAD_BYTES]; /* of what was sent */
} fault_event;

/* Calls of which one may be made to fail: of sockets, and allocations that the program itself asks for (not
 * those of its libraries). */
typedef enum fault_call { FAULT_CALL_RECV, FAULT_CALL_SEND, FAULT_CALL_ALLOC, FAULT_CALLS } fault_call;

typedef struct faults {
  _Atomic int64_t realtime_off_ms, monotonic_off_ms; /* added to the clocks */
  char path[256];    /* files whose path contains this are watched; set before the start */
  char journal[256]; /* "": none; else every write and sync of a watched file goes here, see faults_journal */
  _Atomic int sync_errno;           /* syncs of watched files fail with it */
  _Atomic int sync_delay_ms;        /* and take so long */
  _Atomic int fail_in[FAULT_CALLS]; /* the so-many-th from now fails, once; <= 0: none */
  _Atomic uint32_t failed[FAULT_CALLS];
  _Atomic int record;        /* events are recorded */
  _Atomic uint64_t entered;  /* syncs of watched files that began */
  _Atomic uint64_t syncs;    /* of watched files that returned 0 */
  _Atomic uint32_t n_events; /* may count beyond the maximum */
  fault_event events[FAULTS_EVENTS_MAX];
} faults;

/* One entry of the journal; `n` bytes follow (writes and sends). */
typedef struct faults_journal {
  uint32_t kind; /* J_WRITE: may be lost until the next J_SYNC. J_WRITE_SYNC: on disk when it returned */
  uint32_t n;
  uint64_t offset; /* J_SIZE: the new size */
} faults_journal;
enum { J_WRITE = 1, J_WRITE_SYNC, J_SYNC, J_SIZE, J_SEND };

#endif
