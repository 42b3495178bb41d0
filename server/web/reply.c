/* Answers: JSON, and problems that a person can read in Dutch and English. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_json.h"
#include "web_priv.h"

static const struct {
  int status;
  const char *slug, *en, *nl;
} problems[WEB_PROBLEMS] = {
    [WEB_P_HEADER] = {403, "header-missing", "The header X-Overdracht: 1 is missing.",
                      "Deze vraag kwam niet van de app."},
    [WEB_P_ORIGIN] = {403, "foreign-origin", "This request came from another site's page.",
                      "Deze vraag kwam van een andere website."},
    [WEB_P_TYPE] = {415, "not-json", "The body must be application/json.",
                    "De app stuurde iets dat wij niet kennen."},
    [WEB_P_BODY] = {400, "bad-body", "The body is not the JSON object that is asked for here.",
                    "De app stuurde iets dat wij niet begrijpen."},
    [WEB_P_SIGN_IN] = {401, "sign-in-failed", "The name or the password is wrong.",
                       "De naam of het wachtwoord klopt niet."},
    [WEB_P_CODE] = {401, "code-wrong", "The code is wrong, or was used already. Wait for the next one.",
                    "De code klopt niet, of is al gebruikt. Wacht op de volgende."},
    [WEB_P_TICKET] = {401, "start-again", "That took too long, or there were too many tries. Sign in again.",
                      "Dat duurde te lang, of het ging te vaak mis. Begin opnieuw."},
    [WEB_P_SESSION] = {401, "signed-out", "You are not signed in, or no longer.",
                       "U bent niet (meer) ingelogd."},
    [WEB_P_PASSWORD] = {403, "password-wrong",
                        "The present password or the code is wrong, or the code was used already.",
                        "Het huidige wachtwoord of de code klopt niet, of de code is al gebruikt."},
    [WEB_P_NEW_PASSWORD] =
        {400, "password-weak",
         "Choose one of at least 10 characters, other than the present one and without your "
         "sign-in name.",
         "Kies een wachtwoord van minstens 10 tekens: een ander dan nu, en zonder uw "
         "inlognaam."},
    [WEB_P_CSRF] = {403, "csrf-missing", "The value X-Overdracht-CSRF of this session is missing or wrong.",
                    "Deze vraag hoort niet bij uw sessie. Log opnieuw in."},
    [WEB_P_ROLE] = {403, "not-allowed", "Your role does not allow this.", "Dit mag niet met uw rol."},
    [WEB_P_UNKNOWN] = {404, "unknown", "There is no such thing here.", "Dat is hier niet."},
    [WEB_P_RULED] = {409, "nothing-to-rule", "There is nothing to decide on here any more.",
                     "Hier valt niets meer te beslissen."},
    [WEB_P_SLOW] = {429, "too-many-tries", "Too many tries. Wait a while, then try again.",
                    "Te vaak geprobeerd. Wacht even en probeer het dan opnieuw."},
    [WEB_P_BUSY] = {503, "busy", "The server is busy. Try again in a moment.",
                    "Het is druk. Probeer het zo nog eens."},
    [WEB_P_FULL] = {503, "too-many-sessions", "Too many people are signed in at once.",
                    "Er zijn te veel mensen tegelijk ingelogd."},
    [WEB_P_NO_TOKEN] = {404, "no-such-token", "You have no such token.",
                        "Dit token is niet van u, of bestaat niet."},
    [WEB_P_TOKENS] = {409, "too-many-tokens", "You have ten tokens in use. Revoke one first.",
                      "U heeft al tien tokens in gebruik. Trek er eerst een in."},
    [WEB_P_INTERNAL] = {500, "internal-error", "Something went wrong in the server.",
                        "Er ging iets mis bij ons."},
};

bool web_reply_header(sv_net_reply *reply, const char *fmt, ...) {
  char line[600];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  size_t had = reply->headers ? strlen(reply->headers) : 0;
  if (n < 0 || (size_t)n >= sizeof line) return false;
  char *all = realloc(reply->headers, had + (size_t)n + 1);
  if (!all) return false;
  memcpy(all + had, line, (size_t)n + 1);
  reply->headers = all;
  return true;
}

int web_json_reply(sv_net_reply *reply, json_t *j) {
  char *text = sv_json_text(j, JSON_COMPACT);
  json_decref(j);
  if (!text) return OV_E_NOMEM; /* the network answers 500 */
  free(reply->body);
  reply->body = (uint8_t *)text;
  reply->body_bytes = strlen(text);
  return 0;
}

int web_problem_reply(sv_net_reply *reply, web_problem p, unsigned after_s) {
  char type[80];
  snprintf(type, sizeof type, "urn:overdracht:problem:%s", problems[p].slug);
  reply->status = problems[p].status;
  reply->content_type = "application/problem+json";
  if (after_s) web_reply_header(reply, "Retry-After: %u\r\n", after_s);
  if (p == WEB_P_SESSION) web_reply_header(reply, "WWW-Authenticate: Overdracht-Session\r\n");
  json_t *j = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", problems[p].en, "status",
                        problems[p].status, "code", problems[p].slug, "en", problems[p].en, "nl",
                        problems[p].nl);
  if (j && after_s) json_object_set_new(j, "retry_after_s", json_integer(after_s));
  return web_json_reply(reply, j);
}
