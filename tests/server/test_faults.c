/* Bad input and faults, row by row, against the real server; what is printed is the table. Around each row
 * stage.c checks what must hold around all of them. */
#include <stdlib.h>

#include "stage.h"

int main(void) {
  static stage st;
  unsigned failed = 0;
  const struct {
    const row *rows;
    size_t n;
  } parts[] = {{upgrade_rows, n_upgrade_rows}, {message_rows, n_message_rows}, {log_rows, n_log_rows},
               {clock_rows, n_clock_rows},     {crash_rows, n_crash_rows},     {store_rows, n_store_rows}};
  int64_t start = dm_mono_ms();
  stage_open(&st, 7421);
  printf("Nr   | input or fault | expected | result | time | seen\n");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    failed += stage_table(&st, parts[i].rows, parts[i].n);
  stage_close(&st);
  printf("%u failed, %lld s\n", failed, (long long)(dm_mono_ms() - start) / 1000);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
