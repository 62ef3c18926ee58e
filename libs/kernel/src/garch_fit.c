/* The maximum-likelihood fit of GARCH(1,1): see include/xr/series.h.

   Parameters are x = (p, s, u) in a box: persistence p = alpha + beta, the shock's share s = alpha / p, and the logarithm u of
   the long-run variance over the mean square m. So alpha = p s, beta = p (1 - s), omega = m exp(u) (1 - p). With variance
   targeting u stays 0.

   With v the variance of a return r and d its derivative by x, the log likelihood has the gradient 1/2 sum((r^2 / v - 1)
   d / v) and the expected Hessian -1/2 sum(d d' / v^2) (Fiorentini, Calzolari and Panattoni 1996, equations 5 and 9), where d
   follows the recursion of v itself. Scoring solves with that matrix, which is never indefinite; near the top Newton's steps
   take the observed one. Levenberg's damping shortens a step that does not climb; a parameter at a bound that pulls outwards
   is left out. */
#include <stddef.h>

#include "ragged.h"
#include "xr/series.h"

#define STEPS_MAX 1000
#define SCOUT_STEPS 10
#define TRIALS_MAX 40
#define STEP_DONE 1e-12 /* the square of a step in standard errors */
#define SCOUT_DONE 1e-4
#define LOG_2PI 1.83787706640934548356

static const double low[3] = {0.0, 0.0, -6.907755278982137}, high[3] = {0.9999, 1.0, 6.907755278982137};

typedef struct {
  double likelihood, gradient[3], matrix[6]; /* rows 0; 1; 2 of the lower triangle */
} Slope;

/* Twice the negative mean log likelihood's part that is about variances, in units of the mean square. */
static double likelihood(const double *r, int64_t n, double m, const double *x) {
  const double alpha = x[0] * x[1], beta = x[0] * (1.0 - x[1]), omega = exp(x[2]) * (1.0 - x[0]);
  double v = 1.0, sum = 0.0, lost = 0.0;
  for (int64_t t = 0; t < n; t++) {
    const double square = r[t] * r[t] / m, term = log(v) + square / v - lost, more = sum + term;
    lost = (more - sum) - term;
    sum = more;
    v = omega + alpha * square + beta * v;
  }
  return -0.5 * sum;
}

static void slope_at(const double *r, int64_t n, double m, const double *x, Slope *out) {
  const double p = x[0], s = x[1], scale = exp(x[2]);
  const double alpha = p * s, beta = p * (1.0 - s), omega = scale * (1.0 - p);
  double v = 1.0, sum = 0.0, lost = 0.0, d0 = 0.0, d1 = 0.0, d2 = 0.0;
  double g0 = 0.0, g1 = 0.0, g2 = 0.0, m00 = 0.0, m10 = 0.0, m11 = 0.0, m20 = 0.0, m21 = 0.0, m22 = 0.0;
  for (int64_t t = 0; t < n; t++) {
    const double square = r[t] * r[t] / m, per = 1.0 / v, excess = square * per - 1.0;
    const double term = log(v) + square * per - lost, more = sum + term;
    lost = (more - sum) - term;
    sum = more;
    const double e0 = d0 * per, e1 = d1 * per, e2 = d2 * per;
    g0 += excess * e0, g1 += excess * e1, g2 += excess * e2;
    m00 += e0 * e0, m10 += e1 * e0, m11 += e1 * e1, m20 += e2 * e0, m21 += e2 * e1, m22 += e2 * e2;
    d0 = -scale + s * square + (1.0 - s) * v + beta * d0;
    d1 = p * (square - v) + beta * d1;
    d2 = omega + beta * d2;
    v = omega + alpha * square + beta * v;
  }
  *out = (Slope){-0.5 * sum,
                 {0.5 * g0, 0.5 * g1, 0.5 * g2},
                 {0.5 * m00, 0.5 * m10, 0.5 * m11, 0.5 * m20, 0.5 * m21, 0.5 * m22}};
}

/* (matrix + damping * its diagonal) step = gradient over the free parameters, by Cholesky; the others do not step. A
   parameter that the likelihood does not depend on has a zero pivot and does not step either. */
