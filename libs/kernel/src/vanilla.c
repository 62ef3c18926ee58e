/* European vanilla options: see include/xr/vanilla.h. */
#include "xr/vanilla.h"

#include "checks.h"
#include "lanes.h"

static inline xr_refusal check(int8_t call, double spot, double strike, double time, double volatility, double domestic,
                               double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 2);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 3);
  XR_REQUIRE(XR_IS_TIME(time), time, 4);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 5);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 6);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 7);
  return 0;
}

static inline double premium(int8_t call, double spot, double strike, double time, double volatility, double domestic,
                             double foreign) {
  const double sign = call ? 1.0 : -1.0;
  const double deviation = fmax(volatility * sqrt(time), 1e-300);
  const double d1 = (log(spot / strike) + (domestic - foreign) * time) / deviation + 0.5 * deviation;
  return sign * (spot * exp(-foreign * time) * xr_ndtr(sign * d1) -
                 strike * exp(-domestic * time) * xr_ndtr(sign * (d1 - deviation)));
}

int64_t xr_vanilla_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                         const double *time, const double *volatility, const double *domestic_rate,
                         const double *foreign_rate, double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal =
        check(put_or_call[i], spot[i], strike[i], time[i], volatility[i], domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = refusal ? NAN
                       : premium(put_or_call[i], spot[i], strike[i], time[i], volatility[i], domestic_rate[i],
                                 foreign_rate[i]);
  }
  return 0;
}
