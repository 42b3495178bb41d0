#include "stage.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ANON_GROWTH_KIB 6144 /* what a row may leave behind: buffers that are kept, heap in pieces */

long stage_memory_factor(void) {
#if defined(__SANITIZE_ADDRESS__)
  return 200;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 200;
#endif
#endif
  return 1;
}

bool saw(stage *st, bool ok, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(st->seen, sizeof st->seen, fmt, ap);
  va_end(ap);
  return ok;
}

/* -- life ------------------------------------------------------------------------------------------------ */

static void map_faults(stage *st) {
  snprintf(st->faults_file, sizeof st->faults_file, "%s/faults", st->site.fx.dir);
  int fd = open(st->faults_file, O_RDWR | O_CREAT, 0600);
  FX_MUST(fd >= 0 && !ftruncate(fd, sizeof *st->f));
  st->f = mmap(NULL, sizeof *st->f, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  FX_MUST(st->f != MAP_FAILED);
}

static dm_options options_of(stage *st) {
  snprintf(st->faults_env, sizeof st->faults_env, FAULTS_ENV "=%s", st->faults_file);
  dm_options o = {.preload = OV_PRELOAD,
                  .env = {st->faults_env, "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=1"}};
  if (st->tls) {
    o.cert_file = st->cert.cert_file;
    o.key_file = st->cert.key_file;
  }
  return o;
}

static bool start(stage *st, char why[DM_WHY]) {
  dm_options o = options_of(st);
  return dm_start(&st->d, &st->site, &o, why);
}

void stage_open(stage *st, uint64_t seed) {
  char why[DM_WHY];
  memset(st, 0, sizeof *st);
  signal(SIGPIPE, SIG_IGN);
  FX_MUST(testcert_make(&st->cert));
  dm_site_open(&st->site, seed);
  if (!dm_site_open_orgs(&st->site, why)) fx_die(__FILE__, __LINE__, why, 0);
  st->good = dm_tablet_new(&st->site, 0, false);
  st->watch = dm_tablet_new(&st->site, 0, false);
  st->bad = dm_tablet_new(&st->site, 0, false);
  st->far = dm_tablet_new(&st->site, 1, false);
  for (unsigned i = 0; i < LOADERS; i++) st->loader[i] = dm_tablet_new(&st->site, 0, false);
  dm_site_close_orgs(&st->site);
  map_faults(st);
  char hex[2 * OV_ID_BYTES + 1];
  ov_hex(st->site.orgs[0].shell.id.b, OV_ID_BYTES, hex);
  snprintf(st->f->path, sizeof st->f->path, "%s/data.mdb",
           hex); /* the first organisation's store is the one that faults strike */
  if (!start(st, why)) fx_die(__FILE__, __LINE__, why, 0);
}

void stage_close(stage *st) {
  dm_wire_close(&st->watcher);
  dm_end(&st->d);
  munmap(st->f, sizeof *st->f);
  dm_site_close(&st->site);
  testcert_remove(&st->cert);
}

/* -- for rows -------------------------------------------------------------------------------------------- */

rawws_opts stage_to(const stage *st) {
  return (rawws_opts){.port = st->d.port, .tls = st->tls, .ca_file = st->tls ? st->cert.cert_file : NULL};
}

rawws *stage_ws(const stage *st) {
  rawws_opts to = stage_to(st);
  return rawws_open(&to);
}

bool stage_greet(stage *st, dm_wire *w, const dm_hello *h) { return dm_greet(w, &st->d, st->bad, h); }

dm_tablet *stage_tablet(stage *st) {
  char why[DM_WHY];
  bool ran = dm_running(&st->d);
  dm_wire_close(&st->watcher);
  if (ran) dm_stop(&st->d, SIGTERM);
  dm_tablet *tb = dm_tablet_new(&st->site, 0, false);
  if (ran && !dm_again(&st->d, why)) fx_die(__FILE__, __LINE__, why, 0);
  return tb;
}

bool stage_watch(stage *st) {
  ov_msg *m;
  while (dm_recv(&st->watcher, &m, 0) == 1) {}
  return !st->watcher.close_code;
}

void stage_advance(stage *st, unsigned ms) {
  while (ms) {
    unsigned step = ms < 10000 ? ms : 10000;
    atomic_fetch_add(&st->f->monotonic_off_ms, step);
    ms -= step;
    for (int i = 0; i < 3; i++) { /* a request wakes the server, which then looks at its deadlines */
      dm_get(&st->d, "/health", NULL, 0);
      if (st->watcher.ws) stage_watch(st);
    }
  }
}

/* -- load ------------------------------------------------------------------------------------------------ */

static bool push_some(load *l, unsigned i) {
  dm_tablet *tb = l->w[i].tb;
  dm_tablet_note(tb, 1 + (unsigned)(l->pushes % 12), SECRET " load");
  l->pushes++;
  return dm_send_push(&l->w[i], &(dm_push){.from = tb->acked + 1, .to = tb->t->n, .prev = true});
}

bool load_open(load *l, stage *st) {
  char why[DM_WHY];
  memset(l, 0, sizeof *l);
  l->st = st;
  for (unsigned i = 0; i < LOADERS; i++) {
    dm_tablet *tb = st->loader[i];
    if (!dm_greet(&l->w[i], &st->d, tb, &(dm_hello){.live = true, .credit = OV_CREDIT_MAX})) return false;
    if (tb->acked < tb->t->n && !dm_catch_up(&l->w[i], why)) return false;
  }
  for (unsigned i = 0; i < LOADERS; i++) push_some(l, i);
  return true;
}

bool load_run(load *l, unsigned ms) {
  int64_t until = dm_mono_ms() + ms;
  unsigned open = 0;
  do {
    open = 0;
    bool any = false;
    for (unsigned i = 0; i < LOADERS; i++) {
      ov_msg *m;
      dm_wire *w = &l->w[i];
      while (dm_recv(w, &m, 0) == 1) {
        any = true;
        if (m->type == OV_M_ACK && w->tb->acked == w->tb->t->n) push_some(l, i);
      }
      open += !w->close_code;
    }
    if (l->st->watcher.ws) stage_watch(l->st);
    if (!any && open) dm_sleep_ms(1);
  } while (open && dm_mono_ms() < until);
  return open > 0;
}

void load_close(load *l) {
  for (unsigned i = 0; i < LOADERS; i++) dm_wire_close(&l->w[i]);
}

/* -- aside ----------------------------------------------------------------------------------------------- */

bool aside_open(aside *a, const char *dir, char why[DM_WHY]) {
  char before[200];
  const char *tmp = getenv("TMPDIR");
  snprintf(before, sizeof before, "%s", tmp ? tmp : "/tmp");
  if (dir) setenv("TMPDIR", dir, 1);
  dm_site_open(&a->site, 99);
  if (dir) setenv("TMPDIR", before, 1);
  a->tb = dm_tablet_new(&a->site, 0, false);
  a->far = dm_tablet_new(&a->site, 1, false);
  return dm_start(&a->d, &a->site, NULL, why);
}

bool aside_restart(aside *a, char why[DM_WHY]) {
  if (!dm_stop(&a->d, SIGTERM)) {
    snprintf(why, DM_WHY, "SIGTERM: status %x", (unsigned)a->d.status);
    return false;
  }
  if (!dm_log_clean(&a->d, SECRET, why) || !dm_site_open_orgs(&a->site, why)) return false;
  bool ok = dm_check_acked(&a->site, true, why);
  dm_site_close_orgs(&a->site);
  return ok && dm_again(&a->d, why);
}

void aside_close(aside *a) {
  dm_end(&a->d);
  dm_site_close(&a->site);
}

/* -- around every row ------------------------------------------------------------------------------------ */

static bool good_syncs(stage *st, char why[DM_WHY]) {
  char text[60];
  snprintf(text, sizeof text, SECRET " %u", st->good->t->n);
  dm_tablet_note(st->good, 2, text);
  dm_tablet_note(st->far, 1, text);
  if (!dm_sync(&st->d, st->good, why) || !dm_sync(&st->d, st->far, why)) {
    memmove(why + 6, why, DM_WHY - 7);
    memcpy(why, "good: ", 6);
    return false;
  }
  return true;
}

static bool watch_starts(stage *st, char why[DM_WHY]) {
  dm_wire_close(&st->watcher);
  if (dm_greet(&st->watcher, &st->d, st->watch, &(dm_hello){.live = true, .credit = OV_CREDIT_MAX}) &&
      dm_catch_up(&st->watcher, why))
    return true;
  if (!why[0]) snprintf(why, DM_WHY, "the live client cannot connect (%d)", st->watcher.close_code);
  return false;
}

/* The live client is told of the last note of the good one. */
static bool watch_is_told(stage *st, unsigned deltas, char why[DM_WHY]) {
  ov_msg *m;
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  while (st->watcher.deltas <= deltas && dm_mono_ms() < until) {
    if (dm_recv(&st->watcher, &m, 200) == 0) break;
  }
  if (st->watcher.deltas > deltas) return true;
  snprintf(why, DM_WHY, "the live client %s (%d)",
           st->watcher.close_code ? "was disconnected" : "was not told", st->watcher.close_code);
  return false;
}

static bool before(stage *st, const row *r, char why[DM_WHY]) {
  bool tls = r->flags & ROW_TLS;
  if (tls != st->tls && dm_running(&st->d)) {
    dm_wire_close(&st->watcher);
    if (!dm_stop(&st->d, SIGTERM)) return snprintf(why, DM_WHY, "stop: status %d", st->d.status), false;
  }
  st->tls = tls;
  if (!dm_running(&st->d) && !start(st, why)) return false;
  if ((!st->watcher.ws || st->watcher.close_code) && !watch_starts(st, why)) return false;
  if (!good_syncs(st, why)) return false;
  stage_watch(st);
  st->anon_kib = dm_memory_kib(&st->d, "RssAnon");
  return true;
}

static bool memory_bounded(stage *st, const row *r, char why[DM_WHY]) {
  long now = dm_memory_kib(&st->d, "RssAnon"), grown = now - st->anon_kib;
  if ((r->flags & (ROW_BIG | ROW_STOPS)) || grown <= ANON_GROWTH_KIB * stage_memory_factor()) return true;
  snprintf(why, DM_WHY, "memory grew by %ld KiB to %ld", grown, now);
  return false;
}

static bool after(stage *st, const row *r, char why[DM_WHY]) {
  if (!dm_running(&st->d))
    return snprintf(why, DM_WHY, "the server does not run (status %d)", st->d.status), false;
  if (r->flags & ROW_STOPS && !watch_starts(st, why)) return false;
  if (!stage_watch(st))
    return snprintf(why, DM_WHY, "the live client was disconnected (%d)", st->watcher.close_code), false;
  unsigned deltas = st->watcher.deltas;
  return good_syncs(st, why) && watch_is_told(st, deltas, why) && memory_bounded(st, r, why) &&
         dm_log_clean(&st->d, SECRET, why);
}

bool stage_restart(stage *st, char why[DM_WHY]) {
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM)) {
    snprintf(why, DM_WHY, "SIGTERM: status %x", (unsigned)st->d.status);
    return false;
  }
  if (!dm_log_clean(&st->d, SECRET, why) || !dm_site_open_orgs(&st->site, why)) return false;
  bool ok = dm_check_acked(&st->site, true, why);
  dm_site_close_orgs(&st->site);
  return ok && start(st, why);
}

