/* The data and the process; daemon_wire.c has the connections. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLEEP 20
#define SLEEP_NOTE 5
#define SLEEP_NIGHT 10
#define SLEEP_SOURCE 11
#define UNKNOWN_KIND 4001

int64_t dm_mono_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void dm_sleep_ms(unsigned ms) {
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

/* -- data ------------------------------------------------------------------------------------------------ */

void dm_site_now(dm_site *s) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  s->fx.now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void write_file(const char *path, const void *p, size_t n) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FX_MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
  close(fd);
}

static void copy_file(const char *from, const char *to) {
  char buf[65536];
  int in = open(from, O_RDONLY);
  ssize_t n;
  FX_MUST(in >= 0);
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FX_MUST(out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  close(in);
  close(out);
}

/* The tablets' view: the keyring is a copy, so that the server's own stays the server's. */
static void make_shell(dm_site *s, dm_org *o, unsigned i) {
  char from[512], to[512], epoch[512];
  FX_OK(sv_keyring_save(o->open->keyring));
  FX_OK(sv_org_keyring_path(s->data, &o->open->id, from, sizeof from));
  snprintf(to, sizeof to, "%s/shell%u.keyring", s->fx.dir, i);
  copy_file(from, to);
  FX_OK(sv_org_epoch_path(s->data, &o->open->id, from, sizeof from));
  snprintf(epoch, sizeof epoch, "%s/shell%u.epoch", s->fx.dir, i);
  copy_file(from, epoch);
  o->shell = *o->open;
  o->shell.env = NULL;
  o->shell.sign_key = NULL;
  o->shell.keyring = NULL;
  FX_OK(sv_keyring_open(to, epoch, s->fx.master, s->fx.sys.random, s->fx.sys.ctx, false, &o->shell.keyring));
}

static void make_org(dm_site *s, unsigned i, const char *name) {
  dm_org *o = &s->orgs[i];
  o->open = fx_org(&s->fx, s->data, name);
  o->team = fx_team(&s->fx, o->open, "Beuk");
  o->other_team = fx_team(&s->fx, o->open, "Eik");
  o->carer = fx_person(&s->fx, o->open, "carer", &o->team, 1);
  o->anna = fx_participant(&s->fx, o->open, "Anna", &o->team, 1);
  make_shell(s, o, i);
}

void dm_site_open(dm_site *s, uint64_t seed) {
  char path[300];
  memset(s, 0, sizeof *s);
  fx_open(&s->fx, seed);
  dm_site_now(s);
  s->data = fx_data(&s->fx);
  s->programme = fx_programme(&s->fx, s->data);
  make_org(s, 0, "De Linde");
  make_org(s, 1, "Het Veer");
  snprintf(path, sizeof path, "%s/master.key", s->data);
  write_file(path, s->fx.master, sizeof s->fx.master);
  dm_site_close_orgs(s);
}

void dm_site_close(dm_site *s) {
  dm_site_close_orgs(s);
  for (uint32_t i = 0; i < s->n_tablets; i++) {
    fx_tablet_free(s->tablets[i]->t);
    free(s->tablets[i]);
  }
  for (unsigned i = 0; i < DM_ORGS; i++) sv_keyring_close(s->orgs[i].shell.keyring);
  fx_close(&s->fx);
}

bool dm_site_open_orgs(dm_site *s, char why[DM_WHY]) {
  char text[OV_ERROR_TEXT_MAX] = "";
  sv_org_options o = fx_org_options(&s->fx, s->data);
  dm_site_now(s);
  int err = sv_org_open(&o, &sv_programme_id, &s->programme, text);
  for (unsigned i = 0; !err && i < DM_ORGS; i++) {
    err = sv_org_open(&o, &s->orgs[i].shell.id, &s->orgs[i].open, text);
  }
  if (!err) return true;
  snprintf(why, DM_WHY, "store: %s: %.150s", ov_err_slug(err), text);
  dm_site_close_orgs(s);
  return false;
}

void dm_site_close_orgs(dm_site *s) {
  for (unsigned i = 0; i < DM_ORGS; i++) {
    dm_org *o = &s->orgs[i];
    if (o->open) {
      o->shell.server = o->open->server; /* a restore gives another */
      sv_org_close(o->open);
    }
    o->open = NULL;
  }
  sv_org_close(s->programme);
  s->programme = NULL;
}

static dm_tablet *remember(dm_site *s, dm_org *o, fx_tablet *t) {
  dm_tablet *tb = calloc(1, sizeof *tb);
  FX_MUST(tb && s->n_tablets < DM_TABLETS_MAX);
  *tb = (dm_tablet){.site = s, .org = o, .t = t};
  t->org = &o->shell;
  s->tablets[s->n_tablets++] = tb;
  return tb;
}

dm_tablet *dm_tablet_new(dm_site *s, unsigned org, bool other) {
  char why[DM_WHY];
  dm_org *o = &s->orgs[org];
  bool was_open = s->programme != NULL;
  if (!was_open && !dm_site_open_orgs(s, why)) fx_die(__FILE__, __LINE__, why, 0);
  fx_tablet *t = fx_tablet_new(&s->fx, o->open, other ? &o->other_team : &o->team, 1, &o->carer);
  sv_txn *txn = NULL;
  FX_OK(sv_txn_write(s->programme->env, &txn));
  FX_OK(sv_device_put(txn, &t->device));
  FX_OK(sv_txn_commit(txn));
  if (!was_open) dm_site_close_orgs(s);
  return remember(s, o, t);
}

dm_tablet *dm_tablet_clone(dm_tablet *tb) {
  dm_tablet *c = remember(tb->site, tb->org, fx_tablet_clone(tb->t));
  c->acked = c->floor = tb->acked;
  return c;
}

void dm_tablet_note(dm_tablet *tb, unsigned n, const char *text) {
  dm_site_now(tb->site);
  for (unsigned i = 0; i < n; i++) {
    ov_field f[] = {fx_text(SLEEP_NOTE, text), FX_INT(SLEEP_NIGHT, tb->site->fx.now_ms / 86400000),
                    FX_INT(SLEEP_SOURCE, 1)};
    fx_create(tb->t, SLEEP, &tb->org->anna, f, 3);
  }
}

void dm_tablet_long(dm_tablet *tb, uint32_t bytes) {
  uint8_t *p = ov_arena_alloc(&tb->site->fx.arena, bytes + 1u);
  FX_MUST(p);
  uint64_t x = tb->t->n * 0x9e3779b97f4a7c15u + 1;
  for (uint32_t i = 0; i < bytes; i++) { /* letters that DEFLATE makes little of */
    x = x * 6364136223846793005u + 1442695040888963407u;
    p[i] = (uint8_t)(' ' + 1 + (x >> 33) % 90);
  }
  ov_field f[] = {{SLEEP_NOTE, {.type = OV_V_TEXT, .s = {p, bytes}}}};
  dm_site_now(tb->site);
  fx_create(tb->t, UNKNOWN_KIND, NULL, f,
            1); /* of a schema that this server does not have: no length is too long */
}

/* -- what was acknowledged ------------------------------------------------------------------------------- */

static bool same_bytes(const ov_buf *b, const uint8_t *p, size_t n) {
  return !b->err && b->n == n && !memcmp(b->p, p, n);
}

static bool same_op(const ov_op *mine, const sv_op_row *row) {
  if (mine->is_void) return !memcmp(&mine->header_hash, &row->op.header_hash, sizeof mine->header_hash);
  ov_buf header, payload;
  ov_buf_init(&header, 0);
  ov_buf_init(&payload, 0);
  ov_op_header_encode(mine, &header);
  ov_op_payload_encode(mine, &payload);
  bool same = same_bytes(&header, row->op.header_bytes, row->op.header_len) &&
              same_bytes(&payload, row->op.payload_bytes, row->op.payload_len);
  ov_buf_free(&header);
  ov_buf_free(&payload);
  return same;
}

static bool check_tablet(sv_txn *t, const dm_tablet *tb, ov_arena *a, char why[DM_WHY]) {
  for (uint32_t i = 0; i < tb->floor; i++) {
    const ov_op *mine = tb->t->ops[i];
    char name[OV_NAME_TEXT_MAX];
    sv_op_row row;
    ov_arena_reset(a);
    int err = sv_op_get(t, &mine->name, a, &row);
    if (!err && same_op(mine, &row) && !memcmp(&row.head, &tb->t->heads[i + 1], sizeof row.head)) continue;
    ov_name_text(&mine->name, name);
    snprintf(why, DM_WHY, "acknowledged op %s: %s", name, err ? ov_err_slug(err) : "other bytes");
    return false;
  }
  return true;
}

bool dm_check_acked(dm_site *s, bool walk, char why[DM_WHY]) {
  ov_arena a;
  bool ok = true;
  ov_arena_init(&a, 16u << 20);
  for (unsigned i = 0; ok && i < DM_ORGS; i++) {
    sv_txn *t = NULL;
    FX_OK(sv_txn_read(s->orgs[i].open->env, &t));
    for (uint32_t k = 0; ok && k < s->n_tablets; k++) {
      if (s->tablets[k]->org == &s->orgs[i]) ok = check_tablet(t, s->tablets[k], &a, why);
    }
    sv_txn_abort(t);
    if (ok && walk) fx_verify(&s->fx, s->orgs[i].open);
  }
  ov_arena_free(&a);
  return ok;
}

/* -- the process ----------------------------------------------------------------------------------------- */

static void child(dm_server *d, pid_t parent) {
  char *argv[32];
  unsigned n = 0;
  char workers[12];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  int log = open(d->log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(127);
  for (int fd = 3; fd < 1024; fd++) close(fd); /* the test's sockets are not the server's */
  const char *const fixed[] = {OV_DAEMON,
                               "--data",
                               d->o.data ? d->o.data : d->site->data,
                               "--schema",
                               (OV_SOURCE_DIR "/proto/schema"),
                               "--port",
                               "0",
                               "--local-port",
                               "0",
                               "--port-file",
                               d->port_file};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) argv[n++] = (char *)fixed[i];
  if (d->o.cert_file) {
    argv[n++] = (char *)"--cert";
    argv[n++] = (char *)d->o.cert_file;
    argv[n++] = (char *)"--key";
    argv[n++] = (char *)d->o.key_file;
  }
  for (int i = 0; i < 4 && d->o.names[i]; i++) {
    argv[n++] = (char *)"--name";
    argv[n++] = (char *)d->o.names[i];
  }
  if (d->o.workers) {
    snprintf(workers, sizeof workers, "%u", d->o.workers);
    argv[n++] = (char *)"--workers";
    argv[n++] = workers;
  }
  argv[n] = NULL;
  if (d->o.preload) setenv("LD_PRELOAD", d->o.preload, 1);
  for (int i = 0; i < 8 && d->o.env[i]; i++) putenv((char *)d->o.env[i]);
  execv(OV_DAEMON, argv);
  _exit(127);
}

static bool read_ports(dm_server *d) {
  unsigned port = 0, local = 0;
  FILE *f = fopen(d->port_file, "r");
  if (!f) return false;
  bool ok = fscanf(f, "port=%u\nlocal_port=%u\n", &port, &local) == 2;
  fclose(f);
  d->port = (uint16_t)port;
  d->local_port = (uint16_t)local;
  return ok;
}

/* The child's end within so many ms; false when it still runs. */
static bool reap(dm_server *d, unsigned ms) {
  int64_t until = dm_mono_ms() + ms;
  while (d->pid) {
    pid_t got = waitpid(d->pid, &d->status, WNOHANG);
    if (got == d->pid) d->pid = 0;
    else if (dm_mono_ms() > until) return false;
    else dm_sleep_ms(2);
  }
  return true;
}

static void last_line(const dm_server *d, char *out, size_t cap) {
  char *log = dm_log(d);
  size_t n = strlen(log);
  while (n && log[n - 1] == '\n') log[--n] = 0;
  const char *nl = strrchr(log, '\n');
  snprintf(out, cap, "%s", nl ? nl + 1 : log);
  free(log);
}

static bool start(dm_server *d, char why[DM_WHY]) {
  char line[120];
  unlink(d->port_file);
  pid_t self = getpid();
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (!pid) child(d, self);
  d->pid = pid;
  int64_t until = dm_mono_ms() + DM_START_MS;
  while (!read_ports(d)) {
    bool ended = reap(d, 0);
    if (!ended && dm_mono_ms() < until) {
      dm_sleep_ms(2);
      continue;
    }
    last_line(d, line, sizeof line);
    if (ended) snprintf(why, DM_WHY, "server ended with %d: %.110s", WEXITSTATUS(d->status), line);
    else snprintf(why, DM_WHY, "server does not listen: %.110s", line);
    if (!ended) dm_stop(d, SIGKILL);
    return false;
  }
  return true;
}

bool dm_start(dm_server *d, dm_site *s, const dm_options *o, char why[DM_WHY]) {
  static unsigned serial;
  memset(d, 0, sizeof *d);
  d->site = s;
  if (o) d->o = *o;
  serial++;
  snprintf(d->log_file, sizeof d->log_file, "%s/log%u", s->fx.dir, serial);
  snprintf(d->port_file, sizeof d->port_file, "%s/ports%u", s->fx.dir, serial);
  return start(d, why);
}

bool dm_again(dm_server *d, char why[DM_WHY]) { return start(d, why); }

bool dm_stop(dm_server *d, int sig) {
  if (!d->pid) return false;
  kill(d->pid, sig);
  if (!reap(d, sig == SIGKILL ? DM_WAIT_MS : 2 * DM_WAIT_MS)) return false;
  return sig != SIGTERM || (WIFEXITED(d->status) && WEXITSTATUS(d->status) == 0);
}

bool dm_running(dm_server *d) { return d->pid && !reap(d, 0); }

void dm_end(dm_server *d) {
  if (d->pid) dm_stop(d, SIGKILL);
}

char *dm_log(const dm_server *d) {
  FILE *f = fopen(d->log_file, "r");
  char *text = NULL;
  size_t cap = 0;
  if (f) {
    if (getdelim(&text, &cap, 0, f) < 0) {
      free(text);
      text = NULL;
    }
    fclose(f);
  }
  return text ? text : strdup("");
}

bool dm_log_has(const dm_server *d, const char *text) {
  char *log = dm_log(d);
  bool has = strstr(log, text) != NULL;
  free(log);
  return has;
}

bool dm_log_clean(const dm_server *d, const char *secret, char why[DM_WHY]) {
  static const char *const bad[] = {"Sanitizer",   "runtime error:", "Assertion",
                                    "assertion",   "panic",          "error=internal",
                                    "double free", "corrupted size", "stack smashing"};
  char *log = dm_log(d);
  const char *at = secret ? strstr(log, secret) : NULL;
  for (size_t i = 0; !at && i < sizeof bad / sizeof *bad; i++) at = strstr(log, bad[i]);
  if (at) {
    const char *line = at;
    while (line > log && line[-1] != '\n') line--;
    snprintf(why, DM_WHY, "log: %.*s", (int)(strcspn(line, "\n") < 160 ? strcspn(line, "\n") : 160), line);
  }
  free(log);
  return !at;
}

bool dm_finish(dm_server *d, dm_site *s, char why[DM_WHY]) {
  why[0] = 0;
  bool clean = dm_stop(d, SIGTERM) && dm_log_clean(d, NULL, why);
  dm_end(d);
  dm_site_close(s);
  return clean;
}

/* -- looking at it --------------------------------------------------------------------------------------- */

int dm_get(const dm_server *d, const char *path, char *body, size_t cap) {
  char request[200];
  static char answer[65536];
  int status = -1;
  if (cap) *body = 0;
  rawws *ws = rawws_connect(&(rawws_opts){.port = d->local_port});
  if (!ws) return -1;
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
  rawws_send_text(ws, request);
  rawws_read_all(ws, answer, sizeof answer, DM_WAIT_MS);
  rawws_free(ws);
  if (sscanf(answer, "HTTP/1.%*d %d", &status) != 1) return -1;
  const char *at = strstr(answer, "\r\n\r\n");
  if (at && cap) snprintf(body, cap, "%s", at + 4);
  return status;
}

long long dm_metric(const dm_server *d, const char *name) {
  static char body[65536];
  char line[100];
  if (dm_get(d, "/metrics", body, sizeof body) != 200) return -1;
  snprintf(line, sizeof line, "\noverdracht_%s ", name);
  const char *at = strstr(body, line);
  return at ? atoll(at + strlen(line)) : -1;
}

long dm_memory_kib(const dm_server *d, const char *field) {
  char path[40], line[200];
  long v = -1;
  snprintf(path, sizeof path, "/proc/%d/status", (int)d->pid);
  FILE *f = fopen(path, "r");
  if (!f) return -1;
  size_t n = strlen(field);
  while (v < 0 && fgets(line, sizeof line, f)) {
    if (!strncmp(line, field, n) && line[n] == ':') v = atol(line + n + 1);
  }
  fclose(f);
  return v;
}

bool dm_admin_lines(const dm_server *d, const char *json, char *reply, size_t cap) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = DM_WAIT_MS / 1000};
  size_t n = 0;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(a.sun_path, sizeof a.sun_path, "%s/admin.sock", d->o.data ? d->o.data : d->site->data);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  bool ok = !connect(fd, (struct sockaddr *)&a, sizeof a) && send(fd, json, strlen(json), MSG_NOSIGNAL) > 0 &&
            send(fd, "\n", 1, MSG_NOSIGNAL) > 0;
  for (ssize_t k; ok && n + 1 < cap && (k = recv(fd, reply + n, cap - 1 - n, 0)) > 0;) n += (size_t)k;
  close(fd);
  reply[n] = 0;
  while (n && reply[n - 1] == '\n') reply[--n] = 0;
  const char *last = strrchr(reply, '\n');
  return ok && strstr(last ? last : reply, "\"ok\":true");
}

bool dm_admin(const dm_server *d, const char *json, char *reply, size_t cap) {
  bool ok = dm_admin_lines(d, json, reply, cap);
  const char *last = strrchr(reply, '\n');
  if (last) memmove(reply, last + 1, strlen(last + 1) + 1);
  return ok;
}

void dm_code(const dm_server *d, const ov_id *organisation, const char *name, char code[DM_CODE_TEXT]) {
  char request[300], reply[2000], org[2 * OV_ID_BYTES + 1];
  ov_hex(organisation->b, OV_ID_BYTES, org);
  snprintf(request, sizeof request,
           "{\"cmd\":\"device add\",\"name\":\"%s\",\"team\":[\"Beuk\"],\"organisation\":\"%s\"}", name, org);
  if (!dm_admin(d, request, reply, sizeof reply)) fx_die(__FILE__, __LINE__, reply, 0);
  const char *at = strstr(reply, "\"code\":\"");
  FX_MUST(at);
  snprintf(code, DM_CODE_TEXT, "%.14s", at + 8);
}
