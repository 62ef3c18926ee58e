/* Reading a smile: volatility of a strike, strike of a delta. See include/xr/smile.h. */
#include "delta_polynomial.h"
#include "delta_strike.h"
#include "xr/smile.h"

static inline xr_refusal check_coefficients(const double c[XR_SMILE_POINTS_MAX], int32_t place) {
  for (int a = 0; a < XR_SMILE_POINTS_MAX; a++) XR_REQUIRE(XR_IS_AMOUNT(c[a]), c[a], place + a);
  return 0;
}

static inline xr_refusal volatility_of(double forward, double time, double atm, const double c[XR_SMILE_POINTS_MAX],
                                       double strike, double *volatility) {
  XR_REQUIRE(XR_IS_LEVEL(forward), forward, 1);
  XR_REQUIRE(XR_IS_SMILE_TIME(time), time, 2);
  XR_REQUIRE(XR_IS_SMILE_VOLATILITY(atm), atm, 3);
  const xr_refusal refusal = check_coefficients(c, 4);
  if (refusal) return refusal;
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 9);
  *volatility = xr_smile_value(c, xr_smile_abscissa(log(strike / forward), atm * sqrt(time)));
  return XR_IS_SMILE_VOLATILITY(*volatility) ? 0 : xr_refuse(XR_NO_SOLUTION, 9);
}

int64_t xr_smile_volatility(int64_t count, const double *forward, const double *time, const double *atm_volatility,
                            const double *c0, const double *c1, const double *c2, const double *c3, const double *c4,
                            const double *strike, double *volatility, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const double c[XR_SMILE_POINTS_MAX] = {c0[i], c1[i], c2[i], c3[i], c4[i]};
    const xr_refusal refusal = volatility_of(forward[i], time[i], atm_volatility[i], c, strike[i], &volatility[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal) volatility[i] = NAN;
  }
  return 0;
}

/* The volatility v at which the strike of the delta at v has volatility v on the smile. The smile's volatilities lie between
   exp(c0 - sum) and exp(c0 + sum), sum of the other |c|, so that the difference changes its sign between; a volatility at
   which no strike has the delta counts as too high, since the greatest delta of a premium-adjusted call falls with it.
   Secants kept between the two sides, else halving. */
static int32_t solve_delta(int8_t call, int8_t convention, double x, double root_time, double s,
                           const double c[XR_SMILE_POINTS_MAX], double *moneyness, double *volatility) {
  const double reach = fabs(c[1]) + fabs(c[2]) + fabs(c[3]) + fabs(c[4]);
  double low = 0.5 * fmax(exp(c[0] - reach), 1e-6), high = 2.0 * fmin(exp(c[0] + reach), XR_VOLATILITY_MAX);
  double v = fmin(fmax(s / root_time, low), high), before = NAN, difference_before = NAN;
  for (int i = 0; i < 200; i++) {
    double next;
    const int32_t reason = xr_moneyness_of_delta(call, convention, x, v * root_time, moneyness);
    if (reason) {
      high = v;
      next = 0.5 * (low + high);
    } else {
      const double difference = xr_smile_value(c, xr_smile_abscissa(*moneyness, s)) - v;
      *volatility = v;
      if (fabs(difference) <= 2e-15 * v) return XR_OK;
      if (difference > 0.0) low = v;
      else high = v;
      next = v - difference * (v - before) / (difference - difference_before);
      if (before != before) next = v + difference;
      if (!(next > low && next < high)) next = 0.5 * (low + high);
      before = v, difference_before = difference;
    }
    if (high - low <= 4e-16 * high) return reason ? reason : fabs(difference_before) < 1e-12 * v ? XR_OK : XR_NO_SOLUTION;
    v = next;
  }
  return XR_NOT_CONVERGED;
}

static inline xr_refusal at_delta(int8_t call, int8_t convention, double forward, double time, double foreign, double atm,
                                  const double c[XR_SMILE_POINTS_MAX], double delta, double *strike, double *volatility) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(convention, 4, 2);
  XR_REQUIRE(XR_IS_LEVEL(forward), forward, 3);
  XR_REQUIRE(XR_IS_SMILE_TIME(time), time, 4);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 5);
  XR_REQUIRE(XR_IS_SMILE_VOLATILITY(atm), atm, 6);
  const xr_refusal refusal = check_coefficients(c, 7);
  if (refusal) return refusal;
  XR_REQUIRE(XR_IS_AMOUNT(delta), delta, 12);
  const double x = (call ? delta : -delta) / xr_delta_factor(convention, foreign, time);
  const double root_time = sqrt(time);
  double moneyness;
  const int32_t reason = solve_delta(call, convention, x, root_time, atm * root_time, c, &moneyness, volatility);
  if (reason) return xr_refuse(reason, 12);
  *strike = forward * exp(moneyness);
  return XR_IS_LEVEL(*strike) ? 0 : xr_refuse(XR_NO_SOLUTION, 12);
}

int64_t xr_smile_at_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention,
                          const double *forward, const double *time, const double *foreign_rate,
                          const double *atm_volatility, const double *c0, const double *c1, const double *c2,
                          const double *c3, const double *c4, const double *delta, double *strike, double *volatility,
                          uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const double c[XR_SMILE_POINTS_MAX] = {c0[i], c1[i], c2[i], c3[i], c4[i]};
    const xr_refusal refusal = at_delta(put_or_call[i], delta_convention[i], forward[i], time[i], foreign_rate[i],
                                        atm_volatility[i], c, delta[i], &strike[i], &volatility[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal) strike[i] = volatility[i] = NAN;
  }
  return 0;
}
