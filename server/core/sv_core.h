/* Shared types of the server's core: the seams to the outside (clock, random source) and one open
 * organisation. */
#ifndef SV_CORE_H
#define SV_CORE_H

#include <stdatomic.h>
#include "ov/chain.h"
#include "ov/schema.h"
#include "sv_store.h"

/* Everything the core takes from the outside world besides the store and the network; the simulator gives its
 * own. */
typedef struct sv_sys {
  int64_t (*now_ms)(void *ctx);                /* milliseconds since 1970; may jump */
  int64_t (*mono_ms)(void *ctx);               /* never goes back */
  int (*random)(void *ctx, void *p, size_t n); /* 0 or OV_E_CRYPTO */
  /* fields: `key=value ...` without payloads, names of people, tokens or labels; may be NULL */
  void (*log)(void *ctx, int level, const char *event, const char *fields);
  void *ctx;
} sv_sys;
enum { SV_LOG_DEBUG, SV_LOG_INFO, SV_LOG_WARN, SV_LOG_ERROR };

/* One organisation (or the programme) opened by this server. Writing functions run on the thread that holds
 * its write transaction; `schemas` is swapped whole under a lock by sv_org_schemas_reload. */
typedef struct sv_org {
  ov_id id;
  bool programme;
  char name[OV_LABEL_BYTES_MAX + 1];
  sv_env *env;
  sv_keyring *keyring;
  const sv_sys *sys;
  /* this server's writer in this organisation's environment; also the server id clients know */
  ov_id server;
  /* proto/keys; signs ACKs; owned by the org; its scalar lies in the keyring as SV_KEY_SIGN */
  struct ov_p256 *sign_key;
  uint8_t server_pubkey[OV_PUBKEY_BYTES];
  const ov_schemas *schemas; /* borrowed from the server; read only while the server runs */
  char zone[48];             /* IANA name */
} sv_org;

#endif
