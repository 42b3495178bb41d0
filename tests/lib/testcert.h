/* A self-signed P-256 certificate for localhost and 127.0.0.1, valid for an hour, made when a test starts: no
 * key lies in the repository. */
#ifndef OV_TESTS_TESTCERT_H
#define OV_TESTS_TESTCERT_H

#include <stdbool.h>

typedef struct testcert {
  char dir[64];       /* a fresh folder under /tmp */
  char cert_file[96]; /* PEM; also its own authority */
  char key_file[96];
} testcert;

bool testcert_make(testcert *t);
/* Removes both files and the folder. */
void testcert_remove(testcert *t);

#endif
