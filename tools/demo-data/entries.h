/* Entries that somebody may still change: what a team wrote lately, and the edits, conflicts and retractions
 * that follow. A tablet changes only what it has seen, as a real one does; two that edit the same entry
 * before either has seen the other's edit leave a conflict. */
#ifndef DD_ENTRIES_H
#define DD_ENTRIES_H

#include "tablets.h"

#define DD_RECENT 64 /* entries a team looks back on */
#define DD_LIVE_MAX 2

/* A field that is edited, and the ops whose values of it are live: two are a conflict. */
typedef struct dd_cell {
  uint16_t field;
  uint8_t n;
  ov_name by[DD_LIVE_MAX];
  int64_t value[DD_LIVE_MAX];
} dd_cell;

typedef struct dd_entry {
  const ov_skind *kind; /* NULL: free place */
  ov_name record;
  const dd_participant *who;
  int64_t at;
  dd_cell main, note;
  uint64_t changed; /* the server's order at the last change that it has */
  uint8_t pending;  /* bit per tablet: has changes that the server lacks */
} dd_entry;

typedef struct dd_recent {
  dd_entry v[DD_RECENT];
  uint32_t next;
} dd_recent;

typedef struct dd_counts {
  uint64_t records, ops, edits, conflicts, settled, retracted, doubles, held, notes;
} dd_counts;

/* Everything that an edit needs. */
typedef struct dd_desk {
  const ov_schemas *schemas;
  ov_hasher *hasher;
  dd_rng *rng;
  dd_counts *counts;
  dd_recent *recent;
  dd_tablet *tablets; /* DD_TEAM_TABLETS */
} dd_desk;

/* Writes a filled-in form on a tablet; keep: it may be edited later. */
ov_name dd_entry_add(dd_desk *d, unsigned tablet, dd_form *f, const dd_participant *who,
                     const dd_person *author, int64_t at, bool keep);
/* Each picks an entry that fits and returns false when there is none. */
bool dd_entry_edit(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at);
bool dd_entry_clash(dd_desk *d, const dd_person *a, const dd_person *b,
                    int64_t at); /* both tablets, unseen by each other */
bool dd_entry_settle(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at);
/* A value that is on no list: the server takes it and holds it. held: the op's name. */
bool dd_entry_wrong(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at, ov_name *held);
bool dd_entry_retract(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at);
/* A tablet's changes have reached the server, at this moment of its order. */
void dd_entries_pushed(dd_recent *r, unsigned tablet, uint64_t order);
const char *dd_note(dd_rng *r);

#endif
