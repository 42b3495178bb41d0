/* Restore: putting environments in place, and bringing back what newer copies still have. */
#ifndef ADMIN_RESTORE_H
#define ADMIN_RESTORE_H

#include "backup.h"

typedef struct merge_counts {
  uint64_t ops, refused, unreadable, devices, revoked, requeued, looks;
} merge_counts;

/* One write transaction of a restored organisation, run again as the map grows. */
int restore_write(adm *m, sv_org *org, sv_admin_work work, void *arg);

/* restore_cut.c: the mark of a restore that is not done, in the folder of an environment. */
int restore_mark(adm *m, const char *env, const char *backup);
int restore_unmark(adm *m, const char *env);
bool restore_is_marked(const char *env);
/* What was last moved aside for this environment; false: nothing. */
bool restore_latest_aside(const char *env, char out[PATH_MAX_BYTES]);

/* restore_merge.c: every op of `from` that `to` lacks, with its receipts; then its devices. What cannot be
 * read is counted and passed. */
int restore_merge(adm *m, sv_org *from, sv_org *to, merge_counts *c);
/* Devices of `from` that `to` lacks (only those of to's organisation), and revocations: a restore never
 * undoes one. */
int restore_devices(adm *m, sv_org *from, sv_org *to, merge_counts *c);
/* restore_audit.c: lines of the audit of `from` that `to` lacks; then the line about the restore itself. */
int restore_audit(adm *m, sv_org *from, sv_org *to, merge_counts *c);
int restore_audit_line(adm *m, sv_org *org, const merge_counts *c);
/* restore_accounts.c: accounts and tokens of `from`. latest: it is what was there before, and is taken whole;
 * else only what it had ended is ended in `to` too. */
int restore_accounts(adm *m, sv_org *from, sv_org *to, bool latest);
/* Sign-in names of the organisation's accounts that the programme lacks. */
int restore_logins(adm *m, sv_org *org, sv_org *programme);
/* restore_people.c: who is inactive in `from`, which is what was there before, becomes so in `to`. */
int restore_people(adm *m, sv_org *from, sv_org *to);
/* Devices whose record is not among what was restored or brought back get a new one. programme may be
 * NULL. */
int restore_device_records(adm *m, sv_org *org, sv_org *programme);
/* Ops of the programme's scope in this organisation's log that the programme lacks go into the queue
 * again. */
int restore_requeue(adm *m, sv_org *org, sv_org *programme, merge_counts *c);

#endif
