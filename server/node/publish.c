/* Schemas reach every client as records of kind `schema` in the programme's scope. A schema that changes
 * needs a new version number: the old one is on tablets already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish.h"

/* What the programme's meta remembers of a published kind. */
typedef struct published {
  ov_name record;
  int64_t version;
  ov_hash body;
} published;

typedef struct publish_job {
  sv_org *programme;
  const sv_schema_json_kind *kind;
  char *why;
} publish_job;

static void meta_key(uint16_t id, char out[24]) { snprintf(out, 24, "schema:%u", id); }

static int remembered(sv_txn *t, uint16_t id, published *p) {
  char key[24];
  ov_buf b;
  ov_buf_init(&b, 4096);
  meta_key(id, key);
  int err = sv_meta_get(t, key, &b);
  if (!err && b.n != sizeof *p) err = OV_E_CORRUPT;
  if (!err) memcpy(p, b.p, sizeof *p);
  ov_buf_free(&b);
  return err;
}

/* An edit names the values it replaces, like any client's. */
static int seen_values(sv_txn *t, const ov_name *record, ov_arena *a, ov_op *op) {
  sv_record_row row;
  int err = sv_record_get(t, record, a, &row);
  return err ? err : ov_record_seen_all(&row.rec, a, &op->replaces, &op->n_replaces);
}

static int publish_one(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  publish_job *j = arg;
  published p = {0};
  ov_hash body;
  int err = ov_sha256(sv_txn_hasher(t), j->kind->bytes, j->kind->n, &body);
  int known = err ? err : remembered(t, j->kind->id, &p);
  if (known && known != OV_E_NOTFOUND) return known;
  if (!known && p.version == j->kind->version && !memcmp(&p.body, &body, sizeof body)) return 0;
  if (!known && p.version >= j->kind->version) {
    snprintf(j->why, OV_ERROR_TEXT_MAX,
             "schema %s changed but its version is still %lld: give the file a higher \"version\"",
             j->kind->name, (long long)p.version);
    return OV_E_INVALID;
  }
  ov_field fields[3] = {{OV_SCHEMA_FIELD_KIND, ov_int(j->kind->id)},
                        {OV_SCHEMA_FIELD_VERSION, ov_int(j->kind->version)},
                        {OV_SCHEMA_FIELD_BODY, ov_bytes(j->kind->bytes, (uint32_t)j->kind->n)}};
  const sv_sys *sys = j->programme->sys;
  ov_op op = {.scope = 0,
              .creates = known != 0,
              .record = p.record,
              .kind = OV_KIND_SCHEMA,
              .version = 1,
              .device_time = sys->now_ms(sys->ctx) / 1000,
              .fields = fields,
              .n_fields = 3};
  if (!known) err = seen_values(t, &p.record, a, &op);
  ov_name name;
  if (!err) err = sv_ingest_local(t, j->programme, &op, a, touches, &name);
  if (err) return err;
  if (known) p.record = name;
  p.version = j->kind->version;
  p.body = body;
  char key[24];
  meta_key(j->kind->id, key);
  return sv_meta_put(t, key, &p, sizeof p);
}

int sv_publish_schemas(sv_org *programme, const sv_schema_json_set *set, char *why) {
  int err = 0;
  for (size_t i = 0; !err && sv_schema_json_at(set, i); i++) {
    publish_job j = {.programme = programme, .kind = sv_schema_json_at(set, i), .why = why};
    err = sv_node_write(programme, publish_one, &j, NULL);
  }
  return err;
}
