/* Tables of the row codec and how references into them are coded. */
#include <string.h>

#include "rows_priv.h"

/* The weight of 'something new' and of one more use in a counted choice. */
#define NEW_WEIGHT 12u
#define USE_WEIGHT 4u

void ov_rows_fail(ov_rows *s, int err) { ov_rc_fail(&s->rc, err); }

int ov_rows_arena_err(const ov_arena *a, size_t wanted) {
  size_t room = a->max - a->used;
  return room < 32 || wanted > room - 32 ? OV_E_LIMIT : OV_E_NOMEM;
}

void *ov_rows_alloc(ov_rows *s, ov_arena *a, size_t count, size_t size) {
  void *p = s->rc.err ? NULL : ov_arena_array(a, count, size);
  if (!p) ov_rows_fail(s, ov_rows_arena_err(a, count * size));
  return p;
}

int ov_rows_begin(ov_rows *s, const ov_rows_ctx *c, uint32_t n) {
  s->c = c;
  s->n = n;
  ov_arena_init(&s->work, OV_ROWS_WORK_BYTES_MAX);
  s->rows = ov_rows_alloc(s, &s->work, n, sizeof *s->rows);
  s->cap_writers = 8;
  s->writers = ov_rows_alloc(s, &s->work, s->cap_writers, sizeof *s->writers);
  if (s->rc.err) return s->rc.err;
  s->n_writers = 2;
  s->writers[0].id = c->writer;
  s->writers[1].id = c->server;
  if (!c->named)
    for (int i = 0; i < OV_AT_COUNT; i++) s->writers[0].seq[i] = c->first_seq;
  return 0;
}

void ov_rows_end(ov_rows *s) {
  ov_arena_free(&s->work);
  ov_arena_free(&s->plan);
  ov_buf_free(&s->text);
  ov_buf_free(&s->raw);
}

bool ov_rows_room(ov_rows *s, void **table, uint32_t n, uint32_t *cap, size_t size) {
  if (n < *cap) return true;
  uint32_t more = *cap ? *cap * 2 : 16;
  void *p = ov_rows_alloc(s, &s->work, more, size);
  if (!p) return false;
  if (n) memcpy(p, *table, n * size);
  *table = p;
  *cap = more;
  return true;
}

void ov_rows_raw(ov_rows *s, uint8_t *p, size_t n) {
  if (!s->decoding) {
    ov_buf_put(&s->raw, p, n);
    return;
  }
  if ((size_t)(s->raw_end - s->raw_p) < n) {
    ov_rows_fail(s, OV_E_FORMAT);
    memset(p, 0, n);
    return;
  }
  memcpy(p, s->raw_p, n);
  s->raw_p += n;
}

const uint8_t *ov_rows_text(ov_rows *s, const uint8_t *p, size_t n) {
  if (!s->decoding) {
    ov_buf_put(&s->text, p, n);
    return p;
  }
  if ((size_t)(s->text_end - s->text_p) < n) {
    ov_rows_fail(s, OV_E_FORMAT);
    return NULL;
  }
  p = s->text_p;
  s->text_p += n;
  return p;
}

const ov_name *ov_rows_name_of(const ov_rows *s, uint32_t ref) {
  return ref < s->n ? &s->ops[ref].name : &s->names[ref - s->n].name;
}

uint32_t *ov_rows_last_row(ov_rows *s, uint32_t ref) {
  return ref < s->n ? &s->rows[ref].last_row : &s->names[ref - s->n].last_row;
}

static uint32_t name_hash(const ov_name *name) {
  uint32_t h = (uint32_t)name->seq * 2654435761u, part;
  memcpy(&part, name->tag, sizeof part);
  h ^= part;
  memcpy(&part, name->writer.b, sizeof part);
  h = (h ^ part) * 2246822519u;
  return h ^ h >> 15;
}

