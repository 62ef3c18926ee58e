/* Parametric value at risk: see include/xr/parametric.h. */
#include "xr/parametric.h"

#include "covariance.h"

#define VARIANCE_MIN 1e-100 /* below it a portfolio has no risk to speak of, and its square would vanish */
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
  if (!fault) fault = xr_outside(portfolios * factors, delta, -XR_SENSITIVITY_MAX, XR_SENSITIVITY_MAX, 3);
  if (!fault && gamma) fault = xr_outside(portfolios * cells, gamma, -XR_SENSITIVITY_MAX, XR_SENSITIVITY_MAX, 4);
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
    skewness[row] = kappa[2] > VARIANCE_MIN ? kappa[3] / (kappa[2] * deviation[row]) : 0.0;
    kurtosis[row] = kappa[2] > VARIANCE_MIN ? kappa[4] / (kappa[2] * kappa[2]) : 0.0;
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

/* Moments of a cubic w = a0 + a1 z + a2 z² + a3 z³ of a standard normal z, and their derivatives to both parameters. */
typedef struct {
  double variance, third, fourth;
  double variance_by[2], third_by[2], fourth_by[2];
} cubic_moments;

static const double GAUSSIAN[13] = {1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395};

/* The mean of the product of two polynomials in z. */
static double mean_product(int n, const double *a, int m, const double *b) {
  double sum = 0.0;
  for (int i = 0; i <= n; i++)
    for (int j = 0; j <= m; j++) sum += a[i] * b[j] * GAUSSIAN[i + j];
  return sum;
}

static cubic_moments moments_of(double s, double k) {
  const double w[4] = {-s / 6.0, 1.0 - k / 8.0 + 5.0 * s * s / 36.0, s / 6.0, k / 24.0 - s * s / 18.0};
  const double by[2][4] = {{-1.0 / 6.0, 5.0 * s / 18.0, 1.0 / 6.0, -s / 9.0}, {0.0, -0.125, 0.0, 1.0 / 24.0}};
  double square[7] = {0.0}, cube[10] = {0.0};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) square[i + j] += w[i] * w[j];
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < 4; j++) cube[i + j] += square[i] * w[j];
  cubic_moments found;
  found.variance = mean_product(3, w, 3, w);
  found.third = mean_product(6, square, 3, w);
  found.fourth = mean_product(6, square, 6, square);
  for (int p = 0; p < 2; p++) {
    found.variance_by[p] = 2.0 * mean_product(3, w, 3, by[p]);
    found.third_by[p] = 3.0 * mean_product(6, square, 3, by[p]);
    found.fourth_by[p] = 4.0 * mean_product(9, cube, 3, by[p]);
  }
  return found;
}

/* Newton's steps on skewness and kurtosis as functions of the parameters, halved until the distance shrinks. */
static xr_refusal match(double skewness, double kurtosis, double *s, double *k, double *scale) {
  XR_REQUIRE((skewness >= -SKEWNESS_MAX) & (skewness <= SKEWNESS_MAX), skewness, 1);
  XR_REQUIRE((kurtosis >= KURTOSIS_MIN) & (kurtosis <= KURTOSIS_MAX), kurtosis, 2);
  double x[2] = {0.0, 0.0}, distance = INFINITY, step[2] = {0.0, 0.0}, share = 1.0;
  for (int i = 0; i < 200; i++) {
    const double at[2] = {x[0] + share * step[0], x[1] + share * step[1]};
    const cubic_moments m = moments_of(at[0], at[1]);
    const double v = m.variance, root = sqrt(v);
    const double f = m.third / (v * root) - skewness, g = m.fourth / (v * v) - 3.0 - kurtosis;
    const double far = f * f + g * g;
    if (!(far < distance)) {
      if (distance <= 1e-24 || share < 1e-9) break;
      share *= 0.5;
      continue;
    }
    x[0] = at[0], x[1] = at[1], distance = far, share = 1.0;
    *scale = 1.0 / root;
    double by[2][2];
    for (int p = 0; p < 2; p++) {
      by[0][p] = (m.third_by[p] - 1.5 * m.third * m.variance_by[p] / v) / (v * root);
      by[1][p] = (m.fourth_by[p] - 2.0 * m.fourth * m.variance_by[p] / v) / (v * v);
    }
    const double determinant = by[0][0] * by[1][1] - by[0][1] * by[1][0];
    if (fabs(determinant) < 1e-12) break;
    step[0] = (by[0][1] * g - by[1][1] * f) / determinant;
    step[1] = (by[1][0] * f - by[0][0] * g) / determinant;
  }
  *s = x[0];
  *k = fabs(x[1]) < 1e-12 && x[1] < 0.0 ? 0.0 : x[1]; /* the normal distribution is on the border of what ascends */
  return distance <= 1e-20 && ascends(*s, *k) ? 0 : xr_refuse(XR_NO_SOLUTION, 2);
}

int64_t xr_parametric_match(int64_t count, const double *skewness, const double *kurtosis, double *skewness_parameter,
                            double *kurtosis_parameter, double *scale, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    double s = 0.0, k = 0.0, factor = 1.0;
    const xr_refusal refusal = match(skewness[i], kurtosis[i], &s, &k, &factor);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    skewness_parameter[i] = refusal ? NAN : s;
    kurtosis_parameter[i] = refusal ? NAN : k;
    scale[i] = refusal ? NAN : factor;
  }
  return 0;
}
