/* A data folder with a real programme and a real organisation, opened the way overdracht-admin opens it, and
 * a host around it. Tablets come from the fixture, so that logs are real and signed. */
#ifndef ADMIN_WORLD_H
#define ADMIN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <jansson.h>

#include "fixture.h"
#include "sv_admin_commands.h"
#include "sv_node.h"

#include <cmocka.h>

#define SLEEP 20
#define NIGHT (FX_START_MS / 86400000)

typedef struct admin_world {
  fx_world w;
  const char *data;
  const char *schema_dir; /* of the next aw_start; NULL: the tree's */
  bool real;              /* real clock and random source: for threads */
  sv_node *node;          /* NULL while closed */
  sv_admin_host host;
  json_t *reply, *items;  /* of the last request; items: streamed ones */
  unsigned lines;         /* of the last request, progress included */
  unsigned hang_up_after; /* the asker leaves after so many lines; 0: never */
  unsigned cut;           /* devices cut off */
  ov_id last_cut;
} admin_world;

void aw_open(admin_world *aw, uint64_t seed, bool real);
void aw_close(admin_world *aw);
/* As when the server stops, and starts again. */
void aw_stop(admin_world *aw);
void aw_start(admin_world *aw);
sv_org *aw_org(admin_world *aw, unsigned i);

/* One request; returns 0 or the error, with aw->reply set. */
int aw_ask_json(admin_world *aw, json_t *request);
/* As JSON text, ' for ". */
int aw_ask(admin_world *aw, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Demands that it worked. */
#define ASK(aw, ...) aw_must((aw), aw_ask((aw), __VA_ARGS__), __FILE__, __LINE__)
void aw_must(admin_world *aw, int err, const char *file, int line);
/* Demands that it is refused with this error, and a message that contains `text`. */
#define REFUSED(aw, error, text, ...)                                                                        \
  aw_refused((aw), aw_ask((aw), __VA_ARGS__), (error), (text), __FILE__, __LINE__)
void aw_refused(admin_world *aw, int err, int want, const char *text, const char *file, int line);
const char *aw_text(admin_world *aw, const char *key);
int64_t aw_int(admin_world *aw, const char *key);
/* The item whose `key` is `value`, or NULL. */
const json_t *aw_item(admin_world *aw, const char *key, const char *value);
/* Is there a streamed finding whose problem contains `text`? */
bool aw_found(admin_world *aw, const char *text);

/* An organisation "De Linde" with teams Beuk and Eik, a carer in each, Anna in Beuk, and a tablet that logged
 * nights. */
typedef struct linde {
  admin_world aw;
  sv_org *org;
  uint32_t beuk, eik;
  ov_name jan, ria, anna;
  fx_tablet *tab;
} linde;
void linde_open(linde *l, uint64_t seed, bool real);
void linde_close(linde *l);
/* n nights, pushed. `quality` out of range: held. */
ov_name linde_nights(linde *l, unsigned n, int64_t quality);
/* After aw_start: the organisation's new pointer. */
void linde_again(linde *l);
/* One write transaction of an organisation. */
#define WRITE(org, t, block)                                                                                 \
  do {                                                                                                       \
    sv_txn *t = NULL;                                                                                        \
    FX_OK(sv_txn_write((org)->env, &t));                                                                     \
    block;                                                                                                   \
    FX_OK(sv_txn_commit(t));                                                                                 \
  } while (0)

#endif
