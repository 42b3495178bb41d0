/* folds.json: ops with their verdicts, and the record they make in whatever order they come. */
#include <string.h>

#include "vec.h"

enum { IN_MAX = 8 };
typedef struct fold {
  vec *v;
  ov_fold_in in[IN_MAX];
  uint32_t n;
  json_t *out;
} fold;

static const char *const verdicts[] = {"waiting", "applied", "held", "dismissed", "void", "erased"};

/* An op on (or creating) the record of the fold's first op, by a writer of its own; every later op comes a
 * minute later. */
static ov_op *op(fold *f, uint8_t writer, const ov_field *fields, uint32_t n) {
  ov_fold_in *in = &f->in[f->n];
  const ov_name *record = f->n ? &f->in[0].op->record : NULL;
  ov_op *made = vec_new_op(f->v, writer, f->n + 1, record, fields, n);
  made->device_time = 1763800000 + 60 * (int64_t)f->n;
  *in = (ov_fold_in){.op = made, .verdict = OV_APPLIED, .server_time = 1763810000};
  f->n++;
  return made;
}

static ov_op *set_int(fold *f, uint8_t writer, uint16_t field, int64_t value) {
  ov_field one = {field, ov_int(value)};
  return op(f, writer, &one, 1);
}

static ov_op *set_text(fold *f, uint8_t writer, uint16_t field, const char *text) {
  ov_field one = {field, text ? ov_text(text) : ov_nil()};
  return op(f, writer, &one, 1);
}

static void replaces(fold *f, ov_op *o, uint32_t n, const unsigned *which) {
  ov_name names[IN_MAX];
  for (uint32_t i = 0; i < n; i++) names[i] = f->in[which[i]].op->name;
  for (uint32_t i = 1; i < n; i++)
    for (uint32_t k = i; k > 0 && ov_name_compare(&names[k], &names[k - 1]) < 0; k--) {
      ov_name t = names[k];
      names[k] = names[k - 1];
      names[k - 1] = t;
    }
  vec_replace(f->v, o, names, n);
}
#define REPLACES(f, o, ...)                                                                                  \
  replaces(f, o, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned), (unsigned[]){__VA_ARGS__})

static void verdict(fold *f, ov_verdict what, uint8_t reason) {
  f->in[f->n - 1].verdict = what;
  f->in[f->n - 1].reason = reason;
}

static void done(fold *f, const char *name) {
  ov_record r;
  json_t *ops = json_array();
  vec_need(ov_fold(f->in, f->n, &f->v->arena, &r) == 0, name);
  for (uint32_t i = 0; i < f->n; i++) {
    json_t *j = json_pack("{s:o, s:s, s:i, s:I, s:I}", "op", vec_op(f->in[i].op), "verdict",
                          verdicts[f->in[i].verdict], "reason", (int)f->in[i].reason, "server_time",
                          (json_int_t)f->in[i].server_time, "clock_offset",
                          (json_int_t)f->in[i].clock_offset);
    json_array_append_new(ops, j);
  }
  ov_buf_reset(&f->v->scratch);
  ov_record_encode(&r, &f->v->scratch);
  json_array_append_new(f->out,
                        json_pack("{s:s, s:o, s:o, s:o}", "name", name, "ops", ops, "record", vec_record(&r),
                                  "encoded", vec_hex(f->v->scratch.p, f->v->scratch.n)));
  f->n = 0;
}

static void single_values(fold *f) {
  set_int(f, 0x10, 2, 7);
  done(f, "a creating op alone");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  done(f, "an edit replaces what it saw");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  REPLACES(f, set_int(f, 0x30, 2, 9), 0);
  done(f, "two edits that did not see each other: a conflict, the later corrected time first");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  REPLACES(f, set_int(f, 0x30, 2, 9), 0);
  REPLACES(f, set_int(f, 0x20, 2, 9), 1, 2);
  done(f, "a value that replaces both settles it");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  REPLACES(f, set_int(f, 0x30, 2, 8), 0);
  done(f, "two live values that are equal are no conflict");

  const ov_field both[] = {{2, ov_int(7)}, {40, ov_text("rustig")}};
  op(f, 0x10, both, 2);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  REPLACES(f, set_text(f, 0x30, 40, "onrustig"), 0);
  done(f, "edits of different fields do not meet");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 40, "hoort bij geen waarde"), 0);
  done(f, "naming an op does not replace a field that the edit does not carry");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 2, NULL), 0);
  done(f, "a nil is a value: the field was made empty");
}

