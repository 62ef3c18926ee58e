/* Options that pay a fixed amount on one barrier: see include/xr/touch.h. Rubinstein and Reiner (1991), "Unscrambling the
   binary code", in the images of images.h. */
#include "xr/touch.h"

#include "checks.h"
#include "images.h"
#include "xr/digital.h"

static inline xr_refusal check(int8_t type, int8_t direction, int8_t payout, double spot, double barrier, double time,
                               double volatility, double domestic, double foreign) {
  XR_REQUIRE_CODE(type, 3, 1);
  XR_REQUIRE_CODE(direction, 2, 2);
  XR_REQUIRE_CODE(payout, 2, 3);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 4);
  XR_REQUIRE(XR_IS_LEVEL(barrier), barrier, 5);
  XR_REQUIRE(XR_IS_TIME(time), time, 6);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 7);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 8);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 9);
  return 0;
}

static inline double premium(int8_t type, int8_t up, int8_t payout, double spot, double barrier, double time,
                             double volatility, double domestic, double foreign) {
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const double unit = payout == XR_PAYS_BASE ? m.base : m.counter;
  const double n = payout == XR_PAYS_BASE ? m.n_base : m.n_counter;
  if (up ? spot >= barrier : spot <= barrier) {
    if (type == XR_ONE_TOUCH_AT_HIT) return payout == XR_PAYS_BASE ? spot : 1.0;
    return type == XR_NO_TOUCH ? 0.0 : unit;
  }
  const double b = xr_log_ratio(barrier, spot) / m.deviation;
  if (type == XR_ONE_TOUCH_AT_HIT) /* the base currency is worth the barrier when it is touched */
    return (payout == XR_PAYS_BASE ? barrier : 1.0) * xr_image_passage(m.n_counter, b, fabs(b), m.rate_time);
  const double low = up ? -XR_FAR : b;
  const double high = up ? b : XR_FAR;
  const double image = xr_image_mass(n, 2.0 * b, low, high);
  if (type == XR_NO_TOUCH) return unit * xr_not_negative(xr_image_mass(n, 0.0, low, high) - image);
  return unit * (xr_image_mass(n, 0.0, up ? b : -XR_FAR, up ? XR_FAR : b) + image);
}

int64_t xr_touch_price(int64_t count, const int8_t *touch_type, const int8_t *direction, const int8_t *payout_currency,
                       const double *spot, const double *barrier, const double *time, const double *volatility,
                       const double *domestic_rate, const double *foreign_rate, double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(touch_type[i], direction[i], payout_currency[i], spot[i], barrier[i], time[i],
                                     volatility[i], domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = refusal ? NAN
                       : premium(touch_type[i], direction[i], payout_currency[i], spot[i], barrier[i], time[i],
                                 volatility[i], domestic_rate[i], foreign_rate[i]);
  }
  return 0;
}
