/* Strikes and deltas: see include/xr/strike.h. */
#include "xr/strike.h"

#include "delta_strike.h"

static inline xr_refusal check_market(double time, double volatility, double domestic, double foreign, int32_t place) {
  XR_REQUIRE(XR_IS_TIME(time), time, place);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, place + 1);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, place + 2);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, place + 3);
  return 0;
}

static inline xr_refusal delta_of(int8_t call, int8_t convention, double spot, double strike, double time,
                                  double volatility, double domestic, double foreign, double *delta) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(convention, 4, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 4);
  const xr_refusal refusal = check_market(time, volatility, domestic, foreign, 5);
  if (refusal) return refusal;
  const double sign = call ? 1.0 : -1.0;
  const double s = fmax(volatility * sqrt(time), 1e-300);
  const double moneyness = log(strike / spot) - (domestic - foreign) * time;
  const double factor = xr_delta_factor(convention, foreign, time);
  if (!XR_IS_PREMIUM_ADJUSTED(convention)) {
    *delta = sign * factor * xr_ndtr(sign * (0.5 * s - moneyness / s));
    return 0;
  }
  const double paid = xr_ndtr(sign * (-moneyness / s - 0.5 * s));
  *delta = paid > 0.0 ? sign * factor * (strike / spot) * exp((foreign - domestic) * time) * paid : 0.0;
  return fabs(*delta) <= XR_LEVEL_MAX ? 0 : xr_refuse(XR_NO_SOLUTION, 4);
}

static inline xr_refusal strike_of(int8_t call, int8_t convention, double spot, double delta, double time,
                                   double volatility, double domestic, double foreign, double *strike) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(convention, 4, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_AMOUNT(delta), delta, 4);
  const xr_refusal refusal = check_market(time, volatility, domestic, foreign, 5);
  if (refusal) return refusal;
  double moneyness;
  const double unsigned_delta = (call ? delta : -delta) / xr_delta_factor(convention, foreign, time);
  const int32_t reason =
      xr_moneyness_of_delta(call, convention, unsigned_delta, volatility * sqrt(time), &moneyness);
  if (reason) return xr_refuse(reason, 4);
  *strike = spot * exp(moneyness + (domestic - foreign) * time);
  return XR_IS_LEVEL(*strike) ? 0 : xr_refuse(XR_NO_SOLUTION, 4);
}

static inline xr_refusal atm_of(int8_t atm, int8_t convention, double spot, double time, double volatility,
                                double domestic, double foreign, double *strike) {
  XR_REQUIRE_CODE(atm, 3, 1);
  XR_REQUIRE_CODE(convention, 4, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  const xr_refusal refusal = check_market(time, volatility, domestic, foreign, 4);
  if (refusal) return refusal;
  const double carry = (domestic - foreign) * time;
  const double moneyness = xr_moneyness_atm(atm, convention, volatility * sqrt(time), carry);
  *strike = atm == XR_ATM_SPOT ? spot : spot * exp(moneyness + carry);
  return XR_IS_LEVEL(*strike) ? 0 : xr_refuse(XR_NO_SOLUTION, 5);
}

/* The end of each loop below: a refusal goes to the status, or ends the call. */
#define SETTLE(refusal, i, out)                              \
  do {                                                       \
    if ((refusal) && !status) return xr_fault((refusal), (i)); \
    if (status) status[i] = (uint8_t)((refusal) >> 8);       \
    if (refusal) (out) = NAN;                                \
  } while (0)

int64_t xr_strike_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention, const double *spot,
                        const double *strike, const double *time, const double *volatility, const double *domestic_rate,
                        const double *foreign_rate, double *delta, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = delta_of(put_or_call[i], delta_convention[i], spot[i], strike[i], time[i], volatility[i],
                                        domestic_rate[i], foreign_rate[i], &delta[i]);
    SETTLE(refusal, i, delta[i]);
  }
  return 0;
}

int64_t xr_strike_from_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention, const double *spot,
                             const double *delta, const double *time, const double *volatility,
                             const double *domestic_rate, const double *foreign_rate, double *strike, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = strike_of(put_or_call[i], delta_convention[i], spot[i], delta[i], time[i], volatility[i],
                                         domestic_rate[i], foreign_rate[i], &strike[i]);
    SETTLE(refusal, i, strike[i]);
  }
  return 0;
}

int64_t xr_strike_atm(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention, const double *spot,
                      const double *time, const double *volatility, const double *domestic_rate,
                      const double *foreign_rate, double *strike, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = atm_of(atm_convention[i], delta_convention[i], spot[i], time[i], volatility[i],
                                      domestic_rate[i], foreign_rate[i], &strike[i]);
    SETTLE(refusal, i, strike[i]);
  }
  return 0;
}
