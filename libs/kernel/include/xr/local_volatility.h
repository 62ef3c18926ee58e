/* Paths under a local volatility (Dupire 1994): a function of time and level. */
#ifndef XR_LOCAL_VOLATILITY_H
#define XR_LOCAL_VOLATILITY_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The log-Euler scheme. The volatility of a step is that of its row at the level of the step's beginning, linear between
   points and flat beyond them.

   paths, steps       how many, not negative
   spot               level
   width              steps: years, positive
   carry              steps: growth of the forward's logarithm in each
   points             of the grid, 1 to 1024
   moneyness          points: log(level / forward), strictly ascending
   volatility         steps rows of points, 0 to 100
   terminal, antithetic, seed, stream, first_path, stride: as in xr_paths_gbm
   values             out, (steps, or 1 if terminal) rows of paths levels

   The caller sees to it that the sum over the steps of |carry| + volatility^2 width / 2 + 9 volatility sqrt(width), each with
   the row's largest, is below 500. */
int64_t xr_paths_local_volatility(int64_t paths, int64_t steps, double spot, const double *width, const double *carry,
                                  int64_t points, const double *moneyness, const double *volatility, int8_t terminal,
                                  int8_t antithetic, uint64_t seed, int64_t stream, int64_t first_path, int64_t stride,
                                  double *values);

#ifdef __cplusplus
}
#endif
#endif
