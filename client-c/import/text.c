/* Any of the encodings that spreadsheets and devices write, to UTF-8. */
#include "import_internal.h"

#include <string.h>

/* 0x80 to 0x9f of Windows-1252; 0 where it has no character. */
static const uint16_t W1252[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                   0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

static size_t put_utf8(char *out, uint32_t c) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3f));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3f));
  out[2] = (char)(0x80 | (c >> 6 & 0x3f));
  out[3] = (char)(0x80 | (c & 0x3f));
  return 4;
}

static void from_1252(importer *im, const uint8_t *p, size_t n) {
  char *out = import_alloc(im, n * 3 + 1);
  size_t len = 0;
  for (size_t i = 0; out && i < n; i++) {
    uint32_t c = p[i] >= 0x80 && p[i] < 0xa0 ? W1252[p[i] - 0x80] : p[i];
    len += put_utf8(out + len, p[i] >= 0x80 && !c ? 0xfffd : c);
  }
  im->text = out;
  im->n = len;
  im->box->r.encoding = "windows-1252";
}

/* What spreadsheets call Unicode text. A lone surrogate becomes U+FFFD. */
static void from_utf16(importer *im, const uint8_t *p, size_t n, bool big) {
  char *out = import_alloc(im, n / 2 * 3 + 4);
  size_t len = 0;
  for (size_t i = 0; out && i + 1 < n; i += 2) {
    uint32_t c = big ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < n) {
      uint32_t low = big ? (uint32_t)(p[i + 2] << 8 | p[i + 3]) : (uint32_t)(p[i + 3] << 8 | p[i + 2]);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      }
    }
    if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
    len += put_utf8(out + len, c);
  }
  im->text = out;
  im->n = len;
  im->box->r.encoding = "utf-16";
}

static unsigned line_of(const uint8_t *p, size_t n) {
  unsigned line = 1;
  for (size_t i = 0; i < n; i++) line += p[i] == '\n';
  return line;
}

/* First place at which the text stops being UTF-8. */
static size_t utf8_until(const uint8_t *p, size_t n) {
  size_t lo = 0;
  while (lo < n) { /* line by line: a line break is never part of a longer character */
    const uint8_t *nl = memchr(p + lo, '\n', n - lo);
    size_t end = nl ? (size_t)(nl - p) + 1 : n;
    if (!ov_utf8_valid(p + lo, end - lo)) return lo;
    lo = end;
  }
  return n;
}

void import_decode(importer *im, const uint8_t *p, size_t n) {
  encoding enc = im->m->enc;
  if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
    from_utf16(im, p + 2, n - 2, p[0] == 0xfe);
  } else {
    bool bom = n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3);
    const uint8_t *zero = n ? memchr(p, 0, n) : NULL;
    if (zero) {
      import_fail(im, OV_E_FORMAT, line_of(p, (size_t)(zero - p)),
                  "a zero byte: this is no text file (save it as CSV or text)");
      return;
    }
    if (bom) p += 3, n -= 3;
    size_t good = enc == ENC_1252 && !bom ? 0 : utf8_until(p, n);
    if (good < n && (enc == ENC_UTF8 || bom)) {
      import_fail(im, OV_E_FORMAT, line_of(p, good),
                  "this line is no UTF-8; set encoding = auto or windows-1252 in the map");
    } else if (enc == ENC_1252 || good < n) {
      from_1252(im, p, n);
    } else {
      im->text = import_copy(im, (const char *)p, n);
      im->n = n;
      im->box->r.encoding = bom ? "utf-8 with bom" : "utf-8";
    }
  }
  /* A UTF-16 text may still hold U+0000. */
  if (!im->failed && im->n && memchr(im->text, 0, im->n))
    import_fail(im, OV_E_FORMAT, 0, "a zero character: this is no text file");
}
