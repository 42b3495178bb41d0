#include "json_text.h"

#include "ov/mp_write.h"

/* The buffer remembers that it failed, whatever becomes of this answer. */
static int put(const char *p, size_t n, void *ctx) {
  ov_buf *b = ctx;
  ov_buf_put(b, p, n);
  return b->err ? -1 : 0;
}

char *oc_json_text(json_t *j, size_t flags) {
  ov_buf b;
  ov_buf_init(&b, SIZE_MAX / 2);
  bool failed = !j || json_dump_callback(j, put, &b, flags);
  json_decref(j);
  ov_buf_u8(&b, 0);
  if (!failed && !b.err) return (char *)b.p;
  ov_buf_free(&b);
  return NULL;
}
