/* What the network page shows, as JSON. Figures come from the release ledger alone: they are the exports'
 * own, so that page and export together tell no more than either. So do barriers, of which it tells only
 * themes that three organisations or more had named by the month's end. Stories, lessons and experts' cards
 * are records of the programme that people share in their own name; they are as they stand today. */
#ifndef SV_NETWORK_PAGE_H
#define SV_NETWORK_PAGE_H

#include "sv_export.h"
#include "sv_sums.h"

/* Months in the series of technology use; the newest. */
#define SV_PAGE_MONTHS_MAX 24u
/* A page opens with at most this much data; older months and stories are left out to keep to it. */
#define SV_PAGE_BYTES_MAX 100000u

/* network: its number; 0: all networks together. release: NULL for the newest with every network. Without any
 * release the page has no figures, and says so. OV_E_NOTFOUND: no such network or release.
 *
 * {"release": {...}|null, "network": {"number", "name", "type"}|null, "networks": [...],
 *  "hidden": {"nl": "te weinig mensen", "en", "why_nl", "why_en"},
 *  "paired": [{"measure", "unit", "source", "source_nl", CELL}],
 *  "technology": [{"month", "days_week": CELL, "incidents": CELL, "days_total": CELL}],
 *  "goals": {"attained": [{"scale", CELL}], "scores": [{"scale", "code", "nl", "en", CELL}]},
 *  "stories": {"count", "min", "max", "text_nl", "text_en", "items": [{"title", "date", "link"}]},
 *  "lessons": [{"number", "title", "text", "main"}], "barriers": [{"theme", "nl", "en", "effect"}],
 *  "experts": [{"name", "organisation", "about", "contact"}]}
 * CELL is "hidden": true, or "clients", "organisations", "value", "sd" and of pairs "baseline", "follow_up".
 * Scores and barriers are of all networks together, and missing without a release, as "paired" and "goals"
 * are. A card is there while its author is an expert and agrees. */
int sv_network_page(const sv_insight *in, const char *release, unsigned network, sv_export *e);

#endif
