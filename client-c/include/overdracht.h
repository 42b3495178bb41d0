/* liboverdracht: logs of care, kept on a device that is often offline, and synced with an overdracht server
 * after the shift.
 *
 * A store is a folder. It holds the device's own log (every op it ever made, until that is safe elsewhere),
 * the replica of what the device may see, and its keys. Everything you write is on disk when the call
 * returns; nothing is lost by closing, killing or losing power.
 *
 *     oc_store *s;
 *     oc_store_open(&(oc_options){.path = "/data/overdracht"}, &s, NULL);
 *     oc_enrol(s, "wss://sync.example.nl/sync", "ABCD-EFGH-JKMN", "tablet 3", NULL, NULL);
 *     oc_sync(s, NULL, NULL);
 *     oc_draft *d = oc_draft_new(s, "sleep_check");
 *     oc_draft_participant(d, participant);  oc_draft_author(d, person);
 *     oc_draft_set(d, "state", "1");  ...
 *     oc_add(s, d, &record, NULL);
 *
 * Threads: a store belongs to one thread at a time; only oc_sync_cancel may be called from another (or from a
 * signal handler). Several stores are independent. One process at a time opens a folder (OC_E_LOCKED).
 *
 * Strings are UTF-8. Functions return OC_OK or a negative oc_err; with an oc_error argument (may be NULL)
 * they say more. Pointers handed out by query functions live until the query is freed. Times are seconds
 * since 1970 UTC unless the name says otherwise. */
#ifndef OVERDRACHT_H
#define OVERDRACHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define OC_API
#else
#define OC_API __attribute__((visibility("default")))
#endif

#define OC_VERSION_MAJOR 0
#define OC_VERSION_MINOR 1
#define OC_VERSION_PATCH 0
/* "0.1.0" */
OC_API const char *oc_version(void);

/* The classes by which a caller reacts; the command line's exit codes are their absolute values. */
typedef enum oc_err {
  OC_OK = 0,
  /* an argument, a field name or a value is not right; the message says which and what is allowed */
  OC_E_INVALID = -3,
  OC_E_NOTFOUND = -4, /* no such record, field, kind or participant here */
  /* the folder cannot be read or written, is damaged, or was written by a newer version; nothing was
   * changed */
  OC_E_STORE = -5,
  OC_E_LOCKED = -6,  /* another process has the folder open */
  OC_E_FULL = -7,    /* no room on the device */
  OC_E_NET = -8,     /* no connection, or it broke; what was not acknowledged is sent again next time */
  OC_E_REFUSED = -9, /* the server refuses this device, code or version; the message says why */
  OC_E_BUSY = -10,   /* the server says: later; oc_status tells when */
  OC_E_CANCELLED = -11,
  OC_E_ENROL = -12,    /* the store is not enrolled yet (or already is) */
  OC_E_CONFLICT = -13, /* the edit meets a conflict that has to be settled first */
  OC_E_NOMEM = -14,
  OC_E_INTERNAL = -15,
  /* too long without a sync, or the clock was set back: nothing is shown until it has synced; entries are
   * taken and sent all the same */
  OC_E_LEASE = -16,
  /* strictly protected, and the server was not reached since the store was opened: likewise */
  OC_E_CLOSED = -17
} oc_err;
OC_API const char *oc_err_name(int err); /* "invalid", "not_found" ...; static */

typedef struct oc_error {
  int err;
  char message[256];    /* what went wrong, in English, with the next step where there is one */
  char message_nl[256]; /* for carers, Dutch; may be empty */
} oc_error;

/* -- store ----------------------------------------------------------------------------------------------- */

typedef struct oc_store oc_store;
typedef struct oc_options {
  const char *path; /* folder; made (0700) when missing, unless must_exist */
  bool must_exist;
  int64_t (*now_ms)(void *ctx);                /* NULL: the system's clock. Milliseconds since 1970 */
  int (*random)(void *ctx, void *p, size_t n); /* NULL: OpenSSL's; 0 on success */
  void *ctx;
  size_t map_bytes_max; /* 0: 1 GiB; the store never grows beyond it */
  int32_t window_days;  /* 0: 30. Negative: keep everything (a desk computer) */
} oc_options;
OC_API int oc_store_open(const oc_options *o, oc_store **out, oc_error *e);
OC_API void oc_store_close(oc_store *s); /* NULL is fine */

