/* Paths of the model of Heston (1993): the variance reverts to a mean and moves with the level. */
#ifndef XR_HESTON_H
#define XR_HESTON_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The quadratic-exponential scheme with martingale correction of Andersen (2008), "Simple and efficient simulation of the
   Heston stochastic volatility model", sections 3.2.4 and 4.3.2: psi_c is 1.5, gamma 1/2.

     d log S = (carry - v / 2) dt + sqrt(v) dW,   dv = reversion (mean - v) dt + vol_of_variance sqrt(v) dB,   dW dB = rho dt

   Of path p, steps 2j and 2j + 1 use the normals at steps 6j to 6j + 3 and the uniforms at steps 6j + 4 and 6j + 5.

   paths, steps       how many, not negative; steps at most 2^30
   spot               level
   width              steps: years, positive
   carry              steps: mean growth of the level's logarithm in each, (domestic - foreign) dt
   variance           today's, 0 to 100
   reversion          per year, 1e-6 to 100
   mean               of the variance, 1e-8 to 100
   vol_of_variance    1e-4 to 100
   correlation        -1 to 1
   terminal, antithetic, seed, stream, first_path, stride: as in xr_paths_gbm
   values             out, (steps, or 1 if terminal) rows of paths levels; kept within exp(-500) and exp(500) of spot
   variances          out, the same of the variance, or NULL

   XR_INCONSISTENT at a width: the correction exists only if A vol_of_variance^2 (1 - exp(-reversion dt)) / reversion is below
   1, with A = (rho / vol_of_variance) (1 + reversion dt / 2) - dt / 4 + dt (1 - rho^2) / 4; negative rho always does. */
int64_t xr_paths_heston(int64_t paths, int64_t steps, double spot, const double *width, const double *carry,
                        double variance, double reversion, double mean, double vol_of_variance, double correlation,
                        int8_t terminal, int8_t antithetic, uint64_t seed, int64_t stream, int64_t first_path,
                        int64_t stride, double *values, double *variances);

#ifdef __cplusplus
}
#endif
#endif
