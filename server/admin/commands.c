/* The table of commands: what the server takes, and what --help says, are the same lines. */
#include <string.h>

#include "admin_priv.h"

#define ORG                                                                                                  \
  {                                                                                                          \
    "organisation", SV_ARG_TEXT, false, false,                                                               \
        "organisation, by name or id (may be left out when there is one only)"                               \
  }
#define TEAM_MAYBE                                                                                           \
  { "team", SV_ARG_TEXT, false, false, "only of this team" }
#define TEAMS(must, text)                                                                                    \
  { "team", SV_ARG_LIST, false, must, text }
#define FIELDS(must)                                                                                         \
  {                                                                                                          \
    "fields", SV_ARG_FIELDS, true, must,                                                                     \
        "field=value; field= clears; for sets also field+=element and field-=element"                        \
  }
#define QR                                                                                                   \
  { "qr", SV_ARG_FLAG, false, false, "show it as a QR code on the terminal" }
#define PNG                                                                                                  \
  { "png", SV_ARG_PATH, false, false, "write it as a QR code into this new file (PNG, mode 0600)" }
#define URL                                                                                                  \
  {                                                                                                          \
    "url", SV_ARG_TEXT, false, false,                                                                        \
        "address of the web app, for the QR code (default: the running server's first name)"                 \
  }
#define ALL(text)                                                                                            \
  { "all", SV_ARG_FLAG, false, false, text }

#define AUDIT_FILTER                                                                                         \
  {"participant", SV_ARG_TEXT, false, false, "about this client, by label or full name"},                    \
      {"person", SV_ARG_TEXT, false, false, "by this person"},                                               \
      {"device", SV_ARG_TEXT, false, false, "from this device"},                                             \
      {"role", SV_ARG_TEXT, false, false, "by this role, like care_staff"},                                  \
      {"type", SV_ARG_TEXT, false, false, "only this type, like sync, entry, show"},                         \
      {"from", SV_ARG_TEXT, false, false, "first day"}, {                                                    \
    "to", SV_ARG_TEXT, false, false, "last day"                                                              \
  }

