/* The binomial distribution by Loader's saddle-point expansion (Fast and accurate computation of binomial probabilities,
   2000), without the cancellation of log-gamma functions. */
#ifndef XR_BINOMIAL_H
#define XR_BINOMIAL_H

#include <math.h>

/* log(n!) less Stirling's formula, of a whole number; by its asymptotic series from 16 on, where five terms are exact. */
static inline double xr_stirling_rest(double n) {
  static const double small[16] = {
      0.0, 0.08106146679532725822, 0.041340695955409294094, 0.027677925684998339149,
      0.020790672103765093112, 0.016644691189821192163, 0.013876128823070747999, 0.011896709945891770095,
      0.010411265261972096497, 0.0092554621827127329177, 0.0083305634333628712565, 0.007573675487951840795,
      0.0069428401072095298657, 0.0064089941880042070684, 0.0059513701127588477356, 0.005554733551962801371};
  if (n < 16.0) return small[(int)n];
  const double r = 1.0 / (n * n);
  return (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / n;
}

/* Deviance: x log(x / mean) + mean - x, by a series where both are close (Loader's bd0). */
static inline double xr_deviance(double x, double mean) {
  if (x == 0.0) return mean;
  if (fabs(x - mean) < 0.1 * (x + mean)) {
    const double v = (x - mean) / (x + mean), square = v * v;
    double sum = (x - mean) * v, term = 2.0 * x * v;
    for (int j = 3; j < 60; j += 2) {
      term *= square;
      const double more = sum + term / j;
      if (more == sum) break;
      sum = more;
    }
    return sum;
  }
  return x * log(x / mean) + mean - x;
}

static inline double xr_binomial_mass(double x, double n, double p) {
  if (x == 0.0) return exp(n * log1p(-p));
  if (x == n) return exp(n * log(p));
  const double rest = xr_stirling_rest(n) - xr_stirling_rest(x) - xr_stirling_rest(n - x);
  const double scale = n / (6.28318530717958647692 * x * (n - x));
  return sqrt(scale) * exp(rest - xr_deviance(x, n * p) - xr_deviance(n - x, n * (1.0 - p)));
}

/* Both tails, each summed on its side of the mean: P(X <= x) and P(X >= x). */
static inline void xr_binomial_tails(double x, double n, double p, double *below, double *above) {
  const double odds = p / (1.0 - p), mass = xr_binomial_mass(x, n, p);
  double sum = mass, term = mass;
  if (x < n * p) {
    for (double k = x; k > 0.0 && term > 1e-17 * sum; k -= 1.0) sum += term *= k / ((n - k + 1.0) * odds);
    *below = fmin(sum, 1.0);
    *above = 1.0 - (sum - mass);
  } else {
    for (double k = x; k < n && term > 1e-17 * sum; k += 1.0) sum += term *= (n - k) * odds / (k + 1.0);
    *above = fmin(sum, 1.0);
    *below = 1.0 - (sum - mass);
  }
}

#endif
