/* SABR: see include/xr/sabr.h. */
#include "xr/sabr.h"

#include "checks.h"

#define STEPS_MAX 200
#define POINTS_MAX 64

/* Hagan et al. (2002), equation 2.17. x(z) is taken as log1p on the side of z where its terms have one sign, by
   (J + z - rho)(J - z + rho) = 1 - rho^2 with J^2 = 1 - 2 rho z + z^2: no digits are lost for z near zero or far out. */
static double hagan(double forward, double strike, double time, double alpha, double beta, double rho, double nu) {
  const double log_ratio = log(forward / strike), rest = 1.0 - beta;
  const double middle = exp(0.5 * rest * (log(forward) + log(strike)));
  const double z = nu / alpha * middle * log_ratio;
  const double j = sqrt((z - rho) * (z - rho) + (1.0 - rho) * (1.0 + rho));
  const double less_one = z * (z - 2.0 * rho) / (1.0 + j);
  double ratio = 1.0 - 0.5 * rho * z;
  if (fabs(z) > 1e-16)
    ratio = z / (z > 0.0 ? log1p((less_one + z) / (1.0 - rho)) : -log1p((less_one - z) / (1.0 + rho)));
  const double square = rest * rest * log_ratio * log_ratio;
  const double drift = rest * rest / 24.0 * alpha * alpha / (middle * middle) + 0.25 * rho * beta * nu * alpha / middle +
                       (2.0 - 3.0 * rho * rho) / 24.0 * nu * nu;
  return alpha / (middle * (1.0 + square / 24.0 + square * square / 1920.0)) * ratio * (1.0 + drift * time);
}

#define XR_IS_SABR_RHO(x) (((x) >= -0.9999999) & ((x) <= 0.9999999))
#define XR_IS_SABR_NU(x) (((x) >= 0.0) & ((x) <= 100.0))

static inline xr_refusal volatility_of(double forward, double strike, double time, double alpha, double beta, double rho,
                                       double nu, double *volatility) {
  XR_REQUIRE(XR_IS_LEVEL(forward), forward, 1);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 2);
  XR_REQUIRE(XR_IS_TIME(time), time, 3);
  XR_REQUIRE(XR_IS_LEVEL(alpha), alpha, 4);
  XR_REQUIRE(XR_IS_UNIT(beta), beta, 5);
  XR_REQUIRE(XR_IS_SABR_RHO(rho), rho, 6);
  XR_REQUIRE(XR_IS_SABR_NU(nu), nu, 7);
  *volatility = hagan(forward, strike, time, alpha, beta, rho, nu);
  return XR_IS_SMILE_VOLATILITY(*volatility) ? 0 : xr_refuse(XR_NO_SOLUTION, 4);
}

int64_t xr_sabr_volatility(int64_t count, const double *forward, const double *strike, const double *time,
                           const double *alpha, const double *beta, const double *rho, const double *nu,
                           double *volatility, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal =
        volatility_of(forward[i], strike[i], time[i], alpha[i], beta[i], rho[i], nu[i], &volatility[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal) volatility[i] = NAN;
  }
  return 0;
}

/* One smile to fit. p = (log alpha scaled to the forward, atanh rho, log nu): every p is a model. */
typedef struct {
  int64_t points;
  double forward, time, beta, scale;
  const double *strike, *volatility;
} smile;

static const double LOW[3] = {-12.0, -7.0, -12.0}, HIGH[3] = {5.0, 7.0, 4.6};

static void residuals(const smile *m, const double p[3], double *r) {
  const double alpha = m->scale * exp(p[0]), rho = tanh(p[1]), nu = exp(p[2]);
  for (int64_t i = 0; i < m->points; i++)
    r[i] = hagan(m->forward, m->strike[i], m->time, alpha, m->beta, rho, nu) - m->volatility[i];
}

static double sum_of_squares(const smile *m, const double *r) {
  double sum = 0.0;
  for (int64_t i = 0; i < m->points; i++) sum += r[i] * r[i];
  return sum == sum ? sum : INFINITY;
}