static const sv_admin_command commands[] = {
    {.name = "init",
     .summary = "make a data folder: lock, master key, programme",
     .changes = true,
     .run = cmd_init,
     .needs = SV_NEEDS_CREATE,
     .text = "Does nothing to a folder that is one already. Keep a copy of DIR/master.key apart from the "
             "backups: without it nothing can be read."},
    {.name = "organisation add",
     .summary = "make a care organisation: its store, keys and server writer",
     .changes = true,
     .run = cmd_organisation_add,
     .example = "overdracht-admin organisation add \"Zorggroep De Linde\"",
     .args = {{"name", SV_ARG_TEXT, true, true, "its name"},
              {"zone", SV_ARG_TEXT, false, false, "IANA time zone (default Europe/Amsterdam)"},
              {"id", SV_ARG_TEXT, false, false, "32 hex digits, when it exists on another server already"}}},
    {.name = "organisation list",
     .summary = "list the organisations",
     .run = cmd_organisation_list,
     .columns = "organisation:ORGANISATION id:ID zone:ZONE ops:OPS records:RECORDS"},
    {.name = "organisation show",
     .summary = "show one organisation: counts and settings",
     .run = cmd_organisation_show,
     .args = {{"organisation", SV_ARG_TEXT, true, false, "organisation, by name or id"}}},
    {.name = "organisation edit",
     .summary = "change an organisation's settings",
     .changes = true,
     .run = cmd_organisation_edit,
     .example = "overdracht-admin organisation edit lease_days=14 strict_store=no",
     .args = {FIELDS(true), ORG}},

    {.name = "team add",
     .summary = "make a team, with a scope and a commit key of its own",
     .changes = true,
     .run = cmd_team_add,
     .args = {{"name", SV_ARG_TEXT, true, true, "its name"}, ORG}},
    {.name = "team list",
     .summary = "list the teams",
     .run = cmd_team_list,
     .columns = "team:TEAM scope:SCOPE persons:PERSONS participants:PARTICIPANTS active:ACTIVE record:RECORD",
     .args = {ORG}},
    {.name = "team edit",
     .summary = "rename a team, or end it",
     .changes = true,
     .run = cmd_team_edit,
     .args = {{"team", SV_ARG_TEXT, true, true, "team, by name, scope number or record"},
              {"name", SV_ARG_TEXT, false, false, "new name"},
              {"active", SV_ARG_TEXT, false, false, "yes or no"},
              ORG}},

    {.name = "participant add",
     .summary = "add a participant to one or more teams",
     .changes = true,
     .run = cmd_participant_add,
     .text = "The label is what the team calls the client; it stays inside the teams. The first team is "
             "where the record is made.",
     .example = "overdracht-admin participant add \"K. (kamer 4)\" --team Beuk --team Nacht --age-band "
                "\"45-59 years\"",
     .args = {{"label", SV_ARG_TEXT, true, true, "what the team calls the client"},
              TEAMS(true, "team; may be given more than once"),
              {"age_band", SV_ARG_TEXT, false, false, "age band, by code or label"},
              {"pseudonym", SV_ARG_TEXT, false, false,
               "code inside the organisation; no name, citizen number or birth date"},
              ORG}},
    {.name = "participant list",
     .summary = "list the participants",
     .run = cmd_participant_list,
     .columns = "participant:PARTICIPANT teams:TEAMS age_band:AGE_BAND in_care:IN_CARE record:RECORD",
     .args = {TEAM_MAYBE, ALL("also those no longer in care"), ORG}},
    {.name = "participant edit",
     .summary = "change a participant's label, age band or pseudonym, or end the care",
     .changes = true,
     .run = cmd_participant_edit,
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              {"label", SV_ARG_TEXT, false, false, "new label"},
              {"age_band", SV_ARG_TEXT, false, false, "age band, by code or label"},
              {"pseudonym", SV_ARG_TEXT, false, false, "new code"},
              {"active", SV_ARG_TEXT, false, false, "yes or no: in care"},
              ORG}},
    {.name = "participant move",
     .summary = "give a participant exactly these teams",
     .changes = true,
     .run = cmd_participant_move,
     .text = "All records about the participant get new positions in the new teams and leave the old ones; "
             "tablets of the old teams drop them.",
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              TEAMS(true, "team; may be given more than once"),
              ORG}},
    {.name = "participant team-add",
     .summary = "add teams to a participant",
     .changes = true,
     .run = cmd_participant_team_add,
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              TEAMS(true, "team; may be given more than once"),
              ORG}},
    {.name = "participant team-remove",
     .summary = "take teams from a participant",
     .changes = true,
     .run = cmd_participant_team_remove,
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              TEAMS(true, "team; may be given more than once"),
              ORG}},

    {.name = "participant copy",
     .summary = "write everything held about one client into one readable file (AVG art. 15)",
     .run = cmd_participant_copy,
     .text = "One HTML page, Dutch with English, that prints: every record with all its entries, who wrote "
             "them and "
             "when, also those that were taken back or are held; and who wrote, received or looked at what, "
             "from the audit.",
     .example = "overdracht-admin participant copy Merel --out merel.html",
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              {"out", SV_ARG_PATH, false, true, "file to make, mode 0600"},
              ORG}},

    {.name = "project add",
     .summary = "add a project",
     .changes = true,
     .run = cmd_project_add,
     .example = "overdracht-admin project add \"Slaapsensor Beuk\" --theme-network Slaap --technology "
                "\"Technologie 01\" --team Beuk",
     .args = {{"name", SV_ARG_TEXT, true, true, "its name"},
              {"theme_network", SV_ARG_TEXT, false, true, "theme network, by name or record"},
              {"technology", SV_ARG_TEXT, false, false, "technology, by name or record"},
              {"care_question", SV_ARG_TEXT, false, false, "care question, by title or record"},
              {"lead", SV_ARG_TEXT, false, false, "project lead, by name or record"},
              TEAMS(false, "team; may be given more than once"),
              {"fields", SV_ARG_FIELDS, true, false,
               "further field=value, e.g. implementation_from=2026-02-01"},
              ORG}},
    {.name = "project list",
     .summary = "list the projects",
     .run = cmd_project_list,
     .columns = "project:PROJECT theme_network:THEME_NETWORK technology:TECHNOLOGY phase:PHASE teams:TEAMS "
                "record:RECORD",
     .args = {ORG}},

    {.name = "person add",
     .summary = "add a person who logs or leads",
     .changes = true,
     .run = cmd_person_add,
     .args = {{"name", SV_ARG_TEXT, true, true, "name as colleagues see it"},
              {"role", SV_ARG_TEXT, false, false,
               "care staff (default), project lead, expert, org admin, researcher, programme admin, "
               "privacy officer or hub; or its Dutch label or code"},
              TEAMS(false, "team; may be given more than once"),
              ORG}},
    {.name = "person list",
     .summary = "list the persons",
     .run = cmd_person_list,
     .columns = "person:PERSON role:ROLE teams:TEAMS active:ACTIVE record:RECORD",
     .args = {TEAM_MAYBE, ALL("also those who left"), ORG}},
    {.name = "person edit",
     .summary = "change a person's name, role or teams, or end the work",
     .changes = true,
     .run = cmd_person_edit,
     .text = "What a person logged before leaving (--active no, or out of a team) stays valid.",
     .args = {{"person", SV_ARG_TEXT, true, true, "person, by name or record"},
              {"name", SV_ARG_TEXT, false, false, "new name"},
              {"role", SV_ARG_TEXT, false, false, "new role"},
              TEAMS(false, "exactly these teams"),
              {"add_team", SV_ARG_LIST, false, false, "a team more"},
              {"remove_team", SV_ARG_LIST, false, false, "a team less"},
              {"active", SV_ARG_TEXT, false, false, "yes or no"},
              ORG}},

    {.name = "device add",
     .summary = "add a tablet and show its enrolment code",
     .changes = true,
     .run = cmd_device_add,
     .text = "The code works once, for 15 minutes and 5 tries. Type it on the tablet, or: overdracht enrol "
             "URL CODE",
     .args = {{"name", SV_ARG_TEXT, true, true, "what the organisation calls it"},
              TEAMS(true, "team; may be given more than once"),
              {"no_code", SV_ARG_FLAG, false, false, "make no code yet"},
              QR,
              PNG,
              URL,
              ORG}},
    {.name = "device code",
     .summary = "make a new enrolment code (first one expired, or the tablet was reinstalled)",
     .changes = true,
     .run = cmd_device_code,
     .args = {{"device", SV_ARG_TEXT, true, true, "device, by name or record"}, QR, PNG, URL, ORG}},
    {.name = "device list",
     .summary = "list the tablets",
     .run = cmd_device_list,
     .columns = "device:DEVICE teams:TEAMS state:STATE last_seen:LAST_SEEN record:RECORD",
     .args = {ALL("also the revoked ones"), ORG}},
    {.name = "device edit",
     .summary = "rename a tablet or change its teams",
     .changes = true,
     .run = cmd_device_edit,
     .args = {{"device", SV_ARG_TEXT, true, true, "device, by name or record"},
              {"name", SV_ARG_TEXT, false, false, "new name"},
              TEAMS(false, "exactly these teams"),
              ORG}},
    {.name = "device revoke",
     .summary = "cut a lost tablet off, now and for good",
     .changes = true,
     .run = cmd_device_revoke,
     .text = "Its session ends at once, its keys and unused codes are void, and it is told to purge when it "
             "connects.",
     .args = {{"device", SV_ARG_TEXT, true, true, "device, by name or record"}, ORG}},

    {.name = "account add",
     .summary = "let a person sign in on the web: password, code app and recovery codes",
     .changes = true,
     .run = cmd_account_add,
     .text = "The password is made here, and all secrets are shown once. The otpauth:// address goes into an "
             "authenticator app, easiest as a QR code (--qr). One account a person.",
     .example = "overdracht-admin account add \"Jan de Vries\" --login j.devries@linde --qr",
     .args = {{"person", SV_ARG_TEXT, true, true, "person, by name or record"},
              {"login", SV_ARG_TEXT, false, true, "name to sign in with, e.g. j.devries@linde"},
              QR,
              PNG,
              ORG}},
    {.name = "account list",
     .summary = "list the accounts",
     .run = cmd_account_list,
     .columns =
         "login:LOGIN person:PERSON state:STATE signed_in:SIGNED_IN recovery_codes_left:RECOVERY_CODES",
     .args = {ORG}},
    {.name = "account disable",
     .summary = "let a person sign in no more, and end their sessions now",
     .changes = true,
     .run = cmd_account_disable,
     .text = "account reset enables it again, with new secrets.",
     .args = {{"person", SV_ARG_TEXT, true, true, "person, by name or record"}, ORG}},
    {.name = "account reset",
     .summary = "give an account a new password, code secret and recovery codes",
     .changes = true,
     .run = cmd_account_reset,
     .args = {{"person", SV_ARG_TEXT, true, true, "person, by name or record"}, QR, PNG, ORG}},
    {.name = "account recovery",
     .summary = "give an account new recovery codes",
     .changes = true,
     .run = cmd_account_recovery,
     .args = {{"person", SV_ARG_TEXT, true, true, "person, by name or record"}, ORG}},
    {.name = "session list",
     .summary = "list who is signed in on the web",
     .run = cmd_session_list,
     .columns = "session:SESSION login:LOGIN person:PERSON organisation:ORGANISATION since:SINCE seen:SEEN "
                "peer:FROM"},
    {.name = "session revoke",
     .summary = "end a web session, or all of one person",
     .changes = true,
     .run = cmd_session_revoke,
     .args = {{"session", SV_ARG_TEXT, true, false, "session, as listed"},
              {"person", SV_ARG_TEXT, false, false, "all sessions of this person"},
              ORG}},
    {.name = "token add",
     .summary = "make a researcher's token for the releases",
     .changes = true,
     .run = cmd_token_add,
     .text = "It is shown once and opens /v1/ and nothing else.",
     .example = "overdracht-admin token add \"Sleep study, university\" --dataset sleep --days 90",
     .args = {{"label", SV_ARG_TEXT, true, true, "whose it is and for what"},
              {"dataset", SV_ARG_LIST, false, false, "only this dataset; may be given more than once"},
              {"days", SV_ARG_INT, false, false, "days until it ends (default 180, at most 730)"},
              {"person", SV_ARG_TEXT, false, false,
               "whose it is: listed on their page, and void when they leave or change role"},
              ORG}},
    {.name = "token list",
     .summary = "list the researchers' tokens",
     .run = cmd_token_list,
     .columns = "id:ID label:LABEL person:PERSON datasets:DATASETS state:STATE expires:EXPIRES "
                "last_used:LAST_USED",
     .args = {ALL("also the revoked and expired ones")}},
    {.name = "token revoke",
     .summary = "make a token void, now and for good",
     .changes = true,
     .run = cmd_token_revoke,
     .args = {{"id", SV_ARG_TEXT, true, true, "id, as listed, or a unique start of it"}}},

    {.name = "record add",
     .summary = "add a record of any kind, checked by its schema",
     .changes = true,
     .run = cmd_record_add,
     .text = "For the programme's reference data: technologies, care questions, theme networks. Values: "
             "codes by number or label, dates as "
             "2026-03-29, times with their zone, references by label or record, sets with commas. `kind list "
             "KIND` shows the fields.",
     .example = "overdracht-admin record add theme_network number=1 name=Slaap type=content\n"
                "overdracht-admin record add technology number=1 name=\"Technologie 01\"",
     .args = {{"kind", SV_ARG_TEXT, true, true, "kind, e.g. technology"},
              FIELDS(true),
              {"participant", SV_ARG_TEXT, false, false, "participant it is about, by label or record"},
              {"team", SV_ARG_TEXT, false, false, "team it belongs to"},
              {"double", SV_ARG_FLAG, false, false, "add it although one of that label or number exists"},
              ORG}},
    {.name = "record edit",
     .summary = "change a record",
     .changes = true,
     .run = cmd_record_edit,
     .args = {{"record", SV_ARG_TEXT, true, true, "record, by name, or by label with --kind"},
              FIELDS(true),
              {"kind", SV_ARG_TEXT, false, false, "its kind"},
              ORG}},
    {.name = "record retract",
     .summary = "mark a record as entered in error, or undo that",
     .changes = true,
     .run = cmd_record_retract,
     .args = {{"record", SV_ARG_TEXT, true, true, "record, by name, or by label with --kind"},
              {"reason", SV_ARG_TEXT, false, false, "why; seen by everybody who sees the record"},
              {"undo", SV_ARG_FLAG, false, false, "it was right after all"},
              {"kind", SV_ARG_TEXT, false, false, "its kind"},
              ORG}},
    {.name = "record list",
     .summary = "list records of a kind",
     .run = cmd_record_list,
     .columns =
         "label:LABEL participant:PARTICIPANT day:DAY state:STATE held:HELD changed:CHANGED record:RECORD",
     .args = {{"kind", SV_ARG_TEXT, true, true, "kind"},
              {"participant", SV_ARG_TEXT, false, false, "only about this participant"},
              {"from", SV_ARG_TEXT, false, false, "first day, 2026-03-01"},
              {"to", SV_ARG_TEXT, false, false, "last day"},
              {"limit", SV_ARG_INT, false, false, "at most so many (default 1000)"},
              {"fields", SV_ARG_FLAG, false, false, "with their values"},
              ORG}},
    {.name = "record show",
     .summary = "show a record: values, places and every op",
     .run = cmd_record_show,
     .columns = "op:OP verdict:VERDICT author:AUTHOR device_time:DEVICE_TIME received:RECEIVED",
     .args = {{"record", SV_ARG_TEXT, true, true, "record, by name, or by label with --kind"},
              {"kind", SV_ARG_TEXT, false, false, "its kind"},
              ORG}},
    {.name = "kind list",
     .summary = "list the kinds, or the fields of one",
     .run = cmd_kind_list,
     .columns = "name:NAME what:SCOPE/TYPE label:LABEL required:REQUIRED allowed:ALLOWED version:VERSION",
     .args = {{"kind", SV_ARG_TEXT, true, false, "kind"}}},
    {.name = "schema check",
     .summary = "check schema files and say exactly what is wrong",
     .run = cmd_schema_check,
     .needs = SV_NEEDS_NOTHING,
     .columns = "file:FILE where:WHERE problem:PROBLEM",
     .args = {{"dir", SV_ARG_PATH, true, false, "folder of schema files (default: the server's)"}}},

    {.name = "held list",
     .summary = "list what is held: who, when, what and why",
     .run = cmd_held_list,
     .text = "A held op is stored but does not count until it is admitted. Its author sees 'needs attention' "
             "with the reason.",
     .columns =
         "op:OP kind:KIND author:AUTHOR device:DEVICE when:WHEN reason:REASON reason_nl:REDEN fields:FIELDS",
     .args = {{"limit", SV_ARG_INT, false, false, "at most so many (default 200)"}, ORG}},
    {.name = "held admit",
     .summary = "let a held op count",
     .changes = true,
     .run = cmd_held_admit,
     .args = {{"op", SV_ARG_TEXT, true, true, "op: its name, SEQ-TAG or tag"},
              {"reason", SV_ARG_TEXT, false, true, "why; goes to the author, so without data of a client"},
              {"by", SV_ARG_TEXT, false, false, "person who decides, by name or record"},
              ORG}},
    {.name = "held dismiss",
     .summary = "decide that a held op does not count (nothing is deleted)",
     .changes = true,
     .run = cmd_held_dismiss,
     .args = {{"op", SV_ARG_TEXT, true, true, "op: its name, SEQ-TAG or tag"},
              {"reason", SV_ARG_TEXT, false, true, "why; goes to the author, so without data of a client"},
              {"by", SV_ARG_TEXT, false, false, "person who decides, by name or record"},
              ORG}},

    {.name = "rights",
     .summary = "show who may do what: role, kind, action",
     .run = cmd_rights,
     .needs = SV_NEEDS_NOTHING,
     .text = "Every line of the table that the server asks for each entry and at each delivery. With --json "
             "also the reason for each kind.",
     .columns = "kind:KIND action:ACTION care_staff:CARE_STAFF project_lead:PROJECT_LEAD expert:EXPERT "
                "org_admin:ORG_ADMIN researcher:RESEARCHER programme_admin:PROGRAMME_ADMIN "
                "privacy_officer:PRIVACY_OFFICER hub:HUB",
     .args = {{"kind", SV_ARG_TEXT, true, false, "only this kind"}}},
    {.name = "status",
     .summary = "show the server and its organisations",
     .run = cmd_status,
     .columns = "organisation:ORGANISATION state:STATE ops:OPS records:RECORDS held:HELD waiting:WAITING "
                "devices:DEVICES used_bytes:BYTES"},
    {.name = "verify",
     .summary = "walk every log, record and index, and say what is wrong",
     .run = cmd_verify,
     .text = "Recomputes the hashes of every writer's branches, checks payloads against their commitments, "
             "tags and signatures, "
             "folds every record again and compares, checks positions and indexes both ways, devices, and "
             "that the keyring is "
             "complete; at the end it reads every stored byte once. The server keeps running: the work is "
             "done in many short "
             "read transactions, each of which compares what belongs together. Ends with status 6 when "
             "something was found.",
     .args = {ORG}},
    {.name = "audit list",
     .summary = "show who saw or changed what: of a client, by a person, in a period",
     .run = cmd_audit_list,
     .text = "In order of time. With --participant: who saw this client. Times are UTC. Looking at the audit "
             "is in "
             "the audit.",
     .example = "overdracht-admin audit list --participant Merel --from 2026-03-01",
     .columns = "line:LINE time:TIME type:TYPE action:ACTION outcome:OUTCOME who:WHO role:ROLE "
                "participant:PARTICIPANT kind:KIND detail:DETAIL",
     .args = {AUDIT_FILTER, {"limit", SV_ARG_INT, false, false, "at most so many lines (default 200)"}, ORG}},
    {.name = "audit export",
     .summary = "every field of the audit's lines, as JSON lines",
     .run = cmd_audit_export,
     .text = "The fields of NEN 7513, with the names that it gives them.",
     .args = {AUDIT_FILTER, ORG}},
    {.name = "audit verify",
     .summary = "walk the audit's chain: nothing altered, left out or put in between",
     .run = cmd_audit_verify,
     .text = "Also part of verify. Ends with status 6 when something is wrong.",
     .args = {ORG}},
    {.name = "audit cut",
     .summary = "remove the audit's lines that are past their term",
     .changes = true,
     .run = cmd_audit_cut,
     .text = "A checkpoint signed by the server says where the chain begins from then on. Nothing younger "
             "than five "
             "years goes.",
     .args = {{"years", SV_ARG_INT, false, true, "how long lines are kept"}, ORG}},
    {.name = "dump",
     .summary = "write every record and op as JSON lines",
     .run = cmd_dump,
     .text = "For people: names are resolved, keys left out. Holds personal data in the clear: --out makes a "
             "file for its owner only.",
     .example = "overdracht-admin dump --organisation Linde --out linde.jsonl",
     .args = {{"no_payload", SV_ARG_FLAG, false, false, "leave values and labels out"},
              {"only", SV_ARG_TEXT, false, false, "ops or records"},
              {"out", SV_ARG_PATH, false, false, "file to make, mode 0600 (default: standard output)"},
              ORG}},
    {.name = "backup",
     .summary = "copy every environment, online and consistent",
     .run = cmd_backup,
     .text = "Writes to a temporary name and renames it when all is on disk; mode 0600. The keyrings and the "
             "master key are not in "
             "it: see backup-keys. With --verify the copy is restored into a scratch folder and verified "
             "there; only then do "
             "tablets hear that their entries are safe.",
     .example = "overdracht-admin backup /srv/backup/2026-03-29 --verify",
     .args = {{"dir", SV_ARG_PATH, true, true, "folder to make"},
              {"verify", SV_ARG_FLAG, false, false,
               "restore it into a scratch folder, verify, and move safe"},
              {"scratch", SV_ARG_PATH, false, false,
               "folder for that, with room for the largest organisation (default: beside DIR)"},
              ORG}},
    {.name = "backup-keys",
     .summary = "copy the keyrings and the master key, apart from the backups",
     .run = cmd_backup_keys,
     .text =
         "Keep this copy on another medium than the backups. It opens with the epoch keys of its time only "
         "(backup-epochs): make "
         "both anew after each erasure and each `key rotate`.",
     .args = {{"dir", SV_ARG_PATH, true, true, "folder to make"},
              {"no_master", SV_ARG_FLAG, false, false, "leave the master key out"}}},
    {.name = "backup-epochs",
     .summary = "copy the epoch keys, apart from backups and keyrings",
     .run = cmd_backup_epochs,
     .text =
         "A keyring opens with the epoch key of its time, and an erasure destroys that key: so older copies "
         "of keyrings open no "
         "more, whoever has them. Without this copy a lost data folder cannot be restored. Keep one only, "
         "and destroy it when "
         "the next is made, after each erasure and each `key rotate`.",
     .args = {{"dir", SV_ARG_PATH, true, true, "folder to make"}}},
    {.name = "restore",
     .summary = "put a backup in place of what is there, or only verify it",
     .changes = true,
     .run = cmd_restore,
     .needs = SV_NEEDS_LOCK,
     .text =
         "Works only while no server runs (--verify works beside one). What was there is moved aside, "
         "not deleted. Keyrings stay "
         "as they are, because an older one would bring back what was erased. The server goes on under a "
         "new writer, tablets "
         "send what the backup lacks, and revocations stay. What was there and can be read still gives its "
         "lines of the audit, its accounts and tokens as they were last, and who had left. One that is cut "
         "short is not "
         "served until it has been run again. --also brings back entries from newer backups, or from what "
         "was "
         "moved aside, as far as they can be read.",
     .example = "overdracht-admin restore /srv/backup/2026-03-22 --also /srv/backup/2026-03-29",
     .columns = "organisation:ORGANISATION brought_back:BROUGHT_BACK unreadable:UNREADABLE devices:DEVICES "
                "revoked:REVOKED "
                "handed_over:HANDED_OVER before:BEFORE",
     .args =
         {{"backup", SV_ARG_PATH, true, true, "folder that `backup` made"},
          {"verify", SV_ARG_FLAG, false, false,
           "restore into a scratch folder only, verify there, and move safe"},
          {"also", SV_ARG_LIST, false, false,
           "a newer backup, or a folder moved aside, to take what it still has; may be given more than once"},
          {"keyring", SV_ARG_PATH, false, false, "folder that backup-keys made, when the keyrings are lost"},
          {"epochs", SV_ARG_PATH, false, false,
           "folder that backup-epochs made, when the epoch keys are lost"},
          {"scratch", SV_ARG_PATH, false, false, "folder for --verify"},
          {"no_check", SV_ARG_FLAG, false, false, "do not verify what was restored"},
          {"organisation", SV_ARG_TEXT, false, false,
           "only this organisation (by name or id), or programme"}}},
    {.name = "release make",
     .summary = "release the figures of a closed month, or find what was released of it",
     .changes = true,
     .run = cmd_release_make,
     .text = "A month is closed 14 days after its end. What was released never changes: late entries and "
             "erasures "
             "come too late for it, and asking again gives the same. A month without enough people is "
             "released too, "
             "with every cell hidden.",
     .example = "overdracht-admin release make 2026-02",
     .columns = "what:WHAT cells:CELLS told:TOLD percent:% simulated_percent:SIMULATED",
     .args =
         {{"month", SV_ARG_TEXT, true, true, "month, 2026-02"},
          {"breakdown", SV_ARG_LIST, false, false,
           "network (default) or network_type, beside all networks together; may be given more than once"}}},
    {.name = "release list",
     .summary = "list the releases",
     .run = cmd_release_list,
     .columns = "release:RELEASE month:MONTH made:MADE cells:CELLS told:TOLD hash:HASH"},
    {.name = "release show",
     .summary = "show the cells of a release",
     .run = cmd_release_show,
     .columns =
         "cell:CELL state:STATE clients:CLIENTS organisations:ORGANISATIONS value:VALUE unit:UNIT sd:SD "
         "baseline:BASELINE follow_up:FOLLOW_UP",
     .args = {{"release", SV_ARG_TEXT, true, false, "release (default: the newest)"},
              {"measure", SV_ARG_TEXT, false, false, "only this measure, as in the codebook"},
              {"all", SV_ARG_FLAG, false, false, "hidden cells too"}}},
    {.name = "release shares",
     .summary = "how much of a release is told, beside a simulation of such a programme",
     .run = cmd_release_shares,
     .columns = "what:WHAT cells:CELLS told:TOLD percent:% simulated_percent:SIMULATED",
     .args = {{"release", SV_ARG_TEXT, true, false, "release (default: the newest)"}}},
    {.name = "release explain",
     .summary = "why a cell is hidden, in words",
     .run = cmd_release_explain,
     .text = "Researchers and the page only learn that a cell is hidden: the rule that hid it says something "
             "about "
             "the people in it, so it is for the programme's administrator.",
     .example = "overdracht-admin release explain \"sleep_se:1@network 3\"",
     .args = {{"cell", SV_ARG_TEXT, true, true, "cell, as release show --all writes it"},
              {"release", SV_ARG_TEXT, false, false, "release (default: the newest)"}}},
    {.name = "release page",
     .summary = "write what the network page shows, as JSON",
     .run = cmd_release_page,
     .text = "Figures from the ledger, barriers, stories, lessons and experts. At most 100 kB.",
     .args = {{"network", SV_ARG_INT, false, false, "number of the theme network (default: all together)"},
              {"release", SV_ARG_TEXT, false, false, "as of this release (default: the newest)"},
              {"out", SV_ARG_PATH, false, true, "file to make"}}},
    {.name = "release recount",
     .summary = "make every sum again from the records and compare",
     .changes = true,
     .run = cmd_release_recount,
     .text = "Sums what is due first. Exit status 6 when a kept sum is not that of its records.",
     .columns = "participant:PARTICIPANT month:MONTH family:FAMILY"},
    {.name = "release p-rule",
     .summary = "set p of the p %-rule for totals",
     .changes = true,
     .run = cmd_release_p,
     .text = "A total is hidden when the largest contributor could be estimated to within p percent by the "
             "second "
             "largest. Keep p to yourself.",
     .args = {{"percent", SV_ARG_INT, true, true, "p, 1 to 100 (10 until it is set)"}}},
    {.name = "export",
     .summary = "write a file of a release",
     .run = cmd_export,
     .text = "The same bytes that researchers fetch. Datasets: sleep, sleep_check, day_structure, "
             "social_contact, "
             "tech_use, goal, remote_care, paired (csv, sav for SPSS, dta for Stata), codebook (csv, html), "
             "datapackage (json). In CSV, text that a spreadsheet would take for a formula has a quote "
             "before it.",
     .example = "overdracht-admin export 2026-02 sleep --format sav --out sleep.sav",
     .args = {{"release", SV_ARG_TEXT, true, true, "release, 2026-02"},
              {"dataset", SV_ARG_TEXT, true, true, "dataset"},
              {"format", SV_ARG_TEXT, false, false, "csv (default), sav, dta, html or json"},
              {"out", SV_ARG_PATH, false, true, "file to make"}}},
    {.name = "erase",
     .summary = "erase a participant, now and for good (AVG art. 17)",
     .changes = true,
     .run = cmd_erase,
     .text =
         "Destroys the keys of everything about them, takes their records out of every list, and tells "
         "every tablet to "
         "purge. Headers and commitments of the entries stay, so that the logs still verify. Older backups "
         "cannot bring the person "
         "back. There is no way back: --dry-run shows what would go.",
     .example = "overdracht-admin erase Merel --reason \"request of 3 March\" --dry-run",
     .columns = "kind:KIND records:RECORDS entries:ENTRIES",
     .args = {{"participant", SV_ARG_TEXT, true, true, "participant, by label or record"},
              {"reason", SV_ARG_TEXT, false, true,
               "why; kept sealed in the store and shown by erasure show, so without a name"},
              {"dry_run", SV_ARG_FLAG, false, false, "show what would be erased, and erase nothing"},
              ORG}},
    {.name = "erasure list",
     .summary = "list erasures and how far each is",
     .run = cmd_erasure_list,
     .columns = "participant:PARTICIPANT at:AT ground:GROUND holders:HOLDERS purged:PURGED waiting:WAITING "
                "revoked:REVOKED",
     .args = {ORG}},
    {.name = "erasure show",
     .summary = "show which tablets have purged, when, and which have not been seen",
     .run = cmd_erasure_show,
     .columns = "device:DEVICE state:STATE purged_at:PURGED_AT entries:ENTRIES records:RECORDS "
                "last_seen:LAST_SEEN",
     .args = {{"participant", SV_ARG_TEXT, true, true, "erased participant: the record, or a start of it"},
              ORG}},
    {.name = "retention set",
     .summary = "set how long an organisation keeps what it has",
     .changes = true,
     .run = cmd_retention_set,
     .text =
         "The term runs from the last change of anything about a participant; then all of it is erased. "
         "Defaults: 20 years "
         "for a dossier (Wgbo), 5 for trial_only. What holds for an organisation is for a jurist to review.",
     .args = {{"class", SV_ARG_TEXT, false, false, "dossier or trial_only"},
              {"years", SV_ARG_INT, false, false, "1 to 30"},
              ORG}},
    {.name = "retention show",
     .summary = "show the retention terms",
     .run = cmd_retention_show,
     .columns = "organisation:ORGANISATION class:CLASS years:YEARS set:SET",
     .args = {ORG}},
    {.name = "retention run",
     .summary = "erase the participants whose term is over",
     .changes = true,
     .run = cmd_retention_run,
     .text = "A server does this by itself once a day, for organisations that have set their term "
             "(--set-only), but "
             "not where its clock may be wrong: where the audit has no line of more than a year. At most 20 "
             "participants of an organisation are erased in one run, and it says how many are left.",
     .columns = "organisation:ORGANISATION participant:PARTICIPANT last_change:LAST_CHANGE result:RESULT",
     .args = {{"dry_run", SV_ARG_FLAG, false, false, "list them, and erase nothing"},
              {"set_only", SV_ARG_FLAG, false, false, "only organisations that have set their term"},
              ORG}},
    {.name = "key rotate",
     .summary = "new epoch keys for the keyrings, and a new master key if asked",
     .changes = true,
     .run = cmd_key_rotate,
     .text =
         "Online or offline. With --master the next key is written beside the present one, every keyring is "
         "put under it, and it "
         "takes the present one's place; a run that was cut short is finished by the next one. The keys that "
         "the data are sealed "
         "under stay: what leaked with a keyring that could be opened is not mended by this.",
     .columns = "organisation:ORGANISATION epoch:EPOCH",
     .args = {{"master", SV_ARG_FLAG, false, false, "a new master key as well"}, ORG}},
    {.name = "key info",
     .summary = "show fingerprints and epochs (no secrets)",
     .run = cmd_key_info,
     .columns = "organisation:ORGANISATION fingerprint:FINGERPRINT epoch:EPOCH server_writer:SERVER_WRITER"},
};

const sv_admin_command *sv_admin_command_at(unsigned i) {
  return i < sizeof commands / sizeof commands[0] ? &commands[i] : NULL;
}

const sv_admin_command *sv_admin_command_find(const char *name) {
  for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    if (!strcmp(commands[i].name, name)) return &commands[i];
  }
  return NULL;
}
