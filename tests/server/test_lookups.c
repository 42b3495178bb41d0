/* A sync with nothing new asks the store the same questions however much it holds: the LMDB calls of the
 * whole session are counted at 10 thousand and at 1 million stored records, and the depth of every tree
 * that is asked. The records, ops, positions and index entries are real rows, written straight into the
 * store; the session is the real one. */
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"
#include "sv_server.h"

#define FEW 10000u
#define MANY 1000000u
#define KIND 20

/* -- counting -------------------------------------------------------------------------------------------- */

typedef struct calls {
  unsigned begin, get, put, open, next, stat, end;
  unsigned depth; /* pages that the gets and opened cursors go through, summed */
} calls;
static calls seen;
static bool counting;

int __real_mdb_txn_begin(MDB_env *e, MDB_txn *p, unsigned f, MDB_txn **t);
int __real_mdb_get(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v);
int __real_mdb_put(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f);
int __real_mdb_cursor_open(MDB_txn *t, MDB_dbi d, MDB_cursor **c);
int __real_mdb_cursor_get(MDB_cursor *c, MDB_val *k, MDB_val *v, MDB_cursor_op op);
void __real_mdb_txn_abort(MDB_txn *t);
int __real_mdb_stat(MDB_txn *t, MDB_dbi d, MDB_stat *s);
int __wrap_mdb_txn_begin(MDB_env *e, MDB_txn *p, unsigned f, MDB_txn **t);
int __wrap_mdb_get(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v);
int __wrap_mdb_put(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f);
int __wrap_mdb_cursor_open(MDB_txn *t, MDB_dbi d, MDB_cursor **c);
int __wrap_mdb_cursor_get(MDB_cursor *c, MDB_val *k, MDB_val *v, MDB_cursor_op op);
void __wrap_mdb_txn_abort(MDB_txn *t);
int __wrap_mdb_stat(MDB_txn *t, MDB_dbi d, MDB_stat *s);

static void go_down(MDB_txn *t, MDB_dbi d) {
  MDB_stat s;
  if (counting && !__real_mdb_stat(t, d, &s)) seen.depth += s.ms_depth;
}

int __wrap_mdb_txn_begin(MDB_env *e, MDB_txn *p, unsigned f, MDB_txn **t) {
  seen.begin += counting;
  return __real_mdb_txn_begin(e, p, f, t);
}
int __wrap_mdb_get(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v) {
  seen.get += counting;
  go_down(t, d);
  return __real_mdb_get(t, d, k, v);
}
int __wrap_mdb_put(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f) {
  seen.put += counting;
  return __real_mdb_put(t, d, k, v, f);
}
int __wrap_mdb_cursor_open(MDB_txn *t, MDB_dbi d, MDB_cursor **c) {
  seen.open += counting;
  go_down(t, d);
  return __real_mdb_cursor_open(t, d, c);
}
int __wrap_mdb_cursor_get(MDB_cursor *c, MDB_val *k, MDB_val *v, MDB_cursor_op op) {
  seen.next += counting;
  return __real_mdb_cursor_get(c, k, v, op);
}
void __wrap_mdb_txn_abort(MDB_txn *t) {
  seen.end += counting;
  __real_mdb_txn_abort(t);
}
int __wrap_mdb_stat(MDB_txn *t, MDB_dbi d, MDB_stat *s) {
  seen.stat += counting;
  return __real_mdb_stat(t, d, s);
}

/* -- a session in this process --------------------------------------------------------------------------- */

static dm_site site;
static sv_server *server;
static dm_tablet *tb;

static void nothing(void *ctx) { (void)ctx; }
static void pause_nothing(void *ctx, bool paused) {
  (void)ctx;
  (void)paused;
}
static void closed(void *ctx, unsigned code, const char *reason) {
  (void)reason;
  *(unsigned *)ctx = code;
}

static void feed(dm_wire *w, sv_session *ss, ov_msg_type type, const ov_buf *plain) {
  ov_buf frame;
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  assert_int_equal(ov_peer_send(w->peer, type, plain->p, plain->n, &frame), 0);
  sv_session_message(ss, frame.p, frame.n);
  ov_buf_free(&frame);
}

