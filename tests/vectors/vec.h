/* Test vectors: what a second implementation is held to. vec_make_* build one JSON file each from this
 * program's own encoders; vec_read_* turn the JSON notation back into structs, for the test and as an example
 * of a reader.
 *
 * Notation: bytes are hex; names are their text form; an integer value is a decimal string (it may exceed a
 * JSON number). */
#ifndef OV_VEC_H
#define OV_VEC_H

#include <jansson.h>

#include "ov/chain.h"
#include "ov/fold.h"
#include "ov/msg.h"
#include "ov_p256.h"

typedef struct vec {
  ov_arena arena;
  ov_hasher *hasher;
  ov_packer *packer;
  ov_buf scratch;
  ov_p256 *device_key, *server_key; /* fixed test keys */
  json_t *old_signatures,
      *old_messages; /* as checked in: signatures and deflate output are kept while they still fit */
} vec;

/* dir: where the checked-in files are; missing ones are fine. Ends the program when something is wrong: these
 * are tests. */
void vec_open(vec *v, const char *dir);
void vec_close(vec *v);
/* Ends the program with a message unless ok. */
void vec_need(int ok, const char *what);

typedef struct vec_file {
  const char *name;
  json_t *(*make)(vec *v);
} vec_file;
extern const vec_file vec_files[]; /* ends with a NULL name */
/* The text of a file as it is checked in; free() it. */
char *vec_text(json_t *json);

/* PROTOCOL.md with its examples made afresh; free() it. */
char *vec_examples(vec *v, const char *text, json_t *messages);

/* -- notation -- */
json_t *vec_hex(const void *p, size_t n);
json_t *vec_name(const ov_name *n);
json_t *vec_value(const ov_value *v);
/* Header and payload parts; a void has its two hashes. A payload that is no canonical payload stands as
 * "payload" (hex) in place of fields and replaces, with why it is "refused". */
json_t *vec_op(const ov_op *op);
json_t *vec_record(const ov_record *r);
json_t *vec_message(const ov_msg *m); /* its fields */
const uint8_t *vec_read_hex(vec *v, json_t *j, size_t *n);
void vec_read_bytes(json_t *j, uint8_t *out, size_t n);
void vec_read_name(json_t *j, ov_name *out);
ov_value vec_read_value(vec *v, json_t *j);
ov_op *vec_read_op(vec *v, json_t *j);
ov_rows_ctx vec_read_ctx(json_t *j);
json_t *vec_ctx(const ov_rows_ctx *c);

/* -- building -- */
ov_id vec_id(uint8_t fill); /* 16 bytes: fill, fill+1 ... */
ov_name vec_sample_name(uint8_t writer, uint64_t seq);
/* An op of kind 20 in scope 2, device time 1,763,800,000 + seq, named (writer, seq, pattern). fields is
 * copied. */
ov_op *vec_new_op(vec *v, uint8_t writer, uint64_t seq, const ov_name *record, const ov_field *fields,
                  uint32_t n);
void vec_replace(vec *v, ov_op *op, const ov_name *names, uint32_t n);
ov_value vec_set(vec *v, const int64_t *add, uint32_t n_add, const int64_t *del, uint32_t n_del);
/* The signature named so: the checked-in one while it verifies over these bytes, else a new one. */
void vec_sign(vec *v, const char *name, const ov_p256 *key, const ov_buf *signed_bytes,
              uint8_t sig[OV_SIG_BYTES]);
json_t *vec_find(json_t *array, const char *name);
/* The salt of an op, which never travels. */
void vec_salt(vec *v, const uint8_t key[OV_KEY_BYTES], const ov_id *writer, uint64_t seq, ov_hash *salt);

json_t *vec_make_values(vec *v);
json_t *vec_make_names(vec *v);
json_t *vec_make_ops(vec *v);
json_t *vec_make_chains(vec *v);
json_t *vec_make_folds(vec *v);
json_t *vec_make_rows(vec *v);
json_t *vec_make_messages(vec *v);
json_t *vec_make_signatures(vec *v);
json_t *vec_make_refused(vec *v);

#endif
