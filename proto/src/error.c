#include "ov/error.h"

#include <stddef.h>

typedef struct ov_err_row {
  int code;
  unsigned close_code;
  const char *slug, *text;
} ov_err_row;

/* The close codes of class REPLY are those of a normal closure: these errors close nothing by themselves. */
static const ov_err_row rows[] = {
    {OV_OK, 1000, "ok", "no error"},
    {OV_E_GAP, 1000, "gap", "ops are missing before this push"},
    {OV_E_BRANCH, 1000, "branch", "the log before this push is not known here"},
    {OV_E_OP_FORMAT, 1000, "op_format", "the entry is not in the canonical format"},
    {OV_E_OP_LIMIT, 1000, "op_limit", "the entry is larger than allowed"},
    {OV_E_NEED_KEYS, 1000, "need_keys", "commit keys of participants are missing"},
    {OV_E_BUSY, 1000, "busy", "too busy now, come back later"},
    {OV_E_FULL, 1000, "full", "no room on disk"},
    {OV_E_READONLY, 1000, "readonly", "this organisation's store had a fault and takes no entries"},
    {OV_E_FORMAT, 1007, "format", "message is not well formed"},
    {OV_E_LIMIT, 1009, "limit", "message is over a limit"},
    {OV_E_STATE, 1002, "state", "message is not allowed in this state"},
    {OV_E_VERSION, 4001, "version", "no common protocol version"},
    {OV_E_AUTH, 4003, "auth", "signature or device does not prove itself"},
    {OV_E_REVOKED, 4003, "revoked", "this device was revoked"},
    {OV_E_CODE, 4004, "code", "enrolment code is wrong, used or expired"},
    {OV_E_FOREIGN, 4003, "foreign", "belongs to another organisation, server or writer"},
    {OV_E_TIMEOUT, 1008, "timeout", "took longer than its deadline"},
    {OV_E_SHUTDOWN, 1001, "shutdown", "the server is stopping"},
    {OV_E_FLOOD, 1008, "flood", "more messages, connections or tries than allowed"},
    {OV_E_NOMEM, 1011, "nomem", "out of memory"},
    {OV_E_IO, 1011, "io", "reading or writing failed"},
    {OV_E_CORRUPT, 1011, "corrupt", "stored data is damaged"},
    {OV_E_NOTFOUND, 1011, "notfound", "not found"},
    {OV_E_EXISTS, 1011, "exists", "exists already"},
    {OV_E_INVALID, 1011, "invalid", "value is not valid"},
    {OV_E_LOCKED, 1011, "locked", "in use by another process"},
    {OV_E_NEWER, 1011, "newer", "the store was written by a newer version of this program"},
    {OV_E_NET, 1011, "net", "no connection"},
    {OV_E_CANCELLED, 1011, "cancelled", "cancelled"},
    {OV_E_CRYPTO, 1011, "crypto", "a key is missing or the cryptographic library refused"},
    {OV_E_MAPFULL, 1011, "mapfull", "the store must grow before this write"},
    {OV_E_DENIED, 1011, "denied", "not permitted"},
    {OV_E_SPACE, 1011, "space", "output buffer is too small"},
    {OV_E_INTERNAL, 1011, "internal", "internal error"},
};

static const ov_err_row unknown = {-1000, 1011, "unknown", "unknown error"};

static const ov_err_row *row_of(int err) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].code == err) return &rows[i];
  return &unknown;
}

/* Classes are ranges of the codes, but a code that only a newer peer knows is no reason to go on. */
ov_err_class ov_err_classify(int err) {
  int code = row_of(err)->code;
  if (code == OV_OK) return OV_CLASS_NONE;
  if (code > OV_E_FORMAT) return OV_CLASS_REPLY;
  return code > OV_E_NOMEM ? OV_CLASS_CLOSE : OV_CLASS_ABORT;
}

const char *ov_err_text(int err) { return row_of(err)->text; }

const char *ov_err_slug(int err) { return row_of(err)->slug; }

unsigned ov_err_close_code(int err) { return row_of(err)->close_code; }
