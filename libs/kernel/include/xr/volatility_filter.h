/* Returns brought to today's volatility, for historical simulation. */
#ifndef XR_VOLATILITY_FILTER_H
#define XR_VOLATILITY_FILTER_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Conditional variances: variance[t + 1] = constant + reaction × returns[t]² + persistence × variance[t], a GARCH(1,1)
   (Bollerslev 1986); constant 0, reaction 1 - λ and persistence λ are exponential weights.

   series        rows
   days          columns, from 1, oldest first
   returns       rows × days, -10 to 10, of zero mean
   constant      rows, variance a day, 0 to 100
   reaction      rows, 0 to 1
   persistence   rows, 0 to 1
   first         rows, variance of the first day, above 1e-60 to 100
   variance      out, rows × (days + 1); the last is the forecast for the day that comes */
int64_t xr_volatility_filter_variance(int64_t series, int64_t days, const double *returns, const double *constant,
                                      const double *reaction, const double *persistence, const double *first,
                                      double *variance);

/* Returns scaled by the forecast volatility over that of their own day: Hull and White (1998).

   variance   rows × (days + 1), 1e-60 to 1e60
   scaled     out, rows × days */
int64_t xr_volatility_filter_scale(int64_t series, int64_t days, const double *returns, const double *variance,
                                   double *scaled);

/* Filtered historical simulation: sums of returns over `horizon` days, each day's return a historical standardised one times
   the volatility that the path itself has reached (Barone-Adesi, Giannopoulos and Vosper 1999).

   series           rows: factors that move together; a path takes the same day of all of them
   days             columns of returns
   returns          rows × days
   variance         rows × (days + 1), as above
   constant, reaction, persistence   rows
   paths            number of paths
   horizon          days of a path, from 1
   picks            paths × horizon: which day's standardised return is taken, 0 to days - 1; XR_NO_SOLUTION for a path
                    whose variance passes 1e60
   simulated        out, rows × paths */
int64_t xr_volatility_filter_simulate(int64_t series, int64_t days, const double *returns, const double *variance,
                                      const double *constant, const double *reaction, const double *persistence,
                                      int64_t paths, int64_t horizon, const int64_t *picks, double *simulated);

#ifdef __cplusplus
}
#endif
#endif
