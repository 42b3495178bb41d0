/* Every limit of the protocol, named, with the reason or the attack beside it, and what must hold between
 * them. What an outsider can grow is bounded by one of these (or by server/core/sv_limits.h for what only a
 * server holds). */
#ifndef OV_LIMITS_H
#define OV_LIMITS_H

#include <assert.h>

/* -- frames ---------------------------------------------------------------------------------------------- */
/* Default size of a frame before compression: small, so that a bad link makes progress between two cuts. */
#define OV_FRAME_BYTES_DEFAULT 16384u
/* Least and most that HELLO/WELCOME may negotiate. Most bounds what one connection can make the other side
 * hold. */
#define OV_FRAME_BYTES_MIN 4096u
#define OV_FRAME_BYTES_MAX 65536u
/* Most bytes of a websocket message: a frame that deflate could not shrink, its mode byte and slack for
 * stored blocks. */
#define OV_WS_MESSAGE_BYTES_MAX (OV_FRAME_BYTES_MAX + 64u)
/* MessagePack objects in one frame, counted by the pre-scan before anything is allocated (5 bytes can claim
 * 2^32). An object takes at least one byte; 16 KiB of small integers stay under it, and one object costs at
 * most 64 bytes of arena. */
#define OV_FRAME_OBJECTS_MAX 65536u
/* Nesting that any message needs is 6; 8 leaves room and keeps recursion-free scanning in a small fixed
 * stack. */
#define OV_NESTING_MAX 8u
/* Memory one decode may take from its arena: rows and values of the largest frame. */
#define OV_DECODE_ARENA_BYTES_MAX (4u * 1024u * 1024u)

/* -- ops ------------------------------------------------------------------------------------------------- */
/* Canonical bytes of one op's payload: a long note (8,000 characters of up to 4 bytes would not fit; 2 bytes
 * do). Above it an op is refused by name. Fits in the smallest default frame with its header. */
#define OV_PAYLOAD_BYTES_MAX 12288u
#define OV_HEADER_BYTES_MAX 256u
/* Fields of one op: the largest kind has 16; schemas may grow. */
#define OV_OP_FIELDS_MAX 128u
#define OV_FIELD_ID_MAX 127u
#define OV_KIND_ID_MAX 4095u
/* Names one op may replace: a retraction names every live value it saw. */
#define OV_OP_REPLACES_MAX 256u
/* Elements added and deleted in one set value, together. */
#define OV_SET_ELEMENTS_MAX 256u
/* Bytes of one text or bytes value. */
#define OV_TEXT_BYTES_MAX 10240u
/* Ops in one PUSH, or rows in one DELTA, frame. */
#define OV_FRAME_ROWS_MAX 4096u
/* Ops of one record that are folded; more are stored but the record is frozen and flagged, so that folding
 * stays bounded. */
#define OV_RECORD_OPS_MAX 4096u
/* Values (set elements one by one) and resolvable `replaces` links of one record that are folded, for the
 * same reason: few ops may still carry much, and a fold must fit into a decode arena and into
 * milliseconds. */
#define OV_RECORD_VALUES_MAX 24576u
#define OV_RECORD_LINKS_MAX 65536u
/* Bytes of one record's encoded state, its held ops apart. A record travels whole in one DELTA frame, so the
 * op that would bring it over this is held as frozen. */
#define OV_RECORD_BYTES_MAX 49152u
/* Held ops of one record listed in a DELTA (the first by name): a record flooded with held ops must still fit
 * into a frame. */
#define OV_DELTA_HELD_MAX 256u
/* Highest seq: keeps arithmetic on seq free of overflow. */
#define OV_SEQ_MAX ((1ull << 53) - 1)
/* Device times lie within this many seconds of 1970 either way: sums and differences of a few never overflow,
 * and a JavaScript number holds each exactly. */
#define OV_TIME_S_MAX ((1ll << 53) - 1)

