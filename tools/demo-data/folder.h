/* The data folder is made beside its final place and moved there when it is complete, so that nobody ever
 * starts a server on half of it. */
#ifndef DD_FOLDER_H
#define DD_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define DD_PATH_BYTES 512

/* Checks that `data` is free (missing or an empty folder) and makes the folder to work in; path gets its
 * name. What an interrupted run left there is removed; anything else is not touched. false after telling why
 * on stderr. */
bool dd_folder_begin(const char *data, char path[DD_PATH_BYTES]);
bool dd_folder_finish(const char *path, const char *data);
void dd_folder_drop(const char *path);

#endif
