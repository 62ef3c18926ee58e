/* Vanna-Volga: see include/xr/vanna_volga.h. */
#include "xr/vanna_volga.h"

#include "checks.h"

/* d1 times d2 of Black's formula. */
static inline double d1_d2(double moneyness, double s) {
  return (0.5 * s - moneyness / s) * (-0.5 * s - moneyness / s);
}

/* Castagna and Mercurio (2007): to first order in the volatilities, the hedge of a strike by the three quoted ones gives
   volatility sum y_i v_i with weights y_i that are Lagrange's in log K. To second order the same expansion is
   a quadratic equation in the volatility; with D1 = sum y_i v_i - v_2 and D2 = sum y_i d1_i d2_i
   (v_i - v_2)^2 its root is v_2 + (2 v_2 D1 + D2) / (v_2 + sqrt(v_2^2 + d1 d2 (2 v_2 D1 + D2))), which is theirs with the
   difference in the numerator multiplied out, so that d1 d2 = 0 needs no care. */
static inline double vanna_volga(int8_t order, const double k[3], const double v[3], double at, double root_time) {
  const double y1 = (k[1] - at) * (k[2] - at) / ((k[1] - k[0]) * (k[2] - k[0]));
  const double y3 = (at - k[0]) * (at - k[1]) / ((k[2] - k[0]) * (k[2] - k[1]));
  const double first = y1 * (v[0] - v[1]) + y3 * (v[2] - v[1]);
  if (order == 0) return v[1] + first;
  const double s = v[1] * root_time, low = v[0] - v[1], high = v[2] - v[1];
  const double second = y1 * d1_d2(k[0], s) * low * low + y3 * d1_d2(k[2], s) * high * high;
  const double sum = 2.0 * v[1] * first + second;
  return v[1] + sum / (v[1] + sqrt(v[1] * v[1] + d1_d2(at, s) * sum));
}

static inline xr_refusal volatility_of(int8_t order, double forward, double time, const double strikes[3],
                                       const double volatilities[3], double strike, double *volatility) {
  XR_REQUIRE_CODE(order, 2, 1);
  XR_REQUIRE(XR_IS_LEVEL(forward), forward, 2);
  XR_REQUIRE(XR_IS_SMILE_TIME(time), time, 3);
  for (int i = 0; i < 3; i++) XR_REQUIRE(XR_IS_LEVEL(strikes[i]), strikes[i], 4 + i);
  for (int i = 0; i < 3; i++) XR_REQUIRE(XR_IS_SMILE_VOLATILITY(volatilities[i]), volatilities[i], 7 + i);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 10);
  if (!(strikes[0] < strikes[1] && strikes[1] < strikes[2])) return xr_refuse(XR_INCONSISTENT, 10);
  double k[3];
  for (int i = 0; i < 3; i++) k[i] = log(strikes[i] / forward);
  *volatility = vanna_volga(order, k, volatilities, log(strike / forward), sqrt(time));
  return XR_IS_SMILE_VOLATILITY(*volatility) ? 0 : xr_refuse(XR_NO_SOLUTION, 10);
}

int64_t xr_vanna_volga_volatility(int64_t count, const int8_t *order, const double *forward, const double *time,
                                  const double *strike_low, const double *strike_middle, const double *strike_high,
                                  const double *volatility_low, const double *volatility_middle,
                                  const double *volatility_high, const double *strike, double *volatility,
                                  uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const double strikes[3] = {strike_low[i], strike_middle[i], strike_high[i]};
    const double volatilities[3] = {volatility_low[i], volatility_middle[i], volatility_high[i]};
    const xr_refusal refusal =
        volatility_of(order[i], forward[i], time[i], strikes, volatilities, strike[i], &volatility[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal) volatility[i] = NAN;
  }
  return 0;
}
