#include "backoff.h"

int64_t oc_backoff_wait(oc_backoff *b, int64_t asked_ms, uint32_t chance) {
  int64_t least = b->next_ms ? b->next_ms : OC_BACKOFF_FIRST_MS;
  if (asked_ms > least) least = asked_ms;
  b->next_ms = least > OC_BACKOFF_MOST_MS / 2 ? OC_BACKOFF_MOST_MS : least * 2;
  return least + (int64_t)((uint64_t)least * chance / UINT32_MAX);
}
