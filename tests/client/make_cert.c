/* Prints the files of a fresh self-signed certificate for localhost: its folder, certificate and key. The
 * caller removes the folder. */
#include <stdio.h>

#include "testcert.h"

int main(void) {
  testcert t;
  if (!testcert_make(&t)) return 1;
  printf("%s\n%s\n%s\n", t.dir, t.cert_file, t.key_file);
  return 0;
}
