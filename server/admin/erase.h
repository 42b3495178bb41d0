/* Erasing one participant: shared by the command, the retention terms and nothing else. */
#ifndef ADMIN_ERASE_H
#define ADMIN_ERASE_H

#include "admin_priv.h"
#include "sv_erase.h"

/* participant, ground and at_ms are given. The list of erasures is written beside the backups as well. */
int erase_participant(adm *m, sv_org *org, sv_erase *e);

#endif
