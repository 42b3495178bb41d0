/* One main path of server or client, run again and again with another call failing each time. */
#ifndef TESTS_KTH_H
#define TESTS_KTH_H

#include "fuzz_home.h"
#include "kth_faults.h"

typedef struct kth_path {
  const char *name;
  /* Turns the faults on (kth_on) for as long as the code under test runs. True: it did what it is for. After
   * a fault it is asked to do the same again, without one. */
  bool (*run)(fuzz_home *h);
  /* How many of the tablet's own ops are added when all went well. */
  unsigned adds;
  /* Of more calls of one sort the day's runs take so many, evenly spread. Long runs take each. */
  unsigned day_runs;
} kth_path;

extern const kth_path kth_sync_paths[], kth_client_paths[], kth_server_paths[]; /* each ends with name NULL */

/* What the server said last, for a test that fails. */
extern char kth_said[400];

/* The first lines of a test that fails: which call of which path it was. */
_Noreturn void kth_die(const char *file, int line, const char *what);
#define KTH_MUST(cond) ((cond) ? (void)0 : kth_die(__FILE__, __LINE__, #cond))

#endif
