/* Runs a fuzz target without libFuzzer, so that every compiler's build replays the corpus: test_fuzz_NAME
 * [--runs N] [--seed S] [--seconds T] [FOLDER | FILE ...] Each file is run as it is, then N inputs made from
 * them by bounded, seeded changes: equal arguments, equal inputs. At most T seconds (default 20) are spent on
 * changed inputs. An input that fails is written to ./crash-NAME before it runs again. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 8192u
#define FILES_MAX 4096u

typedef struct input {
  uint8_t *p;
  size_t n;
} input;

static input files[FILES_MAX];
static unsigned n_files;
static const uint8_t *now_p;
static size_t now_n;

static uint64_t next(uint64_t *s) {
  uint64_t z = *s += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void keep(void *ctx, const void *p, size_t n) {
  (void)ctx;
  if (n_files == FILES_MAX || n > 4 * INPUT_MAX) return;
  files[n_files].p = malloc(n + 1);
  FUZZ_MUST(files[n_files].p);
  memcpy(files[n_files].p, p, n);
  files[n_files++].n = n;
}

static void read_one(const char *path) {
  static uint8_t buf[1u << 20];
  FILE *f = fopen(path, "rb");
  if (!f) {
    perror(path);
    exit(2);
  }
  size_t n = fread(buf, 1, sizeof buf, f);
  fclose(f);
  keep(NULL, buf, n);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_all(const char *path) {
  struct stat st;
  if (stat(path, &st)) return; /* a target without a kept corpus, or without findings */
  if (!S_ISDIR(st.st_mode)) {
    read_one(path);
    return;
  }
  struct dirent **list;
  int n = scandir(path, &list, NULL, by_name);
  for (int i = 0; i < n; i++) {
    char file[1024];
    snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
    if (list[i]->d_name[0] != '.') read_one(file);
    free(list[i]);
  }
  if (n >= 0) free(list);
}

/* One to four changes: bits, bytes, cuts, doubled pieces, a piece of another input. */
static size_t change(uint64_t *s, uint8_t *p, size_t n) {
  for (uint64_t times = 1 + next(s) % 4; times > 0; times--) {
    size_t at = n ? next(s) % n : 0, len = 1 + next(s) % 16;
    const input *other = &files[next(s) % n_files];
    switch (n ? next(s) % 7 : 6) {
    case 0: p[at] ^= (uint8_t)(1u << next(s) % 8); break;
    case 1: p[at] = (uint8_t)next(s); break;
    case 2: p[at] = (uint8_t)(p[at] + next(s) % 9 - 4); break;
    case 3: n = at; break;
    case 4:
      len = at + len > n ? n - at : len;
      memmove(p + at, p + at + len, n - at - len);
      n -= len;
      break;
    case 5:
      len = at + len > n ? n - at : len;
      if (n + len > INPUT_MAX) break;
      memmove(p + at + len, p + at, n - at);
      n += len;
      break;
    default:
      len = other->n ? next(s) % other->n : 0;
      len = at + len > INPUT_MAX ? INPUT_MAX - at : len;
      if (other->n) memcpy(p + at, other->p + next(s) % (other->n - len + 1), len);
      n = at + len > n ? at + len : n;
    }
  }
  return n;
}

static void run(const uint8_t *p, size_t n) {
  uint8_t *exact = malloc(n ? n : 1); /* exact size: a sanitizer sees a read past the end */
  FUZZ_MUST(exact);
  if (n) memcpy(exact, p, n);
  now_p = exact;
  now_n = n;
  LLVMFuzzerTestOneInput(exact, n);
  free(exact);
}

static void on_abort(int sig) {
  static const char name[] = "crash-" FUZZ_NAME;
  static const char told[] = "the input is in ./crash-" FUZZ_NAME "\n";
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool kept = fd >= 0 && write(fd, now_p, now_n) == (ssize_t)now_n;
  if (kept) (void)!write(STDERR_FILENO, told, sizeof told - 1);
  if (fd >= 0) close(fd);
  signal(sig, SIG_DFL);
  raise(sig);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned long number(int argc, char **argv, int *i) {
  if (*i + 1 >= argc) exit(2);
  return strtoul(argv[++*i], NULL, 10);
}

static void write_seed(void *ctx, const void *p, size_t n) {
  static unsigned k;
  char path[1024];
  snprintf(path, sizeof path, "%s/seed-%03u", (const char *)ctx, k++);
  FILE *f = fopen(path, "wb");
  FUZZ_MUST(f && fwrite(p, 1, n, f) == n);
  fclose(f);
}

int main(int argc, char **argv) {
  unsigned long runs = 0, seed = 1, limit = 20;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--runs")) runs = number(argc, argv, &i);
    else if (!strcmp(argv[i], "--seed")) seed = number(argc, argv, &i);
    else if (!strcmp(argv[i], "--seconds")) limit = number(argc, argv, &i);
    else if (!strcmp(argv[i], "--write-seeds") && i + 1 < argc) {
      fuzz_seeds(write_seed, argv[i + 1]);
      return 0;
    } else read_all(argv[i]);
  }
  fuzz_seeds(keep, NULL);
  signal(SIGABRT, on_abort);
  signal(SIGSEGV, on_abort);
  run((const uint8_t *)"", 0);
  for (unsigned i = 0; i < n_files; i++) run(files[i].p, files[i].n);
  double end = seconds() + (double)limit;
  unsigned long done = 0;
  static uint8_t buf[INPUT_MAX];
  for (uint64_t s = seed; n_files && done < runs && seconds() < end; done++) {
    const input *from = &files[next(&s) % n_files];
    size_t n = from->n > INPUT_MAX ? INPUT_MAX : from->n;
    memcpy(buf, from->p, n);
    n = change(&s, buf, n);
    run(buf, n);
  }
  printf("%s: %u inputs and %lu changed ones\n", FUZZ_NAME, n_files, done);
  for (unsigned i = 0; i < n_files; i++) free(files[i].p);
  return 0;
}
