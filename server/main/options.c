#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

static const char help[] =
    "overdrachtd — offline sync server for care records\n"
    "\n"
    "Usage: overdrachtd --data DIR [options]\n"
    "\n"
    "Keeps one replica per care organisation and syncs tablets over WebSocket (path /sync, subprotocol "
    "overdracht.1).\n"
    "\n"
    "Data\n"
    "  -d, --data DIR          data folder: stores, keyrings, lock, administration socket (required)\n"
    "      --init              make the data folder if it does not exist yet\n"
    "      --schema DIR        folder of schema files (default: " OV_SCHEMA_DIR ")\n"
    "      --master-key FILE   32-byte key that opens the keyrings, mode 0600 (default: DIR/master.key).\n"
    "                          Keep a copy apart from the backups: without it nothing can be read.\n"
    "\n"
    "Network\n"
    "  -a, --address ADDR      address to listen on (default 127.0.0.1)\n"
    "  -p, --port PORT         port (default 7420; 0: any free one)\n"
    "      --cert FILE         TLS certificate chain, PEM; with --key. Without them: plain, loopback "
    "addresses only\n"
    "      --key FILE          its private key, PEM\n"
    "  -n, --name HOST         host name that devices use; may be given more than once (default: localhost, "
    "127.0.0.1)\n"
    "      --origin URL        web origin that may connect, e.g. https://sync.example.nl; may be given more "
    "than once\n"
    "      --web DIR           folder of the built web app; its files are read at start and served at / "
    "(without "
    "it: no app)\n"
    "      --local-port PORT   health (/health) and Prometheus metrics (/metrics) on 127.0.0.1 (default "
    "7421; 0: any; off)\n"
    "      --port-file FILE    write `port=N` and `local_port=N` here once listening\n"
    "\n"
    "Other\n"
    "      --workers N         threads that commit, one organisation each at a time (default 2)\n"
    "      --log LEVEL         debug, info, warn or error (default info); lines in logfmt on stderr, without "
    "payloads\n"
    "  -h, --help              this text\n"
    "      --version           version\n"
    "\n"
    "Signals: SIGTERM and SIGINT stop gracefully (what was taken is committed and answered, clients get "
    "1001); SIGHUP reads\n"
    "the certificate again. Exit status: 0 stopped, 1 could not start or failed, 2 wrong use.\n"
    "\n"
    "Administration: overdracht-admin --data DIR (works beside the running server).\n";

enum {
  OPT_SCHEMA = 256,
  OPT_MASTER,
  OPT_CERT,
  OPT_KEY,
  OPT_ORIGIN,
  OPT_LOCAL,
  OPT_PORT_FILE,
  OPT_WORKERS,
  OPT_LOG,
  OPT_VERSION,
  OPT_INIT,
  OPT_WEB
};

static const struct option longs[] = {{"data", 1, 0, 'd'},
                                      {"init", 0, 0, OPT_INIT},
                                      {"schema", 1, 0, OPT_SCHEMA},
                                      {"master-key", 1, 0, OPT_MASTER},
                                      {"address", 1, 0, 'a'},
                                      {"port", 1, 0, 'p'},
                                      {"cert", 1, 0, OPT_CERT},
                                      {"key", 1, 0, OPT_KEY},
                                      {"name", 1, 0, 'n'},
                                      {"origin", 1, 0, OPT_ORIGIN},
                                      {"web", 1, 0, OPT_WEB},
                                      {"local-port", 1, 0, OPT_LOCAL},
                                      {"port-file", 1, 0, OPT_PORT_FILE},
                                      {"workers", 1, 0, OPT_WORKERS},
                                      {"log", 1, 0, OPT_LOG},
                                      {"help", 0, 0, 'h'},
                                      {"version", 0, 0, OPT_VERSION},
                                      {0, 0, 0, 0}};

/* A whole number in range, or -1 after telling. */
static int number(const char *name, const char *text, long lo, long hi) {
  char *end = NULL;
  long v = strtol(text, &end, 10);
  if (*text && !*end && v >= lo && v <= hi) return (int)v;
  fprintf(stderr, "overdrachtd: --%s takes a whole number from %ld to %ld, not \"%s\"\n", name, lo, hi, text);
  return -1;
}

static int level(const char *text) {
  static const char *const names[] = {"debug", "info", "warn", "error"};
  for (int i = 0; i < 4; i++) {
    if (!strcmp(text, names[i])) return i;
  }
  fprintf(stderr, "overdrachtd: --log takes debug, info, warn or error, not \"%s\"\n", text);
  return -1;
}

static bool add(const char **list, unsigned *n, const char *what, const char *v) {
  if (*n == NAMES_MAX) fprintf(stderr, "overdrachtd: at most %u times --%s\n", NAMES_MAX, what);
  else list[(*n)++] = v;
  return list[*n - 1] == v;
}

/* As devices sign it. PROTO-36 */
static const char *in_lower_case(char *host) {
  for (char *p = host; *p; p++) *p = (char)tolower((unsigned char)*p);
  return host;
}

/* One option; false after telling what is wrong. */
static bool take(options *o, int c, char *v) {
  int n = 0;
  switch (c) {
  case 'd': o->data = v; break;
  case 'a': o->address = v; break;
  case 'p': n = o->port = number("port", v, 0, 65535); break;
  case 'n': return add(o->names, &o->n_names, "name", in_lower_case(v));
  case OPT_INIT: o->create = true; break;
  case OPT_SCHEMA: o->schema_dir = v; break;
  case OPT_MASTER: o->master_key = v; break;
  case OPT_CERT: o->cert = v; break;
  case OPT_KEY: o->key = v; break;
  case OPT_ORIGIN: return add(o->origins, &o->n_origins, "origin", v);
  case OPT_WEB: o->web = v; break;
  case OPT_LOCAL:
    if (!strcmp(v, "off")) o->local_port = -1;
    else n = o->local_port = number("local-port", v, 0, 65535);
    break;
  case OPT_PORT_FILE: o->port_file = v; break;
  case OPT_WORKERS:
    n = number("workers", v, 1, 16);
    o->workers = (unsigned)n;
    break;
  case OPT_LOG: n = o->log_level = level(v); break;
  default: return false;
  }
  return n >= 0;
}

static bool consistent(options *o) {
  if (!o->data) fputs("overdrachtd: --data DIR is missing; see --help\n", stderr);
  else if (!o->cert != !o->key) fputs("overdrachtd: --cert and --key go together\n", stderr);
  else return true;
  return false;
}

int options_read(options *o, int argc, char **argv) {
  *o = (options){.address = "127.0.0.1",
                 .port = 7420,
                 .local_port = 7421,
                 .schema_dir = OV_SCHEMA_DIR,
                 .workers = 2,
                 .log_level = SV_LOG_INFO};
  int c;
  while ((c = getopt_long(argc, argv, "d:a:p:n:h", longs, NULL)) != -1) {
    if (c == 'h') {
      fputs(help, stdout);
      return 1;
    }
    if (c == OPT_VERSION) {
      puts("overdrachtd " OV_VERSION);
      return 1;
    }
    if (!take(o, c, optarg)) return 2;
  }
  if (optind < argc) {
    fprintf(stderr, "overdrachtd: \"%s\" is not an option; see --help\n", argv[optind]);
    return 2;
  }
  if (!consistent(o)) return 2;
  if (!o->n_names) {
    o->names[0] = "localhost";
    o->names[1] = "127.0.0.1";
    o->n_names = 2;
  }
  return 0;
}
