/* Derived measures: what a participant's records of one month say, as sums from which means, shares and rates
 * follow. Pure: no store, no clock. Values are whole numbers of thousandths of the measure's unit, so that
 * sums are exact and a recount gives the same bits.
 *
 * Times are differences of UTC seconds; the clock on the wall is asked for bedtimes and midsleep only.
 * Sources of sleep are never merged, nor goal scales of 5 and 6 points. */
#ifndef SV_MEASURE_H
#define SV_MEASURE_H

#include "ov/schema.h"
#include "sv_zone.h"

typedef enum sv_family {
  SV_FAM_SLEEP = 1,
  SV_FAM_ROUNDS = 2, /* sleep as seen on rounds: bounds */
  SV_FAM_DAY = 3,
  SV_FAM_CONTACT = 4,
  SV_FAM_TECH = 5,
  SV_FAM_GOAL = 6,
  SV_FAM_REMOTE = 7,
  SV_FAM_END = 8
} sv_family;

typedef enum sv_mtype {
  SV_M_MEAN,    /* per client: sum / n */
  SV_M_SHARE,   /* the same; each entry gives 0 to 100 % */
  SV_M_RATE,    /* the same; zero is a common value, so who is above zero counts as the numerator */
  SV_M_WEEK,    /* per client: sum / weeks of the month */
  SV_M_SPREAD,  /* per client: standard deviation over nights */
  SV_M_VARIETY, /* per client: how many different; sum is a set of bits */
  SV_M_TOTAL,   /* over clients: the total itself, by the p %-rule */
  SV_M_CATEGORY /* per client: the share of each code */
} sv_mtype;

typedef enum sv_split { SV_SPLIT_NONE, SV_SPLIT_SOURCE, SV_SPLIT_SCALE } sv_split;

typedef struct sv_measure {
  uint16_t id; /* never renumbered: releases hold it */
  uint8_t family;
  sv_mtype type;
  sv_split split;
  bool paired;                             /* also compared between phase 1 and phase 3 */
  int32_t round_milli;                     /* what it is rounded to when published */
  uint16_t kind, field;                    /* CATEGORY: whose code list */
  const char *name, *unit, *nl, *en, *how; /* how: the definition, English, for the codebook */
} sv_measure;

const sv_measure *sv_measure_at(unsigned i); /* ascending ids; NULL past the end */
const sv_measure *sv_measure_by_id(uint16_t id);
const sv_measure *sv_measure_by_name(const char *name);
const char *sv_family_name(unsigned family); /* NULL when there is none; also the name of its dataset */
/* The field whose codes a split goes by, with their labels; NULL for none, and where no schema has it. */
const ov_sfield *sv_split_field(const ov_schemas *schemas, sv_split split);

/* -- one night ------------------------------------------------------------------------------------------- */
/* UTC seconds, and minutes; INT64_MIN: not known. */
typedef struct sv_night {
  int64_t bed_at, sleep_try_at, final_wake_at, out_of_bed_at, sol_min, waso_min;
} sv_night;
#define SV_UNKNOWN INT64_MIN
typedef enum sv_night_fault {
  SV_NIGHT_OK,
  SV_NIGHT_LACKS,        /* one of the four times is not known */
  SV_NIGHT_TRY_FIRST,    /* tried to sleep before going to bed */
  SV_NIGHT_WOKE_FIRST,   /* woke up before trying to sleep */
  SV_NIGHT_ROSE_FIRST,   /* out of bed before waking up */
  SV_NIGHT_NO_TIME,      /* in and out of bed at once */
  SV_NIGHT_LONG,         /* over 24 hours in bed */
  SV_NIGHT_AWAKE_LONGER, /* awake for longer than there was time to sleep */
  SV_NIGHT_FAULTS
} sv_night_fault;
/* Seconds; tst, se and midsleep are SV_UNKNOWN without SOL and WASO. */
typedef struct sv_sleep {
  int64_t tib_s, tst_s, twak_s, se_milli;
  int64_t midsleep_at; /* UTC: halfway between falling asleep and the final awakening; needs SOL only */
} sv_sleep;
/* out is set when SV_NIGHT_OK only. */
sv_night_fault sv_night_measure(const sv_night *n, sv_sleep *out);
const char *sv_night_fault_text(sv_night_fault f, bool dutch);

/* What rounds say of a night. At most one change of state is taken to lie between two rounds; a round that
 * saw nobody tells nothing. Bounds in seconds from the first round on. */
