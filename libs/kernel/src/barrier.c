/* Options with one barrier: see include/xr/barrier.h.

   Reiner and Rubinstein (1991), "Breaking down the barriers", give eight formulas. They are one: the paths that end at a
   living x are a density `direct`, those among them that touched the barrier are the density `image` of the mirrored start;
   beyond the barrier every path has touched it. So a knock-out is (direct - image) over the living part of where the option
   pays, a knock-in is image over that part and direct over the rest, and the two add up to the vanilla term by term. */
#include "xr/barrier.h"

#include "checks.h"
#include "claim.h"

static inline xr_refusal check(int8_t call, int8_t type, double spot, double strike, double barrier, double rebate,
                               double time, double volatility, double domestic, double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(type, 4, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 4);
  XR_REQUIRE(XR_IS_LEVEL(barrier), barrier, 5);
  XR_REQUIRE(XR_IS_REBATE(rebate), rebate, 6);
  XR_REQUIRE(XR_IS_TIME(time), time, 7);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 8);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 9);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 10);
  return 0;
}

static inline double premium(int8_t call, int8_t type, double spot, double strike, double barrier, double rebate,
                             double time, double volatility, double domestic, double foreign) {
  const int up = type >= XR_UP_AND_OUT;
  const int in = type & 1;
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const double k = xr_log_ratio(strike, spot) / m.deviation;
  const double paid = strike * m.counter;
  const xr_range anywhere = xr_paying(call, k, -XR_FAR, XR_FAR);
  const int touched = up ? spot >= barrier : spot <= barrier;
  if (touched) return in ? xr_image_claim(&m, call, paid, 0.0, anywhere) : rebate;

  const double b = xr_log_ratio(barrier, spot) / m.deviation;
  const xr_range alive = up ? xr_paying(call, k, -XR_FAR, b) : xr_paying(call, k, b, XR_FAR);
  const xr_range beyond = up ? xr_paying(call, k, b, XR_FAR) : xr_paying(call, k, -XR_FAR, b);
  const double low = up ? -XR_FAR : b;
  const double high = up ? b : XR_FAR;
  const double image = xr_image_claim(&m, call, paid, 2.0 * b, alive);
  if (in) {
    const double option = xr_not_negative(image + xr_image_claim(&m, call, paid, 0.0, beyond));
    if (rebate == 0.0) return option;
    const double survived =
        xr_image_mass(m.n_counter, 0.0, low, high) - xr_image_mass(m.n_counter, 2.0 * b, low, high);
    return option + rebate * m.counter * survived;
  }
  const double option = xr_not_negative(xr_image_claim(&m, call, paid, 0.0, alive) - image);
  return rebate == 0.0 ? option : option + rebate * xr_image_passage(m.n_counter, b, fabs(b), m.rate_time);
}

int64_t xr_barrier_price(int64_t count, const int8_t *put_or_call, const int8_t *barrier_type, const double *spot,
                         const double *strike, const double *barrier, const double *rebate, const double *time,
                         const double *volatility, const double *domestic_rate, const double *foreign_rate,
                         double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(put_or_call[i], barrier_type[i], spot[i], strike[i], barrier[i], rebate[i],
                                     time[i], volatility[i], domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = refusal ? NAN
                       : premium(put_or_call[i], barrier_type[i], spot[i], strike[i], barrier[i], rebate[i], time[i],
                                 volatility[i], domestic_rate[i], foreign_rate[i]);
  }
  return 0;
}
