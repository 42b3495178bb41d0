/* The built web app, read once at start into a table of routes: what is not in the table does not exist, and
 * no request ever reaches the file system.
 *
 * Taken are regular files (no links, no names that begin with a dot) with a name of letters, digits and ._-
 * and a known extension; another one stops the start with its name. `x.js.gz` beside `x.js` is its compressed
 * body; without one, text is compressed at start. `/index.html` is also `/`.
 *
 * Caching: a name that carries its content's hash (NAME-HASH.EXT, HASH being 8 or more capital letters and
 * digits, or hex digits with at least one figure) is kept for ever; everything else is asked about each time
 * by its entity tag, so that a new app is seen at once. */
#ifndef SV_WEB_FILES_H
#define SV_WEB_FILES_H

#include "sv_net.h"

/* A build has some tens of files and half a megabyte. More is a wrong folder, e.g. a home. */
#define SV_WEB_FILES_MAX 500u
#define SV_WEB_FILES_BYTES_MAX (32u << 20)
#define SV_WEB_FILES_DEPTH_MAX 6u

typedef struct sv_web_files sv_web_files;

/* *out is NULL on error and why says what is wrong, in English. OV_E_NOTFOUND no such folder or no index.html
 * in it, OV_E_INVALID a file that is not taken, OV_E_LIMIT too much of it, OV_E_IO, OV_E_NOMEM. */
int sv_web_files_load(sv_web_files **out, const char *dir, char why[256]);
/* Not while a net with these routes lives. NULL is fine. */
void sv_web_files_free(sv_web_files *files);
/* Lives as long as files. */
const sv_net_route *sv_web_files_routes(const sv_web_files *files, size_t *n);

#endif
