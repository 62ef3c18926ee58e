/* The normal distribution: see include/xr/normal.h. */
#include "xr/normal.h"

#include "checks.h"
#include "quantile.h"

#define LANES 64

static inline xr_refusal check(double probability) {
  XR_REQUIRE(XR_IS_PROBABILITY(probability), probability, 1);
  return 0;
}

/* Elements go through blocks of one length, filled up with 1/2, so that none is computed by a loop's remainder. */
int64_t xr_normal_quantile(int64_t count, const double *probability, double *quantile, uint8_t *status) {
  for (int64_t start = 0; start < count; start += LANES) {
    const int64_t width = count - start < LANES ? count - start : LANES;
    double block[LANES];
    double result[LANES];
    for (int64_t i = 0; i < LANES; i++) {
      const xr_refusal refusal = i < width ? check(probability[start + i]) : 0;
      if (refusal && !status) return xr_fault(refusal, start + i);
      if (status && i < width) status[start + i] = (uint8_t)(refusal >> 8);
      block[i] = refusal || i >= width ? 0.5 : probability[start + i];
    }
#pragma omp simd
    for (int64_t i = 0; i < LANES; i++) result[i] = xr_quantile(block[i]);
    for (int64_t i = 0; i < width; i++) quantile[start + i] = status && status[start + i] ? NAN : result[i];
  }
  return 0;
}
