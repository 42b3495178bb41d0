/* Fails the k-th fallible call that the code under test makes: allocations and calls into OpenSSL, counted
 * together. Use it as
 *   FOR_EACH_FAULT(k) { run; if (!fault_hit()) it must have succeeded; else it must have failed cleanly; }
 * which runs with k = 1, 2, 3 ... until a run comes to its end without reaching the k-th call. */
#ifndef OV_TEST_FAULTS_H
#define OV_TEST_FAULTS_H

#include <stdbool.h>

/* The k-th call from now on fails, once; 0: none. */
void fault_arm(unsigned k);
/* Did it? Also disarms. */
bool fault_hit(void);

#define FOR_EACH_FAULT(k)                                                                                    \
  for (unsigned k = 1, more_ = 1; more_ && (fault_arm(k), 1); more_ = fault_was_hit(), k++)

/* For the macro: like fault_hit, of the last armed fault. */
bool fault_was_hit(void);

#endif
