/* All keys of all tables. Integers are big-endian, so that LMDB's order of bytes is their order. */
#include "tables.h"

#include <assert.h>
#include <string.h>

static_assert(OV_NAME_BYTES + 2 + 4 + OV_NAME_BYTES < SV_KEY_MAX, "the longest index key");
static_assert(2 + OV_HASH_BYTES + OV_NAME_BYTES < SV_KEY_MAX, "the longest hash key");
static_assert(SV_META_KEY_MAX + 1 < SV_KEY_MAX && SV_KEY_MAX < 511, "LMDB takes keys of up to 511 bytes");

static void put(sv_key *k, const void *p, size_t n) {
  memcpy(k->b + k->n, p, n);
  k->n += n;
}

static void put_uint(sv_key *k, uint64_t v, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) k->b[k->n++] = (uint8_t)(v >> (8 * i));
}

static void put_name(sv_key *k, const ov_name *name) {
  ov_name_write(name, k->b + k->n);
  k->n += OV_NAME_BYTES;
}

int64_t sv_key_day(int64_t day) { return day < INT32_MIN ? INT32_MIN : day > INT32_MAX ? INT32_MAX : day; }

/* The sign bit flipped, so that days before 1970 sort first. */
static void put_day(sv_key *k, int64_t day) {
  put_uint(k, (uint32_t)(int32_t)sv_key_day(day) ^ 0x80000000u, 4);
}

bool sv_key_meta(const char *text, sv_key *k) {
  size_t n = strlen(text);
  k->n = 0;
  if (n == 0 || n > SV_META_KEY_MAX) return false;
  put(k, text, n);
  return true;
}

sv_key sv_key_id(const ov_id *id) {
  sv_key k = {.n = 0};
  put(&k, id->b, OV_ID_BYTES);
  return k;
}

sv_key sv_key_hash(const uint8_t hash[OV_HASH_BYTES]) {
  sv_key k = {.n = 0};
  put(&k, hash, OV_HASH_BYTES);
  return k;
}

sv_key sv_key_name(const ov_name *name) {
  sv_key k = {.n = 0};
  put_name(&k, name);
  return k;
}

sv_key sv_key_seq(const ov_id *writer, uint64_t seq) {
  sv_key k = sv_key_id(writer);
  put_uint(&k, seq, 8);
  return k;
}

sv_key sv_key_two(const ov_name *a, const ov_name *b) {
  sv_key k = sv_key_name(a);
  put_name(&k, b);
  return k;
}

sv_key sv_key_tip(const ov_id *writer, const ov_hash *head) {
  sv_key k = sv_key_id(writer);
  put(&k, head->b, OV_HASH_BYTES);
  return k;
}

sv_key sv_key_participant_kind(const ov_name *participant, uint16_t kind) {
  sv_key k = sv_key_name(participant);
  put_uint(&k, kind, 2);
  return k;
}

sv_key sv_key_participant(const ov_name *participant, uint16_t kind, int64_t day, const ov_name *record) {
  sv_key k = sv_key_name(participant);
  put_uint(&k, kind, 2);
  put_day(&k, day);
  put_name(&k, record);
  return k;
}

sv_key sv_key_kind_day(uint16_t kind, int64_t day, const ov_name *record) {
  sv_key k = {.n = 0};
  put_uint(&k, kind, 2);
  put_day(&k, day);
  if (record) put_name(&k, record);
  return k;
}

sv_key sv_key_natural(uint16_t kind, const uint8_t hash[OV_HASH_BYTES], const ov_name *record) {
  sv_key k = {.n = 0};
  put_uint(&k, kind, 2);
  put(&k, hash, OV_HASH_BYTES);
  if (record) put_name(&k, record);
  return k;
}

sv_key sv_key_scope(uint32_t scope) {
  sv_key k = {.n = 0};
  put_uint(&k, scope, 4);
  return k;
}

sv_key sv_key_pos(uint32_t scope, uint64_t pos) {
  sv_key k = sv_key_scope(scope);
  put_uint(&k, pos, 8);
  return k;
}