static void solve(const Slope *at, const int *is_free, double damping, double *step) {
  double l[3][3] = {{0.0}}, y[3];
  for (int i = 0; i < 3; i++) {
    const double diagonal = at->matrix[i * (i + 3) / 2];
    double pivot = diagonal * (1.0 + damping);
    y[i] = at->gradient[i];
    for (int j = 0; j < i; j++) {
      double sum = is_free[i] && is_free[j] ? at->matrix[i * (i + 1) / 2 + j] : 0.0;
      for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
      l[i][j] = l[j][j] > 0.0 ? sum / l[j][j] : 0.0;
      pivot -= l[i][j] * l[i][j];
      y[i] -= l[i][j] * y[j];
    }
    l[i][i] = is_free[i] && pivot > 1e-14 * diagonal ? sqrt(pivot) : 0.0;
    y[i] = l[i][i] > 0.0 ? y[i] / l[i][i] : 0.0;
  }
  for (int i = 2; i >= 0; i--) {
    for (int k = i + 1; k < 3; k++) y[i] -= l[k][i] * step[k];
    step[i] = l[i][i] > 0.0 ? y[i] / l[i][i] : 0.0;
  }
}

/* The negative Hessian of the free parameters by differences of the gradient; 0 if it is not safely positive definite, and
   the expected one has to serve. Where the model is not the truth, only this one makes the last steps short. */
static int observe(const double *r, int64_t n, double m, const double *x, const int *is_free, Slope *at) {
  double h[3][3] = {{0.0}};
  for (int i = 0; i < 3; i++) {
    if (!is_free[i]) continue;
    double to[3] = {x[0], x[1], x[2]};
    to[i] += x[i] + 1e-6 <= high[i] ? 1e-6 : -1e-6;
    Slope near;
    slope_at(r, n, m, to, &near);
    for (int j = 0; j < 3; j++) h[i][j] = (at->gradient[j] - near.gradient[j]) / (to[i] - x[i]);
  }
  Slope kept = *at;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j <= i; j++)
      if (is_free[i] && is_free[j]) kept.matrix[i * (i + 1) / 2 + j] = 0.5 * (h[i][j] + h[j][i]);
  double pivots[3] = {1.0, 1.0, 1.0}, l[3][3] = {{0.0}};
  for (int i = 0; i < 3; i++) {
    if (!is_free[i]) continue;
    for (int j = 0; j < i; j++) {
      if (!is_free[j]) continue;
      double sum = kept.matrix[i * (i + 1) / 2 + j];
      for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k] * pivots[k];
      l[i][j] = sum / pivots[j];
    }
    pivots[i] = kept.matrix[i * (i + 3) / 2];
    for (int k = 0; k < i; k++) pivots[i] -= is_free[k] ? l[i][k] * l[i][k] * pivots[k] : 0.0;
    if (!(pivots[i] > 1e-6 * at->matrix[i * (i + 3) / 2])) return 0;
  }
  *at = kept;
  return 1;
}

/* Climbs to the maximum by Newton's steps where the Hessian is negative definite, by scoring elsewhere; the steps taken, or
   -1 if steps_max were not enough. Scouts score alone. */
