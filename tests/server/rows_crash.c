/* Rows 34, 40–45, 51 and 60: what is acknowledged is stored, whatever ends the server or the link, and
 * whatever the disk says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

/* -- revoked --------------------------------------------------------------------------------------------- */

/* Some of the tablet's ops are committed, the device is revoked, the rest is refused; what was acknowledged
 * stays (checked after the restart). */
static bool revoked(stage *st, const void *arg) {
  dm_tablet *tb = stage_tablet(st);
  char why[DM_WHY], request[300], reply[1000], device[OV_NAME_TEXT_MAX], org[2 * OV_ID_BYTES + 1];
  dm_wire w;
  (void)arg;
  dm_tablet_note(tb, 5, SECRET);
  if (!dm_greet(&w, &st->d, tb, &(dm_hello){.live = true, .push_follows = true}) || !dm_catch_up(&w, why))
    return saw(st, false, "greet");
  dm_tablet_note(tb, 5, SECRET);
  ov_name_text(&tb->t->device.record, device);
  ov_hex(tb->org->shell.id.b, OV_ID_BYTES, org);
  snprintf(request, sizeof request, "{\"cmd\":\"device revoke\",\"device\":\"%s\",\"organisation\":\"%s\"}",
           device, org);
  int64_t at = dm_mono_ms();
  if (!dm_admin(&st->d, request, reply, sizeof reply)) {
    dm_wire_close(&w);
    return saw(st, false, "admin: %.150s", reply);
  }
  dm_send_push(&w, &(dm_push){.from = 6, .to = 10, .prev = true});
  int code = dm_expect_close(&w, DM_WAIT_MS);
  int64_t took = dm_mono_ms() - at;
  int said = w.last_error;
  dm_wire_close(&w);
  /* it may hand over what it had not sent, and is given nothing (PROTO-160) */
  bool out = dm_greet(&w, &st->d, tb, NULL) && dm_expect(&w, OV_M_SYNCED, NULL) && !w.deltas;
  dm_wire_close(&w);
  return saw(st, code == 4003 && said == OV_E_REVOKED && took < 5000 && tb->acked == 5 && out,
             "cut after %lld ms with %s (%d), %u of 10 acknowledged; greeted again it is given %s",
             (long long)took, said ? ov_err_slug(said) : "nothing", code, tb->acked,
             out ? "nothing" : "more");
}

/* -- cuts and kills -------------------------------------------------------------------------------------- */

/* The link breaks while the commit is under way: the ops are stored, the ACK is lost, the push comes again.
 */
