/* Shared by the two ways in which a record comes from outside: its own encoding and rows. */
#ifndef OV_RECORD_PARTS_H
#define OV_RECORD_PARTS_H

#include "ov/fold.h"

/* Order and indices as the fold makes them, so that searching and comparing are safe. 0 or OV_E_FORMAT. */
int ov_record_check(const ov_record *r);

#endif
