/* What the tests of writing, scanning and reading share. */
#ifndef MP_BYTES_H
#define MP_BYTES_H

#include "util.h"

#include <msgpack/unpack.h>

#include "faults.h"
#include "ov/limits.h"
#include "ov/mp_read.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

#endif
