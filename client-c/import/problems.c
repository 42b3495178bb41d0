/* What all parts of an import need: memory, and what is said of a file and its lines. */
#include "import_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int import_fail(importer *im, int err, unsigned line, const char *fmt, ...) {
  va_list ap;
  if (im->failed) return im->failed;
  im->failed = err;
  im->err->line = line;
  va_start(ap, fmt);
  vsnprintf(im->err->text, sizeof im->err->text, fmt, ap);
  va_end(ap);
  return err;
}

void *import_alloc(importer *im, size_t n) {
  void *p = im->failed ? NULL : ov_arena_alloc(im->a, n);
  if (!p)
    import_fail(im, OV_E_NOMEM, im->line, "this file needs more memory than one import may take (%u MB)",
                OC_IMPORT_ARENA_BYTES_MAX >> 20);
  return p;
}

char *import_copy(importer *im, const char *p, size_t n) {
  char *copy = import_alloc(im, n + 1);
  if (copy && n) memcpy(copy, p, n);
  return copy;
}

void *import_more(importer *im, void *p, size_t n, size_t *cap, size_t size, size_t max, const char *what) {
  if (n >= max) {
    import_fail(im, OV_E_LIMIT, im->line, "more than %zu %s in one file", max, what);
    return NULL;
  }
  if (n < *cap) return p;
  size_t more = *cap ? *cap * 2 : 64;
  void *bigger = import_alloc(im, more * size);
  if (!bigger) return NULL;
  if (n) memcpy(bigger, p, n * size);
  *cap = more;
  return bigger;
}

bool import_no(importer *im, const char *column, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(im->reason, sizeof im->reason, fmt, ap);
  va_end(ap);
  im->column = column;
  return false;
}

static void add_problem(importer *im, problems *l, unsigned line, const char *column, const char *reason,
                        const char *raw) {
  if (l->n >= OC_IMPORT_PROBLEMS_MAX) {
    l->unlisted++;
    return;
  }
  oc_import_problem *p = import_more(im, l->p, l->n, &l->cap, sizeof *p, OC_IMPORT_PROBLEMS_MAX, "problems");
  char *column_copy = p ? import_copy(im, column, strnlen(column, OC_IMPORT_COLUMN_SHOWN)) : NULL;
  char *reason_copy = column_copy ? import_copy(im, reason, strlen(reason)) : NULL;
  if (!reason_copy) return;
  l->p = p;
  p[l->n++] = (oc_import_problem){.line = line, .column = column_copy, .reason = reason_copy, .raw = raw};
}

void import_bad(importer *im, unsigned line, const char *column, const char *reason, const char *raw) {
  add_problem(im, &im->bad, line, column, reason, raw ? raw : "");
}

void import_note(importer *im, unsigned line, const char *column, const char *fmt, ...) {
  char text[OC_IMPORT_REASON_MAX];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  add_problem(im, &im->notes, line, column, text, "");
}

/* Cuts at a character, not in the middle of one. */
const char *import_raw(importer *im, const char *p, size_t n) {
  size_t keep = n < OC_IMPORT_RAW_SHOWN ? n : OC_IMPORT_RAW_SHOWN;
  while (keep < n && keep && ((unsigned char)p[keep] & 0xc0) == 0x80) keep--;
  return import_copy(im, p, keep);
}
