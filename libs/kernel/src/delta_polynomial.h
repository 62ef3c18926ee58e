/* A polynomial in delta as a smile, after Clark (2011), chapter 3: the logarithm of the volatility is a polynomial in the
   delta that a strike has at the volatility at the money. Volatilities are positive whatever the points, they depend on the
   strike explicitly, and level off in the wings, where u tends to 1 and -1. We take u = 2 delta - 1, which is zero at the
   forward, for better conditioned coefficients. */
#ifndef XR_DELTA_POLYNOMIAL_H
#define XR_DELTA_POLYNOMIAL_H

#include "lanes.h"

#define XR_SMILE_POINTS_MAX 5

/* moneyness is log(strike / forward), s the standard deviation at the money. */
static inline double xr_smile_abscissa(double moneyness, double s) {
  const double x = moneyness / s;
  return x > 0.0 ? 2.0 * xr_ndtr(-x) - 1.0 : 1.0 - 2.0 * xr_ndtr(x);
}

static inline double xr_smile_value(const double c[XR_SMILE_POINTS_MAX], double u) {
  return exp((((c[4] * u + c[3]) * u + c[2]) * u + c[1]) * u + c[0]);
}

/* The polynomial through the points (u, log v): Newton's divided differences, multiplied out. Zero if two points fall
   together or do not descend in u. */
static inline int xr_smile_fit(int points, const double moneyness[], const double volatility[], double s,
                               double c[XR_SMILE_POINTS_MAX]) {
  double u[XR_SMILE_POINTS_MAX], d[XR_SMILE_POINTS_MAX];
  for (int i = 0; i < points; i++) {
    u[i] = xr_smile_abscissa(moneyness[i], s);
    d[i] = log(volatility[i]);
    if (i > 0 && !(u[i] < u[i - 1])) return 0;
  }
  for (int j = 1; j < points; j++)
    for (int i = points - 1; i >= j; i--) d[i] = (d[i] - d[i - 1]) / (u[i] - u[i - j]);
  for (int i = 0; i < XR_SMILE_POINTS_MAX; i++) c[i] = 0.0;
  for (int j = points - 1; j >= 0; j--) {
    for (int m = points - 1; m > 0; m--) c[m] = c[m - 1] - u[j] * c[m];
    c[0] = d[j] - u[j] * c[0];
  }
  return 1;
}

#endif
