/* A stupid fold: flat arrays, every op against every op, written from the rules in ov/fold.h alone and
 * sharing no code with proto/src. O(n^3) and more; for histories of some dozens of ops. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "ov/fold.h"

#define ORACLE_WHY_MAX 200

/* Is r what the rules make of these ops? If not, why says what differs. Order, held, seen, header and
 * conflicts included. */
bool oracle_agrees(const ov_fold_in *ops, size_t n, const ov_record *r, char why[ORACLE_WHY_MAX]);

#endif
