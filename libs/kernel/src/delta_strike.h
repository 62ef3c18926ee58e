/* The strike that has a given delta, for sources that need it inside of a loop. */
#ifndef XR_DELTA_STRIKE_H
#define XR_DELTA_STRIKE_H

#include "checks.h"
#include "normal_quantile.h"
#include "xr/strike.h"

#define XR_IS_PREMIUM_ADJUSTED(convention) ((convention) & 2)
#define XR_IS_FORWARD_DELTA(convention) ((convention) & 1)

/* Premium-adjusted: with s the standard deviation of log(S) at expiry, k = log(K/F) and y the argument of N, the unsigned
   forward delta is x = exp(k) N(y), where y = d2 = -k/s - s/2 for a call and y = -d2 for a put (Reiswich and Wystup
   2010, on premium-adjusted deltas). As an equation in y its logarithm is

     h(y) = slope * y + log N(y) - s^2/2 - log x = 0,   slope = -s for a call, s for a put,

   which is concave, as log N is. For a put it ascends: one root. For a call it ascends up to y*, where n(y*)/N(y*) = s: that
   is the maximum of the delta, and strikes to its right are the y to its left. Newton's steps on a concave ascending
   function land left of the root and then ascend to it, from wherever they begin; -s lies left of y* because
   n(-s)/N(-s) > s. Where they come to a point with h < 0 that no longer ascends, h has no root: the delta is beyond the
   maximum. Halley's steps are tried first, since they need three or four evaluations for the deltas of a market. */
static inline int32_t xr_adjusted_root(double slope, double level, double first, double *root) {
  double y = first;
  for (int i = 0; i < 12; i++) {
    double value;
    const double hazard = xr_log_ndtr(y, &value);
    const double h = slope * y + value - level;
    const double ascent = slope + hazard;
    if (!(ascent > 0.0)) break;
    const double newton = -h / ascent;
    const double halley = 1.0 - 0.5 * newton * hazard * (hazard + y) / ascent;
    if (!(halley > 0.5)) break;
    const double step = newton / halley;
    if (!(fabs(step) < 10.0)) break;
    y += step;
    if (fabs(step) < 1e-6) {
      *root = y;
      return XR_OK;
    }
  }
  y = slope < 0.0 ? slope : 0.0;
  for (int i = 0; i < 100; i++) {
    double value;
    const double hazard = xr_log_ndtr(y, &value);
    const double h = slope * y + value - level;
    const double ascent = slope + hazard;
    if (!(ascent > 0.0)) {
      /* Rounding alone can carry a step over a maximum that touches zero. */
      *root = y;
      return h >= -4e-16 * (1.0 + fabs(level)) ? XR_OK : XR_NO_SOLUTION;
    }
    const double step = -h / ascent;
    y += step;
    if (fabs(step) <= 2e-16 * (1.0 + fabs(y)) || (i > 0 && step < 0.0)) {
      *root = y;
      return XR_OK;
    }
  }
  return XR_NOT_CONVERGED;
}

/* log(K/F) of the strike whose delta, unsigned and without the foreign discount factor, is x; s is the standard deviation
   of log(S) at expiry. The result is the reason why there is none, or 0. */
static inline int32_t xr_moneyness_of_delta(int8_t call, int8_t convention, double x, double s, double *moneyness) {
  if (!(x > 0.0) || !(s > 0.0)) return XR_NO_SOLUTION;
  const double away = call ? -s : s;
  if (!XR_IS_PREMIUM_ADJUSTED(convention)) {
    if (!(x < 1.0)) return XR_NO_SOLUTION;
    *moneyness = away * xr_quantile(x) + 0.5 * s * s;
    return XR_OK;
  }
  const double level = log(x) + 0.5 * s * s;
  /* Without the term in y; for a put far in the money N(y) is 1 instead. */
  const double first = level < -0.05 ? xr_quantile(fmax(exp(level), 1e-300)) : call ? -s : level / s;
  double y = NAN;
  const int32_t reason = xr_adjusted_root(away, level, first, &y);
  *moneyness = away * y - 0.5 * s * s;
  return reason;
}

/* What divides a spot delta so that it becomes a forward delta. */
static inline double xr_delta_factor(int8_t convention, double foreign_rate, double time) {
  return XR_IS_FORWARD_DELTA(convention) ? 1.0 : exp(-foreign_rate * time);
}

/* log(K/F) of the at-the-money strike. */
static inline double xr_moneyness_atm(int8_t atm, int8_t convention, double s, double carry) {
  if (atm == XR_ATM_FORWARD) return 0.0;
  if (atm == XR_ATM_SPOT) return -carry;
  return XR_IS_PREMIUM_ADJUSTED(convention) ? -0.5 * s * s : 0.5 * s * s;
}

#endif
