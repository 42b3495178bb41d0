/* The one error dialect of overdracht: proto, server and client return 0 or a negative ov_err, never an errno
 * or a library's own code. The class of an error decides what its holder does (reply, close or abort);
 * callers list no codes. */
#ifndef OV_ERROR_H
#define OV_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* The absolute values of the codes 1–99 travel in ERROR, ACK and BYE messages and never change meaning. */
typedef enum ov_err {
  OV_OK = 0,
  /* class REPLY: the other side is told, the connection stays. */
  OV_E_GAP = -1,    /* a push starts beyond what is stored: the answer carries the stored heads */
  OV_E_BRANCH = -2, /* the head before a push is unknown: the answer carries a ladder of stored heads */
  /* an op's header or payload is not a canonical encoding; the client sends a void instead */
  OV_E_OP_FORMAT = -3,
  OV_E_OP_LIMIT = -4, /* an op is over a size or count limit; the client sends a void instead */
  /* the server lacks commit keys of participants named in the push; push again with keys */
  OV_E_NEED_KEYS = -5,
  OV_E_BUSY = -6, /* not now: come back after the retry window; nothing was taken */
  OV_E_FULL = -7, /* no room on disk; nothing was taken; the client keeps collecting */
  /* this organisation's store had a fault and takes no writes until an administrator looks */
  OV_E_READONLY = -8,
  /* class CLOSE: the connection ends; ops stay where they are. */
  OV_E_FORMAT = -20,   /* a frame or message that is not well formed: websocket close 1007 */
  OV_E_LIMIT = -21,    /* a frame over its size, object or inflation limit: 1009 */
  OV_E_STATE = -22,    /* a message that the state diagram does not allow here: 1002 */
  OV_E_VERSION = -23,  /* no common protocol version: 4001 */
  OV_E_AUTH = -24,     /* a signature, nonce or device that does not prove itself: 4003 */
  OV_E_REVOKED = -25,  /* the device was revoked: 4003, the client purges */
  OV_E_CODE = -26,     /* enrolment code wrong, used or expired: 4004 */
  OV_E_FOREIGN = -27,  /* another organisation, server or writer than the session's own: 4003 */
  OV_E_TIMEOUT = -28,  /* a stage took longer than its deadline: 1008 */
  OV_E_SHUTDOWN = -29, /* the server is stopping: 1001 */
  OV_E_FLOOD = -30,    /* more frames, connections or tries than allowed: 1008 */
  /* class ABORT: local, never on the wire; the operation is undone and reported. */
  OV_E_NOMEM = -100,
  OV_E_IO = -101,
  OV_E_CORRUPT = -102, /* stored bytes fail their tag, hash or format */
  OV_E_NOTFOUND = -103,
  OV_E_EXISTS = -104,
  OV_E_INVALID = -105, /* an argument of a caller is out of contract, e.g. a value the schema refuses */
  OV_E_LOCKED = -106,  /* the data folder or client store is in use by another process */
  OV_E_NEWER = -107,   /* the store was written by a newer version of this program */
  OV_E_NET = -108,     /* no connection, or it broke */
  OV_E_CANCELLED = -109,
  OV_E_CRYPTO = -110,  /* OpenSSL refused; or a key is missing */
  OV_E_MAPFULL = -111, /* LMDB's map must grow before this write; internal to store/ */
  OV_E_DENIED = -112,  /* the caller may not do this */
  OV_E_SPACE = -113,   /* an output buffer given by the caller is too small */
  OV_E_INTERNAL = -114 /* an invariant broke: a bug; nothing was published */
} ov_err;

typedef enum ov_err_class { OV_CLASS_NONE, OV_CLASS_REPLY, OV_CLASS_CLOSE, OV_CLASS_ABORT } ov_err_class;

/* Class of an error; OV_OK gives OV_CLASS_NONE, an unknown code OV_CLASS_ABORT. */
ov_err_class ov_err_classify(int err);
/* Short English text without a full stop, static storage, never NULL ("signature does not prove itself"). */
const char *ov_err_text(int err);
/* Stable lower-case identifier for scripts and logs ("need_keys"), static storage, never NULL. */
const char *ov_err_slug(int err);
/* WebSocket close code for an error of class CLOSE or ABORT (ABORT gives 1011); 1000 for the others, which
 * close nothing. */
unsigned ov_err_close_code(int err);

#ifdef __cplusplus
}
#endif
#endif
