/* Value at risk without scenarios: from deltas, gammas and a covariance matrix. */
#ifndef XR_PARAMETRIC_H
#define XR_PARAMETRIC_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mean, deviation, skewness and excess kurtosis of the P&L  drift + δ'x + ½ x'Γx  for normal x of mean zero: exact.

   portfolios   rows
   factors      number of risk factors, from 1
   drift        rows, P&L without any move (theta, carry)
   delta        rows × factors, P&L for a unit move of the factor, -1e30 to 1e30
   gamma        rows × factors × factors, symmetric, second derivatives, -1e30 to 1e30; or NULL
   covariance   factors × factors, of the moves over the holding period; symmetric and positive semi-definite,
                up to 1e20
   mean, deviation, skewness, kurtosis   out, rows; the last two are 0 where the deviation is below 1e-50
   scratch      2 × factors² + 2 × factors */
int64_t xr_parametric_moments(int64_t portfolios, int64_t factors, const double *drift, const double *delta,
                              const double *gamma, const double *covariance, double *mean, double *deviation,
                              double *skewness, double *kurtosis, double *scratch);

/* The parameters at which the Cornish-Fisher expansion has a given skewness and excess kurtosis, which differ from them
   (Maillard 2012): by Newton's steps. XR_NO_SOLUTION where there are none at which it ascends.

   count                        elements
   skewness, kurtosis           count, as below
   skewness_parameter, kurtosis_parameter   out, count
   scale                        out, count: one over the deviation that the expansion then has, for the measures' deviation
   status                       out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_parametric_match(int64_t count, const double *skewness, const double *kurtosis, double *skewness_parameter,
                            double *kurtosis_parameter, double *scale, uint8_t *status);

/* Value at risk and expected shortfall from four moments by the Cornish and Fisher (1937) expansion; with skewness and
   kurtosis 0 those of the normal distribution. Outside of the region where the expansion is a quantile function, that is
   ascending (Maillard 2012), there is no result: XR_NO_SOLUTION.

   mean         count, of P&L, -1e60 to 1e60
   deviation    count, 0 to 1e60
   skewness     count, -10 to 10
   kurtosis     count, excess, -10 to 100
   confidence   count, 0.5 to 0.999999
   var, es      out, count
   status       out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_parametric_measure(int64_t count, const double *mean, const double *deviation, const double *skewness,
                              const double *kurtosis, const double *confidence, double *var, double *es, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
