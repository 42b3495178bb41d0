/* JSON as text. Jansson's json_dumps (2.14) does not look whether the name of a member found memory, and goes
 * on: what it returns may lack a name. So it is not used in the server. */
#ifndef SV_JSON_H
#define SV_JSON_H

#include <jansson.h>

/* Any value (NULL gives NULL), with Jansson's flags for dumping. NUL-terminated UTF-8, to be freed with
 * free(); NULL when memory ends. Any thread. */
char *sv_json_text(const json_t *j, size_t flags);

#endif
