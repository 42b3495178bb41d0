/* The only file of the importer that reads a file: the system's time zone rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oc_import_limits.h"
#include "oc_zone.h"
#include "ov/error.h"

static const char *const FOLDERS[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"};

/* Letters, digits, '_', '-', '+' and single slashes: no way out of the folder. */
static int name_legal(const char *name) {
  size_t n = strlen(name);
  if (!n || n >= OC_ZONE_NAME_MAX || name[0] == '/' || strstr(name, "//")) return 0;
  return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/") == n;
}

static int read_zone(const char *path, const char *name, oc_zone **out) {
  FILE *f = fopen(path, "rb");
  if (!f) return OV_E_NOTFOUND;
  int err = OV_E_NOMEM;
  uint8_t *bytes = malloc(OC_ZONE_BYTES_MAX + 1);
  if (bytes) {
    size_t n = fread(bytes, 1, OC_ZONE_BYTES_MAX + 1, f);
    err = ferror(f) ? OV_E_NOTFOUND : oc_zone_from_tzif(bytes, n, name, out);
  }
  free(bytes);
  fclose(f);
  return err;
}

int oc_zone_open(const char *name, oc_zone **out) {
  char path[128 + OC_ZONE_NAME_MAX];
  *out = NULL;
  if (!name_legal(name)) return OV_E_INVALID;
  for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
    snprintf(path, sizeof path, "%s/%s", FOLDERS[i], name);
    int err = read_zone(path, name, out);
    if (err != OV_E_NOTFOUND) return err;
  }
  if (!strcmp(name, "Europe/Amsterdam")) return oc_zone_from_rule("CET-1CEST,M3.5.0,M10.5.0/3", name, out);
  return strcmp(name, "UTC") ? OV_E_NOTFOUND : oc_zone_from_rule("UTC0", name, out);
}