static int64_t climb(const double *r, int64_t n, double m, int targeting, int steps_max, int is_scout, double *x,
                     double *found) {
  double damping = 0.0;
  for (int64_t count = 0; count <= steps_max; count++) {
    Slope at;
    int is_free[3];
    double step[3], length = 0.0;
    slope_at(r, n, m, x, &at);
    *found = at.likelihood;
    for (int i = 0; i < 3; i++)
      is_free[i] = !(i == 2 && targeting) && !(x[i] <= low[i] && at.gradient[i] <= 0.0) &&
                   !(x[i] >= high[i] && at.gradient[i] >= 0.0);
    if (!is_scout) observe(r, n, m, x, is_free, &at);
    solve(&at, is_free, 0.0, step);
    for (int i = 0; i < 3; i++) length += is_free[i] ? step[i] * at.gradient[i] : 0.0;
    if (length <= (is_scout ? SCOUT_DONE : STEP_DONE)) return count;
    int climbed = 0;
    for (int trial = 0; trial < TRIALS_MAX && !climbed; trial++) {
      double to[3];
      int moved = 0;
      if (damping > 0.0) solve(&at, is_free, damping, step);
      for (int i = 0; i < 3; i++) {
        to[i] = fmin(fmax(x[i] + step[i], low[i]), high[i]);
        moved |= to[i] != x[i];
      }
      if (!moved) return count; /* the rest of the way is shorter than a number's last bit */
      if (likelihood(r, n, m, to) > at.likelihood) {
        for (int i = 0; i < 3; i++) x[i] = to[i];
        damping = damping > 1e-3 ? damping / 10.0 : 0.0;
        climbed = 1;
      } else {
        damping = damping > 0.0 ? damping * 10.0 : 1e-2;
      }
    }
    /* No step in an ascending direction climbs: the likelihood is at the height that rounding can tell apart. */
    if (!climbed) return length <= 1e-6 ? count : -1;
  }
  return -1;
}

/* The likelihood may have several tops. The best of a fixed grid at each persistence climbs a few steps; the highest of these
   scouts is where the climb begins, so that the start depends on nothing but the data. */
static void start_at(const double *r, int64_t n, double m, int targeting, double *x) {
  static const double persistence[] = {0.1, 0.5, 0.8, 0.93, 0.98, 0.997}, share[] = {0.02, 0.08, 0.25, 0.8};
  static const double height[] = {0.0, -1.0, 1.0};
  double highest = -INFINITY;
  for (int i = 0; i < 6; i++) {
    double best = -INFINITY, scout[3] = {0.0, 0.0, 0.0}, reached;
    for (int j = 0; j < 4; j++)
      for (int k = 0; k < (targeting ? 1 : 3); k++) {
        const double at[3] = {persistence[i], share[j], height[k]}, found = likelihood(r, n, m, at);
        if (found > best) best = found, scout[0] = at[0], scout[1] = at[1], scout[2] = at[2];
      }
    climb(r, n, m, targeting, SCOUT_STEPS, 1, scout, &reached);
    if (reached > highest) highest = reached, x[0] = scout[0], x[1] = scout[1], x[2] = scout[2];
  }
}

int64_t xr_series_garch_fit(int64_t series, const int64_t *offsets, const double *returns, const int8_t *targeting,
                            double *omega, double *alpha, double *beta, double *initial, double *log_likelihood,
                            int64_t *steps, uint8_t *status) {
  const int64_t fault = xr_check_rows(offsets, series, 50, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_AMOUNT, returns + offsets[0], offsets[series] - offsets[0], 2);
  XR_REQUIRE_ALL_CODES(targeting, 2, series, 3);
  for (int64_t k = 0; k < series; k++) {
    const double *r = returns + offsets[k];
    const int64_t n = offsets[k + 1] - offsets[k];
    double m = 0.0, x[3] = {NAN, NAN, NAN}, found = NAN;
    int32_t reason = XR_OK;
    int64_t count = 0;
    for (int64_t t = 0; t < n; t++) m += r[t] * r[t];
    m /= (double)n;
    if (!(m >= 1e-100)) {
      reason = XR_NO_SOLUTION;
    } else {
      start_at(r, n, m, targeting[k], x);
      count = climb(r, n, m, targeting[k], STEPS_MAX, 0, x, &found);
      if (count < 0) reason = XR_NOT_CONVERGED;
    }
    if (reason && !status) return xr_fault(xr_refuse(reason, 2), offsets[k] - offsets[0]);
    if (status) status[k] = (uint8_t)reason;
    steps[k] = reason ? 0 : count;
    omega[k] = reason ? NAN : m * exp(x[2]) * (1.0 - x[0]);
    alpha[k] = reason ? NAN : x[0] * x[1];
    beta[k] = reason ? NAN : x[0] * (1.0 - x[1]);
    initial[k] = reason ? NAN : m;
    log_likelihood[k] = reason ? NAN : found - 0.5 * (double)n * (LOG_2PI + log(m));
  }
  return 0;
}
