/* The table of all that is served over HTTP: pages of the daemon, then the web app. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

static bool add(daemon_state *d, const sv_net_route *routes, size_t n) {
  sv_net_route *all = realloc(d->routes, (d->routes_n + n) * sizeof *all);
  if (!all) return false;
  memcpy(all + d->routes_n, routes, n * sizeof *all);
  d->routes = all;
  d->routes_n += n;
  return true;
}

static bool add_web_app(daemon_state *d) {
  char why[256];
  size_t n;
  if (!d->o.web) return true;
  if (sv_web_files_load(&d->web_files, d->o.web, why)) {
    fprintf(stderr, "overdrachtd: cannot serve the web app in %s: %s\n", d->o.web, why);
    return false;
  }
  const sv_net_route *routes = sv_web_files_routes(d->web_files, &n);
  return add(d, routes, n);
}

bool routes_make(daemon_state *d) {
  const sv_net_route *pages;
  size_t n = pages_routes(&pages);
  if (!add(d, pages, n)) return false;
  pages = sv_web_routes(d->web, &n);
  return add(d, pages, n) && add_web_app(d);
}

void routes_free(daemon_state *d) {
  free(d->routes);
  d->routes = NULL;
  d->routes_n = 0;
  sv_web_files_free(d->web_files);
  d->web_files = NULL;
}
