/* The smallest app: opens a store and says what it is. */
#include <overdracht.h>
#include <stdio.h>

int main(int argc, char **argv) {
  oc_store *s = NULL;
  oc_status st;
  oc_error e;
  if (argc != 2 || oc_store_open(&(oc_options){.path = argv[1]}, &s, &e)) return 1;
  int err = oc_status_get(s, &st, &e);
  oc_store_close(s);
  if (err) return 1;
  printf("%s %s\n", oc_version(), st.enrolled ? "enrolled" : "not enrolled");
  return 0;
}