uint32_t ov_rows_find(const ov_rows *s, const ov_name *name) {
  for (uint32_t at = name_hash(name) & s->map_mask; s->map[at]; at = (at + 1) & s->map_mask)
    if (ov_name_equal(ov_rows_name_of(s, s->map[at] - 1), name)) return s->map[at] - 1;
  return OV_REF_NONE;
}

void ov_rows_map_add(ov_rows *s, const ov_name *name, uint32_t ref) {
  uint32_t at = name_hash(name) & s->map_mask;
  while (s->map[at]) at = (at + 1) & s->map_mask;
  s->map[at] = ref + 1;
}

/* PROTO-63 */
bool ov_rows_in_push(const ov_rows *s, const ov_name *name) {
  return !s->c->named && name->seq >= s->c->first_seq && name->seq - s->c->first_seq < s->n &&
         ov_id_equal(&name->writer, &s->c->writer);
}

/* PROTO-65 */
bool ov_rows_reads_as_name(const ov_rows *s, const uint8_t *p, size_t n, ov_name *name) {
  if (n != OV_NAME_BYTES) return false;
  ov_name_read(p, name);
  /* The receiver of a push could not complete tags within values. */
  return name->seq >= 1 && name->seq <= OV_SEQ_MAX && !ov_rows_in_push(s, name);
}

uint32_t ov_rows_writer_index(ov_rows *s, ov_rc_num *m, const ov_id *id) {
  uint32_t w = 0;
  if (!s->decoding)
    while (w < s->n_writers && !ov_id_equal(&s->writers[w].id, id)) w++;
  uint64_t got = ov_rc_uint(&s->rc, m, w);
  if (got > s->n_writers) {
    ov_rows_fail(s, OV_E_FORMAT);
    return 0;
  }
  w = (uint32_t)got;
  if (w < s->n_writers) return w;
  if (!ov_rows_room(s, (void **)&s->writers, w, &s->cap_writers, sizeof *s->writers)) return 0;
  ov_rows_writer *new = &s->writers[s->n_writers++];
  *new = (ov_rows_writer){0};
  if (!s->decoding) new->id = *id;
  ov_rows_raw(s, new->id.b, OV_ID_BYTES);
  return w;
}

/* A name that stands nowhere in this message yet: writer, distance of its seq from the last such at this
 * place, tag. */
static uint32_t ref_new(ov_rows *s, ov_place at, const ov_name *name) {
  ov_name got = *name;
  uint32_t w = ov_rows_writer_index(s, &s->m_writer, &got.writer);
  if (s->rc.err || !ov_rows_room(s, (void **)&s->names, s->n_names, &s->cap_names, sizeof *s->names))
    return OV_REF_NONE;
  uint64_t *seq = &s->writers[w].seq[at];
  got.writer = s->writers[w].id;
  got.seq = *seq + (uint64_t)ov_rc_sint(&s->rc, &s->m_seq[at], (int64_t)(got.seq - *seq));
  ov_rows_raw(s, got.tag, OV_TAG_BYTES);
  static const uint8_t no_tag[OV_TAG_BYTES];
  bool completes = ov_rows_in_push(s, &got) && memcmp(got.tag, no_tag, sizeof no_tag) == 0;
  if (got.seq < 1 || got.seq > OV_SEQ_MAX || completes) {
    ov_rows_fail(s, s->decoding ? OV_E_FORMAT : OV_E_INVALID);
    return OV_REF_NONE;
  }
  *seq = got.seq;
  s->names[s->n_names++] = (ov_rows_name){.name = got};
  uint32_t ref = s->n + s->n_names - 1;
  if (!s->decoding) ov_rows_map_add(s, &got, ref);
  return ref;
}

enum { HOW_NEW = 0, HOW_ROW = 1, HOW_NAME = 2 };

