/* How many sockets each peer address has: one count for an IPv4 address, one for an IPv6 /64 (a subscriber
 * has a whole one). */
#ifndef SV_NET_ADDR_H
#define SV_NET_ADDR_H

#include "net_private.h"

int net_addr_init(net_addr_table *t, unsigned connections_max);
void net_addr_free(net_addr_table *t);
void net_addr_key(const struct sockaddr_storage *from, uint8_t key[16]);
/* False, and nothing counted, when the address has `max` already. At most connections_max may be counted at a
 * time. */
bool net_addr_take(net_addr_table *t, const uint8_t key[16], unsigned max);
void net_addr_give(net_addr_table *t, const uint8_t key[16]);

#endif
