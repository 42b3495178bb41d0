/* No ACK before its commit is on disk, and one fsync for all that waited: the real server's receives, syncs
 * and sends in the order in which they happened, written down by the preload. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage.h"

#define CLIENTS 32u
#define SYNC_MS 25 /* about a disk's */

static stage st;
static dm_tablet *tablets[CLIENTS];
static dm_wire wires[CLIENTS];

static int open_stage(void **state) {
  char why[DM_WHY];
  (void)state;
  stage_open(&st, 77);
  assert_true(dm_stop(&st.d, SIGTERM));
  assert_true(dm_site_open_orgs(&st.site, why));
  for (unsigned i = 0; i < CLIENTS; i++) tablets[i] = dm_tablet_new(&st.site, 0, false);
  dm_site_close_orgs(&st.site);
  if (!dm_again(&st.d, why)) fail_msg("%s", why);
  for (unsigned i = 0; i < CLIENTS; i++)
    assert_true(dm_greet(&wires[i], &st.d, tablets[i], &(dm_hello){.push_follows = true}));
  return 0;
}

static int close_stage(void **state) {
  (void)state;
  for (unsigned i = 0; i < CLIENTS; i++) dm_wire_close(&wires[i]);
  bool stopped = dm_stop(&st.d, SIGTERM);
  stage_close(&st);
  return stopped ? 0 : -1;
}

static void push(unsigned i) {
  dm_tablet *tb = tablets[i];
  dm_tablet_note(tb, 5, "rustig");
  assert_true(
      dm_send_push(&wires[i], &(dm_push){.from = tb->acked + 1, .to = tb->t->n, .prev = true, .more = true}));
}

static void acked(unsigned i) {
  assert_true(dm_expect(&wires[i], OV_M_ACK, NULL));
  assert_int_equal(tablets[i]->acked, tablets[i]->t->n);
}

static bool is_ack(const fault_event *e) {
  unsigned at = e->n > 1 && (e->head[1] & 127) == 126 ? 4 : 2;
  return e->head[0] == 0x82 && e->head[at] == 0 && (e->head[at + 1] & 0xf0) == 0x90 &&
         e->head[at + 2] == OV_M_ACK;
}

/* For each ACK: since its connection last received something, a sync of the store has begun and returned,
 * and then the commit was made valid. Gives the number of ACKs and of syncs. */
static void check_order(unsigned *acks, unsigned *syncs) {
  uint32_t n = atomic_load(&st.f->n_events);
  assert_in_range(n, 4, FAULTS_EVENTS_MAX);
  *acks = *syncs = 0;
  for (uint32_t i = 0; i < n; i++) {
    const fault_event *e = &st.f->events[i];
    *syncs += e->kind == FAULT_SYNCED;
    if (e->kind != FAULT_SEND || !is_ack(e)) continue;
    (*acks)++;
    uint32_t got = i, begun = 0, synced = 0, valid = 0;
    while (got && !(st.f->events[got].kind == FAULT_RECV && st.f->events[got].fd == e->fd)) got--;
    assert_int_equal(st.f->events[got].kind, FAULT_RECV);
    for (uint32_t k = got; k < i; k++) {
      uint32_t kind = st.f->events[k].kind;
      if (kind == FAULT_SYNC) begun = k;
      else if (kind == FAULT_SYNCED && begun) synced = k;
      else if (kind == FAULT_META && synced) valid = k;
    }
    if (!valid)
      fail_msg("ACK %u: received at %u, sync from %u to %u, valid at %u, sent at %u", *acks, got, begun,
               synced, valid, i);
  }
}

static void start_record(void) {
  atomic_store(&st.f->record, 0);
  for (uint32_t i = 0; i < FAULTS_EVENTS_MAX; i++) atomic_store(&st.f->events[i].kind, 0);
  atomic_store(&st.f->n_events, 0);
  atomic_store(&st.f->record, 1);
}

static void alone(void **state) {
  unsigned acks, syncs;
  (void)state;
  for (int i = 0; i < 5; i++) {
    start_record();
    push(0);
    acked(0);
    check_order(&acks, &syncs);
    assert_int_equal(acks, 1);
    assert_int_equal(syncs, 1);
  }
}

static void all_at_once(void **state) {
  unsigned acks, syncs;
  (void)state;
  atomic_store(&st.f->sync_delay_ms, SYNC_MS);
  start_record();
  for (unsigned i = 0; i < CLIENTS; i++) push(i);
  for (unsigned i = 0; i < CLIENTS; i++) acked(i);
  atomic_store(&st.f->sync_delay_ms, 0);
  check_order(&acks, &syncs);
  print_message("%u pushes at once: %u fsyncs, every ACK behind its own\n", acks, syncs);
  assert_int_equal(acks, CLIENTS);
  assert_in_range(syncs, 1, CLIENTS / 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(alone), cmocka_unit_test(all_at_once)};
  return cmocka_run_group_tests(tests, open_stage, close_stage);
}
