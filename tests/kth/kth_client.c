/* What a client does alone: own entries, imports, looking, opening its store. */
#include <string.h>
#include <unistd.h>

#include "kth.h"
#include "sv_erase.h"

static oc_draft *night(fuzz_home *h, const char *date) {
  oc_error e;
  char text[OV_NAME_TEXT_MAX];
  oc_draft *d = oc_draft_new(h->t.s, "sleep");
  ov_name_text(&h->participant, text);
  bool ok = d && !oc_draft_participant(d, text, &e);
  ov_name_text(&h->person, text);
  ok = ok && !oc_draft_author(d, text, &e) && !oc_draft_set(d, "night_date", date, &e) &&
       !oc_draft_set(d, "source", "1", &e);
  if (ok) return d;
  oc_draft_free(d);
  return NULL;
}

static bool add(fuzz_home *h) {
  oc_error e;
  char id[OC_ID_TEXT];
  kth_on(true);
  oc_draft *d = night(h, "2025-10-05");
  bool ok = d && !oc_add(h->t.s, d, id, &e);
  oc_draft_free(d);
  kth_on(false);
  return ok;
}

/* The first night that there is gets another source. */
static bool edit(fuzz_home *h) {
  oc_error e;
  oc_query *q = NULL;
  char id[OC_ID_TEXT] = "", author[OV_NAME_TEXT_MAX];
  kth_on(true);
  bool ok = !oc_query_run(h->t.s, &(oc_filter){.kind = "sleep"}, &q, &e) && oc_query_count(q) > 0;
  if (ok) snprintf(id, sizeof id, "%s", oc_record_id(oc_query_at(q, 0)));
  oc_query_free(q);
  oc_draft *d = ok ? oc_draft_edit(h->t.s, id, &e) : NULL;
  ov_name_text(&h->person, author);
  ok = d && !oc_draft_author(d, author, &e) && !oc_draft_set(d, "source", "2", &e) && !oc_edit(h->t.s, d, &e);
  oc_draft_free(d);
  kth_on(false);
  return ok;
}

/* Two nights of an import, and the same import again: whatever failed, each is there once. */
static bool import(fuzz_home *h) {
  oc_error e;
  oc_once items[2] = {0};
  static const char *const dates[2] = {"2025-09-01", "2025-09-02"};
  kth_on(true);
  bool ok = true;
  for (unsigned i = 0; ok && i < 2; i++) {
    memset(items[i].key, (int)i + 1, sizeof items[i].key);
    items[i].draft = night(h, dates[i]);
    ok = items[i].draft != NULL;
  }
  ok = ok && !oc_add_once(h->t.s, items, 2, false, &e);
  for (unsigned i = 0; i < 2; i++) {
    ok = ok && (items[i].outcome == OC_ONCE_NEW || items[i].outcome == OC_ONCE_SAME);
    oc_draft_free(items[i].draft);
  }
  kth_on(false);
  return ok;
}

static bool look(fuzz_home *h) {
  oc_error e;
  oc_query *q = NULL;
  oc_status st;
  char *json = NULL;
  kth_on(true);
  bool ok = !oc_query_run(h->t.s, &(oc_filter){.kind = "sleep"}, &q, &e) && oc_query_count(q) == 3;
  for (size_t i = 0; ok && i < oc_query_count(q); i++) ok = oc_record_json(oc_query_at(q, i)) != NULL;
  ok = ok && !oc_status_get(h->t.s, &st, &e) && !oc_schemas_json(h->t.s, &json, &e);
  oc_free(json);
  json = NULL;
  ok = ok && !oc_export_unsent(h->t.s, &json, &e) && !oc_verify(h->t.s, &e);
  oc_query_free(q);
  oc_free(json);
  kth_on(false);
  return ok;
}

static bool open_store(fuzz_home *h) {
  oc_store *s = NULL;
  oc_error e;
  oc_options o = h->t.s->o;
  tablet_close(&h->t);
  o.path = h->t.path;
  kth_on(true);
  bool ok = !oc_store_open(&o, &s, &e);
  oc_store_close(s);
  kth_on(false);
  tablet_reopen(&h->t); /* the same store, by its owner: must open */
  return ok;
}

/* Somebody of whom the tablet has an entry is erased, and the tablet hears of it. */
static void erase_somebody(fuzz_home *h) {
  ov_name who = fx_participant(&h->w.fx, h->w.org, "Client 2", &h->team, 1);
  tablet_sync_ok(&h->t);
  tablet_add(&h->t, "sleep", &who, &h->person, NULL, "night_date=2025-10-04", "source=1", NULL);
  tablet_sync_ok(&h->t);
  sv_erase e = {.participant = who, .ground = SV_ERASE_REQUEST, .at_ms = h->w.fx.now_ms};
  FX_OK(sv_erase_run(h->w.data, h->w.org, &e, fx_erase_write, NULL));
  h->w.fx.now_ms += 1000;
  tablet_sync_ok(&h->t);
}

/* The store that is to finish an erasure opens also on a disk that is full: what is in it is not locked
 * up. */
static bool erase(fuzz_home *h) {
  oc_store *s = NULL;
  oc_error e;
  oc_status st = {0};
  char begun[300];
  oc_options o = h->t.s->o;
  erase_somebody(h);
  KTH_MUST(!oc_status_get(h->t.s, &st, &e) && st.erasing);
  tablet_close(&h->t);
  o.path = h->t.path;
  kth_on(true);
  int err = oc_store_open(&o, &s, &e);
  kth_on(false);
  /* Unless the new store was taking the place of the old: the next open goes on with that. */
  snprintf(begun, sizeof begun, "%s/rekey/done", h->t.path);
  if (kth_hit(KTH_WRITE) && access(begun, F_OK)) KTH_MUST(!err);
  if (!err) KTH_MUST(!oc_status_get(s, &st, &e));
  bool done = !err && !st.erasing;
  oc_store_close(s);
  tablet_reopen(&h->t);
  KTH_MUST(!oc_status_get(h->t.s, &st, &e) && !st.erasing);
  return done;
}

/* A store that is made: what was begun is taken up by the next try. */
static bool make_store(fuzz_home *h) {
  oc_store *s = NULL;
  oc_error e;
  char path[300];
  oc_options o = h->t.s->o;
  snprintf(path, sizeof path, "%s/made-%lld", h->w.fx.dir, (long long)h->w.fx.now_ms);
  o.path = path;
  kth_on(true);
  bool ok = !oc_store_open(&o, &s, &e);
  oc_store_close(s);
  kth_on(false);
  return ok;
}

const kth_path kth_client_paths[] = {
    {"client_add", add, 1, 40},         {"client_edit", edit, 1, 40},
    {"client_import", import, 2, 40},   {"client_look", look, 0, 40},
    {"client_open", open_store, 0, 40}, {"client_make", make_store, 0, 40},
    {"client_erase", erase, 2, 40},     {0},
};