static bool cut_before_ack(stage *st, const void *arg) {
  dm_tablet *tb = st->bad;
  char why[DM_WHY];
  dm_wire w;
  (void)arg;
  if (!dm_sync(&st->d, tb, why)) return saw(st, false, "%s", why);
  uint32_t had = tb->acked;
  dm_tablet_note(tb, 7, SECRET);
  if (!stage_greet(st, &w, &(dm_hello){.push_follows = true})) return saw(st, false, "greet");
  long long stored = dm_metric(&st->d, "ops_stored_total"), again = dm_metric(&st->d, "ops_duplicate_total");
  atomic_store(&st->f->sync_delay_ms, 150);
  uint64_t syncs = atomic_load(&st->f->syncs), entered = atomic_load(&st->f->entered);
  dm_send_push(&w, &(dm_push){.from = had + 1, .to = tb->t->n});
  for (int i = 0; i < 2000 && atomic_load(&st->f->entered) == entered; i++) dm_sleep_ms(1);
  bool inside = atomic_load(&st->f->entered) > entered &&
                tb->acked == had; /* the writer sleeps in its fsync */
  struct linger reset = {.l_onoff = 1};
  setsockopt(rawws_fd(w.ws), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  dm_wire_close(&w);
  for (int i = 0; i < 200 && atomic_load(&st->f->syncs) == syncs; i++) dm_sleep_ms(5);
  atomic_store(&st->f->sync_delay_ms, 0);
  bool ok = dm_sync(&st->d, tb, why) && tb->acked == tb->t->n;
  stored = dm_metric(&st->d, "ops_stored_total") - stored;
  again = dm_metric(&st->d, "ops_duplicate_total") - again;
  return saw(st, inside && ok && stored == 7,
             "cut in the fsync; %lld ops stored once, %lld answered again%s%s", stored, again, ok ? "" : "; ",
             ok ? "" : why);
}

static bool check_dead_store(stage *st, bool walk, char why[DM_WHY]) {
  if (!dm_site_open_orgs(&st->site, why)) return false;
  bool ok = dm_check_acked(&st->site, walk, why);
  dm_site_close_orgs(&st->site);
  return ok;
}

static bool kills(stage *st, const void *arg) {
  unsigned cycles = *(const unsigned *)arg, done = 0;
  char why[DM_WHY] = "";
  uint64_t pushes = 0, seed = 41, before = 0, after = 0;
  const char *more = getenv("KILL_CYCLES");
  if (more) cycles = (unsigned)atoi(more);
  for (unsigned i = 0; i < LOADERS; i++) before += st->loader[i]->acked;
  dm_wire_close(&st->watcher);
  for (; done < cycles; done++) {
    static load l;
    bool ok = load_open(&l, st);
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    if (ok) load_run(&l, 2 + (unsigned)(seed >> 33) % 40);
    else snprintf(why, sizeof why, "load");
    dm_stop(&st->d, SIGKILL);
    load_run(&l, 200); /* what the server had sent still counts */
    load_close(&l);
    pushes += l.pushes;
    if (!ok || !check_dead_store(st, done % 5 == 4, why) || !dm_again(&st->d, why)) break;
  }
  for (unsigned i = 0; i < LOADERS; i++) after += st->loader[i]->acked;
  return saw(st, done == cycles && after > before,
             "%u of %u kills, %llu pushes under way or done, %llu ops acknowledged, 0 lost%s%s", done, cycles,
             (unsigned long long)pushes, (unsigned long long)(after - before), *why ? "; " : "", why);
}

static bool terminate(stage *st, const void *arg) {
  static load l;
  char why[DM_WHY] = "";
  unsigned told = 0;
  (void)arg;
  dm_wire_close(&st->watcher);
  if (!load_open(&l, st)) return saw(st, false, "load");
  load_run(&l, 150);
  kill(st->d.pid, SIGTERM);
  bool over = !load_run(&l, DM_WAIT_MS);
  for (unsigned i = 0; i < LOADERS; i++)
    told += l.w[i].close_code == 1001 && l.w[i].last_error == OV_E_SHUTDOWN;
  load_close(&l);
  bool clean = dm_stop(&st->d, SIGTERM);
  bool ok = clean && check_dead_store(st, true, why) && dm_again(&st->d, why);
  return saw(st, over && told == LOADERS && ok,
             "%u of %u clients told 'shutdown' and closed with 1001, exit %s, %llu pushes%s%s", told, LOADERS,
             clean ? "0" : "not 0", (unsigned long long)l.pushes, *why ? "; " : "", why);
}

/* -- the disk -------------------------------------------------------------------------------------------- */

static void balloon(const char *file, size_t leave) {
  static uint8_t block[65536];
  struct {
    size_t n;
    int fd;
  } b = {0, open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600)};
  FX_MUST(b.fd >= 0);
  while (write(b.fd, block, sizeof block) == (ssize_t)sizeof block) b.n += sizeof block;
  FX_MUST(b.n > leave && !ftruncate(b.fd, (off_t)(b.n - leave)));
  close(b.fd);
}

static bool fill_and_resume(stage *st, aside *a, const char *dir) {
  char file[300], why[DM_WHY] = "";
  int said = 0;
  unsigned pushes = 0;
  dm_tablet_note(a->tb, 3, SECRET);
  if (!dm_sync(&a->d, a->tb, why)) return saw(st, false, "%s", why);
  snprintf(file, sizeof file, "%s/balloon", dir);
  balloon(file, 600000);
  dm_wire w;
  if (!dm_greet(&w, &a->d, a->tb, &(dm_hello){.push_follows = true})) return saw(st, false, "greet");
  while (!said && pushes < 400) { /* until the disk is full */
    ov_msg *m;
    for (int i = 0; i < 4; i++) dm_tablet_long(a->tb, 9000);
    dm_send_push(&w, &(dm_push){.from = a->tb->acked + 1, .to = a->tb->t->n, .prev = true, .more = true});
    pushes++;
    if (dm_recv(&w, &m, DM_WAIT_MS) != 1) break;
    if (m->type == OV_M_ERROR) said = m->error.err;
  }
  uint32_t acked = a->tb->acked;
  bool open = !w.close_code, healthy = dm_get(&a->d, "/health", NULL, 0) == 200;
  dm_wire_close(&w);
  bool pulls = dm_running(&a->d);
  unlink(file);
  bool resumes = dm_sync(&a->d, a->tb, why) && a->tb->acked == a->tb->t->n && dm_sync(&a->d, a->far, why);
  bool kept = resumes && aside_restart(a, why);
  return saw(st, (said == OV_E_FULL || said == OV_E_BUSY) && open && pulls && resumes && kept,
             "after %u pushes ERROR %s, connection %s, %u acknowledged, health %s; with room again %s%s%s",
             pushes, said ? ov_err_slug(said) : "none", open ? "open" : "closed", acked,
             healthy ? "200" : "503", resumes ? "all taken" : "not taken", *why ? ": " : "", why);
}

