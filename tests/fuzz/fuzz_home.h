/* A real server and a real tablet in one process (world.h), as they were after a first sync: each input
 * starts from the same bytes on disk. The fixture's tablet `log` writes logs as a client would, and lies
 * where an input asks for it. */
#ifndef TESTS_FUZZ_HOME_H
#define TESTS_FUZZ_HOME_H

#include "fuzz.h"
#include "oc_internal.h"
#include "world.h"

#define HOME_OPS_MAX 64u

typedef struct fuzz_op {
  ov_name name;
  ov_hash header_hash, commitment;
} fuzz_op;

typedef struct fuzz_home {
  world w;
  uint32_t team;
  ov_name person, participant, stranger; /* stranger: a participant that the server has never heard of */
  tablet t;                              /* open; some of its ops are acknowledged, some are not */
  sv_device device;                      /* of `log` */
  ov_p256 *key;
  fx_tablet *log;               /* with three ops that the server has; a new one for each input */
  fuzz_op stored[HOME_OPS_MAX]; /* ops that were acknowledged before the input */
  unsigned n_stored;
} fuzz_home;

/* The home, put back to its start. The same object each time. */
fuzz_home *fuzz_home_fresh(void);
/* Every acknowledged op is there with the bytes it had, the books are right, no byte is damaged; and the
 * tablet syncs all it has. */
void fuzz_home_unharmed(fuzz_home *h);
/* This op must be stored with these bytes from now on. */
void fuzz_home_acknowledged(fuzz_home *h, const ov_op *op);
/* All tablets' ops are on the server, by name. */
void fuzz_home_tablet_arrived(fuzz_home *h);

/* The server process ends, and starts again on the same data; restart: the tablet's, too. */
void fuzz_home_stop(fuzz_home *h);
void fuzz_home_start(fuzz_home *h);
void fuzz_home_restart(fuzz_home *h);
/* Closes all; fuzz_home_fresh opens it again. */
void fuzz_home_close(fuzz_home *h);

/* A connection to the server's session, without a client behind it. */
typedef struct fuzz_link {
  fuzz_home *h;
  sv_session *ss; /* NULL: closed */
  bool close_asked;
  unsigned code;
} fuzz_link;
/* False when the server takes no session now (it is out of memory). */
bool fuzz_connect(fuzz_link *l, fuzz_home *h);
void fuzz_disconnect(fuzz_link *l);

#endif