static void take_cursor(const ov_delta *d) {
  for (uint32_t i = 0; i < tb->n_cursors; i++) {
    if (tb->cursors[i].scope != d->scope) continue;
    tb->cursors[i].pos = d->to;
    memcpy(tb->cursors[i].hash, d->hash, sizeof d->hash);
    return;
  }
  tb->cursors[tb->n_cursors] = (ov_cursor){.scope = d->scope, .pos = d->to};
  memcpy(tb->cursors[tb->n_cursors++].hash, d->hash, sizeof d->hash);
}

/* One sync; the number of DELTAs. bytes: of what the server sent. */
static unsigned sync_once(size_t *bytes) {
  dm_wire w = {.tb = tb, .packer = ov_packer_new()};
  w.peer = ov_peer_new(OV_CLIENT, w.packer);
  unsigned code = 0, deltas = 0;
  bool synced = false;
  sv_link link = {.want_write = nothing, .close = closed, .pause = pause_nothing, .ctx = &code};
  sv_session *ss = sv_session_open(server, &link, "test");
  ov_buf plain, out;
  assert_non_null(ss);
  dm_hello_plain(&w, &(dm_hello){0}, &plain);
  feed(&w, ss, OV_M_HELLO, &plain);
  ov_buf_init(&out, OV_WS_MESSAGE_BYTES_MAX);
  *bytes = 0;
  while (!synced) {
    ov_msg *m = NULL;
    ov_buf_reset(&out);
    if (!sv_session_pull(ss, &out)) break;
    *bytes += out.n;
    assert_int_equal(ov_peer_feed(w.peer, out.p, out.n, &m), 0);
    if (m->type == OV_M_WELCOME) {
      tb->server = m->welcome.server;
      ov_peer_set_server(w.peer, &m->welcome.server);
      assert_int_equal(m->welcome.own, OV_OWN_SAME);
    }
    if (m->type == OV_M_DELTA) take_cursor(&m->delta);
    deltas += m->type == OV_M_DELTA;
    synced = m->type == OV_M_SYNCED;
  }
  assert_int_equal(code, 0);
  assert_true(synced);
  sv_session_closed(ss);
  ov_buf_free(&out);
  ov_buf_free(&plain);
  ov_peer_free(w.peer);
  ov_packer_free(w.packer);
  return deltas;
}

/* -- many records ---------------------------------------------------------------------------------------- */

/* What ingest leaves behind for a note: op, record, its op list, position and index entries. */
static int put_record(sv_txn *t, uint32_t i, uint8_t header[64], uint32_t header_n, uint64_t *pos) {
  static const uint8_t payload[] = {0x92, 0x81, 0x0b, 0x01, 0x90};
  ov_name name = {.writer = {{9, 9, 9}}, .seq = i + 1u, .tag = {1, 2, 3, 4}};
  ov_op op = {.name = name,
              .record = name,
              .creates = true,
              .kind = KIND,
              .version = 1,
              .scope = tb->org->team,
              .has_participant = true,
              .participant = tb->org->anna,
              .header_bytes = header,
              .header_len = header_n,
              .payload_bytes = payload,
              .payload_len = sizeof payload};
  sv_op_row row = {.op = op, .n_receipts = 1};
  row.receipts[0] = (sv_receipt){.server_time_ms = site.fx.now_ms, .verdict = OV_APPLIED};
  ov_rop rop = {.name = name, .time = site.fx.now_ms / 1000};
  ov_live live = {.field = 11, .v = ov_int(1)};
  sv_record_row rec = {.rec = {.name = name,
                               .kind = KIND,
                               .version = 1,
                               .scope = tb->org->team,
                               .has_participant = true,
                               .participant = tb->org->anna,
                               .created = true,
                               .ops = &rop,
                               .n_ops = 1,
                               .live = &live,
                               .n_live = 1},
                       .changed = 0,
                       .day = i / 50,
                       .index_kind = KIND,
                       .indexed = true,
                       .n_places = 1};
  ov_hash state = {{(uint8_t)i}};
  int err = sv_op_put(t, &row);
  if (!err) err = sv_record_op_add(t, &name, &name);
  if (!err) err = sv_pos_append(t, tb->org->team, &name, &state, 0, false, pos);
  rec.places[0] = (sv_place){tb->org->team, *pos};
  return err ? err : sv_record_put(t, &rec);
}