static bool no_space(stage *st, const void *arg) {
  char dir[200], why[DM_WHY] = "";
  static aside a;
  (void)arg;
  snprintf(dir, sizeof dir, "%s/full", st->site.fx.dir);
  FX_MUST(!mkdir(dir, 0700));
  if (mount("tmpfs", dir, "tmpfs", 0, "size=12m,mode=700"))
    return saw(st, false, ROW_SKIPPED ": mount: %s", strerror(errno));
  bool ok = aside_open(&a, dir, why) ? fill_and_resume(st, &a, dir) : saw(st, false, "%s", why);
  aside_close(&a);
  umount(dir);
  rmdir(dir);
  return ok;
}

/* More than the first map holds, with a session that reads all the time. */
static bool growth(stage *st, const void *arg) {
  static aside a;
  char why[DM_WHY] = "";
  dm_wire live = {0};
  (void)arg;
  bool ok = aside_open(&a, NULL, why);
  dm_tablet *reader = NULL;
  if (ok) {
    dm_stop(&a.d, SIGTERM);
    reader = dm_tablet_new(&a.site, 0, false);
    ok = dm_again(&a.d, why) &&
         dm_greet(&live, &a.d, reader, &(dm_hello){.live = true, .credit = OV_CREDIT_MAX}) &&
         dm_catch_up(&live, why);
  }
  long long before = ok ? dm_metric(&a.d, "store_map_bytes") : 0, after = 0;
  for (int i = 0; ok && i < 36; i++) { /* 18 MB */
    ov_msg *m;
    for (int k = 0; k < 50; k++) dm_tablet_long(a.tb, 10000);
    ok = dm_sync(&a.d, a.tb, why);
    while (dm_recv(&live, &m, 0) == 1) {}
  }
  if (ok) after = dm_metric(&a.d, "store_map_bytes");
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  while (ok && reader->records < 1800 && dm_mono_ms() < until) {
    ov_msg *m;
    if (dm_recv(&live, &m, 100) == 0) break;
  }
  bool read_all = ok && reader->records >= 1800 && !live.close_code;
  dm_wire_close(&live);
  ok = ok && aside_restart(&a, why);
  unsigned had = reader ? reader->records : 0;
  aside_close(&a);
  return saw(st, ok && after > before && read_all,
             "map %lld to %lld MiB under 1,800 ops of 10 kB; the live reader has %u%s%s", before >> 20,
             after >> 20, had, *why ? "; " : "", why);
}

/* fdatasync of the first organisation's store fails once and 'succeeds' ever after. */
static bool sync_fails(stage *st, const void *arg) {
  dm_tablet *tb = st->bad;
  char why[DM_WHY] = "", body[400];
  dm_wire w;
  ov_msg *m = NULL;
  (void)arg;
  if (!dm_sync(&st->d, tb, why)) return saw(st, false, "%s", why);
  dm_tablet_note(tb, 3, SECRET);
  uint32_t had = tb->acked;
  if (!stage_greet(st, &w, NULL)) return saw(st, false, "greet");
  atomic_store(&st->f->sync_errno, EIO);
  dm_send_push(&w, &(dm_push){.from = had + 1, .to = tb->t->n, .prev = true});
  bool first = dm_expect(&w, OV_M_ERROR, &m) && m->error.err == OV_E_READONLY;
  atomic_store(&st->f->sync_errno, 0);
  dm_send_push(&w, &(dm_push){.from = had + 1, .to = tb->t->n, .prev = true});
  bool second = dm_expect(&w, OV_M_ERROR, &m) && m->error.err == OV_E_READONLY;
  dm_wire_close(&w);
  int health = dm_get(&st->d, "/health", body, sizeof body);
  bool counted = dm_metric(&st->d, "store_read_only") == 1, alarm = dm_log_has(&st->d, "level=error");
  bool reads = dm_sync(&st->d, st->good, why); /* it has nothing to send: it may read */
  dm_tablet_note(st->far, 1, SECRET);
  bool others = dm_sync(&st->d, st->far, why);
  bool kept = tb->acked == had;
  dm_wire_close(&st->watcher);
  bool again = dm_stop(&st->d, SIGTERM) && check_dead_store(st, true, why) && dm_again(&st->d, why) &&
               dm_sync(&st->d, tb, why) && tb->acked == tb->t->n;
  return saw(st, first && second && health == 503 && counted && alarm && reads && others && kept && again,
             "ERROR %s, again %s; health %d, alarm in log %s; reads %s; other organisation %s; after a "
             "restart %s%s%s",
             first ? "readonly" : "other", second ? "readonly" : "other", health, alarm ? "yes" : "no",
             reads ? "yes" : "no", others ? "served" : "not served", again ? "taken" : "not taken",
             *why ? ": " : "", why);
}