static void clocks(fold *f) {
  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  f->in[1].clock_offset = -400 * 86400;
  ((ov_op *)f->in[1].op)->device_time += 400 * 86400;
  REPLACES(f, set_int(f, 0x30, 2, 9), 0);
  done(f, "the clock of a tablet is 400 days ahead of its server: its offset puts the time right, and is "
          "flagged");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  ((ov_op *)f->in[1].op)->device_time = 1863800000;
  REPLACES(f, set_int(f, 0x30, 2, 9), 0);
  done(f, "no corrected time lies after the server's");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 8), 0);
  REPLACES(f, set_int(f, 0x30, 2, 9), 0);
  ((ov_op *)f->in[2].op)->device_time = f->in[1].op->device_time;
  done(f, "equal times: the later name is shown first");
}

static void held_links(fold *f) {
  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 999), 0);
  verdict(f, OV_HELD, OV_HELD_RANGE);
  done(f, "a held op gives no value and replaces none");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 999), 0);
  verdict(f, OV_HELD, OV_HELD_RANGE);
  REPLACES(f, set_int(f, 0x20, 2, 9), 1);
  done(f, "its replacement counts once an applied op replaces it");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_int(f, 0x20, 2, 999), 0);
  verdict(f, OV_HELD, OV_HELD_RANGE);
  REPLACES(f, set_int(f, 0x20, 2, 998), 1);
  verdict(f, OV_DISMISSED, OV_HELD_RANGE);
  REPLACES(f, set_int(f, 0x20, 2, 9), 2);
  done(f, "over two links");

  set_int(f, 0x10, 2, 7);
  ov_op *a = set_int(f, 0x20, 2, 1);
  verdict(f, OV_HELD, OV_HELD_RANGE);
  ov_op *b = set_int(f, 0x30, 2, 2);
  verdict(f, OV_HELD, OV_HELD_RANGE);
  REPLACES(f, a, 0, 2);
  REPLACES(f, b, 1);
  done(f, "held ops in a circle count for nothing");

  set_int(f, 0x10, 2, 7);
  verdict(f, OV_HELD, OV_HELD_AUTHOR);
  set_int(f, 0x20, 3, 8);
  done(f, "the creating op is held: the record is there, but not created");

  set_int(f, 0x10, 2, 7);
  set_int(f, 0x20, 2, 8);
  verdict(f, OV_WAITING, 0);
  set_int(f, 0x20, 2, 9);
  verdict(f, OV_ERASED, 0);
  done(f, "waiting and erased ops give nothing");
}

static void retractions(fold *f) {
  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 1, "verkeerde cli\xc3\xabnt"), 0);
  done(f, "a retraction names what it saw, and kills no value");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 1, "verkeerde cli\xc3\xabnt"), 0);
  REPLACES(f, set_int(f, 0x30, 2, 8), 0);
  done(f, "a value that it did not see makes the record a conflict again");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 1, "verkeerde cli\xc3\xabnt"), 0);
  REPLACES(f, set_text(f, 0x30, 1, NULL), 1);
  done(f, "undone");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 1, "dubbel"), 0);
  REPLACES(f, set_text(f, 0x30, 1, "verkeerde cli\xc3\xabnt"), 0);
  done(f, "two retractions with different reasons agree");

  set_int(f, 0x10, 2, 7);
  REPLACES(f, set_text(f, 0x20, 1, "dubbel"), 0);
  REPLACES(f, set_text(f, 0x20, 1, NULL), 1);
  REPLACES(f, set_text(f, 0x30, 1, "toch niet"), 0, 1);
  done(f, "undone by one and retracted by another at once");
}

static void sets(fold *f) {
  ov_field one = {12, vec_set(f->v, (int64_t[]){1, 3}, 2, NULL, 0)};
  op(f, 0x10, &one, 1);
  one.v = vec_set(f->v, (int64_t[]){5}, 1, (int64_t[]){3}, 1);
  REPLACES(f, op(f, 0x20, &one, 1), 0);
  done(f, "a set: codes are added and deleted one by one");

  one.v = vec_set(f->v, (int64_t[]){1, 3}, 2, NULL, 0);
  op(f, 0x10, &one, 1);
  one.v = vec_set(f->v, NULL, 0, (int64_t[]){3}, 1);
  REPLACES(f, op(f, 0x20, &one, 1), 0);
  one.v = vec_set(f->v, (int64_t[]){3, 4}, 2, NULL, 0);
  REPLACES(f, op(f, 0x30, &one, 1), 0);
  done(f, "one deletes the code that another adds again: a conflict about that code alone");
}

json_t *vec_make_folds(vec *v) {
  fold f = {.v = v, .out = json_array()};
  single_values(&f);
  clocks(&f);
  held_links(&f);
  retractions(&f);
  sets(&f);
  return f.out;
}
