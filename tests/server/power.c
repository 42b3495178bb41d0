/* Power cuts. Every write and sync that the real server made to one store under load is written down; for
 * many moments the store is made as a disk could have left it there: all that was synced, and of the rest
 * any sectors. Each such store is opened again, and must hold every op whose ACK had been sent by then. The
 * control pretends that no sync ever happened, and has to lose some: else this test would show nothing. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define SECTOR 512u
#define STATES 100u

bool power_cuts(stage *st, const void *arg);

typedef struct disk {
  uint8_t *p;
  size_t n, cap;
} disk;

/* What happened, in order. */
typedef struct entry {
  uint32_t kind, n;
  uint64_t offset;
  const uint8_t *bytes;
} entry;
typedef struct story {
  uint8_t *raw;
  entry *e;
  size_t n;
} story;

static uint8_t *read_all(const char *path, size_t *n) {
  struct stat st;
  int fd = open(path, O_RDONLY);
  FX_MUST(fd >= 0 && !fstat(fd, &st));
  uint8_t *p = malloc((size_t)st.st_size + 1);
  FX_MUST(p);
  for (*n = 0; *n < (size_t)st.st_size;) {
    ssize_t k = read(fd, p + *n, (size_t)st.st_size - *n);
    FX_MUST(k > 0);
    *n += (size_t)k;
  }
  close(fd);
  return p;
}

static story read_story(const char *file) {
  size_t n;
  story s = {.raw = read_all(file, &n)};
  for (size_t at = 0; at + sizeof(faults_journal) <= n;) {
    faults_journal j;
    memcpy(&j, s.raw + at, sizeof j);
    at += sizeof j;
    if (at + j.n > n) break; /* the kill hit the journal itself */
    s.e = realloc(s.e, (s.n + 1) * sizeof *s.e);
    FX_MUST(s.e);
    s.e[s.n++] = (entry){j.kind, j.n, j.offset, s.raw + at};
    at += j.n;
  }
  return s;
}

static void size_to(disk *d, size_t n) {
  if (n > d->cap) {
    d->p = realloc(d->p, n);
    FX_MUST(d->p);
    memset(d->p + d->cap, 0, n - d->cap);
    d->cap = n;
  }
  if (n > d->n) d->n = n;
}

static void put_sectors(disk *d, const entry *e, uint64_t *random, unsigned percent) {
  size_to(d, e->offset + e->n);
  for (uint32_t at = 0; at < e->n; at += SECTOR) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    if (percent < 100 && (*random >> 33) % 100 >= percent) continue;
    memcpy(d->p + e->offset + at, e->bytes + at, e->n - at < SECTOR ? e->n - at : SECTOR);
  }
}

/* The disk after entry `end` - 1. */
static void make_disk(const story *s, size_t end, bool syncs_count, uint64_t seed, disk *d) {
  static const unsigned percents[] = {0, 50, 90, 100};
  unsigned percent = percents[seed % 4];
  uint64_t random = seed;
  size_t synced = 0;
  for (size_t i = 0; i < end; i++) {
    if (s->e[i].kind == J_SYNC && syncs_count) synced = i;
  }
  for (size_t i = 0; i < end; i++) {
    const entry *e = &s->e[i];
    if (e->kind == J_SIZE) size_to(d, e->offset);
    if (e->kind == J_WRITE_SYNC && syncs_count) put_sectors(d, e, &random, 100);
    else if (e->kind == J_WRITE_SYNC || e->kind == J_WRITE)
      put_sectors(d, e, &random, i < synced ? 100 : percent);
  }
}

/* up_to of the ACK in a frame that went out, and whose: by its head. */
static void note_ack(const stage *st, const entry *e, uint32_t acked[LOADERS]) {
  const uint8_t *p = e->bytes;
  size_t at = e->n > 1 && (p[1] & 127) == 126 ? 4 : 2;
  ov_mpr r;
  if (e->n < at + 40 || p[0] != 0x82 || p[at] != 0) return;
  ov_mpr_init(&r, p + at + 1, e->n - at - 1);
  ov_mpr_array(&r);
  if (ov_mpr_uint(&r, 15) != OV_M_ACK) return;
  uint64_t up_to = ov_mpr_uint(&r, OV_SEQ_MAX);
  uint32_t n = 0;
  const uint8_t *head = ov_mpr_bin(&r, &n);
  for (unsigned i = 0; i < LOADERS && head && n == OV_HASH_BYTES; i++) {
    const fx_tablet *t = st->loader[i]->t;
    if (up_to <= t->n && !memcmp(t->heads[up_to].b, head, n) && up_to > acked[i]) acked[i] = (uint32_t)up_to;
  }
}

