/* A kind with a field of every type, and how it is loaded. */
#ifndef SCHEMA_KINDS_H
#define SCHEMA_KINDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "history.h"
#include "ov/schema.h"

/* A packed kind in a notation for tests: numbers, 'texts', T F N (true, false, nil) and [lists]; turned into
 * MessagePack by pack(). */
#define HEAD "[20,'sleep',1,2,2,T,10,[0,10,11],'Nachtrust','Sleep',"
#define NIGHT "[10,'night_date',4,'Nacht van','Night of',T,[],10957,47846,0,N,T,0,[],[-98],N,N]"
#define SOURCE                                                                                               \
  "[11,'source',2,'Bron','Source',T,[],N,N,0,N,T,0,[[1,'observatie','observation'],[2,'bedsensor','bed "     \
  "sensor']],[-99],N,N]"
#define NOTE "[12,'note',6,'Opmerking','Note',F,[],N,N,20,N,F,0,[],[],'Blijft hier','Stays here']"
#define NAP                                                                                                  \
  "[13,'nap_min',0,'Slaap overdag','Daytime sleep',F,[[11,F,[1,-99]]],0,720,0,'min',T,0,[],[-98,-99],N,N]"
#define WHY                                                                                                  \
  "[14,'disturbance',3,'Waardoor?','What disturbed "                                                         \
  "it?',F,[[16,F,[1]]],N,N,0,N,T,0,[[1,'geluid','noise'],[2,'pijn','pain']],[-99],N,N]"
#define PROJECT "[15,'project',7,'Project','Project',T,[],N,N,0,N,T,9,[],[],N,N]"
#define ALARM "[16,'alarm',1,'Alarm','Alarm',F,[[11,T,[1]],[14,F,[2]]],N,N,0,N,T,0,[],[-99],N,N]"
#define BED "[17,'bed_at',5,'Naar bed','Went to bed',F,[],946684800,4133980799,0,N,T,0,[],[-98],N,N]"
#define PEOPLE "[18,'people',8,'Wie','Who',F,[],N,N,0,N,F,4,[],[],N,N]"
#define TEAMS "[19,'teams',9,'Teams','Teams',F,[],N,N,0,N,F,0,[],[],N,N]"
#define KEY "[20,'key',10,'Sleutel','Key',F,[],N,N,4,N,F,0,[],[],N,N]"
#define AGE "[21,'age',0,'Leeftijd','Age',F,[[13,F,[700]]],1,N,0,'year',F,0,[],[],N,N]"
#define BASE                                                                                                 \
  HEAD "[" NIGHT "," SOURCE "," NOTE "," NAP "," WHY "," PROJECT "," ALARM "," BED "," PEOPLE "," TEAMS      \
       "," KEY "," AGE "]]"

enum {
  F_NIGHT = 10,
  F_SOURCE,
  F_NOTE,
  F_NAP,
  F_WHY,
  F_PROJECT,
  F_ALARM,
  F_BED,
  F_PEOPLE,
  F_TEAMS,
  F_KEY,
  F_AGE
};

static inline uint32_t count_parts(const char *s) {
  uint32_t n = *s != ']', depth = 0;
  for (bool quoted = false; depth || quoted || *s != ']'; s++) {
    if (*s == '\'') quoted = !quoted;
    if (quoted) continue;
    depth += *s == '[';
    depth -= *s == ']';
    n += *s == ',' && !depth;
  }
  return n;
}

static inline void pack(const char *s, ov_buf *b) {
  while (*s) {
    char *end = NULL;
    if (*s == '[') ov_mpw_array(b, count_parts(s + 1));
    else if (*s == 'T' || *s == 'F') ov_mpw_bool(b, *s == 'T');
    else if (*s == 'N') ov_mpw_nil(b);
    else if (*s == '\'') {
      const char *close = strchr(s + 1, '\'');
      ov_mpw_str(b, s + 1, (size_t)(close - s - 1));
      s = close;
    } else if (*s != ']' && *s != ',') {
      ov_mpw_int(b, strtoll(s, &end, 10));
    }
    s = end ? end : s + 1;
  }
}

static inline int add_text(ov_schemas *s, const char *text, char *why) {
  ov_buf b;
  ov_buf_init(&b, 0);
  pack(text, &b);
  int err = ov_schemas_add(s, b.p, b.n, why);
  ov_buf_free(&b);
  return err;
}

/* BASE with one piece put in place of another. */
static inline char *changed(const char *find, const char *put) {
  const char *at = strstr(BASE, find);
  assert_non_null(at);
  size_t cap = strlen(BASE) + strlen(put) + 1;
  char *out = malloc(cap);
  snprintf(out, cap, "%.*s%s%s", (int)(at - BASE), BASE, put, at + strlen(find));
  return out;
}

static const ov_skind *load(ov_schemas **s) {
  char why[OV_ERROR_TEXT_MAX] = "";
  *s = ov_schemas_new();
  assert_non_null(*s);
  if (add_text(*s, BASE, why) != 0) fail_msg("%s", why);
  assert_string_equal(why, "");
  return ov_schemas_kind(*s, 20);
}

#endif
