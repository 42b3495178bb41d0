/* What travels, in words, for --trace. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 4000

typedef struct words {
  char text[WORDS_MAX];
  size_t n;
} words;

__attribute__((format(printf, 2, 3))) static void add(words *x, const char *fmt, ...) {
  va_list ap;
  if (x->n + 1 >= sizeof x->text) return;
  va_start(ap, fmt);
  int n = vsnprintf(x->text + x->n, sizeof x->text - x->n, fmt, ap);
  va_end(ap);
  x->n += n < 0 ? 0 : (size_t)n;
  if (x->n >= sizeof x->text) x->n = sizeof x->text - 1;
}

static void hello(words *x, const ov_hello *h) {
  add(x, "HELLO, log %02x%02x at %llu%s; cursors", h->writer.b[0], h->writer.b[1],
      (unsigned long long)h->own.seq, h->push_follows ? ", a PUSH follows" : "");
  for (uint32_t i = 0; i < h->n_cursors; i++)
    add(x, " %u:%llu", h->cursors[i].scope, (unsigned long long)h->cursors[i].pos);
}

static void welcome(words *x, const ov_welcome *m) {
  static const char *const own[] = {"as said", "tips", "tips and a ladder"};
  static const char *const states[] = {"continues", "is fetched anew", "is new", "is gone"};
  add(x, "WELCOME, log %s", own[m->own]);
  for (uint32_t i = 0; i < m->n_tips; i++) add(x, " %llu", (unsigned long long)m->tips[i].seq);
  for (uint32_t i = 0; i < m->n_scopes; i++)
    add(x, ", scope %u %s", m->scopes[i].scope, states[m->scopes[i].state & 3]);
  if (m->strict) add(x, ", strict");
  if (m->has_share) add(x, ", with the share");
}

static void ack(words *x, const ov_ack *m) {
  add(x, "ACK up to %llu, safe up to %llu", (unsigned long long)m->up_to, (unsigned long long)m->safe_up_to);
  for (uint32_t i = 0; i < m->n_held; i++)
    add(x, ", %llu held (reason %u)", (unsigned long long)m->held[i].seq, m->held[i].reason);
  if (m->refused) add(x, ", refused %llu", (unsigned long long)m->refused_seq);
}

static void delta(words *x, const ov_delta *m) {
  add(x, "DELTA of scope %u from %llu to %llu%s:", m->scope, (unsigned long long)m->from,
      (unsigned long long)m->to, m->more ? " and more" : "");
  for (uint32_t i = 0; i < m->n_records; i++) add(x, " %s", sim_name(&m->records[i].rec.name));
  for (uint32_t i = 0; i < m->n_gone; i++) add(x, " -%s", sim_name(&m->gone[i]));
}

void sim_tell(sim_link *l, bool up, const ov_msg *m) {
  words x = {.n = 0};
  if (!l->w->o.trace) return;
  switch (m->type) {
  case OV_M_HELLO: hello(&x, &m->hello); break;
  case OV_M_WELCOME: welcome(&x, &m->welcome); break;
  case OV_M_PUSH: add(&x, "PUSH from %llu", (unsigned long long)m->push.first_seq); break;
  case OV_M_ACK: ack(&x, &m->ack); break;
  case OV_M_DELTA: delta(&x, &m->delta); break;
  case OV_M_ERROR: add(&x, "ERROR %s", ov_err_text(m->error.err)); break;
  case OV_M_BYE: add(&x, "BYE"); break;
  case OV_M_SYNCED: add(&x, "SYNCED"); break;
  case OV_M_CHALLENGE: add(&x, "CHALLENGE"); break;
  case OV_M_PROOF: add(&x, "PROOF"); break;
  case OV_M_ACKED: add(&x, "ACKED"); break;
  case OV_M_ENROL: add(&x, "ENROL"); break;
  case OV_M_ENROLLED: add(&x, "ENROLLED"); break;
  default: add(&x, "message %d", (int)m->type);
  }
  char who[24] = "nobody";
  if (l->t) snprintf(who, sizeof who, "tablet %u", l->t->id);
  sim_say(l->w, "   link %u (%s) %s %s", l->id, who, up ? "up:" : "down:", x.text);
}
