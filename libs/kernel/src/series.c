/* Volatility filters and forecasts: see include/xr/series.h; the fit stands in garch_fit.c. */
#include "xr/series.h"

#include "lanes.h"
#include "ragged.h"

#define LOG_2PI 1.83787706640934548356

int64_t xr_series_ewma(int64_t series, const int64_t *offsets, const double *returns, const double *decay,
                       const double *initial, double *variance, double *next) {
  const int64_t fault = xr_check_rows(offsets, series, 1, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_AMOUNT, returns + offsets[0], offsets[series] - offsets[0], 2);
  XR_REQUIRE_ALL(XR_IS_UNIT, decay, series, 3);
  XR_REQUIRE_ALL(XR_IS_VARIANCE, initial, series, 4);
  for (int64_t k = 0; k < series; k++) {
    double v = initial[k];
    for (int64_t t = offsets[k]; t < offsets[k + 1]; t++) {
      variance[t] = v;
      v = decay[k] * v + (1.0 - decay[k]) * returns[t] * returns[t];
    }
    next[k] = v;
  }
  return 0;
}

static int64_t check_parameters(int64_t series, const double *omega, const double *alpha, const double *beta,
                                int32_t place) {
  XR_REQUIRE_ALL(XR_IS_POSITIVE_VARIANCE, omega, series, place);
  XR_REQUIRE_ALL(XR_IS_UNIT, alpha, series, place + 1);
  XR_REQUIRE_ALL(XR_IS_UNIT, beta, series, place + 2);
  for (int64_t k = 0; k < series; k++) /* a sum of one may be rounded up */
    if (alpha[k] + beta[k] > 1.0 + 1e-12) return xr_fault(xr_refuse(XR_INCONSISTENT, place + 2), k);
  return 0;
}

int64_t xr_series_garch(int64_t series, const int64_t *offsets, const double *returns, const double *omega,
                        const double *alpha, const double *beta, const double *initial, double *variance,
                        double *next, double *log_likelihood) {
  int64_t fault = xr_check_rows(offsets, series, 1, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_AMOUNT, returns + offsets[0], offsets[series] - offsets[0], 2);
  fault = check_parameters(series, omega, alpha, beta, 3);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_POSITIVE_VARIANCE, initial, series, 6);
  for (int64_t k = 0; k < series; k++) {
    double v = initial[k], sum = 0.0, lost = 0.0;
    for (int64_t t = offsets[k]; t < offsets[k + 1]; t++) {
      const double square = returns[t] * returns[t];
      variance[t] = v;
      /* Kahan (1965): a million terms lose no more than one. */
      const double term = LOG_2PI + log(v) + square / v - lost, more = sum + term;
      lost = (more - sum) - term;
      sum = more;
      v = omega[k] + alpha[k] * square + beta[k] * v;
    }
    next[k] = v;
    log_likelihood[k] = -0.5 * sum;
  }
  return 0;
}

int64_t xr_series_garch_forecast(int64_t series, const double *omega, const double *alpha, const double *beta,
                                 const double *next, int64_t horizon, double *variance) {
  const int64_t fault = check_parameters(series, omega, alpha, beta, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_POSITIVE_VARIANCE, next, series, 4);
  if (horizon < 1 || horizon > 100000) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), 0);
  for (int64_t k = 0; k < series; k++) {
    double v = next[k];
    for (int64_t step = 0; step < horizon; step++) {
      variance[k * horizon + step] = v;
      v = omega[k] + (alpha[k] + beta[k]) * v;
    }
  }
  return 0;
}