/* Solves a symmetric positive system of three by elimination. */
static void solve3(double a[3][3], const double b[3], double x[3]) {
  double c[3] = {b[0], b[1], b[2]};
  for (int k = 0; k < 3; k++)
    for (int i = k + 1; i < 3; i++) {
      const double f = a[i][k] / a[k][k];
      for (int n = k; n < 3; n++) a[i][n] -= f * a[k][n];
      c[i] -= f * c[k];
    }
  for (int k = 2; k >= 0; k--) {
    x[k] = c[k];
    for (int n = k + 1; n < 3; n++) x[k] -= a[k][n] * x[n];
    x[k] /= a[k][k];
  }
}

/* Levenberg (1944) and Marquardt (1963) from p; the result is the sum of squares, or -1 after STEPS_MAX steps. It ends where
   the sum is rounding, a step changes nothing, or three steps one after another gain less than 1e-7 of the sum: a smile that
   SABR cannot follow ends so, often in a long flat valley. */
static double descend(const smile *m, double p[3]) {
  double r[POINTS_MAX], up[POINTS_MAX], down[POINTS_MAX], slope[3][POINTS_MAX], damping = 1e-4;
  int idle = 0;
  residuals(m, p, r);
  double sum = sum_of_squares(m, r);
  for (int step = 0; step < STEPS_MAX; step++) {
    if (sum <= 1e-31 * (double)m->points) return sum;
    for (int k = 0; k < 3; k++) {
      double moved[3] = {p[0], p[1], p[2]};
      const double bump = 1e-5;
      moved[k] = p[k] + bump, residuals(m, moved, up);
      moved[k] = p[k] - bump, residuals(m, moved, down);
      for (int64_t i = 0; i < m->points; i++) slope[k][i] = (up[i] - down[i]) / (2.0 * bump);
    }
    double normal[3][3], gradient[3];
    for (int k = 0; k < 3; k++) {
      gradient[k] = 0.0;
      for (int64_t i = 0; i < m->points; i++) gradient[k] -= slope[k][i] * r[i];
      for (int n = 0; n < 3; n++) {
        normal[k][n] = 0.0;
        for (int64_t i = 0; i < m->points; i++) normal[k][n] += slope[k][i] * slope[n][i];
      }
    }
    int improved = 0;
    double change = 0.0, gain = 0.0;
    while (!improved && damping < 1e14) {
      double damped[3][3], dx[3], tried[3];
      for (int k = 0; k < 3; k++)
        for (int n = 0; n < 3; n++)
          damped[k][n] = normal[k][n] + (k == n ? damping * (normal[k][k] + 1e-12 * normal[0][0]) : 0.0);
      solve3(damped, gradient, dx);
      change = 0.0;
      for (int k = 0; k < 3; k++) {
        tried[k] = fmin(fmax(p[k] + dx[k], LOW[k]), HIGH[k]);
        change = fmax(change, fabs(tried[k] - p[k]));
      }
      residuals(m, tried, up);
      const double now = sum_of_squares(m, up);
      if (now < sum) {
        improved = 1;
        gain = sum - now;
        for (int k = 0; k < 3; k++) p[k] = tried[k];
        for (int64_t i = 0; i < m->points; i++) r[i] = up[i];
        sum = now;
        damping = fmax(damping * 0.1, 1e-16);
      } else {
        damping *= 10.0;
      }
    }
    idle = gain < 1e-7 * sum ? idle + 1 : 0;
    if (!improved || change < 1e-13 || idle == 3) return sum;
  }
  return -1.0;
}

/* A first guess from the level, slope and curvature of the smile at its middle, by the expansion of equation 2.17 for strikes
   near the forward and short times: with L = log(K/F), slope = (rho nu - (1 - beta) a) / 2 and curvature =
   (2 - 3 rho^2) nu^2 / (6 a) + (1 - beta)^2 a / 12, where a = alpha / forward^(1 - beta). */