typedef struct oc_status {
  bool enrolled;
  char device[33], organisation[33], server[128]; /* hex ids; URL */
  char zone[48];                                  /* IANA zone of the organisation */
  uint64_t unsent;                                /* own ops on this device only */
  uint64_t on_server;                             /* acknowledged with a checked signature, not yet safe */
  uint64_t safe;                                  /* in a verified backup or on a second server */
  uint64_t attention; /* own ops that are held or were refused: somebody has to look */
  uint64_t conflicts; /* records with a conflict in the replica */
  uint64_t records;
  int64_t last_sync;     /* when a sync last completed; 0: never */
  int64_t oldest_unsent; /* device time of the oldest unsent op; 0: none */
  int64_t retry_at;      /* the server asks not to come back before this; 0: any time */
  /* seconds to add to this device's clock, by the last server; shown when large */
  int64_t clock_offset;
  bool new_writer; /* this log was found cloned or restored and went on under a new writer */
  bool revoked;
  int64_t purged; /* when a revoked device wiped itself; 0: not */
  /* Without a sync until then what is here is locked: it takes new entries and sends them, and shows nothing
   * (OC_E_LEASE) until it has synced. 0: no lease yet. */
  int64_t lease_until;
  bool lease_over; /* it is locked now */
  /* Somebody was erased, and the disk has no room to write the rest anew: what was about them cannot be shown
   * any more, but may still lie on the disk. Each open and each sync tries again. */
  bool erasing;
  /* The organisation protects its devices strictly: what is known here of clients opens with a share that the
   * server gives in the first sync after the store was opened. Until then it is closed: it takes new entries
   * and sends them, and shows nothing (OC_E_CLOSED). */
  bool strict, closed;
  uint64_t unsent_entries; /* of unsent: what somebody wrote, and not who looked at whom (kind look) */
  int64_t oldest_entry;    /* device time of the oldest of these; 0: none */
  uint64_t looks; /* who looked at whom, on this device only: of unsent, and noted for the next sync */
} oc_status;
OC_API int oc_status_get(oc_store *s, oc_status *out, oc_error *e);
/* Zone in which local times are read and shown until the store is closed: an IANA name ("Europe/Amsterdam");
 * NULL: the organisation's again. */
OC_API int oc_store_zone(oc_store *s, const char *iana, oc_error *e);
/* Small settings of the app (who writes here by default ...), sealed like all else. name: 1 to 40 of a-z 0-9
 * _ ; value at most 1,000 bytes, "" removes it. get writes "" when there is none. */
OC_API int oc_setting_put(oc_store *s, const char *name, const char *value, oc_error *e);
OC_API int oc_setting_get(oc_store *s, const char *name, char *value, size_t cap, oc_error *e);

/* -- writing --------------------------------------------------------------------------------------------- */

/* A record's id as text: "<32 hex>-<seq>-<8 hex>". */
#define OC_ID_TEXT 64
typedef struct oc_draft oc_draft;
/* New record of this kind (by schema name). NULL when out of memory. */
OC_API oc_draft *oc_draft_new(oc_store *s, const char *kind);
OC_API void oc_draft_free(oc_draft *d);
/* Value as text, as people write it: numbers, dates (2026-03-28), datetimes (RFC 3339, or local "2026-03-28
 * 23:05" in the organisation's zone), codes by number or by label in either language, several of a set
 * separated by commas ("-3" or "!geluid" deletes), missing codes by number or word (onderdrukt, niet
 * gevraagd, onbekend), "" clears. Problems come at once, with the exact reason. */
OC_API int oc_draft_set(oc_draft *d, const char *field, const char *value, oc_error *e);
OC_API int oc_draft_participant(oc_draft *d, const char *id_or_label, oc_error *e);
OC_API int oc_draft_author(oc_draft *d, const char *id_or_name, oc_error *e);
/* The team it is about when there is no participant to tell; the device's only team by default. */
OC_API int oc_draft_team(oc_draft *d, const char *id_or_name, oc_error *e);
/* On disk when it returns 0; id (may be NULL) gets the record's id. The draft stays the caller's. What is
 * still missing: oc_record_missing. */
OC_API int oc_add(oc_store *s, oc_draft *d, char id[OC_ID_TEXT], oc_error *e);
/* Changes fields of a record: the draft (made with oc_draft_edit) replaces exactly the values that were seen
 * when it was made. OC_E_CONFLICT when a field is in conflict: use oc_resolve. */
