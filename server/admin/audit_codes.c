/* The coded fields of an audit line: what NEN 7513 takes from RFC 3881, "Security Audit and Access
 * Accountability Message", sections 5.3 (network access point), 5.4 (source) and 5.5 (participant object).
 * They follow from what the line holds, so they are made when it is exported and not stored. */
#include <string.h>

#include "admin_priv.h"
#include "sv_audit.h"

/* 1 machine name, 2 IP address. What comes through the socket of this machine has neither address nor name
 * but this machine's. */
static json_t *access_point_type(const sv_audit_event *e) {
  if (!*e->address) return json_null();
  return json_integer(strcmp(e->address, "local") ? 2 : 1);
}

/* What becomes of the data: 1 origination, 3 amendment, 6 access, 10 export or copy to a target, 13
 * archiving, 14 logical deletion, 15 permanent erasure. Of what is no data (a sign-in, a refused device)
 * nothing. */
static json_t *life_cycle(const sv_audit_event *e) {
  switch (e->type) {
  case SV_AUDIT_SYNC:
  case SV_AUDIT_EXPORT: return json_integer(10);
  case SV_AUDIT_COPY: return e->action == 'R' ? json_integer(13) : json_null();
  case SV_AUDIT_ERASE:
  case SV_AUDIT_CUT: return json_integer(15);
  case SV_AUDIT_SIGN_IN:
  case SV_AUDIT_ENROL:
  case SV_AUDIT_REVOKE: return json_null();
  default: break;
  }
  switch (e->action) {
  case 'C': return json_integer(1);
  case 'R': return json_integer(6);
  case 'U': return json_integer(3);
  case 'D': return json_integer(14);
  default: return json_null();
  }
}

/* Object type: 1 person, 2 system object. Its role: 1 patient, 3 report. Identifier: 2 patient number, 9
 * report number. Source: 4 application server. Health data are sensitive by law (AVG art. 9). */
json_t *adm_audit_codes(const sv_audit_event *e) {
  bool any = e->has_participant || e->has_object || e->kind;
  json_t *type = any ? json_integer(e->has_participant ? 1 : 2) : json_null();
  json_t *role = any ? json_integer(e->has_participant ? 1 : 3) : json_null();
  json_t *id = any ? json_integer(e->has_participant ? 2 : 9) : json_null();
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:s}", "event_type_code",
                   sv_audit_type_name(e->type), "network_access_point_type_code", access_point_type(e),
                   "participant_object_type_code", type, "participant_object_type_code_role", role,
                   "participant_object_id_type_code", id, "participant_object_data_life_cycle", life_cycle(e),
                   "participant_object_sensitivity", e->has_participant ? json_string("health") : json_null(),
                   "audit_source_type_code", 4, "authorisation_protocol", "overdracht-admin rights");
}