static bool write_sparse(int fd, const disk *d) {
  static const uint8_t zero[65536];
  for (size_t at = 0; at < d->n; at += sizeof zero) {
    size_t n = d->n - at < sizeof zero ? d->n - at : sizeof zero;
    if (memcmp(d->p + at, zero, n) && pwrite(fd, d->p + at, n, (off_t)at) != (ssize_t)n) return false;
  }
  return !ftruncate(fd, (off_t)d->n);
}

/* In a child of its own: a broken store may do anything. 0: all acknowledged ops are there. */
static int check_disk(stage *st, const char *file, const disk *d, const uint32_t acked[LOADERS]) {
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (!pid) {
    char why[DM_WHY];
    alarm(20);
    int null = open("/dev/null", O_WRONLY), fd = open(file, O_WRONLY | O_TRUNC);
    dup2(null, 2);
    if (fd < 0 || !write_sparse(fd, d)) _exit(3);
    close(fd);
    for (uint32_t i = 0; i < st->site.n_tablets; i++) st->site.tablets[i]->floor = 0;
    for (unsigned i = 0; i < LOADERS; i++) st->loader[i]->floor = acked[i];
    bool ok = dm_site_open_orgs(&st->site, why) && dm_check_acked(&st->site, true, why);
    _exit(ok ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Lost states among `states` random moments. */
static unsigned lost(stage *st, stage *table, const story *s, const char *file, const disk *base,
                     bool syncs_count, unsigned states) {
  unsigned bad = 0;
  uint64_t random = syncs_count ? 42 : 43;
  FX_MUST(s->n);
  for (unsigned k = 0; k < states; k++) {
    if (k % 8 == 0)
      (void)stage_watch(table); /* its live client goes on answering pings, however long this takes */
    uint32_t acked[LOADERS] = {0};
    random = random * 6364136223846793005u + 1442695040888963407u;
    size_t end = 1 + (random >> 33) % s->n;
    disk d = {malloc(base->n), base->n, base->n};
    FX_MUST(d.p);
    memcpy(d.p, base->p, base->n);
    make_disk(s, end, syncs_count, random >> 7, &d);
    for (size_t i = 0; i < end; i++) {
      if (s->e[i].kind == J_SEND) note_ack(st, &s->e[i], acked);
    }
    bad += check_disk(st, file, &d, acked) != 0;
    free(d.p);
  }
  return bad;
}

static bool cut(stage *st, stage *table) {
  char why[DM_WHY], file[600], journal[200];
  static load l;
  FX_OK(sv_org_path(st->site.data, &st->site.orgs[0].shell.id, file, sizeof file - 20));
  strcat(file, "/data.mdb");
  if (!dm_stop(&st->d, SIGTERM)) return saw(table, false, "stop");
  disk base = {0};
  base.p = read_all(file, &base.n);
  base.cap = base.n;
  snprintf(journal, sizeof journal, "%s/journal", st->site.fx.dir);
  memcpy(st->f->journal, journal, sizeof journal);
  bool ran = dm_again(&st->d, why) && load_open(&l, st);
  if (ran) load_run(&l, 80);
  dm_stop(&st->d, SIGKILL);
  load_run(&l, 200);
  load_close(&l);
  story s = read_story(journal);
  unsigned acks = 0;
  for (size_t i = 0; i < s.n; i++) acks += s.e[i].kind == J_SEND;
  unsigned bad = ran ? lost(st, table, &s, file, &base, true, STATES) : STATES;
  unsigned control = ran ? lost(st, table, &s, file, &base, false, STATES / 3) : 0;
  free(base.p);
  free(s.raw);
  free(s.e);
  return saw(table, bad == 0 && control > 0 && acks > 20,
             "%zu writes and syncs, %u frames sent; %u states, %u lost; control without syncs: %u of %u lost",
             s.n, acks, STATES, bad, control, STATES / 3);
}

bool power_cuts(stage *st, const void *arg) {
  static stage own; /* a small store: it is made again for every state */
  (void)arg;
  stage_open(&own, 42);
  bool ok = cut(&own, st);
  stage_close(&own);
  return ok;
}
