/* Reads a folder of schema files, has each checked, checks them against each other, and packs them. */
#include "schema_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool file_wanted(const char *name) {
  size_t n = strlen(name);
  return name[0] != '.' && n > 5 && !strcmp(name + n - 5, ".json");
}

static int files_reserve(sv_schema_json_set *s, size_t n) {
  s->files = calloc(n ? n : 1, sizeof *s->files);
  s->kinds = calloc(n ? n : 1, sizeof *s->kinds);
  return s->files && s->kinds ? 0 : OV_E_NOMEM;
}

static int parse_file(checker *c, schema_file *f, const char *text, size_t n) {
  json_error_t e;
  f->root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
  if (!f->root) {
    complain(c, NULL, "line %d, column %d: %s", e.line, e.column, e.text);
    return OV_E_INVALID;
  }
  check_kind(c, f->root);
  return 0;
}

static int read_file(checker *c, schema_file *f, const char *path) {
  FILE *in = fopen(path, "rb");
  if (!in) {
    complain(c, NULL, "cannot be opened: %s", strerror(errno));
    return OV_E_IO;
  }
  int err = OV_E_NOMEM;
  char *text = malloc(SCHEMA_FILE_BYTES_MAX + 1);
  if (text) {
    size_t n = fread(text, 1, SCHEMA_FILE_BYTES_MAX + 1, in);
    err = 0;
    if (ferror(in)) {
      complain(c, NULL, "cannot be read: %s", strerror(errno));
      err = OV_E_IO;
    } else if (n > SCHEMA_FILE_BYTES_MAX) {
      complain(c, NULL, "is larger than %u bytes", SCHEMA_FILE_BYTES_MAX);
    } else {
      (void)parse_file(c, f, text, n);
    }
  }
  free(text);
  fclose(in);
  return err;
}

