/* Arbitrage in smiles: see include/xr/arbitrage.h. */
#include "xr/arbitrage.h"

#include "checks.h"

static xr_refusal check_row(int64_t row, int64_t points, double forward, double time, const double *strike,
                            const double *volatility, int64_t *index) {
  *index = row;
  XR_REQUIRE(XR_IS_LEVEL(forward), forward, 2);
  XR_REQUIRE(XR_IS_SMILE_TIME(time), time, 3);
  for (int64_t i = 0; i < points; i++) {
    *index = row * points + i;
    XR_REQUIRE(XR_IS_LEVEL(strike[i]), strike[i], 4);
  }
  for (int64_t i = 0; i < points; i++) {
    *index = row * points + i;
    XR_REQUIRE(XR_IS_SMILE_VOLATILITY(volatility[i]), volatility[i], 5);
  }
  for (int64_t i = 1; i < points; i++) {
    *index = row * points + i;
    if (!(strike[i] > strike[i - 1])) return xr_refuse(XR_NOT_ASCENDING, 4);
  }
  return 0;
}

/* Durrleman (2005); Gatheral and Jacquier (2014), equation 2.1: with w(k) the total variance at log-moneyness k,

     g = (1 - k w' / (2 w))^2 - w'^2 / 4 (1 / w + 1 / 4) + w'' / 2,

   and the density of log(S/F) is g times a positive factor. Derivatives are those of the parabola through a strike and its
   two neighbours. */
static void durrleman(int64_t points, double forward, double time, const double *strike, const double *volatility,
                      double *worst, double *worst_strike) {
  *worst = INFINITY;
  for (int64_t i = 1; i + 1 < points; i++) {
    const double k = log(strike[i] / forward);
    const double left = log(strike[i] / strike[i - 1]), right = log(strike[i + 1] / strike[i]);
    const double w = volatility[i] * volatility[i] * time;
    const double below = (w - volatility[i - 1] * volatility[i - 1] * time) / left;
    const double above = (volatility[i + 1] * volatility[i + 1] * time - w) / right;
    const double slope = (below * right + above * left) / (left + right);
    const double curvature = 2.0 * (above - below) / (left + right);
    const double half = 1.0 - 0.5 * k * slope / w;
    const double g = half * half - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature;
    if (g < *worst) *worst = g, *worst_strike = strike[i];
  }
}

int64_t xr_arbitrage_butterfly(int64_t count, int64_t points, const double *forward, const double *time,
                               const double *strike, const double *volatility, double *worst, double *worst_strike,
                               uint8_t *status) {
  if (points < 3) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  for (int64_t row = 0; row < count; row++) {
    const double *strikes = strike + row * points, *volatilities = volatility + row * points;
    int64_t index;
    const xr_refusal refusal = check_row(row, points, forward[row], time[row], strikes, volatilities, &index);
    if (refusal && !status) return xr_fault(refusal, index);
    if (status) status[row] = (uint8_t)(refusal >> 8);
    worst[row] = worst_strike[row] = NAN;
    if (!refusal) durrleman(points, forward[row], time[row], strikes, volatilities, &worst[row], &worst_strike[row]);
  }
  return 0;
}

int64_t xr_arbitrage_calendar(int64_t expiries, int64_t points, const double *time, const double *total_variance,
                              double *worst, int64_t *worst_point) {
  if (expiries < 2) return xr_fault(xr_refuse(XR_TOO_FEW, 0), 0);
  if (points < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  for (int64_t i = 0; i < expiries; i++) {
    if (!XR_IS_TIME(time[i])) return xr_fault(xr_refuse_number(time[i], 2), i);
  }
  for (int64_t i = 0; i < expiries * points; i++)
    if (!XR_IS_TOTAL_VARIANCE(total_variance[i])) return xr_fault(xr_refuse_number(total_variance[i], 3), i);
  for (int64_t i = 1; i < expiries; i++)
    if (!(time[i] > time[i - 1])) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 2), i);
  for (int64_t i = 1; i < expiries; i++) {
    const double *now = total_variance + i * points, *before = now - points;
    int64_t least = 0;
    for (int64_t j = 1; j < points; j++)
      if (now[j] - before[j] < now[least] - before[least]) least = j;
    worst[i - 1] = now[least] - before[least];
    worst_point[i - 1] = least;
  }
  return 0;
}
