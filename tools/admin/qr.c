/* A reply's text as a QR code: on the terminal, or as a PNG file for its owner only. */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define QUIET 4    /* modules of white around it, as the standard asks */
#define PNG_DOTS 8 /* a module's width in the file */

static bool dark(const QRcode *q, int x, int y) {
  return x >= 0 && y >= 0 && x < q->width && y < q->width && (q->data[y * q->width + x] & 1);
}

/* Two modules a character, black on white whatever the terminal's own colours: cameras want it so. */
static void on_terminal(const QRcode *q) {
  static const char *const half[2][2] = {{" ", "▄"}, {"▀", "█"}};
  bool colours = isatty(1);
  for (int y = -QUIET; y < q->width + QUIET; y += 2) {
    if (colours) fputs("\033[30;107m", stdout);
    for (int x = -QUIET; x < q->width + QUIET; x++) fputs(half[dark(q, x, y)][dark(q, x, y + 1)], stdout);
    fputs(colours ? "\033[0m\n" : "\n", stdout);
  }
}

static bool write_pixels(const QRcode *q, FILE *f) {
  unsigned side = (unsigned)(q->width + 2 * QUIET) * PNG_DOTS;
  png_image image = {.version = PNG_IMAGE_VERSION, .width = side, .height = side, .format = PNG_FORMAT_GRAY};
  uint8_t *pixels = malloc((size_t)side * side);
  if (!pixels) return false;
  for (unsigned y = 0; y < side; y++)
    for (unsigned x = 0; x < side; x++)
      pixels[y * side + x] = dark(q, (int)(x / PNG_DOTS) - QUIET, (int)(y / PNG_DOTS) - QUIET) ? 0 : 255;
  bool ok = png_image_write_to_stdio(&image, f, 0, pixels, (int)side, NULL) != 0;
  memset(pixels, 0, (size_t)side * side);
  free(pixels);
  return ok;
}

static int to_file(cli *c, const QRcode *q) {
  int fd = open(c->png_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
  if (!f) return show_error(c, errno == EEXIST ? OV_E_EXISTS : OV_E_IO, strerror(errno), c->png_path);
  bool ok = write_pixels(q, f);
  if (fclose(f) || !ok) return show_error(c, OV_E_IO, "the picture could not be written whole", c->png_path);
  return EXIT_OK;
}

int show_qr(cli *c, const json_t *reply) {
  const char *text = json_string_value(json_object_get(reply, "qr"));
  if (!text || (!c->qr && !c->png_path)) return EXIT_OK;
  QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
  if (!q) return show_error(c, OV_E_LIMIT, "no QR code could be made of this", "");
  int status = c->png_path ? to_file(c, q) : EXIT_OK;
  if (c->qr && !c->json) on_terminal(q);
  QRcode_free(q);
  return status;
}
