/* Asian options: see include/xr/asian.h.

   Levy (1992), "Pricing European average rate currency options", and the two moments of Turnbull and Wakeman (1991): the average
   is taken for lognormal with its true mean M1 and second moment M2. With forwards F and F(t) the mean of the spot at t,

     M2/M1² - 1 = sum over i of F_i (F_i + 2 sum over k > i of F_k) (exp(volatility² t_i) - 1) / (sum of F)²,

   a sum of positive terms, in which nothing cancels at small volatilities; integrals take the sums' place if continuous. */
#include "xr/asian.h"

#include "angles.h"
#include "checks.h"
#include "lanes.h"

#define XR_FIXINGS_MAX 10000.0
#define XR_PANELS_MAX 64
#define XR_SCALED_FROM 600.0 /* variance from which exp(variance) is carried apart */

/* Below this the scaled second moment has lost its digits: rates and volatility are both beyond all measure. */
#define XR_VANISHING 1e-280

/* Log of the mean of the average over spot, and the variance of the average's log. */
typedef struct {
  double log_mean, variance;
} xr_moments;

/* exp(variance) - 1, or exp(variance - top) where top is carried apart. */
static inline double spread(double variance, double top) { return top > 0.0 ? exp(variance - top) : expm1(variance); }

static inline xr_moments moments_of(double sum, double weighted, double largest, double count, double top) {
  const double ratio = weighted / sum / sum;
  if (top > 0.0 && !(ratio > XR_VANISHING)) return (xr_moments){NAN, NAN};
  const xr_moments m = {largest + log(sum / count), top > 0.0 ? top + log(ratio) : log1p(ratio)};
  return m;
}

static xr_moments discrete(double first, double time, int64_t fixings, double carry, double variance_rate) {
  const double gap = fixings > 1 ? (time - first) / (double)(fixings - 1) : 0.0;
  const double largest = fmax(carry * time, carry * (fixings > 1 ? first : time));
  const double top = variance_rate * time > XR_SCALED_FROM ? variance_rate * time : 0.0;
  double later = 0.0, weighted = 0.0;
  for (int64_t i = fixings - 1; i >= 0; i--) {
    const double t = i == fixings - 1 ? time : first + gap * (double)i;
    const double forward = exp(carry * t - largest);
    weighted += forward * (forward + 2.0 * later) * spread(variance_rate * t, top);
    later += forward;
  }
  return moments_of(later, weighted, largest, (double)fixings, top);
}

/* The integrals by Gauss and Legendre's rule in panels, each seen as a quarter of a circle (angles.h). */
static xr_moments continuous(double first, double time, double carry, double variance_rate) {
  const double length = time - first;
  if (!(length > 0.0)) return discrete(time, time, 1, carry, variance_rate);
  const double largest = fmax(carry * time, carry * first);
  const double top = variance_rate * time > XR_SCALED_FROM ? variance_rate * time : 0.0;
  const double bend = (variance_rate + 2.0 * fabs(carry)) * length;
  const int panels = 1 + (int)fmin(bend / 16.0, XR_PANELS_MAX - 1.0);
  const double end = exp(carry * time - largest);
  double sum = 0.0, weighted = 0.0;
  for (int panel = 0; panel < panels; panel++) {
    for (int j = 0; j < XR_ANGLES; j++) {
      const double t = first + length * (panel + XR_SINE[j] * XR_SINE[j]) / panels;
      const double weight = 2.0 * XR_ANGLE_WEIGHT[j] * XR_SINE[j] * XR_COSINE[j] / panels;
      const double forward = exp(carry * t - largest);
      const double left = time - t;
      const double growth = carry * left;
      const double mean = fabs(growth) < 1e-12 ? 1.0 : expm1(growth) / growth;
      const double later = fabs(growth) < 1.0 ? forward * left * mean / length : (end - forward) / carry / length;
      sum += weight * forward;
      weighted += weight * 2.0 * forward * later * spread(variance_rate * t, top);
    }
  }
  return moments_of(sum, weighted, largest, 1.0, top);
}

static inline xr_refusal check(int8_t call, double spot, double strike, double first, double time, double fixings,
                               double weight, double average, double volatility, double domestic, double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 2);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 3);
  XR_REQUIRE(XR_IS_TIME(first), first, 4);
  XR_REQUIRE(XR_IS_TIME(time), time, 5);
  XR_REQUIRE((fixings >= 0.0) & (fixings <= XR_FIXINGS_MAX) & (fixings == floor(fixings)), fixings, 6);
  XR_REQUIRE(XR_IS_UNIT(weight), weight, 7);
  XR_REQUIRE(XR_IS_LEVEL(average), average, 8);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 9);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 10);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 11);
  return first <= time ? 0 : xr_refuse(XR_INCONSISTENT, 4);
}

static inline double premium(int8_t call, double spot, double strike, double first, double time, double fixings,
                             double fixed, double average, double volatility, double domestic, double foreign) {
  const double sign = call ? 1.0 : -1.0;
  const double discount = exp(-domestic * time);
  const double open = 1.0 - fixed;
  const double owed = strike - fixed * average; /* the strike for what is still to be fixed, over its whole weight */
  if (open == 0.0) return discount * fmax(-sign * owed, 0.0);
  const double carry = domestic - foreign;
  const double variance_rate = volatility * volatility;
  const xr_moments m = fixings == 0.0 ? continuous(first, time, carry, variance_rate)
                                      : discrete(first, time, (int64_t)fixings, carry, variance_rate);
  const double paid = open * spot * exp(m.log_mean - domestic * time); /* the open part of the average, discounted */
  if (owed <= 0.0) return call ? paid - discount * owed : 0.0;
  if (isnan(m.variance)) return NAN;
  const double deviation = fmax(sqrt(m.variance), 1e-100);
  const double d1 = (log(open * spot / owed) + m.log_mean) / deviation + 0.5 * deviation;
  return sign * (paid * xr_ndtr(sign * d1) - owed * discount * xr_ndtr(sign * (d1 - deviation)));
}

int64_t xr_asian_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                       const double *first_fixing, const double *time, const double *fixings,
                       const double *fixed_weight, const double *fixed_average, const double *volatility,
                       const double *domestic_rate, const double *foreign_rate, double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = check(put_or_call[i], spot[i], strike[i], first_fixing[i], time[i], fixings[i],
                               fixed_weight[i], fixed_average[i], volatility[i], domestic_rate[i], foreign_rate[i]);
    double value = NAN;
    if (!refusal) {
      value = premium(put_or_call[i], spot[i], strike[i], first_fixing[i], time[i], fixings[i], fixed_weight[i],
                      fixed_average[i], volatility[i], domestic_rate[i], foreign_rate[i]);
      if (isnan(value)) refusal = xr_refuse(XR_NOT_CONVERGED, 9);
    }
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = value;
  }
  return 0;
}
