/* Inside of queries, shared by query.c (finding), query_record.c (one record made ready) and query_json.c. */
#ifndef OC_QUERY_H
#define OC_QUERY_H

#include "query_find.h"

struct oc_record {
  oc_query *q;
  ov_name name, participant_name;
  bool has_participant;
  uint32_t scope;
  const char *id, *kind, *label_nl, *label_en, *participant, *attention_nl, *attention_en, *missing, *twin;
  int64_t day;
  oc_value_view *values;
  size_t n_values;
  unsigned conflicts;
  bool retracted, own;
  oc_sync_state state;
  const char *json; /* made when asked for */
};

struct oc_query {
  oc_store *s;
  ov_arena a, look; /* results; one record while it is read */
  oc_record **v;
  size_t n, cap;
  bool more;
  oc_writer_row *writers; /* own logs */
  size_t n_writers;
};

/* A record made ready, in q's arena. 0 or an ov_err. */
int oc_record_make(oc_query *q, oc_txn *t, const ov_name *name, oc_record **out);
/* State of one own op; false when it is none of this device's. */
bool oc_own_state(const oc_query *q, const ov_name *op, oc_sync_state *out);

/* looks.c: whoever looks has seen these. A full disk keeps nobody from looking. */
int oc_looks_note(oc_store *s, const oc_query *q);

#endif
