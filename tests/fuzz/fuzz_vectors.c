/* Seeds and samples from the files of the tree. */
#include <jansson.h>
#include <string.h>

#include "fuzz.h"

uint8_t *fuzz_file(const char *path_in_tree, size_t *n) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", OV_SOURCE_DIR, path_in_tree);
  FILE *f = fopen(path, "rb");
  if (!f) {
    perror(path);
    exit(2);
  }
  fseek(f, 0, SEEK_END);
  long size = ftell(f);
  rewind(f);
  uint8_t *p = malloc((size_t)size + 1);
  FUZZ_MUST(p && fread(p, 1, (size_t)size, f) == (size_t)size);
  fclose(f);
  p[size] = 0;
  *n = (size_t)size;
  return p;
}

static size_t from_hex(const char *hex, uint8_t *out) {
  size_t n = 0;
  for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2) out[n++] = (uint8_t)byte;
  return n;
}

void fuzz_vectors(const char *file, const char *key, fuzz_each each, void *ctx) {
  char path[100];
  size_t n, i;
  snprintf(path, sizeof path, "proto/vectors/%s", file);
  uint8_t *text = fuzz_file(path, &n);
  json_t *all = json_loadb((char *)text, n, 0, NULL), *v;
  FUZZ_MUST(json_is_array(all));
  json_array_foreach(all, i, v) {
    const char *hex = json_string_value(json_object_get(v, key));
    const char *what = json_string_value(json_object_get(v, "what"));
    const char *name = what ? what : json_string_value(json_object_get(v, "name"));
    if (!hex) continue;
    uint8_t *p = malloc(strlen(hex) / 2 + 1);
    FUZZ_MUST(p);
    each(ctx, name ? name : "", p, from_hex(hex, p));
    free(p);
  }
  json_decref(all);
  free(text);
}

static void add_sample(void *ctx, const char *name, const uint8_t *p, size_t n) {
  fuzz_samples *s = ctx;
  (void)name;
  if (s->n == sizeof s->plain / sizeof *s->plain) return;
  ov_buf_init(&s->plain[s->n], 0);
  ov_buf_put(&s->plain[s->n], p, n);
  s->type[s->n] = n > 1 ? (ov_msg_type)(p[1] % OV_M_COUNT) : (ov_msg_type)0;
  s->n++;
}

const fuzz_samples *fuzz_messages(void) {
  static fuzz_samples s;
  if (!s.n) fuzz_vectors("messages.json", "plain", add_sample, &s);
  return &s;
}
