/* What op_codec.c needs of values beyond the public header. */
#ifndef OV_OP_VALUE_H
#define OV_OP_VALUE_H

#include "ov/op.h"

/* Structure and limits of a value built by hand: what the decoder would refuse is refused. Adds its encoded
 * size to *bytes. 0, OV_E_OP_FORMAT, OV_E_OP_LIMIT. */
int ov_value_check(const ov_value *v, size_t *bytes);

#endif
