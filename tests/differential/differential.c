/* Reads one JSON object a line, answers with one JSON object a line, until the input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

json_t *ask_error(int err) { return json_pack("{s:s}", "error", ov_err_slug(err)); }

ov_op *ask_read_list(vec *v, json_t *list, size_t *n) {
  *n = json_array_size(list);
  ov_op *ops = ov_arena_array(&v->arena, *n + 1, sizeof *ops);
  vec_need(ops != NULL, "out of memory");
  for (size_t i = 0; i < *n; i++) ops[i] = *vec_read_op(v, json_array_get(list, i));
  return ops;
}

static ask_fn find(const char *what) {
  const ask_entry *const tables[] = {ask_ops, ask_records, ask_wire};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (const ask_entry *e = tables[i]; e->what; e++)
      if (!strcmp(e->what, what)) return e->fn;
  return NULL;
}

static json_t *answer(vec *v, const char *line) {
  json_error_t why;
  json_t *question = json_loads(line, 0, &why);
  const char *what = json_string_value(json_object_get(question, "ask"));
  ask_fn fn = what ? find(what) : NULL;
  json_t *out = fn ? fn(v, question) : json_pack("{s:s}", "error", "no such question");
  json_decref(question);
  return out;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  vec v;
  vec_open(&v, OV_SOURCE_DIR "/proto/vectors");
  while (getline(&line, &room, stdin) > 0) {
    json_t *out = answer(&v, line);
    char *text = json_dumps(out, JSON_COMPACT);
    vec_need(text != NULL && puts(text) >= 0 && fflush(stdout) == 0, "answer");
    free(text);
    json_decref(out);
    ov_arena_reset(&v.arena);
    ov_buf_reset(&v.scratch);
  }
  free(line);
  vec_close(&v);
  return 0;
}