/* -- the table ------------------------------------------------------------------------------------------- */

static void print_line(const row *r, const char *seen, const char *verdict, int64_t ms) {
  printf("%-4s | %-58s | %-62s | %-6s | %5lld ms | %s\n", r->nr, r->input, r->expect, verdict, (long long)ms,
         seen);
  fflush(stdout);
}

static bool same_number(const row *a, const row *b) {
  return atoi(a->nr) == atoi(b->nr) && a->flags == b->flags;
}

/* What the server said last, for the row that failed. */
static void print_log(stage *st) {
  char *log = dm_log(&st->d);
  size_t n = strlen(log), from = n > 6000 ? n - 6000 : 0;
  fprintf(stderr, "the server's log:\n%s\n", log + from);
  free(log);
}

/* One row with all that must hold around it. 0 failed, 1 fine, -1 skipped. */
static int run_row(stage *st, const row *r, bool last_of_number) {
  char why[DM_WHY] = "";
  st->seen[0] = 0;
  bool ok = before(st, r, why);
  if (ok && !r->run(st, r->arg)) {
    if (r->flags & ROW_MAY_SKIP && !strncmp(st->seen, ROW_SKIPPED, strlen(ROW_SKIPPED))) return -1;
    ok = false;
    snprintf(why, sizeof why, "not as expected");
  }
  if (ok) ok = after(st, r, why);
  if (ok && last_of_number) ok = stage_restart(st, why);
  if (ok) return 1;
  size_t n = strlen(st->seen);
  snprintf(st->seen + n, sizeof st->seen - n, "%s[%s]", n ? "; " : "", why);
  print_log(st);
  dm_wire_close(&st->watcher); /* the next row begins afresh */
  dm_end(&st->d);
  return 0;
}

unsigned stage_table(stage *st, const row *rows, size_t n) {
  static const char *const verdicts[] = {"FAILED", "ok", "skipped"};
  unsigned failed = 0;
  const char *only = getenv("ROW"); /* these rows alone, by number: for finding out */
  for (size_t i = 0; i < n; i++) {
    if (only && !strstr(only, rows[i].nr)) continue;
    int64_t start_ms = dm_mono_ms();
    int r = run_row(st, &rows[i], i + 1 == n || !same_number(&rows[i], &rows[i + 1]));
    print_line(&rows[i], st->seen, verdicts[r < 0 ? 2 : r], dm_mono_ms() - start_ms);
    failed += r == 0;
  }
  return failed;
}