static void fill(uint32_t from, uint32_t to) {
  ov_buf header;
  uint64_t pos = 0;
  ov_op op = {.scope = tb->org->team,
              .creates = true,
              .kind = KIND,
              .version = 1,
              .has_participant = true,
              .participant = tb->org->anna,
              .device_time = site.fx.now_ms / 1000};
  ov_buf_init(&header, 0);
  ov_op_header_encode(&op, &header);
  for (uint32_t i = from; i < to;) {
    uint32_t start = i, end = i + 5000 < to ? i + 5000 : to;
    sv_txn *t = NULL;
    FX_OK(sv_txn_write(tb->org->open->env, &t));
    while (i < end && !put_record(t, i, header.p, (uint32_t)header.n, &pos)) i++;
    int err = sv_txn_commit(t);
    if (err == OV_E_MAPFULL) i = start;
    else FX_OK(err);
  }
  ov_buf_free(&header);
}

static calls count_sync(void) {
  size_t bytes;
  seen = (calls){0};
  counting = true;
  unsigned deltas = sync_once(&bytes);
  counting = false;
  assert_int_equal(deltas, 0);
  assert_true(bytes <= 60);
  return seen;
}

static calls at_size(uint32_t from, uint32_t to) {
  size_t bytes;
  sv_env_stats st;
  int64_t start = dm_mono_ms();
  fill(from, to);
  sv_env_stats_get(tb->org->open->env, &st);
  assert_true(st.records >= to && st.ops >= to);
  /* The tablet has everything: its cursor is the scope's head, whatever came before it. */
  tb->n_cursors = 0;
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(tb->org->open->env, &t));
  for (uint32_t scope = 1; scope <= tb->org->team; scope++) {
    sv_scope s;
    if (scope != 1 && scope != tb->org->team) continue;
    FX_OK(sv_scope_get(t, scope, &s));
    tb->cursors[tb->n_cursors] = (ov_cursor){.scope = scope, .pos = s.pos};
    memcpy(tb->cursors[tb->n_cursors++].hash, s.hash, sizeof s.hash);
  }
  sv_txn_abort(t);
  tb->server = tb->org->open->server;
  sync_once(&bytes); /* the programme's scope comes, once */
  calls c = count_sync(), again = count_sync();
  assert_memory_equal(&c, &again, sizeof c);
  print_message("%8llu records: %u transactions, %u gets, %u cursors, %u cursor steps, %u puts; %u pages "
                "deep in all (%lld ms)\n",
                (unsigned long long)st.records, c.begin, c.get, c.open, c.next, c.put, c.depth,
                (long long)(dm_mono_ms() - start));
  return c;
}

static void wake(void *ctx) { (void)ctx; }

static void nothing_new_costs_the_same(void **state) {
  static const char *const names[] = {"localhost"};
  char why[DM_WHY];
  (void)state;
  dm_site_open(&site, 6);
  tb = dm_tablet_new(&site, 0, false);
  assert_true(dm_site_open_orgs(&site, why));
  sv_server_options o = {.sys = &site.fx.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = site.programme,
                         .schemas = site.fx.schemas,
                         .wake = wake};
  /* It started a while ago: greetings of its first minutes are challenged, which costs a message more. */
  site.fx.now_ms -= 2 * OV_HELLO_SKEW_MS_MAX;
  FX_OK(sv_server_new(&o, &server));
  site.fx.now_ms += 2 * OV_HELLO_SKEW_MS_MAX;
  FX_OK(sv_server_add_org(server, tb->org->open));
  calls few = at_size(0, FEW), many = at_size(FEW, MANY);
  sv_server_free(server);
  dm_site_close(&site);
  assert_memory_equal(&few, &many, sizeof few);
  assert_int_equal(many.put, 0);
  assert_in_range(many.get + many.next, 1, 60);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_new_costs_the_same)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