static int name_compare(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int want(const struct dirent *d) { return file_wanted(d->d_name); }

/* Files in the order of their names, so that messages come in the same order everywhere. */
static int read_dir(checker *c, const char *dir, sv_schema_json_set *s) {
  struct dirent **list = NULL;
  char path[4096];
  int n = scandir(dir, &list, want, name_compare), err = 0;
  if (n < 0) {
    complain(c, NULL, "cannot be read: %s", strerror(errno));
    return errno == ENOENT ? OV_E_NOTFOUND : OV_E_IO;
  }
  if ((unsigned)n > OV_SCHEMA_KINDS_MAX - 1) {
    complain(c, NULL, "has %d schema files; %u are allowed", n, OV_SCHEMA_KINDS_MAX - 1);
    err = OV_E_LIMIT;
  } else {
    err = files_reserve(s, (size_t)n);
  }
  for (int i = 0; i < n; i++) {
    if (!err) {
      schema_file *f = &s->files[s->n++];
      f->file = strdup(list[i]->d_name);
      c->file = f->file ? f->file : "";
      int w = snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
      err = !f->file ? OV_E_NOMEM : w < 0 || (size_t)w >= sizeof path ? OV_E_INVALID : read_file(c, f, path);
    }
    free(list[i]);
  }
  free(list);
  return err;
}

static int64_t kind_number(const schema_file *f) {
  return json_integer_value(json_object_get(f->root, "id"));
}

static const char *kind_name(const schema_file *f) {
  const char *s = json_string_value(json_object_get(f->root, "kind"));
  return s ? s : "";
}

static int file_compare(const void *a, const void *b) {
  int64_t x = kind_number(a), y = kind_number(b);
  return x < y ? -1 : x > y;
}

typedef struct lookup {
  const sv_schema_json_set *own, *known;
} lookup;

static uint16_t find_kind(void *ctx, const char *name) {
  const lookup *l = ctx;
  if (!strcmp(name, "schema")) return OV_KIND_SCHEMA;
  for (size_t i = 0; i < l->own->n; i++)
    if (!strcmp(kind_name(&l->own->files[i]), name)) return (uint16_t)kind_number(&l->own->files[i]);
  const sv_schema_json_kind *k = l->known ? sv_schema_json_by_name(l->known, name) : NULL;
  return k ? k->id : 0;
}

/* Kind names cannot repeat: each is the name of its file. Ids can. */
static void check_together(checker *c, const lookup *l) {
  const sv_schema_json_set *s = l->own;
  char where[80];
  for (size_t i = 0; i < s->n; i++) {
    const json_t *fields = json_object_get(s->files[i].root, "fields");
    c->file = s->files[i].file;
    if (i && kind_number(&s->files[i]) == kind_number(&s->files[i - 1]))
      complain(c, "id", "is %d, which %s has already", (int)kind_number(&s->files[i]), s->files[i - 1].file);
    for (size_t k = 0; k < json_array_size(fields); k++) {
      const json_t *f = json_array_get(fields, k);
      const char *ref = json_string_value(json_object_get(f, "ref"));
      if (!ref || find_kind((void *)l, ref)) continue;
      snprintf(where, sizeof where, "fields[%zu] %s", k, json_string_value(json_object_get(f, "name")));
      c->field = where;
      complain(c, "ref", "is '%s', which is no kind of this folder", ref);
      c->field = NULL;
    }
  }
}

static int pack_all(checker *c, const lookup *l, sv_schema_json_set *s) {
  for (size_t i = 0; i < s->n; i++) {
    sv_schema_json_kind *k = &s->kinds[i];
    ov_buf b;
    ov_buf_init(&b, SCHEMA_FILE_BYTES_MAX);
    schema_pack(s->files[i].root, find_kind, (void *)l, &b);
    *k = (sv_schema_json_kind){
        .name = kind_name(&s->files[i]),
        .id = (uint16_t)kind_number(&s->files[i]),
        .bytes = b.p,
        .n = b.n,
        .version = (uint16_t)json_integer_value(json_object_get(s->files[i].root, "version"))};
    c->file = s->files[i].file;
    if (b.err) return b.err;
    if (b.n > OV_SCHEMA_BYTES_MAX)
      complain(c, NULL, "becomes %zu bytes for the tablets; %u are allowed: shorten labels or help texts",
               b.n, OV_SCHEMA_BYTES_MAX);
  }
  return 0;
}

static int finish(checker *c, sv_schema_json_set *s, const sv_schema_json_set *known, int err,
                  sv_schema_json_set **out) {
  if (!err && !c->problems) {
    lookup l = {s, known};
    qsort(s->files, s->n, sizeof *s->files, file_compare);
    check_together(c, &l);
    if (!c->problems) err = pack_all(c, &l, s);
  }
  if (!err && c->problems) err = OV_E_INVALID;
  if (err) sv_schema_json_free(s);
  else *out = s;
  return err;
}

int sv_schema_json_load_dir(const char *dir, sv_schema_json_report report, void *ctx,
                            sv_schema_json_set **out) {
  checker c = {.report = report, .ctx = ctx, .file = dir};
  *out = NULL;
  sv_schema_json_set *s = calloc(1, sizeof *s);
  if (!s) return OV_E_NOMEM;
  return finish(&c, s, NULL, read_dir(&c, dir, s), out);
}

int sv_schema_json_load_text(const char *file, const char *text, size_t n, const sv_schema_json_set *known,
                             sv_schema_json_report report, void *ctx, sv_schema_json_set **out) {
  checker c = {.report = report, .ctx = ctx, .file = file};
  *out = NULL;
  sv_schema_json_set *s = calloc(1, sizeof *s);
  int err = s ? files_reserve(s, 1) : OV_E_NOMEM;
  if (!err) {
    s->n = 1;
    s->files[0].file = strdup(file);
    err = s->files[0].file ? parse_file(&c, &s->files[0], text, n) : OV_E_NOMEM;
  }
  return s ? finish(&c, s, known, err, out) : err;
}

void sv_schema_json_free(sv_schema_json_set *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n; i++) {
    free((void *)s->kinds[i].bytes); /* the buffer of ov_buf: plain malloc memory */
    free(s->files[i].file);
    json_decref(s->files[i].root);
  }
  free(s->files);
  free(s->kinds);
  free(s);
}

size_t sv_schema_json_count(const sv_schema_json_set *s) { return s->n; }

const sv_schema_json_kind *sv_schema_json_at(const sv_schema_json_set *s, size_t i) {
  return i < s->n ? &s->kinds[i] : NULL;
}

const sv_schema_json_kind *sv_schema_json_by_name(const sv_schema_json_set *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (!strcmp(s->kinds[i].name, name)) return &s->kinds[i];
  return NULL;
}
