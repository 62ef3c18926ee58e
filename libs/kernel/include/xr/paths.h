/* Simulated paths of exchange rates and prices.

   Every path function fills a table with a row for each step (and asset) and a column for each path. With `antithetic` set,
   paths 2p and 2p + 1 share the normals of path p, the second with opposite signs. */
#ifndef XR_PATHS_H
#define XR_PATHS_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Geometric Brownian motions of several assets: exact at the steps, no discretisation error.
   Step k adds drift[k, a] + sum over b <= a of factor[k, a, b] z[b] to the logarithm of asset a; z[b] is the normal of step
   number k assets + b.

   paths, steps       how many, not negative
   assets             1 to 256
   spot               assets levels
   drift              steps rows of assets: mean of the logarithm's increment, (carry - volatility^2 / 2) dt
   factor             steps matrices of assets x assets, lower triangular: volatility sqrt(dt) times the correlation's factor
   terminal           1: only the values after the last step, 0: those after each
   antithetic         1: paths in pairs
   seed, stream       as in random.h
   first_path         of the table's first column; any
   stride             distance of two rows, at least `paths`
   scratch            3 assets + 2 blocks of 256 doubles
   values             out, (steps, or 1 if terminal) x assets rows of paths numbers

   The caller sees to it that the sums over the steps of |drift| and of 9 |factor| stay below 500 for each asset. */
int64_t xr_paths_gbm(int64_t paths, int64_t steps, int64_t assets, const double *spot, const double *drift,
                     const double *factor, int8_t terminal, int8_t antithetic, uint64_t seed, int64_t stream,
                     int64_t first_path, int64_t stride, double *scratch, double *values);

#ifdef __cplusplus
}
#endif
#endif
