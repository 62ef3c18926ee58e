/* Volatility filtering: see include/xr/volatility_filter.h. */
#include "xr/volatility_filter.h"

#include "tables.h"

#define RETURN_MAX 10.0
#define VARIANCE_MAX 100.0

static int64_t sizes(int64_t series, int64_t days) {
  if (series < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  return days < 1 ? xr_fault(xr_refuse(XR_TOO_FEW, 1), 0) : 0;
}

int64_t xr_volatility_filter_variance(int64_t series, int64_t days, const double *returns, const double *constant,
                                      const double *reaction, const double *persistence, const double *first,
                                      double *variance) {
  int64_t fault = sizes(series, days);
  if (!fault) fault = xr_outside(series * days, returns, -RETURN_MAX, RETURN_MAX, 2);
  if (!fault) fault = xr_outside(series, constant, 0.0, VARIANCE_MAX, 3);
  if (!fault) fault = xr_outside(series, reaction, 0.0, 1.0, 4);
  if (!fault) fault = xr_outside(series, persistence, 0.0, 1.0, 5);
  if (!fault) fault = xr_outside(series, first, XR_LEVEL_MIN, VARIANCE_MAX, 6);
  if (fault) return fault;
  for (int64_t row = 0; row < series; row++) {
    double *out = variance + row * (days + 1);
    const double *in = returns + row * days;
    out[0] = first[row];
    for (int64_t t = 0; t < days; t++)
      out[t + 1] = constant[row] + reaction[row] * in[t] * in[t] + persistence[row] * out[t];
  }
  return 0;
}

int64_t xr_volatility_filter_scale(int64_t series, int64_t days, const double *returns, const double *variance,
                                   double *scaled) {
  int64_t fault = sizes(series, days);
  if (!fault) fault = xr_outside(series * days, returns, -RETURN_MAX, RETURN_MAX, 2);
  if (!fault) fault = xr_outside(series * (days + 1), variance, XR_LEVEL_MIN, XR_LEVEL_MAX, 3);
  if (fault) return fault;
  for (int64_t row = 0; row < series; row++) {
    const double *past = variance + row * (days + 1);
    for (int64_t t = 0; t < days; t++) scaled[row * days + t] = returns[row * days + t] * sqrt(past[days] / past[t]);
  }
  return 0;
}

int64_t xr_volatility_filter_simulate(int64_t series, int64_t days, const double *returns, const double *variance,
                                      const double *constant, const double *reaction, const double *persistence,
                                      int64_t paths, int64_t horizon, const int64_t *picks, double *simulated) {
  int64_t fault = sizes(series, days);
  if (!fault) fault = xr_outside(series * days, returns, -RETURN_MAX, RETURN_MAX, 2);
  if (!fault) fault = xr_outside(series * (days + 1), variance, XR_LEVEL_MIN, XR_LEVEL_MAX, 3);
  if (!fault) fault = xr_outside(series, constant, 0.0, VARIANCE_MAX, 4);
  if (!fault) fault = xr_outside(series, reaction, 0.0, 1.0, 5);
  if (!fault) fault = xr_outside(series, persistence, 0.0, 1.0, 6);
  if (fault) return fault;
  if (paths < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 7), 0);
  if (horizon < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 8), 0);
  for (int64_t i = 0; i < paths * horizon; i++)
    if (picks[i] < 0 || picks[i] >= days) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 9), i);
  for (int64_t row = 0; row < series; row++) {
    const double *in = returns + row * days, *past = variance + row * (days + 1);
    for (int64_t path = 0; path < paths; path++) {
      double now = past[days], sum = 0.0;
      for (int64_t step = 0; step < horizon; step++) {
        const int64_t day = picks[path * horizon + step];
        const double moved = in[day] * sqrt(now / past[day]);
        sum += moved;
        now = constant[row] + reaction[row] * moved * moved + persistence[row] * now;
        if (!(now <= XR_LEVEL_MAX)) return xr_fault(xr_refuse(XR_NO_SOLUTION, 9), path * horizon + step);
      }
      simulated[row * paths + path] = sum;
    }
  }
  return 0;
}
