/* A restore that is cut short, by a crash or by who asked for it, leaves a mark in what it put in place: a
 * server does not open that, since it may lack what is brought back last (that a device was revoked, the
 * audit), and goes on under a new writer only after it. Run again, the restore begins anew, and takes as what
 * was there before what the first try moved aside. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "restore.h"

#define MARK "/" SV_ORG_UNFINISHED

int restore_mark(adm *m, const char *env, const char *backup) {
  char path[PATH_MAX_BYTES], text[PATH_MAX_BYTES + 80];
  if (!files_join(m, path, env, SV_ORG_UNFINISHED)) return m->err;
  snprintf(text, sizeof text, "a restore of %.1100s was cut short: run it again\n", backup);
  return files_write(m, path, text);
}

int restore_unmark(adm *m, const char *env) {
  char path[PATH_MAX_BYTES];
  if (!files_join(m, path, env, SV_ORG_UNFINISHED)) return m->err;
  if (unlink(path) && errno != ENOENT)
    return adm_fail(m, OV_E_IO, "remove it by hand", "cannot remove %s: %s", path, strerror(errno));
  return files_sync_folder(m, env);
}

bool restore_is_marked(const char *env) {
  char path[PATH_MAX_BYTES];
  int n = snprintf(path, sizeof path, "%s%s", env, MARK);
  return n > 0 && (size_t)n < sizeof path && files_exist(path);
}

/* Names carry the time, so that the last by name is the last that was moved. */
bool restore_latest_aside(const char *env, char out[PATH_MAX_BYTES]) {
  char folder[PATH_MAX_BYTES], prefix[PATH_MAX_BYTES], best[256] = "";
  const char *slash = strrchr(env, '/');
  int n = slash ? snprintf(folder, sizeof folder, "%.*s", (int)(slash - env), env) : -1,
      k = slash ? snprintf(prefix, sizeof prefix, "%.200s" SV_ORG_ASIDE, slash + 1) : -1;
  DIR *d = n > 0 && k > 0 && n < PATH_MAX_BYTES ? opendir(folder) : NULL;
  for (struct dirent *e; d && (e = readdir(d));) {
    if (!strncmp(e->d_name, prefix, (size_t)k) && strcmp(e->d_name, best) > 0)
      snprintf(best, sizeof best, "%s", e->d_name);
  }
  if (d) closedir(d);
  n = snprintf(out, PATH_MAX_BYTES, "%.1000s/%s", folder, best);
  return *best && n > 0 && n < PATH_MAX_BYTES;
}
