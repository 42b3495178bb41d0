/* make-vectors DIR: writes every vector file into DIR. Signatures and compressed frames that are there and still fit are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

static void write_file(const char *dir, const char *name, const char *text)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  vec_need(f != NULL, path);
  vec_need(fputs(text, f) >= 0 && fclose(f) == 0, path);
}

int main(int argc, char **argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: make-vectors DIR\n");
    return 2;
  }
  for (const vec_file *f = vec_files; f->name; f++) {
    vec v;
    vec_open(&v, argv[1]);   /* again for each, so that messages find the signatures just written */
    json_t *json = f->make(&v);
    char *text = vec_text(json);
    write_file(argv[1], f->name, text);
    printf("%s: %zu\n", f->name, json_array_size(json));
    free(text);
    json_decref(json);
    vec_close(&v);
  }
  return 0;
}
