#include "net_addr.h"

#include <stdlib.h>
#include <string.h>

int net_addr_init(net_addr_table *t, unsigned connections_max) {
  t->cells = 64;
  while (t->cells < 2u * (size_t)connections_max) t->cells *= 2;
  t->cell = calloc(t->cells, sizeof *t->cell);
  return t->cell ? 0 : OV_E_NOMEM;
}

void net_addr_free(net_addr_table *t) {
  free(t->cell);
  memset(t, 0, sizeof *t);
}

void net_addr_key(const struct sockaddr_storage *from, uint8_t key[16]) {
  memset(key, 0, 16);
  if (from->ss_family == AF_INET) {
    key[10] = key[11] = 0xff;
    memcpy(key + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
  } else if (from->ss_family == AF_INET6) {
    const struct in6_addr *a = &((const struct sockaddr_in6 *)from)->sin6_addr;
    memcpy(key, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
  }
}

/* FNV-1a. Who chooses addresses to collide must own them, and probing is bounded by the connections there
 * are. */
static size_t addr_home(const net_addr_table *t, const uint8_t key[16]) {
  uint64_t h = 14695981039346656037u;
  for (int i = 0; i < 16; i++) h = (h ^ key[i]) * 1099511628211u;
  return (size_t)(h ^ (h >> 32)) & (t->cells - 1);
}

static size_t addr_find(const net_addr_table *t, const uint8_t key[16]) {
  size_t i = addr_home(t, key);
  while (t->cell[i].count && memcmp(t->cell[i].key, key, 16) != 0) i = (i + 1) & (t->cells - 1);
  return i;
}

bool net_addr_take(net_addr_table *t, const uint8_t key[16], unsigned max) {
  size_t i = addr_find(t, key);
  if (t->cell[i].count >= max) return false;
  memcpy(t->cell[i].key, key, 16);
  t->cell[i].count++;
  return true;
}

void net_addr_give(net_addr_table *t, const uint8_t key[16]) {
  size_t hole = addr_find(t, key);
  if (!t->cell[hole].count || --t->cell[hole].count) return;
  /* Move later cells of the same probe run into the hole, so that none becomes unreachable. */
  for (size_t i = (hole + 1) & (t->cells - 1); t->cell[i].count; i = (i + 1) & (t->cells - 1)) {
    size_t home = addr_home(t, t->cell[i].key);
    if (((i - home) & (t->cells - 1)) < ((i - hole) & (t->cells - 1))) continue;
    t->cell[hole] = t->cell[i];
    t->cell[i].count = 0;
    hole = i;
  }
}
