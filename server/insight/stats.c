/* The one file that asks the GNU Scientific Library. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "sv_sdc.h"

void sv_stats_of(double *v, size_t n, sv_stats *out) {
  *out = (sv_stats){.mean = 0};
  if (!n) return;
  gsl_sort(v, 1, n);
  out->mean = gsl_stats_mean(v, 1, n);
  out->sd = n > 1 ? gsl_stats_sd_m(v, 1, n, out->mean) : 0;
  out->median = gsl_stats_median_from_sorted_data(v, 1, n);
  out->q1 = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.25);
  out->q3 = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.75);
}

int64_t sv_round_to(int64_t v, int64_t step) {
  if (step <= 1) return v;
  return v >= 0 ? (v + step / 2) / step * step : -((-v + step / 2) / step * step);
}
