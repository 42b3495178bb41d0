/* Help texts, one a command. */
#include <string.h>

#include "cli.h"

static const char general[] =
    "overdracht: logs of care on a device that is often offline, synced with a server after the shift\n"
    "\n"
    "Usage: overdracht [options] COMMAND [arguments]\n"
    "\n"
    "Getting started\n"
    "  enrol URL CODE          make this store a device of an organisation, with a one-time code\n"
    "  sync                    send what is new here and receive what is new there\n"
    "  author NAME             who writes here, unless an entry says otherwise\n"
    "\n"
    "Writing (works offline; on disk when the command returns)\n"
    "  add KIND FIELD=VALUE... a new entry\n"
    "  edit RECORD FIELD=...   change fields of an entry\n"
    "  retract RECORD          mark an entry as entered in error\n"
    "  resolve RECORD FIELD V  settle a field that two people wrote differently\n"
    "  import FILE --map MAP   entries from a sensor's or diary's file\n"
    "\n"
    "Reading\n"
    "  list [KIND]             entries by kind, client and day\n"
    "  show RECORD             one entry: every value, who wrote it, and when\n"
    "  conflicts               what has to be settled\n"
    "  clients, people         who is here\n"
    "  kinds [KIND]            what can be written, and with which values\n"
    "  status                  what is only here, on the server, safe; what needs attention\n"
    "\n"
    "Care of the store\n"
    "  export-unsent           entries that no server has, as JSON: the last resort\n"
    "  verify                  check the log's chain and every record\n"
    "  completion bash|zsh     script for the shell\n"
    "\n"
    "Options, before or after the command\n"
    "  -s, --store DIR   folder of the store (default: $OVERDRACHT_STORE, else ~/.local/share/overdracht)\n"
    "      --author WHO  who writes: name or id of a person (default: $OVERDRACHT_AUTHOR, else `overdracht "
    "author`)\n"
    "      --zone ZONE   zone in which times are read and shown, e.g. Europe/Amsterdam (default: $TZ, else "
    "the organisation's)\n"
    "      --lang nl|en  language of labels and values shown (default: en)\n"
    "      --json        JSON instead of text: one object, or one a line in lists\n"
    "  -q, --quiet       say only what was asked for, and errors\n"
    "  -h, --help        this text, or a command's\n"
    "      --version     version\n"
    "\n"
    "A RECORD is named by its id, or by the last part of it that lists show (3f9a1c22), or any start of that "
    "with four digits or more.\n"
    "\n"
    "Exit status\n"
    "   0  done\n"
    "   1  done, but something was left out\n"
    "   2  the command line is wrong\n"
    "   3  a value is not right\n"
    "   4  no such record, field or person\n"
    "   5  the store cannot be read or written\n"
    "   6  another program has it open\n"
    "   7  no room\n"
    "   8  no connection\n"
    "   9  the server refuses\n"
    "  10  the server is busy\n"
    "  11  cancelled\n"
    "  12  not enrolled (or already)\n"
    "  13  a conflict has to be settled first\n"
    "  14  out of memory\n"
    "  15  internal error\n"
    "  16  too long without a sync: locked until then\n"
    "  17  strictly protected: shows nothing without its server\n"
    "\n"
    "More: overdracht COMMAND --help, man overdracht\n";