sv_key sv_key_gone(uint32_t scope, const ov_name *record) {
  sv_key k = sv_key_scope(scope);
  put_name(&k, record);
  return k;
}

sv_key sv_key_queue(uint64_t id, const ov_name *op) {
  sv_key k = {.n = 0};
  put_uint(&k, id, 8);
  if (op) put_name(&k, op);
  return k;
}

sv_key sv_key_sums(uint32_t month, uint8_t family, const ov_name *participant) {
  sv_key k = {.n = 0};
  put_uint(&k, month, 4);
  put_uint(&k, family, 1);
  if (participant) put_name(&k, participant);
  return k;
}

sv_key sv_key_due(uint32_t month, const ov_name *participant) {
  sv_key k = {.n = 0};
  put_uint(&k, month, 4);
  put_name(&k, participant);
  return k;
}

sv_key sv_key_release(uint32_t release, uint32_t part) {
  sv_key k = {.n = 0};
  put_uint(&k, release, 4);
  put_uint(&k, part, 4);
  return k;
}

sv_key sv_key_after(sv_key k) {
  k.b[k.n++] = 0;
  return k;
}

void sv_key_read_name(const MDB_val *key, size_t at, ov_name *name) {
  ov_name_read((const uint8_t *)key->mv_data + at, name);
}

static uint64_t read_uint(const MDB_val *key, size_t at, unsigned bytes) {
  const uint8_t *p = (const uint8_t *)key->mv_data + at;
  uint64_t v = 0;
  for (unsigned i = 0; i < bytes; i++) v = v << 8 | p[i];
  return v;
}

uint64_t sv_key_read_u64(const MDB_val *key, size_t at) { return read_uint(key, at, 8); }

uint32_t sv_key_read_u32(const MDB_val *key, size_t at) { return (uint32_t)read_uint(key, at, 4); }

int64_t sv_key_read_day(const MDB_val *key, size_t at) {
  return (int32_t)(sv_key_read_u32(key, at) ^ 0x80000000u);
}

size_t sv_key_length(sv_table tab) {
  static const size_t length[SV_T_COUNT] = {
      [SV_T_META] = 0,
      [SV_T_OPS] = OV_NAME_BYTES,
      [SV_T_TIPS] = OV_ID_BYTES + OV_HASH_BYTES,
      [SV_T_DEVICES] = OV_ID_BYTES,
      [SV_T_CODES] = OV_HASH_BYTES,
      [SV_T_RECORDS] = OV_NAME_BYTES,
      [SV_T_RECORD_OPS] = 2 * OV_NAME_BYTES,
      [SV_T_PARTICIPANT] = OV_NAME_BYTES + 2 + 4 + OV_NAME_BYTES,
      [SV_T_KIND_DAY] = 2 + 4 + OV_NAME_BYTES,
      [SV_T_NATURAL] = 2 + OV_HASH_BYTES + OV_NAME_BYTES,
      [SV_T_SCOPES] = 4,
      [SV_T_POS_HASH] = 4 + 8,
      [SV_T_POS] = 4 + 8,
      [SV_T_GONE] = 4 + OV_NAME_BYTES,
      [SV_T_WAITING] = 2 * OV_NAME_BYTES,
      [SV_T_RULINGS] = 2 * OV_NAME_BYTES,
      [SV_T_HELD] = OV_NAME_BYTES,
      [SV_T_QUEUE] = 8 + OV_NAME_BYTES,
      [SV_T_SUMS] = 4 + 1 + OV_NAME_BYTES,
      [SV_T_SUMS_DUE] = 4 + OV_NAME_BYTES,
      [SV_T_RELEASES] = 4 + 4,
      [SV_T_LOGINS] = OV_HASH_BYTES,
      [SV_T_ACCOUNTS] = OV_NAME_BYTES,
      [SV_T_TOKENS] = OV_HASH_BYTES,
  };
  return length[tab];
}
