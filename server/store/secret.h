/* Memory for keys: pages of its own that are kept out of swap (as far as RLIMIT_MEMLOCK allows), out of core
 * dumps, and are overwritten before they are given back. */
#ifndef SV_SECRET_H
#define SV_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL when out of memory. */
void *sv_secret_alloc(size_t n);
void sv_secret_free(void *p, size_t n); /* NULL is fine; n as given to alloc */
/* Was every page so far locked into memory? False: some may be swapped out; swap should then be encrypted or
 * off. */
bool sv_secret_all_locked(void);
/* No core dump of this process, and no other process of this user reads its memory. Returns 0 or OV_E_IO. */
int sv_secret_process(void);

#endif
