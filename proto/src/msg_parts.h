/* What the message files share: a cursor over the elements of one message, and the lists that several
 * messages carry. Lists are flat arrays (scope, pos, hash, scope, pos, hash ...): one byte less per entry
 * than nested ones. */
#ifndef OV_MSG_PARTS_H
#define OV_MSG_PARTS_H

#include "ov/msg.h"

typedef struct ov_mcur {
  ov_mpr r;
  uint32_t left;        /* optional elements that are present and not yet read */
  const uint8_t *start; /* first byte of the message */
  ov_arena *arena;
  const ov_rows_ctx *ctx; /* DELTA only; may be NULL */
} ov_mcur;

/* Says how many elements the message (type included) has: `count` was read from its array header. Between
 * must and most, else OV_E_FORMAT; those beyond must are optional and are asked for with ov_mcur_more, in
 * order. */
void ov_mcur_expect(ov_mcur *c, uint32_t count, uint32_t must, uint32_t most);
/* Is the next optional element there? */
bool ov_mcur_more(ov_mcur *c);
/* A flat list of `per` elements an entry: the number of entries, at most `max` (OV_E_LIMIT), 0 after an
 * error. */
uint32_t ov_mcur_list(ov_mcur *c, uint32_t per, uint32_t max);
/* Zeroed arena memory; NULL when n is 0 or after an error, which is then set. */
void *ov_mcur_alloc(ov_mcur *c, uint32_t n, size_t size);
/* An error code as it travels (1..99) turned into an ov_err. */
int ov_mcur_err(ov_mcur *c);
void ov_mcur_id(ov_mcur *c, ov_id *out);
/* A time in milliseconds, or the offset between two: within what may be subtracted without a thought. */
int64_t ov_mcur_time_ms(ov_mcur *c);
/* A bit field that may hold only the `known` bits, which are the lowest ones (1, 3, 7 ...). */
uint32_t ov_mcur_flags(ov_mcur *c, uint32_t known);

void ov_part_id(ov_buf *out, const ov_id *id);
/* A value whose default travels as 0: both v == 0 and v == dflt do. */
void ov_part_default(ov_buf *out, uint32_t v, uint32_t dflt);
uint32_t ov_mcur_default(ov_mcur *c, uint32_t lo, uint32_t hi, uint32_t dflt);

void ov_part_heads(ov_buf *out, const ov_head *h, uint32_t n);
ov_head *ov_mcur_heads(ov_mcur *c, uint32_t *n);
void ov_part_ladder(ov_buf *out, const ov_rung *r, uint32_t n);
ov_rung *ov_mcur_ladder(ov_mcur *c, uint32_t *n);
void ov_part_names(ov_buf *out, const ov_name *names, uint32_t n);
ov_name *ov_mcur_names(ov_mcur *c, uint32_t max, uint32_t *n);

/* Reads version_min and version_max. OV_E_VERSION when OV_PROTOCOL_VERSION is not among them. These two
 * elements keep their place in every version, so that any server can say so to any client. */
void ov_mcur_versions(ov_mcur *c, uint32_t *lo, uint32_t *hi);

/* Decoders, one per message; `count` is the number of elements, the type has been read. */
typedef void ov_msg_decoder(ov_mcur *c, uint32_t count, ov_msg *m);
ov_msg_decoder ov_enrol_decode, ov_enrolled_decode, ov_hello_decode, ov_welcome_decode, ov_challenge_decode,
    ov_proof_decode, ov_push_decode, ov_ack_decode, ov_delta_decode, ov_acked_decode, ov_bye_decode,
    ov_error_decode, ov_synced_decode;

/* A peer looks at the type before it decodes anything else. 0 when the bytes do not start as a message does.
 */
ov_msg_type ov_msg_peek_type(const uint8_t *p, size_t n);

#endif