static void guess(const smile *m, double p[3]) {
  int64_t low = 0, high = 0, middle = 0;
  for (int64_t i = 1; i < m->points; i++) {
    if (m->strike[i] < m->strike[low]) low = i;
    if (m->strike[i] > m->strike[high]) high = i;
    if (fabs(log(m->strike[i] / m->forward)) < fabs(log(m->strike[middle] / m->forward))) middle = i;
  }
  const double a = m->volatility[middle], rest = 1.0 - m->beta;
  const double left = log(m->strike[middle] / m->strike[low]), right = log(m->strike[high] / m->strike[middle]);
  double product = rest * a, square = 0.0;
  if (left > 0.0 && right > 0.0) {
    const double below = (a - m->volatility[low]) / left, above = (m->volatility[high] - a) / right;
    const double curvature = 2.0 * (above - below) / (left + right);
    product += 2.0 * (below * right + above * left) / (left + right);
    square = 3.0 * a * curvature - 0.25 * rest * rest * a * a + 1.5 * product * product;
  }
  const double nu = sqrt(fmax(square, fmax(1.2 * product * product, 1e-4)));
  p[0] = fmin(fmax(log(a), LOW[0]), HIGH[0]);
  p[1] = atanh(fmin(fmax(product / nu, -0.95), 0.95));
  p[2] = fmin(log(nu), HIGH[2]);
}

static double worst_of(const smile *m, const double p[3]) {
  double r[POINTS_MAX], worst = 0.0;
  residuals(m, p, r);
  for (int64_t i = 0; i < m->points; i++) worst = fmax(worst, fabs(r[i]));
  return worst;
}

/* Fits one smile: from the guess, and where that does not go through the points also from a plain start. */
static int fit(const smile *m, double p[3]) {
  guess(m, p);
  const double first = descend(m, p);
  if (first >= 0.0 && first < 1e-20) return 1;
  double other[3] = {p[0], 0.0, log(fmin(1.0 / sqrt(m->time), 2.0))};
  guess(m, other);
  other[1] = 0.0, other[2] = log(fmin(1.0 / sqrt(m->time), 2.0));
  const double second = descend(m, other);
  if (second >= 0.0 && (first < 0.0 || second < first))
    for (int k = 0; k < 3; k++) p[k] = other[k];
  return first >= 0.0 || second >= 0.0;
}

static xr_refusal check_smile(const smile *m, int64_t row, int64_t *index) {
  *index = row;
  XR_REQUIRE(XR_IS_LEVEL(m->forward), m->forward, 2);
  XR_REQUIRE(XR_IS_SMILE_TIME(m->time), m->time, 3);
  XR_REQUIRE(XR_IS_UNIT(m->beta), m->beta, 4);
  for (int64_t i = 0; i < m->points; i++) {
    *index = row * m->points + i;
    XR_REQUIRE(XR_IS_LEVEL(m->strike[i]), m->strike[i], 5);
  }
  for (int64_t i = 0; i < m->points; i++) {
    *index = row * m->points + i;
    XR_REQUIRE(XR_IS_SMILE_VOLATILITY(m->volatility[i]), m->volatility[i], 6);
  }
  return 0;
}

int64_t xr_sabr_calibrate(int64_t count, int64_t points, const double *forward, const double *time, const double *beta,
                          const double *strike, const double *volatility, double *alpha, double *rho, double *nu,
                          double *error, uint8_t *status) {
  if (points < 3) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  if (points > POINTS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  for (int64_t row = 0; row < count; row++) {
    smile m = {points, forward[row], time[row], beta[row], 1.0, strike + row * points, volatility + row * points};
    int64_t index;
    double p[3];
    xr_refusal refusal = check_smile(&m, row, &index);
    if (!refusal) {
      m.scale = exp((1.0 - m.beta) * log(m.forward));
      index = row * points;
      if (!fit(&m, p)) refusal = xr_refuse(XR_NOT_CONVERGED, 6);
    }
    if (refusal && !status) return xr_fault(refusal, index);
    if (status) status[row] = (uint8_t)(refusal >> 8);
    alpha[row] = refusal ? NAN : m.scale * exp(p[0]);
    rho[row] = refusal ? NAN : tanh(p[1]);
    nu[row] = refusal ? NAN : exp(p[2]);
    error[row] = refusal ? NAN : worst_of(&m, p);
  }
  return 0;
}
