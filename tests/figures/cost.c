/* What callgrind counts: shifts of entries pushed by one tablet and fetched by another, with the production
 * code on both sides. tests/figures/cost runs it and takes the shares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define SHIFTS 6
#define ENTRIES 52
#define CLIENTS 12

int main(void) {
  static world w;
  tablet a, b;
  ov_name clients[CLIENTS];
  world_open(&w, 11);
  uint32_t team = fx_team(&w.fx, w.org, "Woning 1");
  ov_name ann = fx_person(&w.fx, w.org, "Ann", &team, 1);
  for (int i = 0; i < CLIENTS; i++) {
    char label[20];
    snprintf(label, sizeof label, "Client %d", i);
    clients[i] = fx_participant(&w.fx, w.org, label, &team, 1);
  }
  tablet_open(&a, &w, "a");
  tablet_open(&b, &w, "b");
  tablet_enrol(&a, "a", &team, 1);
  tablet_enrol(&b, "b", &team, 1);
  tablet_sync_ok(&a);
  tablet_sync_ok(&b);
  for (int s = 0; s < SHIFTS; s++) {
    for (int i = 0; i < ENTRIES; i++) {
      char night[30];
      snprintf(night, sizeof night, "night_date=2025-%02d-%02d", 4 + s, 1 + i % 28);
      tablet_add(&a, "sleep", &clients[i % CLIENTS], &ann, NULL, night, i < 28 ? "source=1" : "source=2",
                 "quality=4", "bed_at=2025-10-08 22:10", "note=rustige nacht", NULL);
    }
    tablet_sync_ok(&a);
    tablet_sync_ok(&b);
  }
  tablet_close(&a);
  tablet_close(&b);
  world_close(&w);
  return 0;
}
