/* A long story that chance alone tells too seldom: what a tablet wrote is safe for a month and goes, an older
 * server asks for it again and gets voids, and an older image of the tablet still has the content. Each step
 * is one that other events take too.
 *
 * The image is older than the ACK. One that is younger does not offer the content: its greeting names a head
 * that the server has, and nothing in the protocol says that what lies there is a void. */
#include "sim.h"

/* Which one of the used it is, as sim_restore() counts; SIM_BACKUPS_MAX: none was made. */
static unsigned backup(sim *w) {
  unsigned before[SIM_BACKUPS_MAX], n = 0;
  for (unsigned i = 0; i < SIM_BACKUPS_MAX; i++) before[i] = w->backups[i].used;
  sim_backup_make(w);
  for (unsigned i = 0; i < SIM_BACKUPS_MAX; i++) {
    if (w->backups[i].used && !before[i]) return n;
    n += w->backups[i].used;
  }
  return SIM_BACKUPS_MAX;
}

void sim_long_away(sim *w, sim_tablet *t, sim_rng *r) {
  if (w->disk_full || t->map_bytes) return;
  sim_say(w, "tablet %u is put away for a month", t->id);
  sim_links_drop(w);
  sim_sync(t);
  unsigned first = backup(w);
  sim_write(t, r);
  sim_write(t, r);
  sim_image_take(w, t);
  sim_sync(t);
  if (first == SIM_BACKUPS_MAX || backup(w) == SIM_BACKUPS_MAX) return;
  sim_sync(t);
  w->true_ms += 31 * 86400000ll;
  sim_sync(t);
  w->rights_changed = true;
  sim_restore(w, first, r);
  sim_sync(t);
  sim_image_back_on(w, t);
  sim_sync(t);
}