bool power_cuts(stage *st, const void *arg); /* power.c */

static const unsigned cycles = 20;

/* -- every call in turn ---------------------------------------------------------------------------------- */

typedef struct kth {
  fault_call call;
  int most;
} kth;
static const kth kth_recv = {FAULT_CALL_RECV, 400}, kth_send = {FAULT_CALL_SEND, 400},
                 kth_alloc = {FAULT_CALL_ALLOC, 4000};

/* The k-th call of a sync fails, for every k that there is (of many, ever fewer): whatever becomes of that
 * sync, the server stands and the next one works. */
static bool kth_call(stage *st, const void *arg) {
  const kth *x = arg;
  char why[DM_WHY] = "";
  unsigned failed = 0, broken = 0;
  int k = 1;
  dm_wire_close(&st->watcher);
  for (; k <= x->most; k += k < 24 ? 1 : 1 + k / 8) {
    uint32_t before = atomic_load(&st->f->failed[x->call]);
    dm_tablet_note(st->bad, 2, SECRET);
    atomic_store(&st->f->fail_in[x->call], k);
    bool done = dm_sync(&st->d, st->bad, why);
    atomic_store(&st->f->fail_in[x->call], 0);
    if (atomic_load(&st->f->failed[x->call]) == before) break; /* there are fewer */
    failed++;
    broken += !done;
    if (!done && !dm_sync(&st->d, st->bad, why)) return saw(st, false, "after the %d-th: %s", k, why);
  }
  if (!failed) return saw(st, true, ROW_SKIPPED);
  return saw(st, true, "%u of up to %d failed in turn, %u syncs ended by it, the next worked each time",
             failed, k, broken);
}

const row crash_rows[] = {
    {"34", "device revoked while it sends", "cut within 5 s; what is committed stays acknowledged", revoked,
     NULL, ROW_STOPS},
    {"40", "link cut between commit and ACK", "acknowledged = stored; one row", cut_before_ack, NULL, 0},
    {"41", "SIGKILL at any moment under load", "acknowledged = stored", kills, &cycles, ROW_STOPS},
    {"42", "power cut at any write", "acknowledged = stored; the control without syncs loses", power_cuts,
     NULL, 0},
    {"40", "the k-th recv fails, k = 1, 2, ...", "acknowledged = stored; the next sync works", kth_call,
     &kth_recv, ROW_STOPS},
    {"40", "the k-th send fails, k = 1, 2, ...", "acknowledged = stored; the next sync works", kth_call,
     &kth_send, ROW_STOPS},
    {"51", "the k-th allocation of the server fails", "clean error; the next sync works", kth_call,
     &kth_alloc, ROW_STOPS | ROW_MAY_SKIP},
    {"43", "no space on disk", "busy or full, no ACK, resumes", no_space, NULL, ROW_MAY_SKIP},
    {"44", "map full", "grows beside a live reader", growth, NULL, 0},
    {"45", "fdatasync fails", "that organisation read-only with alarm, others served", sync_fails, NULL,
     ROW_STOPS},
    {"60", "SIGTERM under load", "nothing acknowledged lost, clients get 1001", terminate, NULL, ROW_STOPS},
};
const size_t n_crash_rows = sizeof crash_rows / sizeof *crash_rows;
