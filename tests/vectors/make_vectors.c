/* make-vectors DIR [PROTOCOL.md]: writes every vector file into DIR, and the examples into the text.
 * Signatures and compressed frames that are there and still fit are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  vec_need(f != NULL, path);
  vec_need(fputs(text, f) >= 0 && fclose(f) == 0, path);
}

static void write_examples(const char *dir, const char *path) {
  vec v;
  vec_open(&v, dir);
  char *text = calloc(1, 1u << 20);
  FILE *f = fopen(path, "r");
  vec_need(text && f && fread(text, 1, (1u << 20) - 1, f) > 0, path);
  fclose(f);
  char *fresh = vec_examples(&v, text, v.old_messages);
  write_file(path, fresh);
  free(fresh);
  free(text);
  vec_close(&v);
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: make-vectors DIR [PROTOCOL.md]\n");
    return 2;
  }
  for (const vec_file *f = vec_files; f->name; f++) {
    vec v;
    vec_open(&v, argv[1]); /* again for each, so that messages find the signatures just written */
    json_t *json = f->make(&v);
    char *text = vec_text(json), path[1024];
    snprintf(path, sizeof path, "%s/%s", argv[1], f->name);
    write_file(path, text);
    printf("%s: %zu\n", f->name, json_array_size(json));
    free(text);
    json_decref(json);
    vec_close(&v);
  }
  if (argc == 3) write_examples(argv[1], argv[2]);
  return 0;
}
