/* Records what a store does to the disk: this program's own pwrite, writev, fdatasync, fsync, msync,
 * ftruncate and rename stand before the C library's, as a preload would. One data file and one small file
 * beside it (a keyring, replaced by rename) are watched. What the test was promised goes into the same list.
 * */
#ifndef TESTS_POWERCUT_RECORD_H
#define TESTS_POWERCUT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum event_kind {
  EV_WRITE,       /* to the data file: may be lost, in any part, until the next EV_SYNC */
  EV_WRITE_SYNC,  /* through a descriptor that is synchronous itself: on disk once the next event happens */
  EV_SYNC,        /* of the data file */
  EV_SIZE,        /* of the data file; offset is the new size */
  EV_RENAME,      /* a new side file took its place; may be lost until EV_FOLDER_SYNC */
  EV_FOLDER_SYNC, /* of the folder of the side file */
  EV_PROMISE      /* offset: so many of the test's promises stand from here on */
} event_kind;

typedef struct event {
  event_kind kind;
  bool unsynced; /* EV_RENAME: of a file whose own bytes were not synced: then they may be gone */
  uint64_t offset;
  size_t n;
  uint8_t *p;
} event;

typedef struct recording {
  event *v;
  size_t n, cap;
  uint8_t *base, *side; /* both files as they were at the start */
  size_t base_n, side_n;
} recording;

/* side may be NULL. Files must exist. */
void record_start(recording *r, const char *data, const char *side);
void record_promise(uint64_t count);
void record_stop(void);
void record_free(recording *r);

#endif
