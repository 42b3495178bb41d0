/* The lock of a data folder: LMDB lets a second process in, so a folder is ours only while we hold its file
 * `lock` (flock, so the kernel lets go when a process dies, however it dies). The pid of the holder stands
 * inside, for messages only. */
#ifndef SV_LOCK_H
#define SV_LOCK_H

typedef struct sv_lock sv_lock;
/* 0, OV_E_LOCKED (*holder is the pid that stands in the file, 0 when none can be read; holder may be NULL),
 * OV_E_NOTFOUND (no such folder), OV_E_IO, OV_E_NOMEM. The file stays when the lock is given back: removing
 * it would let two processes lock two files. */
int sv_lock_folder(const char *folder, sv_lock **out, long *holder);
void sv_unlock(sv_lock *l); /* NULL is fine */

#endif