static const struct {
  const char *name, *text;
} commands[] = {
    {"enrol",
     "Usage: overdracht enrol URL CODE [--name NAME] [--ca FILE]\n"
     "\n"
     "Makes the store, if need be, and makes it a device: a key pair is made here, the code is shown to the "
     "server, and what it answers is kept.\n"
     "An administrator gives the code (letters and digits; dashes and case do not matter). It works once, "
     "for 15 minutes.\n"
     "\n"
     "URL is wss://HOST[:PORT][/PATH], the path being /sync when there is none; ws:// works on this machine "
     "only.\n"
     "\n"
     "  --name NAME   what administrators see of this device (default: the host's name; at most 64 bytes)\n"
     "  --ca FILE     certificate (PEM) of the organisation's own authority; remembered for later syncs\n"
     "\n"
     "Example: overdracht enrol wss://sync.example.nl ABCD-EFGH-JKMN --name \"tablet 3\"\n"},
    {"add",
     "Usage: overdracht add KIND FIELD=VALUE... [--client CLIENT] [--author WHO] [--team TEAM]\n"
     "\n"
     "Writes a new entry and prints its id. What is still missing is said on stderr; an incomplete entry is "
     "an entry all the same.\n"
     "client=..., author=... and team=... may stand among the fields, unless the kind has a field of that "
     "name.\n"
     "\n"
     "Values are written as people write them:\n"
     "  numbers       18, or 18 min where the field counts minutes\n"
     "  codes         the number or the label in either language: quality=4, quality=goed, quality=good\n"
     "  sets          with commas: disturbance=geluid,pijn\n"
     "  yes or no     1, yes, ja; 0, no, nee\n"
     "  dates         2026-03-28, 28-3-2026, today, yesterday\n"
     "  times         \"2026-03-28 23:05\", \"28-3-2026 23:05\", \"yesterday 23:05\", "
     "2026-03-28T23:05:00+01:00, now. An hour that the clocks skip or "
     "show twice is refused with what to write instead\n"
     "  references    the name of the other record, or its id: project=\"Rust in huis\"\n"
     "  missing       -98 or \"not asked\", -99 or \"unknown\", where the field allows it\n"
     "\n"
     "  --client CLIENT   whom it is about: display label, pseudonym or id\n"
     "  --team TEAM       which team, for what is not about a client, when this device is in several\n"
     "\n"
     "Example: overdracht add sleep_check --client Anna checked_at=now state=slaapt\n"},
    {"edit", "Usage: overdracht edit RECORD FIELD=VALUE...\n"
             "\n"
             "Changes fields of an entry: the new values take the place of those that stand here now. Values "
             "that a colleague writes meanwhile on another\n"
             "device are not lost: they show as a conflict. FIELD= clears a field. Prints the id.\n"
             "\n"
             "In a set, codes are added and deleted one by one: disturbance=pijn adds, disturbance=!pijn "
             "deletes, disturbance==1,3 leaves exactly these.\n"
             "\n"
             "A field in conflict is not edited but resolved (exit status 13).\n"
             "\n"
             "Example: overdracht edit 3f9a1c22 quality=goed out_of_bed_at=\"2026-03-29 07:40\"\n"},
    {"retract", "Usage: overdracht retract RECORD --reason TEXT\n"
                "       overdracht retract RECORD --undo\n"
                "\n"
                "Marks an entry as entered in error. It stays, with the reason, and lists leave it out (list "
                "--retracted shows it). --undo takes that back.\n"
                "If somebody else changed the entry without knowing, it becomes a conflict: overdracht "
                "resolve RECORD retraction yes|no.\n"
                "\n"
                "Example: overdracht retract 3f9a1c22 --reason \"wrong client\"\n"},
    {"list", "Usage: overdracht list [KIND] [--client CLIENT] [--from DAY] [--to DAY] [--unsent] "
             "[--attention] [--retracted] [--max N]\n"
             "\n"
             "Entries in order of day. Without a KIND: all kinds of logs. Columns: short id, day, kind, "
             "client, where it is (on device, on server, safe),\n"
             "marks (conflict, attention, retracted, double), values.\n"
             "\n"
             "  --client CLIENT   of this client only: display label, pseudonym or id\n"
             "  --from DAY        2026-03-28, 28-3-2026, today, yesterday, or 7d for seven days ago; both "
             "days are included\n"
             "  --to DAY\n"
             "  --unsent          only what is on this device alone\n"
             "  --attention       only what the server held or refused\n"
             "  --retracted       also what was entered in error\n"
             "  --max N           at most N (default 1000); when there are more, exit status 1\n"
             "\n"
             "Example: overdracht list sleep --client Anna --from 7d\n"},
    {"show", "Usage: overdracht show RECORD\n"
             "\n"
             "Every value of one record, with who wrote it and when (corrected for the writer's clock). "
             "Values in conflict are marked with '!', the one\n"
             "shown elsewhere first. Also: where the entry is, what is missing, why it needs attention, and "
             "whether it may be a double.\n"},
    {"conflicts", "Usage: overdracht conflicts\n"
                  "\n"
                  "Records in which two people wrote something different, with all the values. Settle each "
                  "with overdracht resolve.\n"},
    {"resolve", "Usage: overdracht resolve RECORD FIELD VALUE\n"
                "\n"
                "Settles a field in conflict with a value: one of those shown, or another. For a set, name "
                "the code (it is there) or !code (it is not).\n"
                "FIELD `retraction` takes yes (entered in error) or no (it stands). Prints the id.\n"
                "\n"
                "Example: overdracht resolve 3f9a1c22 quality goed\n"},
    {"status", "Usage: overdracht status\n"
               "\n"
               "How many entries are on this device only, on the server, and safe (in a verified backup or "
               "on a second server). `everything was sent` stands\n"
               "there only after the server has confirmed it with its signature. Who looked at whom is for "
               "the audit, and counted apart (looks).\n"
               "Also what needs attention, conflicts, the last sync, and what is the matter with clock or "
               "log.\n"},
    {"sync", "Usage: overdracht sync [--live] [--once] [--again] [--wait SECONDS] [--ca FILE]\n"
             "\n"
             "Sends what is new here and receives what is new there. When the connection fails or the server "
             "is busy it tries again, at growing intervals,\n"
             "for up to a minute. Ctrl-C stops at once; nothing is lost, and the next sync goes on where "
             "this one was.\n"
             "\n"
             "  --live           stay connected and follow what others write, until Ctrl-C\n"
             "  --once           do not try again\n"
             "  --again          offer everything that was ever written here once more: on an old copy of a "
             "device, after the server was put back to an older backup\n"
             "  --wait SECONDS   try for this long (default 60; with --live without end)\n"
             "  --ca FILE        certificate (PEM) of the organisation's own authority\n"},
    {"import",
     "Usage: overdracht import FILE --map MAP [--dry-run] [--client CLIENT] [--set FIELD=VALUE]... [--author "
     "WHO]\n"
     "\n"
     "Makes entries of the rows of a table (CSV and its kin; FILE - is standard input). MAP says which "
     "column is which field. Rows that cannot be\n"
     "used are listed with their line and reason and change nothing: mend the file and import it again.\n"
     "\n"
     "Nothing is made twice, however often a file is imported. When the source has corrected a row, an edit "
     "replaces what the import wrote and\n"
     "leaves what people wrote since.\n"
     "\n"
     "  --map MAP            the map; some are delivered with the program\n"
     "  --dry-run            say what would be made, and make nothing\n"
     "  --client CLIENT      for maps that take the client from the command line\n"
     "  --set FIELD=VALUE    the same value in every row, e.g. --set project=\"Rust in huis\"; may be given "
     "several times\n"
     "\n"
     "Exit status 1: some rows were not imported.\n"
     "\n"
     "Example: overdracht import nights.csv --map consensus_sleep_diary.map --dry-run\n"},
    {"export-unsent", "Usage: overdracht export-unsent > FILE\n"
                      "\n"
                      "Entries that no server has, and those that the server held or refused, as JSON with "
                      "labels: the last resort for a device that cannot sync.\n"
                      "The file is readable by anybody who gets it: it holds care records.\n"},
    {"people", "Usage: overdracht people\n"
               "\n"
               "People who may be an author here.\n"},
    {"clients", "Usage: overdracht clients\n"
                "\n"
                "Clients of this device's teams.\n"},
    {"kinds", "Usage: overdracht kinds [KIND] [--plain]\n"
              "\n"
              "Kinds of records; with a KIND its fields with their types, ranges and codes. --plain: names "
              "only, one a line.\n"},
    {"author", "Usage: overdracht author [NAME]\n"
               "\n"
               "Sets who writes here unless --author or $OVERDRACHT_AUTHOR says otherwise; without NAME says "
               "who that is. An empty NAME (\"\") removes it.\n"},
    {"verify", "Usage: overdracht verify\n"
               "\n"
               "Walks this device's log, hash by hash, and reads every record. Exit status 5 when something "
               "is damaged, with what and where.\n"},
    {"completion",
     "Usage: overdracht completion bash|zsh\n"
     "\n"
     "Prints the completion script for a shell.\n"
     "\n"
     "  bash: overdracht completion bash > ~/.local/share/bash-completion/completions/overdracht\n"
     "  zsh:  overdracht completion zsh > a folder of $fpath, as _overdracht\n"},
};