/* -- session --------------------------------------------------------------------------------------------- */
/* Scopes a device may hold: programme, organisation and 62 teams. */
#define OV_SCOPES_MAX 64u
/* Branch tips of one writer listed in WELCOME: a cloned image is rare, a fork bomb is an attack. */
#define OV_TIPS_MAX 16u
#define OV_LADDER_MAX 40u
#define OV_CREDIT_DEFAULT 64u
#define OV_CREDIT_MAX 1024u
/* PUSH frames a client may have unanswered: keeps a link busy, and bounds what a server holds while a commit
 * or a challenge runs. */
#define OV_PUSHES_UNANSWERED_MAX 4u
/* Device clock further off than this is challenged (ms) ... */
#define OV_HELLO_SKEW_MS_MAX 120000
/* ... and further off than this is shown as suspect (s). */
#define OV_CLOCK_SUSPECT_S 300
/* Held or refused ops listed in one ACK; the rest follow in the DELTA of their records. */
#define OV_ACK_HELD_MAX 256u
#define OV_ACK_RECEIPTS_MAX 64u
#define OV_PUSH_KEYS_MAX 256u
#define OV_ERROR_TEXT_MAX 200u
#define OV_CODE_TEXT_MAX 32u
#define OV_DEVICE_NAME_MAX 64u
/* Kinds marked windowed travel for this many days. */
#define OV_WINDOW_DAYS 30
/* A record this close to leaving the window is always sent, so that clocks of the two sides may differ. */
#define OV_WINDOW_MARGIN_DAYS 1

/* -- schema ---------------------------------------------------------------------------------------------- */
#define OV_SCHEMA_BYTES_MAX 10240u
#define OV_SCHEMA_KINDS_MAX 256u
#define OV_SCHEMA_CODES_MAX 128u
#define OV_FIELD_NAME_MAX 32u /* Stata's and SPSS's common ground */
#define OV_LABEL_BYTES_MAX 160u
#define OV_NATURAL_KEY_PARTS_MAX 8u
/* Conditions of one field's required_if. */
#define OV_SCHEMA_CONDITIONS_MAX 8u
/* Memory that one loaded kind may take: its bytes blow up by less than 16 (a code of 4 bytes takes 24, a
 * field of 20 takes 200). */
#define OV_SCHEMA_ARENA_BYTES_MAX (256u * 1024u)
/* Kinds and newer versions of them that one set takes in: replaced ones stay in memory, as others may still
 * point to them. */
#define OV_SCHEMA_LOADS_MAX 4096u
/* Bytes of a retraction's reason. */
#define OV_RETRACTION_BYTES_MAX 500u

static_assert(OV_PAYLOAD_BYTES_MAX + OV_HEADER_BYTES_MAX + 1024u <= OV_FRAME_BYTES_DEFAULT,
              "the largest op fits into a default frame beside a signature and a writer table");
static_assert(OV_TEXT_BYTES_MAX < OV_PAYLOAD_BYTES_MAX, "the largest text fits into a payload");
static_assert(OV_SCHEMA_BYTES_MAX <= OV_TEXT_BYTES_MAX, "a schema travels as one bytes value");
static_assert(OV_OP_REPLACES_MAX * 31u < OV_PAYLOAD_BYTES_MAX,
              "the longest replaces list fits into a payload");
static_assert(OV_FRAME_BYTES_MIN <= OV_FRAME_BYTES_DEFAULT && OV_FRAME_BYTES_DEFAULT <= OV_FRAME_BYTES_MAX,
              "order");
static_assert(OV_RECORD_BYTES_MAX + OV_DELTA_HELD_MAX * 34u + OV_RECORD_OPS_MAX + 1024u <= OV_FRAME_BYTES_MAX,
              "the largest record with its held ops and flags fits into the largest frame");
static_assert(OV_FRAME_OBJECTS_MAX * 64u <= OV_DECODE_ARENA_BYTES_MAX,
              "objects of a full frame fit into the arena");

#endif
