/* Bad input and faults, row by row, against the real server; what is printed is the table. Around each row
 * stage.c checks what must hold around all of them. No number of the table may be without a line. */
#include <stdlib.h>

#include "stage.h"

#define TABLE_ROWS 61u

/* What is not for this program to show: where it is shown, or the part that this version does not have. */
static const struct {
  unsigned nr;
  const char *input, *verdict, *where;
} elsewhere[] = {
    {35, "session that has expired", "elsewhere",
     "web/sessions_test.c (a lead's), history/test_device_end.c (a device's: its outbox stays)"},
    {53, "shared log down", "no such part", "there is one server and no shared log"},
    {54, "shared log wiped", "no such part", "likewise"},
    {55, "shared log duplicated, reordered", "no such part", "likewise"},
    {58, "hub apart for 30 days", "no such part", "there are no hubs"},
    {59, "a reconciliation message that lies", "no such part", "likewise"},
    {61, "browser's quota, or its store evicted", "elsewhere", "client-web/tests/engine_faults.test.ts"},
};

static void note(bool told[TABLE_ROWS + 1], unsigned nr) {
  if (nr <= TABLE_ROWS) told[nr] = true;
}

static unsigned missing(const bool told[TABLE_ROWS + 1]) {
  unsigned n = 0;
  for (unsigned nr = 1; nr <= TABLE_ROWS; nr++) {
    if (told[nr]) continue;
    printf("%-4u | FAILED: no line shows this row\n", nr);
    n++;
  }
  return n;
}

int main(void) {
  static stage st;
  unsigned failed = 0;
  bool told[TABLE_ROWS + 1] = {false};
  const struct {
    const row *rows;
    size_t n;
  } parts[] = {{upgrade_rows, n_upgrade_rows}, {message_rows, n_message_rows}, {log_rows, n_log_rows},
               {clock_rows, n_clock_rows},     {crash_rows, n_crash_rows},     {store_rows, n_store_rows}};
  int64_t start = dm_mono_ms();
  stage_open(&st, 7421);
  printf("Nr   | input or fault | expected | result | time | seen\n");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    failed += stage_table(&st, parts[i].rows, parts[i].n);
    for (size_t k = 0; k < parts[i].n; k++) note(told, (unsigned)strtoul(parts[i].rows[k].nr, NULL, 10));
  }
  stage_close(&st);
  for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
    printf("%-4u | %s | | %s | | %s\n", elsewhere[i].nr, elsewhere[i].input, elsewhere[i].verdict,
           elsewhere[i].where);
    note(told, elsewhere[i].nr);
  }
  failed += missing(told);
  printf("%u failed, %lld s\n", failed, (long long)(dm_mono_ms() - start) / 1000);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
