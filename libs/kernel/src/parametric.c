/* Parametric value at risk: see include/xr/parametric.h. */
#include "xr/parametric.h"

#include "covariance.h"

#define SKEWNESS_MAX 10.0
#define KURTOSIS_MIN -10.0
#define KURTOSIS_MAX 100.0

/* Traces of the powers of ΓΣ and the products δ'Σ(ΓΣ)^kδ give the cumulants of a quadratic form in normals:
   κ_r = ½ r! δ'Σ(ΓΣ)^(r-2)δ + ½ (r-1)! tr (ΓΣ)^r  (Mathai and Provost 1992, chapter 3). */
static void cumulants(int64_t n, const double *delta, const double *gamma, const double *covariance, double kappa[5],
                      double *scratch) {
  double *product = scratch, *square = scratch + n * n, *moved = square + n * n, *bent = moved + n;
  xr_apply(n, covariance, delta, moved);
  kappa[1] = kappa[3] = kappa[4] = 0.0;
  kappa[2] = fmax(0.0, xr_dot(n, delta, moved));
  if (!gamma) return;
  const double *from = gamma;
  for (int64_t i = 0; i < 2 * n * n; i++) scratch[i] = 0.0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < n; k++)
      for (int64_t j = 0; j < n; j++) product[i * n + j] += from[i * n + k] * covariance[k * n + j];
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < n; k++)
      for (int64_t j = 0; j < n; j++) square[i * n + j] += product[i * n + k] * product[k * n + j];
  double trace[5] = {0.0};
  for (int64_t i = 0; i < n; i++) {
    trace[1] += product[i * n + i];
    trace[2] += square[i * n + i];
    for (int64_t j = 0; j < n; j++) {
      trace[3] += product[i * n + j] * square[j * n + i];
      trace[4] += square[i * n + j] * square[j * n + i];
    }
  }
  xr_apply(n, gamma, moved, bent);
  kappa[1] = 0.5 * trace[1];
  kappa[2] = fmax(0.0, kappa[2] + 0.5 * trace[2]);
  kappa[3] = 3.0 * xr_dot(n, moved, bent) + trace[3];
  xr_apply(n, covariance, bent, moved);
  kappa[4] = 12.0 * xr_dot(n, bent, moved) + 3.0 * trace[4];
}

int64_t xr_parametric_moments(int64_t portfolios, int64_t factors, const double *drift, const double *delta,
                              const double *gamma, const double *covariance, double *mean, double *deviation,
                              double *skewness, double *kurtosis, double *scratch) {
  if (portfolios < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (factors < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  const int64_t cells = factors * factors;
  int64_t fault = xr_not_amounts(portfolios, drift, 2);
  if (!fault) fault = xr_not_amounts(portfolios * factors, delta, 3);
  if (!fault && gamma) fault = xr_not_amounts(portfolios * cells, gamma, 4);
  if (fault) return fault;
  for (int64_t row = 0; gamma && row < portfolios; row++)
    for (int64_t i = 0; i < factors; i++)
      for (int64_t j = 0; j < i; j++) {
        const double one = gamma[row * cells + i * factors + j], other = gamma[row * cells + j * factors + i];
        if (!(fabs(one - other) <= 1e-12 * fmax(fabs(one), fabs(other))))
          return xr_fault(xr_refuse(XR_INCONSISTENT, 4), row * cells + i * factors + j);
      }
  fault = xr_not_covariance(factors, covariance, 5, scratch);
  if (fault) return fault;
  for (int64_t row = 0; row < portfolios; row++) {
    double kappa[5];
    cumulants(factors, delta + row * factors, gamma ? gamma + row * cells : NULL, covariance, kappa, scratch);
    mean[row] = drift[row] + kappa[1];
    deviation[row] = sqrt(kappa[2]);
    skewness[row] = kappa[2] > 0.0 ? kappa[3] / (kappa[2] * deviation[row]) : 0.0;
    kurtosis[row] = kappa[2] > 0.0 ? kappa[4] / (kappa[2] * kappa[2]) : 0.0;
  }
  return 0;
}

/* The expansion is w(z) = z + (z²-1)S/6 + (z³-3z)K/24 - (2z³-5z)S²/36. Its derivative az² + bz + c has no root where
   b² <= 4ac, and there w ascends if a >= 0. */
static inline int ascends(double skewness, double kurtosis) {
  const double a = kurtosis / 8.0 - skewness * skewness / 6.0;
  const double b = skewness / 3.0;
  const double c = 1.0 - kurtosis / 8.0 + 5.0 * skewness * skewness / 36.0;
  return (a >= 0.0) & (b * b <= 4.0 * a * c) & (c > 0.0);
}

static xr_refusal check(double mean, double deviation, double skewness, double kurtosis, double confidence) {
  XR_REQUIRE(XR_IS_AMOUNT(mean), mean, 1);
  XR_REQUIRE((deviation >= 0.0) & (deviation <= XR_LEVEL_MAX), deviation, 2);
  XR_REQUIRE((skewness >= -SKEWNESS_MAX) & (skewness <= SKEWNESS_MAX), skewness, 3);
  XR_REQUIRE((kurtosis >= KURTOSIS_MIN) & (kurtosis <= KURTOSIS_MAX), kurtosis, 4);
  XR_REQUIRE((confidence >= XR_CONFIDENCE_MIN) & (confidence <= XR_CONFIDENCE_MAX), confidence, 5);
  return ascends(skewness, kurtosis) ? 0 : xr_refuse(XR_NO_SOLUTION, 4);
}

/* With He_n the Hermite polynomials, w = He1 + S/6 He2 + K/24 He3 - S²/36 (2 He3 + He1), and the integral of He_n φ from minus
   infinity to q is -He_(n-1)(q) φ(q); so the tail's mean needs no quadrature. q = -z is the quantile of P&L. */
int64_t xr_parametric_measure(int64_t count, const double *mean, const double *deviation, const double *skewness,
                              const double *kurtosis, const double *confidence, double *var, double *es,
                              uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(mean[i], deviation[i], skewness[i], kurtosis[i], confidence[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal) {
      var[i] = es[i] = NAN;
      continue;
    }
    const double s = skewness[i] / 6.0, k = kurtosis[i] / 24.0, s2 = s * s;
    const double z = xr_normal_tail(confidence[i]), q = -z;
    const double w = q + s * (q * q - 1.0) + k * (q * q * q - 3.0 * q) - s2 * (2.0 * q * q * q - 5.0 * q);
    const double tail = 1.0 + s * q + k * (q * q - 1.0) - s2 * (2.0 * (q * q - 1.0) + 1.0);
    var[i] = -mean[i] - deviation[i] * w;
    es[i] = -mean[i] + deviation[i] * tail * xr_npdf(z) / (1.0 - confidence[i]);
  }
  return 0;
}
