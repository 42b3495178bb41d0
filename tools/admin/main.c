/* overdracht-admin. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "sv_json.h"

volatile sig_atomic_t cli_interrupted;

static void on_interrupt(int sig) {
  (void)sig;
  cli_interrupted = 1;
}

int cli_ask(cli *c, json_t *request, json_t **reply) {
  char *text = sv_json_text(request, JSON_COMPACT);
  *reply = NULL;
  if (!text) return show_error(c, OV_E_NOMEM, "out of memory", "");
  int err = c->cmd->needs == SV_NEEDS_NOTHING ? OV_E_NOTFOUND : remote_ask(c, text, reply);
  if (err == OV_E_NOTFOUND && !*reply) err = offline_ask(c, text, reply);
  free(text);
  show_progress_end(c);
  if (cli_interrupted || err == OV_E_CANCELLED) return EXIT_INTERRUPTED;
  return err ? exit_status(ov_err_slug(err)) : EXIT_OK;
}

/* For its owner only, and never over something that is there: a dump is personal data. */
static int open_items(cli *c) {
  if (!c->out_path) return 0;
  int fd = open(c->out_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  c->items = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (c->items) return 0;
  return show_error(c, errno == EEXIST ? OV_E_EXISTS : OV_E_IO, strerror(errno), c->out_path);
}

static int close_items(cli *c, int status) {
  if (!c->items) return status;
  bool bad = ferror(c->items) || fflush(c->items) || fsync(fileno(c->items));
  if (fclose(c->items) || bad)
    return show_error(c, OV_E_IO, "the file could not be written whole", c->out_path);
  return status;
}

int main(int argc, char **argv) {
  cli c = {0};
  struct sigaction sa = {.sa_handler = on_interrupt};
  setlocale(LC_CTYPE, "");
  umask(077);
  sigaction(SIGINT, &sa, NULL);
  sigaction(SIGTERM, &sa, NULL);
  signal(SIGPIPE, SIG_IGN);
  int status = cli_parse(&c, argc, argv);
  json_t *reply = NULL;
  if (!status) {
    status = c.table_path ? import_table(&c) : open_items(&c);
    if (!status && !c.table_path) {
      status = cli_ask(&c, c.request, &reply);
      if (reply && status == EXIT_OK) status = show_reply(&c, reply);
      if (reply && status == EXIT_OK) status = show_qr(&c, reply);
      if (status == EXIT_INTERRUPTED) fputs("overdracht-admin: interrupted\n", stderr);
      status = close_items(&c, status);
    }
  } else {
    status--;
  }
  json_decref(reply);
  json_decref(c.request);
  free((char *)c.out_path);
  free((char *)c.png_path);
  return fflush(stdout) ? EXIT_DISK : status;
}
