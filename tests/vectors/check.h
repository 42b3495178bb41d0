/* Reading the checked-in vectors and holding the library to them. */
#ifndef OV_VEC_CHECK_H
#define OV_VEC_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vec.h"

#define VEC_DIR OV_SOURCE_DIR "/proto/vectors"

json_t *check_load(const char *file);
/* Fails the test with the vector's name when the bytes differ. */
void check_hex(const char *name, json_t *want, const uint8_t *p, size_t n);
const char *check_text(json_t *j, const char *key);

void test_folds(void **state);

#endif
