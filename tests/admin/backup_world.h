/* What tests of backups and of restoring them share: an organisation with some nights, and paths into folders
 * of data. */
#ifndef BACKUP_WORLD_H
#define BACKUP_WORLD_H

#include "admin_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t seed = 500; /* each test has a world of its own */

static inline int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, seed++, false);
  linde_nights(l, 3, 5);
  *state = l;
  return 0;
}

static inline int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static inline const char *in_dir(linde *l, const char *name) {
  char *path = ov_arena_alloc(&l->aw.w.arena, 400);
  snprintf(path, 400, "%s/%s", l->aw.w.dir, name);
  return path;
}

static inline const char *inside(linde *l, const char *dir, const char *name) {
  size_t n = strlen(dir) + strlen(name) + 2;
  char *path = ov_arena_alloc(&l->aw.w.arena, n);
  snprintf(path, n, "%s/%s", dir, name);
  return path;
}

static inline const char *env_file(linde *l, const char *dir, const char *name) {
  char hex[2 * OV_ID_BYTES + 1], rest[120];
  ov_hex(l->org->id.b, OV_ID_BYTES, hex);
  snprintf(rest, sizeof rest, "orgs/%s/%s", hex, name);
  return inside(l, dir, rest);
}

static inline bool there(const char *path) { return !access(path, F_OK); }

static inline uint64_t safe_of(linde *l) {
  sv_tip tip;
  uint32_t n = 0;
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_tips_get(t, &l->tab->writer, &tip, 1, &n));
  sv_txn_abort(t);
  return n ? tip.safe_seq : 0;
}

static inline uint64_t stored(linde *l) {
  sv_tip tip;
  uint32_t n = 0;
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_tips_get(t, &l->tab->writer, &tip, 1, &n));
  sv_txn_abort(t);
  return n ? tip.head.seq : 0;
}

static inline void flip(const char *path, off_t at) {
  uint8_t b;
  int fd = open(path, O_RDWR);
  FX_MUST(fd >= 0 && pread(fd, &b, 1, at) == 1);
  b ^= 0x40;
  FX_MUST(pwrite(fd, &b, 1, at) == 1);
  close(fd);
}

/* Anything left beside what was asked for: parts and scratch folders. */
static inline unsigned entries(const char *dir) {
  unsigned n = 0;
  DIR *d = opendir(dir);
  FX_MUST(d);
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

#endif