OC_API oc_draft *oc_draft_edit(oc_store *s, const char *record, oc_error *e);
OC_API int oc_edit(oc_store *s, oc_draft *d, oc_error *e);
/* Entered in error. The record stays, marked; nil reason undoes it. */
OC_API int oc_retract(oc_store *s, const char *record, const char *author, const char *reason, oc_error *e);
/* What an import writes: each draft once, however often its file is imported. key tells which entry of the
 * source it is, content what it says. All items become durable together; one that is refused says why and
 * stops no other. */
typedef struct oc_once {
  oc_draft *draft; /* of oc_draft_new; stays the caller's */
  uint8_t key[16], content[16];
  enum { OC_ONCE_NEW, OC_ONCE_SAME, OC_ONCE_CHANGED, OC_ONCE_REFUSED } outcome;
  char id[OC_ID_TEXT]; /* the record's; "" when refused, or new in a dry run */
  oc_error error;      /* why it was refused */
} oc_once;
/* SAME: imported before, nothing is written. CHANGED: imported before with other content; an edit replaces
 * what that import wrote and leaves what people wrote since (where both changed a field, that is a conflict).
 * dry: only says what would be made. At most OC_ONCE_MAX items. */
#define OC_ONCE_MAX 512
OC_API int oc_add_once(oc_store *s, oc_once *items, size_t n, bool dry, oc_error *e);
/* Settles a field in conflict with a value (as in oc_draft_set); field "retraction" with "yes" (reason needed
 * before) or "no". */
OC_API int oc_resolve(oc_store *s, const char *record, const char *field, const char *value,
                      const char *author, oc_error *e);

/* -- reading --------------------------------------------------------------------------------------------- */

typedef struct oc_query oc_query;
typedef struct oc_filter {
  const char *kind;         /* NULL: all kinds of logs */
  const char *participant;  /* id or label; NULL: all */
  int64_t from_day, to_day; /* days since 1970 of occurrence, inclusive; both 0: all */
  bool conflicts_only, attention_only, unsent_only, retracted_too;
  size_t max; /* 0: 1000 */
} oc_filter;
typedef struct oc_record oc_record;
OC_API int oc_query_run(oc_store *s, const oc_filter *f, oc_query **out, oc_error *e);
OC_API size_t oc_query_count(const oc_query *q);
/* ascending day, then id; NULL past the end */
OC_API const oc_record *oc_query_at(const oc_query *q, size_t i);
OC_API bool oc_query_more(const oc_query *q); /* max was reached */
OC_API void oc_query_free(oc_query *q);
/* Who looks from now on: the person's id or name, or NULL for whoever holds the device. From then on the
 * store notes who saw records of which client, and each sync hands that over to the organisation's audit. An
 * app that shows records calls it when somebody signs in. */
OC_API int oc_look_as(oc_store *s, const char *person, oc_error *e);
/* a query with one record */
OC_API int oc_show(oc_store *s, const char *record, oc_query **out, oc_error *e);

typedef enum oc_sync_state { OC_ON_DEVICE, OC_ON_SERVER, OC_SAFE } oc_sync_state;
typedef struct oc_value_view { /* one live value, ready to show */
  const char *field, *label_nl, *label_en;
  const char *text_nl, *text_en; /* "goed", "07:12", "3 min" */
  const char *raw;               /* as oc_draft_set takes it back */
  const char *author;            /* display name or id; may be "" */
  int64_t time;                  /* corrected time of its op */
  bool conflict;                 /* another live value differs; the one shown first comes first */
  bool clock_suspect;
  bool unsent;
} oc_value_view;
OC_API const char *oc_record_id(const oc_record *r);
OC_API const char *oc_record_kind(const oc_record *r);
OC_API const char *oc_record_label_nl(const oc_record *r);
OC_API const char *oc_record_participant(
    const oc_record *r); /* label, or id when the participant is not here; "" none */
OC_API int64_t oc_record_day(const oc_record *r);
OC_API size_t oc_record_values(const oc_record *r);
OC_API const oc_value_view *oc_record_value(const oc_record *r, size_t i); /* ascending fields */
OC_API unsigned oc_record_conflicts(const oc_record *r);
OC_API bool oc_record_retracted(const oc_record *r);
/* of its least safe own op; OC_SAFE when none is own */
OC_API oc_sync_state oc_record_state(const oc_record *r);
/* this device wrote some of it; of others' only the server knows more */
OC_API bool oc_record_own(const oc_record *r);
OC_API const char *oc_record_attention(const oc_record *r,
                                       bool dutch); /* why an op is held or refused; "" none */
