#include "net_private.h"

void net_add(sv_net *net, sv_net_counter which, uint64_t n) {
  __atomic_fetch_add(&net->count[which], n, __ATOMIC_RELAXED);
}

void net_sub(sv_net *net, sv_net_counter which, uint64_t n) {
  __atomic_fetch_sub(&net->count[which], n, __ATOMIC_RELAXED);
}

uint64_t sv_net_count(const sv_net *net, sv_net_counter which) {
  return (unsigned)which < SV_NET_COUNTERS ? __atomic_load_n(&net->count[which], __ATOMIC_RELAXED) : 0;
}

/* 1000–1015 and 4000–4031 have a cell each, the rest share the last. */
static unsigned close_cell(uint16_t code) {
  if (code >= 1000 && code < 1016) return code - 1000u;
  if (code >= 4000 && code < 4032) return 16u + code - 4000u;
  return NET_CLOSE_CODES - 1u;
}

void net_count_close(sv_net *net, uint16_t code) {
  __atomic_fetch_add(&net->close_count[close_cell(code)], 1, __ATOMIC_RELAXED);
}

uint64_t sv_net_count_close(const sv_net *net, uint16_t code) {
  return __atomic_load_n(&net->close_count[close_cell(code)], __ATOMIC_RELAXED);
}

const char *sv_net_counter_name(sv_net_counter which) {
  static const char *const name[SV_NET_COUNTERS] = {
      [SV_NET_ACCEPTED] = "accepted",
      [SV_NET_SOCKETS] = "sockets",
      [SV_NET_OPEN] = "open",
      [SV_NET_UPGRADED] = "upgraded",
      [SV_NET_HTTP_REQUESTS] = "http_requests",
      [SV_NET_HTTP_4XX] = "http_4xx",
      [SV_NET_HTTP_5XX] = "http_5xx",
      [SV_NET_MESSAGES_IN] = "messages_in",
      [SV_NET_MESSAGES_OUT] = "messages_out",
      [SV_NET_BYTES_IN] = "bytes_in",
      [SV_NET_BYTES_OUT] = "bytes_out",
      [SV_NET_REFUSED_FULL] = "refused_full",
      [SV_NET_REFUSED_ADDRESS] = "refused_address",
      [SV_NET_REFUSED_FDS] = "refused_fds",
      [SV_NET_REFUSED_HOST] = "refused_host",
      [SV_NET_REFUSED_ORIGIN] = "refused_origin",
      [SV_NET_REFUSED_VERSION] = "refused_version",
      [SV_NET_REFUSED_KEY] = "refused_key",
      [SV_NET_REFUSED_SUBPROTOCOL] = "refused_subprotocol",
      [SV_NET_REFUSED_PATH] = "refused_path",
      [SV_NET_REFUSED_METHOD] = "refused_method",
      [SV_NET_REFUSED_OTHER_UPGRADE] = "refused_other_upgrade",
      [SV_NET_LATE_UPGRADE] = "late_upgrade",
      [SV_NET_LATE_BODY] = "late_body",
      [SV_NET_LATE_REPLY] = "late_reply",
      [SV_NET_LATE_FIRST_MESSAGE] = "late_first_message",
      [SV_NET_LATE_MESSAGE] = "late_message",
      [SV_NET_LATE_PONG] = "late_pong",
      [SV_NET_LATE_READER] = "late_reader",
      [SV_NET_LATE_CLOSE] = "late_close",
      [SV_NET_CLOSED_BY_PEER] = "closed_by_peer",
      [SV_NET_BROKEN] = "broken",
      [SV_NET_LOG_LEFT_OUT] = "log_left_out",
  };
  return (unsigned)which < SV_NET_COUNTERS ? name[which] : "";
}
