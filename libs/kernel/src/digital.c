/* Digital options: see include/xr/digital.h. */
#include "xr/digital.h"

#include "checks.h"
#include "images.h"
#include "lanes.h"

static inline xr_refusal check(int8_t call, int8_t payout, double spot, double strike, double time, double volatility,
                               double domestic, double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(payout, 2, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 4);
  XR_REQUIRE(XR_IS_TIME(time), time, 5);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 6);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 7);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 8);
  return 0;
}

/* Rubinstein and Reiner (1991), "Unscrambling the binary code": N(d2) discounted in the counter currency, N(d1) in the
   base currency. Their derivatives use d d1/d volatility = -d2/volatility and d d2/d volatility = -d1/volatility. */
static inline void value(int8_t call, int8_t payout, double spot, double strike, double time, double volatility,
                         double domestic, double foreign, double out[4]) {
  const double sign = call ? 1.0 : -1.0;
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const double moneyness = xr_log_ratio(spot, strike) / m.deviation;
  const double d1 = moneyness + m.n_base;
  const double d2 = moneyness + m.n_counter;
  const double d = payout ? d1 : d2;
  const double other = payout ? d2 : d1;
  const double unit = payout ? m.base : m.counter;
  /* A certain payout has no density, also exactly at the strike, where a derivative would be infinite. */
  const double density = m.deviation > XR_DEVIATION_MIN ? sign * unit * xr_npdf(d) : 0.0;
  const double held = payout ? unit * xr_ndtr(sign * d) / spot : 0.0; /* delta of the base currency that is held */
  out[0] = unit * xr_ndtr(sign * d);
  out[1] = held + density / m.deviation / spot;
  out[2] = (payout ? 1.0 - d1 / m.deviation : -d1 / m.deviation) * (density / m.deviation / spot / spot);
  out[3] = -density * other / fmax(volatility, XR_DEVIATION_MIN);
}

int64_t xr_digital_greeks(int64_t count, const int8_t *put_or_call, const int8_t *payout_currency, const double *spot,
                          const double *strike, const double *time, const double *volatility,
                          const double *domestic_rate, const double *foreign_rate, double *price, double *delta,
                          double *gamma, double *vega, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(put_or_call[i], payout_currency[i], spot[i], strike[i], time[i], volatility[i],
                                     domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    double out[4] = {NAN, NAN, NAN, NAN};
    if (!refusal)
      value(put_or_call[i], payout_currency[i], spot[i], strike[i], time[i], volatility[i], domestic_rate[i],
            foreign_rate[i], out);
    price[i] = out[0];
    delta[i] = out[1];
    gamma[i] = out[2];
    vega[i] = out[3];
  }
  return 0;
}