#define WIDTH 80

/* Where a line goes on that is too long: under its text when it is a row of a table, else under its first
 * word. */
static size_t hang(const char *line, size_t n) {
  size_t start = strspn(line, " "), i = start;
  if (!strncmp(line, "Usage: ", 7)) return 7 + 4;
  for (; start && i + 2 < n; i++) {
    if (line[i] == ' ' && line[i + 1] == ' ') return i + strspn(line + i, " ");
  }
  return start;
}

/* Writes words from column `at` on, going on at column `under`; returns the column behind them. */
static size_t put_words(FILE *f, const char *p, size_t n, size_t at, size_t under) {
  while (n) {
    size_t word = strcspn(p, " \n"), spaces = strspn(p + word, " ");
    if (word > n) word = n;
    if (at > under && at + word > WIDTH) {
      fprintf(f, "\n%*s", (int)under, "");
      at = under;
    }
    fwrite(p, 1, word, f);
    at += word;
    if (word + spaces >= n) break;
    /* a gap at the end of a line would be spaces that nobody sees */
    size_t next = strcspn(p + word + spaces, " \n");
    if (at + spaces + next <= WIDTH) at += (size_t)fprintf(f, "%*s", (int)spaces, "");
    else at = WIDTH;
    p += word + spaces;
    n -= word + spaces;
  }
  return at;
}

/* Lines from the margin that follow each other are one paragraph; others stand for themselves. */
static void put_text(FILE *f, const char *text) {
  for (size_t at = 0; *text;) {
    size_t n = strcspn(text, "\n");
    size_t indent = strspn(text, " ");
    if (at) at += (size_t)fprintf(f, " ");
    else fprintf(f, "%*s", (int)indent, "");
    at = put_words(f, text + (at ? 0 : indent), n - (at ? 0 : indent), at ? at : indent, hang(text, n));
    text += n + 1;
    if (*text == ' ' || *text == '\n' || !n || !*text) {
      fputc('\n', f);
      at = 0;
    }
  }
}

void cli_help(FILE *f, const char *command) {
  for (size_t i = 0; command && i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(commands[i].name, command)) continue;
    put_text(f, commands[i].text);
    fputs("\nGlobal options and exit status: overdracht --help\n", f);
    return;
  }
  put_text(f, general);
}