/* A name that this place does not remember: new, a row before this one, or one of the names in the table. */
static uint32_t ref_miss(ov_rows *s, ov_place at, uint32_t row, const ov_name *name, uint32_t ref) {
  unsigned how = ref == OV_REF_NONE ? HOW_NEW : ref < s->n ? HOW_ROW : HOW_NAME;
  how = ov_rc_tree(&s->rc, s->recent[at].how, how, 2);
  if (how == HOW_NEW) return ref_new(s, at, name);
  uint32_t end = how == HOW_ROW ? row : s->n + s->n_names, known = how == HOW_ROW ? row : s->n_names;
  uint64_t back = ov_rc_uint(&s->rc, &s->m_back, end - 1 - ref);
  if (back >= known || how > HOW_NAME) {
    ov_rows_fail(s, OV_E_FORMAT);
    return OV_REF_NONE;
  }
  return end - 1 - (uint32_t)back;
}

void ov_rows_recent_use(ov_rows_recent *l, uint32_t ref) {
  uint32_t i = 0;
  while (i < l->n && l->ref[i] != ref) i++;
  if (i == l->n && l->n < OV_RECENT_MAX) l->n++;
  if (i == OV_RECENT_MAX) i--;
  memmove(l->ref + 1, l->ref, i * sizeof *l->ref);
  l->ref[0] = ref;
}

uint32_t ov_rows_ref(ov_rows *s, ov_place at, uint32_t row, const ov_name *name, ov_rc_num *rank) {
  ov_rows_recent *l = &s->recent[at];
  uint32_t ref = s->decoding ? OV_REF_NONE : ov_rows_find(s, name), r = 0;
  if (!s->decoding)
    while (r < l->n && l->ref[r] != ref) r++;
  uint64_t got = ov_rc_uint(&s->rc, rank ? rank : &l->rank, r < l->n ? r + 1 : 0);
  if (got > l->n) {
    ov_rows_fail(s, OV_E_FORMAT);
    return OV_REF_NONE;
  }
  ref = got ? l->ref[got - 1] : ref_miss(s, at, row, name, ref);
  if (s->rc.err) return OV_REF_NONE;
  ov_rows_recent_use(l, ref);
  return ref;
}

uint32_t ov_rows_choose(ov_rows *s, ov_rows_choice *l, uint32_t index) {
  uint32_t total = l->total + NEW_WEIGHT, at = 0, width = NEW_WEIGHT, i = index;
  if (s->decoding) {
    uint32_t point = ov_rc_slot_find(&s->rc, total);
    for (i = 0; i < l->n && at + l->count[i] <= point; i++) at += l->count[i];
  } else {
    for (uint32_t k = 0; k < i; k++) at += l->count[k];
  }
  if (i < l->n) width = l->count[i];
  ov_rc_slot(&s->rc, at, width, total);
  if (i < l->n) {
    l->count[i] += USE_WEIGHT;
    l->total += USE_WEIGHT;
  }
  return i;
}

void ov_rows_choice_add(ov_rows *s, ov_rows_choice *l, uint32_t ref) {
  uint32_t cap = l->cap;
  if (!ov_rows_room(s, (void **)&l->ref, l->n, &cap, sizeof *l->ref) ||
      !ov_rows_room(s, (void **)&l->count, l->n, &l->cap, sizeof *l->count))
    return;
  l->ref[l->n] = ref;
  l->count[l->n++] = USE_WEIGHT;
  l->total += USE_WEIGHT;
}

uint32_t ov_rows_person(ov_rows *s, ov_place at, uint32_t row, const ov_name *name) {
  ov_rows_choice *l = &s->people[at == OV_AT_AUTHOR];
  uint32_t ref = s->decoding ? OV_REF_NONE : ov_rows_find(s, name), i = 0;
  if (!s->decoding)
    while (i < l->n && l->ref[i] != ref) i++;
  i = ov_rows_choose(s, l, i);
  if (i < l->n) return l->ref[i];
  ref = ref_miss(s, at, row, name, ref);
  if (!s->rc.err) ov_rows_choice_add(s, l, ref);
  return ref;
}
