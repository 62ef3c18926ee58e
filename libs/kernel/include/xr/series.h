/* Volatility of series of returns: exponentially weighted, and GARCH(1,1). */
#ifndef XR_SERIES_H
#define XR_SERIES_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The exponentially weighted variance of RiskMetrics (1996): variance[t + 1] = decay * variance[t] + (1 - decay) *
   return[t]^2, with mean zero.

   series, offsets    series k has the returns offsets[k] to offsets[k + 1] - 1, at least one
   returns            -1e60 to 1e60
   decay              of each series, 0 to 1
   initial            of each series: the variance of its first return, 0 to 1e120
   variance           out, of each return, known before it
   next               out, of each series: the variance of the return after the last */
int64_t xr_series_ewma(int64_t series, const int64_t *offsets, const double *returns, const double *decay,
                       const double *initial, double *variance, double *next);

/* The variances of a GARCH(1,1) process (Bollerslev 1986) with given parameters: variance[t + 1] = omega + alpha *
   return[t]^2 + beta * variance[t], with mean zero.

   omega              of each series, 1e-120 to 1e120
   alpha, beta        of each series, 0 to 1; XR_INCONSISTENT for beta if their sum is above 1
   initial            of each series: the variance of its first return, 1e-120 to 1e120
   variance, next     out, as above
   log_likelihood     out, of each series: that of normal returns, -1/2 sum(log(2 pi v) + r^2 / v) */
int64_t xr_series_garch(int64_t series, const int64_t *offsets, const double *returns, const double *omega,
                        const double *alpha, const double *beta, const double *initial, double *variance,
                        double *next, double *log_likelihood);

/* The parameters of largest likelihood, the first variance being the series' mean square. Bounds: alpha and beta at least 0,
   their sum at most 0.9999, the long-run variance omega / (1 - alpha - beta) from a thousandth to a thousand times the
   mean square. It ends when the next step is shorter than 1e-6 standard errors of the parameters that are not at a
   bound; or, in long series, when it is shorter than 1e-3 and rounding hides whether it still climbs.

   offsets            at least 50 returns each
   targeting          of each series: 1 keeps the long-run variance at the mean square (variance targeting), 0 fits it
   omega, alpha, beta, initial, log_likelihood   out, of each series, as xr_series_garch takes and gives them
   steps              out, of each series: how many were taken after the scouts, at most 1000
   status             out, series reasons, or NULL. For returns: XR_NO_SOLUTION, the mean square is below 1e-100;
                      XR_NOT_CONVERGED, 1000 steps were not enough */
int64_t xr_series_garch_fit(int64_t series, const int64_t *offsets, const double *returns, const int8_t *targeting,
                            double *omega, double *alpha, double *beta, double *initial, double *log_likelihood,
                            int64_t *steps, uint8_t *status);

/* Forecasts: the expected variance of each of the coming returns, next * p^k + long-run variance * (1 - p^k) with p =
   alpha + beta for k = 0, 1, ...; by the recursion v[k + 1] = omega + p v[k], which holds for p = 1, too.

   next               of each series: the variance of the first of them, 1e-120 to 1e120
   horizon            how many, 1 to 100000
   variance           out, series x horizon */
int64_t xr_series_garch_forecast(int64_t series, const double *omega, const double *alpha, const double *beta,
                                 const double *next, int64_t horizon, double *variance);

#ifdef __cplusplus
}
#endif
#endif
