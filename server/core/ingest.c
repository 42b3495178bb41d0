/* The context of one ingest: caches, the set of changed records and small lists. */
#include <stdlib.h>
#include <string.h>

#include "ingest_priv.h"

int ingest_begin(ingest *g, sv_txn *t, sv_org *org, ov_arena *a, sv_touches *touches) {
  memset(g, 0, sizeof *g);
  g->t = t;
  g->org = org;
  g->a = a;
  g->touches = touches;
  g->now_ms = org->sys->now_ms(org->sys->ctx);
  ov_arena_init(&g->look, SV_LOOK_ARENA_BYTES_MAX);
  ov_arena_init(&g->work, SV_FOLD_ARENA_BYTES_MAX);
  ov_buf_init(&g->b1, 0);
  ov_buf_init(&g->b2, 0);
  return sv_txn_error(t);
}

void ingest_end(ingest *g) {
  ov_arena_free(&g->look);
  ov_arena_free(&g->work);
  ov_buf_free(&g->b1);
  ov_buf_free(&g->b2);
  free(g->changed.v);
  free(g->changed.slots);
  free(g->known.v);
  free(g->moved.v);
}

void ingest_forget(ingest *g) {
  memset(g->briefs, 0, sizeof g->briefs);
  memset(g->scopes, 0, sizeof g->scopes);
  g->author.set = false;
}

bool ingest_pushed(const ingest *g, const ov_name *name, uint32_t *i) {
  if (!g->ops || !g->n_chained || !ov_id_equal(&name->writer, &g->ops[0].name.writer)) return false;
  uint64_t at = name->seq - g->first_seq;
  if (name->seq < g->first_seq || at < g->new_from || at >= g->n_chained) return false;
  *i = (uint32_t)at;
  return !memcmp(g->ops[at].name.tag, name->tag, OV_TAG_BYTES);
}

static void brief_from(const ov_op *op, bool waiting, brief *out) {
  *out = (brief){.name = op->name,
                 .known = true,
                 .is_void = op->is_void,
                 .waiting = waiting,
                 .creates = op->creates,
                 .has_participant = op->has_participant,
                 .kind = op->kind,
                 .scope = op->scope,
                 .participant = op->participant};
}

/* Only what is there is kept: what is missing may arrive with the next op of the same push. */
int ingest_brief(ingest *g, const ov_name *name, brief *out) {
  uint32_t i;
  *out = (brief){.name = *name};
  if (ingest_pushed(g, name, &i)) {
    if (i < g->n_taken) brief_from(&g->ops[i], g->verdicts[i].waits, out);
    return 0;
  }
  for (i = 0; i < BRIEFS; i++) {
    if (g->briefs[i].known && ov_name_equal(&g->briefs[i].name, name)) {
      *out = g->briefs[i];
      return 0;
    }
  }
  sv_op_row row;
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, name, &g->look, &row);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  brief_from(&row.op, row.waiting, out);
  g->briefs[g->next_brief++ % BRIEFS] = *out;
  return 0;
}

/* -- lists ------------------------------------------------------------------------------------- */

static bool grow(void **v, uint32_t *cap, size_t size) {
  uint32_t want = *cap ? *cap * 2 : 64;
  void *p = realloc(*v, want * size);
  if (!p) return false;
  *v = p;
  *cap = want;
  return true;
}

void ingest_list_add(ingest *g, name_list *l, const ov_name *name) {
  if (l->n == l->cap && !grow((void **)&l->v, &l->cap, sizeof *l->v)) {
    sv_txn_fail(g->t, OV_E_NOMEM);
    return;
  }
  l->v[l->n++] = *name;
}

static uint32_t hash_name(const ov_name *n) {
  uint8_t b[OV_NAME_BYTES];
  uint64_t h = 0xcbf29ce484222325u;
  ov_name_write(n, b);
  for (size_t i = 0; i < sizeof b; i++) h = (h ^ b[i]) * 0x100000001b3u;
  return (uint32_t)(h ^ (h >> 32));
}

/* Room for one more. The table is always twice the list: where only one of them could grow, the next call
 * asks for the other again. */
static bool changed_room(changed_set *s) {
  if (s->n == s->cap && !grow((void **)&s->v, &s->cap, sizeof *s->v)) return false;
  uint32_t n = s->cap * 2;
  if (s->n_slots == n) return true;
  uint32_t *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  for (uint32_t i = 0; i < s->n; i++) {
    uint32_t at = hash_name(&s->v[i].record) & (n - 1);
    while (slots[at]) at = (at + 1) & (n - 1);
    slots[at] = i + 1;
  }
  free(s->slots);
  s->slots = slots;
  s->n_slots = n;
  return true;
}

static changed_record *changed_at(ingest *g, const ov_name *record, uint16_t kind) {
  changed_set *s = &g->changed;
  if (!changed_room(s)) {
    sv_txn_fail(g->t, OV_E_NOMEM);
    return NULL;
  }
  uint32_t at = hash_name(record) & (s->n_slots - 1);
  for (; s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
    changed_record *c = &s->v[s->slots[at] - 1];
    if (ov_name_equal(&c->record, record)) return c;
  }
  s->v[s->n] = (changed_record){.record = *record, .kind = kind};
  s->slots[at] = ++s->n;
  return &s->v[s->n - 1];
}

void ingest_changed(ingest *g, const ov_name *record, uint16_t kind, bool foreign) {
  changed_record *c = changed_at(g, record, kind);
  if (c) c->foreign |= foreign;
}

void ingest_again(ingest *g, const ov_name *record, uint16_t kind) {
  changed_record *c = changed_at(g, record, kind);
  if (c) c->foreign = c->again = true;
}

/* -- small rules ------------------------------------------------------------------------------- */

bool ingest_elsewhere(const ingest *g, const ov_op *op) { return !g->org->programme && op->scope == 0; }

bool ingest_erased(const ingest *g, const ov_name *participant) {
  return sv_keyring_destroyed(g->org->keyring, participant);
}

bool ingest_about_erased(const ingest *g, const ov_op *op) {
  if (op->kind == OV_KIND_PARTICIPANT) return ingest_erased(g, &op->record);
  return op->has_participant && ingest_erased(g, &op->participant);
}

ov_name ingest_scope_name(uint32_t scope) { return (ov_name){.seq = scope < 2 ? 1 : scope}; }

/* PROTO-21 */
int64_t ingest_seconds(int64_t ms) { return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000); }

int64_t ingest_written(const ov_op *op, int64_t received_ms, int64_t offset_ms) {
  int64_t claimed = op->device_time + ingest_seconds(offset_ms), received = ingest_seconds(received_ms);
  return claimed < received ? claimed : received;
}

int64_t sv_op_written(const sv_op_row *row) {
  if (!row->n_receipts) return row->op.device_time;
  return ingest_written(&row->op, row->receipts[0].server_time_ms, row->receipts[0].offset_ms);
}

void sv_touches_free(sv_touches *t) {
  free(t->v);
  *t = (sv_touches){0};
}
