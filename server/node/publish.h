#ifndef SV_PUBLISH_H
#define SV_PUBLISH_H
#include "sv_node.h"
/* Makes or updates one `schema` record for each kind of the set. OV_E_INVALID with a text in why when a kind
 * changed without a new version. */
int sv_publish_schemas(sv_org *programme, const sv_schema_json_set *set, char *why);
#endif
