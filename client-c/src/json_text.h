/* JSON as text, whole or not at all: Jansson's json_dumps (2.14) does not look whether the name of a member
 * found memory, and goes on without it. */
#ifndef OC_JSON_TEXT_H
#define OC_JSON_TEXT_H

#include <jansson.h>

/* Takes j, which may be NULL. To be freed with free(); NULL when memory ends. */
char *oc_json_text(json_t *j, size_t flags);

#endif