typedef struct sv_round {
  int64_t at;
  int state; /* 1 asleep, 2 to 4 awake, 5 not seen */
} sv_round;
typedef struct sv_bounds {
  int64_t sol_low, sol_high, waso_low, waso_high;
} sv_bounds;
/* Rounds in any order, sorted in place. False with fewer than two that saw something, or none asleep. */
bool sv_rounds_measure(sv_round *rounds, unsigned n, sv_bounds *out);

/* Goal attainment T-score in thousandths from scores on the five-point scale: 50 + 10 Σwx / √(0.7 Σw² +
 * 0.3 (Σw)²). n >= 1, weights 1 to 3. */
typedef struct sv_goal {
  int64_t goal_id, scale, weight, score, at;
  int phase;
} sv_goal;
int64_t sv_goal_t_milli(const sv_goal *goals, unsigned n);

/* -- a month of one participant and family --------------------------------------------------------------- */
typedef struct sv_sum {
  uint16_t measure;
  uint8_t split, phase; /* phase 1 to 3, 0: none told */
  int8_t cat;           /* CATEGORY: the code */
  uint32_t n;
  int64_t sum, sumsq; /* thousandths; sumsq of SPREAD in units */
} sv_sum;
#define SV_SUMS_MAX 512u /* measures x sources x phases of one family stay far below */
typedef struct sv_sums {
  ov_name project; /* that most of the records name; zero: none */
  uint32_t records, conflicts, held, refused;
  sv_sum v[SV_SUMS_MAX];
  uint32_t n;
} sv_sums;
/* Canonical bytes (entries ascending), and back: OV_E_FORMAT. */
void sv_sums_encode(sv_sums *s, ov_buf *out);
int sv_sums_decode(const uint8_t *p, size_t n, sv_sums *out);
/* A client's value from its entries of one (measure, split, cat), phases together (phase 0) or one phase;
 * days: of the month. total: of CATEGORY, over all codes. False when there is none. flags: SV_HAS_*. */
#define SV_HAS_SOME 1u /* in the numerator */
#define SV_HAS_REST 2u /* in the complement */
bool sv_sums_value(const sv_sums *s, const sv_measure *m, unsigned split, int cat, unsigned phase,
                   unsigned days, int64_t *milli, unsigned *flags);
/* All values but those of categories in one pass, ascending by measure and split; of sums in order, as
 * decoded. Returns how many, at most max. */
typedef struct sv_client_value {
  const sv_measure *m;
  uint8_t split;
  unsigned flags;
  int64_t milli;
} sv_client_value;
uint32_t sv_sums_values(const sv_sums *s, unsigned days, sv_client_value *out, uint32_t max);
/* The same over sums added up by the caller (phases, months); n of the category is e->n, `total` all
 * codes. */
bool sv_sum_value(const sv_sum *e, const sv_measure *m, uint32_t total, unsigned days, int64_t *milli,
                  unsigned *flags);

typedef struct sv_project_dates {
  ov_name name;
  int64_t implementation, follow_up; /* days; SV_UNKNOWN */
} sv_project_dates;

/* Takes the records of one participant, one month and one family (of a family's kind, by day ascending), then
 * gives the sums. About 200 KiB: on the heap. */
typedef struct sv_measurer sv_measurer;
sv_measurer *sv_measurer_new(void);
void sv_measurer_free(sv_measurer *m);
/* zone may be NULL: UTC. Borrowed until the end. */
void sv_measurer_begin(sv_measurer *m, unsigned family, const sv_zone *zone);
/* project: the record's (its dates give the phase that the record does not tell), or NULL. Retracted and
 * uncreated records are passed over. why: >= 120 bytes or NULL; gets the reason (English) when its values
 * were refused, else "". */
void sv_measurer_add(sv_measurer *m, const ov_record *r, const sv_project_dates *project, char *why);
const sv_sums *sv_measurer_end(sv_measurer *m); /* borrowed */
/* Kind whose records a family is made of. */
uint16_t sv_family_kind(unsigned family);
/* The value of a field that a record shows, SV_UNKNOWN when none or a missing code. */
int64_t sv_record_value(const ov_record *r, uint16_t field);
/* The day that a log record is about, on the clock on the wall of this zone (sv_zone.h; NULL: UTC): which
 * month and which phase it counts in. A night is the day it began, as it was written down. SV_UNKNOWN. */
int64_t sv_record_day(const ov_record *r, const sv_zone *zone);

#endif
