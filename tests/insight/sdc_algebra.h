/* The attacker's algebra, apart from the library's: rows of zeros and ones over atoms, and what may be
 * derived from them. */
#ifndef SDC_ALGEBRA_H
#define SDC_ALGEBRA_H

#include <stdbool.h>
#include <stdint.h>

#define AL_ROWS_MAX 62
#define AL_ATOMS_MAX 4096

typedef struct al_system {
  uint32_t n_atoms, n_rows;
  uint64_t in[AL_ATOMS_MAX];     /* per atom: the rows it is in */
  uint32_t person[AL_ATOMS_MAX]; /* whose atom it is */
  uint16_t org[AL_ATOMS_MAX];
} al_system;

/* Size of the smallest group of 1 to `below` - 1 persons for which some combination of the rows is zero on
 * all atoms but theirs and not zero on theirs; those of organisation `insider` are known to the attacker (-1:
 * no insider). 0: there is none. Exact: all unions of classes of atoms below that size are tried. */
unsigned al_smallest(const al_system *s, int insider, unsigned below);

#endif