OC_API const char *oc_record_missing(
    const oc_record *r); /* required fields still missing, comma separated; "" none */
OC_API const char *oc_record_double(
    const oc_record *r); /* id of another record with the same natural key; "" none */
/* One JSON object (no newline); owned by the query. */
OC_API const char *oc_record_json(const oc_record *r);

/* -- schemas (for forms) --------------------------------------------------------------------------------- */
/* All kinds known here as one JSON array (fields, types, ranges, codes, labels); free with oc_free. */
OC_API int oc_schemas_json(oc_store *s, char **json, oc_error *e);
OC_API void oc_free(void *p);

/* -- sync ------------------------------------------------------------------------------------------------ */

typedef struct oc_progress {
  enum { OC_CONNECTING, OC_GREETING, OC_SENDING, OC_RECEIVING, OC_DONE, OC_LIVE, OC_WAITING } stage;
  uint64_t sent, to_send;       /* own ops acknowledged in this run, and all that there were to send */
  uint64_t received;            /* records received in this run */
  uint64_t bytes_out, bytes_in; /* websocket payload */
  int64_t retry_in;             /* seconds, in stage OC_WAITING */
} oc_progress;
typedef struct oc_sync_options {
  bool live; /* stay connected and follow, until cancelled */
  /* do not try again after a failure; default: backoff with jitter up to max_wait */
  bool once_only;
  uint32_t max_wait_s;                               /* 0: 60 for a sync, no end for live */
  const char *ca_file;                               /* PEM of a private CA; NULL: the system's */
  uint32_t frame_bytes, credit;                      /* 0: defaults */
  void (*progress)(void *ctx, const oc_progress *p); /* may be NULL; called from oc_sync */
  void *progress_ctx;
} oc_sync_options;
/* One-time code to device: makes the key, asks the server, stores what it answers. device_name: at most 64
 * bytes, seen by administrators. */
OC_API int oc_enrol(oc_store *s, const char *url, const char *code, const char *device_name,
                    const oc_sync_options *o, oc_error *e);
/* Blocks until everything is sent and received (or, live, until cancelled). */
OC_API int oc_sync(oc_store *s, const oc_sync_options *o, oc_error *e);
/* All that this store ever wrote counts as unsent from now on, and is offered again by the next syncs. What a
 * server has does no harm; what it has as a proof only, because another copy of this store had dropped the
 * content, is filled by what this copy still has. For an old copy of a device, after the server was put back
 * to an older backup. */
OC_API int oc_offer_again(oc_store *s, oc_error *e);
/* Any thread or signal handler: a running oc_sync returns OC_E_CANCELLED soon; nothing is lost. */
OC_API void oc_sync_cancel(oc_store *s);

/* The same without a socket: bring your own websocket (subprotocol "overdracht.1", binary messages).
 *   oc_session_new -> loop { send what oc_session_output gives as one websocket message; give each received
 *   message to oc_session_feed } until oc_session_finished; then close the websocket with 1000 and
 *   oc_session_free. */
typedef struct oc_session oc_session;
OC_API int oc_session_new(oc_store *s, const oc_sync_options *o, oc_session **out, oc_error *e);
OC_API int oc_session_enrol(oc_store *s, const char *url, const char *code, const char *device_name,
                            oc_session **out, oc_error *e);
/* One received message. Not 0: the session is over. */
OC_API int oc_session_feed(oc_session *ss, const uint8_t *p, size_t n, oc_error *e);
/* Next message to send: borrowed until the next call of any session function; NULL when there is none now. */
OC_API const uint8_t *oc_session_output(oc_session *ss, size_t *n);
/* all done (never true in live mode) */
OC_API bool oc_session_finished(const oc_session *ss);
OC_API void oc_session_progress(const oc_session *ss, oc_progress *out);
OC_API void oc_session_free(oc_session *ss);

/* Own entries that no server has yet, as one JSON document with schemas' labels: the last resort when a
 * tablet cannot sync. "closed" counts the held and refused ones that a closed store cannot show. Free with
 * oc_free. */
OC_API int oc_export_unsent(oc_store *s, char **json, oc_error *e);
/* Walks the own log (chain, tags, signatures of ACKs) and the replica; 0 or OC_E_STORE with what is wrong. */
OC_API int oc_verify(oc_store *s, oc_error *e);

#ifdef __cplusplus
}
#endif
#endif
