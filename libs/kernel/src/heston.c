/* Paths of Heston's model: see include/xr/heston.h. */
#include "xr/heston.h"

#include "checks.h"
#include "walk.h"

#define STEPS_MAX ((int64_t)1 << 30)
#define CRITICAL 1.5 /* psi_c */
#define REACH 500.0

/* What a step of one width needs, Andersen's letters. */
typedef struct {
  double decay;          /* exp(-reversion dt) */
  double still;          /* mean (1 - decay) */
  double slope, level;   /* s^2 = slope v + level */
  double k2, k3, k4;     /* with gamma1 = gamma2 = 1/2; K1 v cancels against the correction's */
  double a;              /* K2 + K4 / 2 */
  double bound;          /* below 1.2 both branches' expectations of exp(a v) are finite: with s^2 / m at most
                            vol^2 (1 - decay) / reversion, psi_c gives a_quadratic <= s^2 / 3m and beta >= 1.2 m / s^2 */
  double carry;
} qe_step;

static qe_step step_of(double dt, double carry, double reversion, double mean, double vol, double rho) {
  qe_step q;
  q.decay = xr_exp(-reversion * dt);
  const double gone = 1.0 - q.decay;
  q.still = mean * gone;
  q.slope = vol * vol * q.decay * gone / reversion;
  q.level = mean * vol * vol * gone * gone / (2.0 * reversion);
  const double half = 0.5 * dt * (reversion * rho / vol - 0.5);
  q.k2 = half + rho / vol;
  q.k3 = q.k4 = 0.5 * dt * (1.0 - rho * rho);
  q.a = q.k2 + 0.5 * q.k4;
  q.bound = q.a * vol * vol * gone / reversion;
  q.carry = carry;
  return q;
}

/* Moves a block by one step. Both branches are computed; where psi is not small the first one's roots and logarithms may be
   of negative numbers, which the selection discards. */
static void advance(const qe_step *q, double *restrict x, double *restrict v, const double *restrict zv,
                    const double *restrict zx, const double *restrict uniform, double sign) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) {
    const double now = v[i];
    const double m = q->still + now * q->decay;
    const double s2 = q->slope * now + q->level;
    const double psi = s2 / (m * m);
    const double r = 2.0 / psi;
    const double r1 = r > 1.0 ? r - 1.0 : 0.0;
    const double b2 = r1 + sqrt(r) * sqrt(r1);
    const double a = m / (1.0 + b2);
    const double shifted = sqrt(b2) + sign * zv[i];
    const double quadratic = a * shifted * shifted;
    const double room = 1.0 - 2.0 * q->a * a;
    const double u = sign > 0.0 ? uniform[i] : 1.0 - uniform[i];
    const double tail = 2.0 / (psi + 1.0); /* 1 - p */
    const double beta = tail / m;
    const double logarithm = xr_log(tail / (1.0 - u));
    const double exponential = logarithm > 0.0 ? logarithm / beta : 0.0;
    const int small = psi <= CRITICAL;
    const double next = small ? quadratic : exponential;
    const double moment = small ? room : 1.0 - tail + tail * beta / (beta - q->a);
    const double log_moment = xr_log(moment);
    const double k0 = small ? 0.5 * log_moment - q->a * b2 * a / room : -log_moment;
    x[i] += q->carry + k0 - 0.5 * q->k3 * now + q->k2 * next + sqrt(q->k3 * now + q->k4 * next) * (sign * zx[i]);
    v[i] = next;
  }
}

static void level(double *restrict x, double spot, double *restrict out) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) {
    const double inside = x[i] < -REACH ? -REACH : x[i] > REACH ? REACH : x[i];
    out[i] = spot * xr_exp(inside);
  }
}

typedef struct {
  int64_t steps, stride;
  double spot, variance, reversion, mean, vol, rho;
  const double *width, *carry;
  int terminal, signs;
} model;

static void walk_block(const model *m, const xr_drawn *drawn, const xr_columns *columns, double *values,
                       double *variances) {
  xr_block x[2], v[2], z[2], u[2], out;
  memset(x, 0, sizeof x);
  for (int i = 0; i < XR_BLOCK; i++) v[0][i] = v[1][i] = m->variance;
  for (int64_t k = 0; k < m->steps; k++) {
    const uint32_t base = (uint32_t)(k / 2 * 3);
    const qe_step q = step_of(m->width[k], m->carry[k], m->reversion, m->mean, m->vol, m->rho);
    if (k % 2 == 0) xr_uniform_block(drawn, base + 2, u[0], u[1]);
    xr_normal_block(drawn, base + (uint32_t)(k % 2), z[0], z[1]);
    for (int sign = 0; sign < m->signs; sign++) {
      advance(&q, x[sign], v[sign], z[0], z[1], u[k % 2], sign ? -1.0 : 1.0);
      if (m->terminal && k + 1 < m->steps) continue;
      const int64_t row = m->terminal ? 0 : k * m->stride;
      level(x[sign], m->spot, out);
      xr_columns_store(&columns[sign], out, values + row);
      if (variances) xr_columns_store(&columns[sign], v[sign], variances + row);
    }
  }
}

int64_t xr_paths_heston(int64_t paths, int64_t steps, double spot, const double *width, const double *carry,
                        double variance, double reversion, double mean, double vol_of_variance, double correlation,
                        int8_t terminal, int8_t antithetic, uint64_t seed, int64_t stream, int64_t first_path,
                        int64_t stride, double *values, double *variances) {
  if (steps > STEPS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  if (!XR_IS_LEVEL(spot)) return xr_fault(xr_refuse_number(spot, 2), 0);
  if (!(variance >= 0.0 && variance <= 100.0)) return xr_fault(xr_refuse_number(variance, 5), 0);
  if (!(reversion >= 1e-6 && reversion <= 100.0)) return xr_fault(xr_refuse_number(reversion, 6), 0);
  if (!(mean >= 1e-8 && mean <= 100.0)) return xr_fault(xr_refuse_number(mean, 7), 0);
  if (!(vol_of_variance >= 1e-4 && vol_of_variance <= 100.0)) return xr_fault(xr_refuse_number(vol_of_variance, 8), 0);
  if (!XR_IS_CORRELATION(correlation)) return xr_fault(xr_refuse_number(correlation, 9), 0);
  const xr_refusal refusal = xr_refuse_draws(paths, 0, steps, 1, stream, 13, first_path, 14, 0, 1);
  if (refusal) return xr_fault(refusal, 0);
  if (stride < paths) return xr_fault(xr_refuse(XR_INCONSISTENT, 15), 0);
  for (int64_t k = 0; k < steps; k++) {
    if (!(width[k] > 0.0 && width[k] <= XR_TIME_MAX)) return xr_fault(xr_refuse_number(width[k], 3), k);
    const qe_step q = step_of(width[k], carry[k], reversion, mean, vol_of_variance, correlation);
    if (!(q.bound < 1.0)) return xr_fault(xr_refuse(XR_INCONSISTENT, 3), k);
  }
  const int signs = antithetic ? 2 : 1;
  const model m = {steps,     stride, spot,  variance, reversion, mean, vol_of_variance, correlation, width, carry,
                   terminal,  signs};
  const int64_t quantum = XR_BLOCK * signs;
  xr_drawn drawn;
  for (int64_t first = first_path / quantum * quantum; first < first_path + paths; first += quantum) {
    const xr_columns columns[2] = {{first - first_path, paths, signs}, {first - first_path + 1, paths, signs}};
    xr_drawn_from(&drawn, seed, (uint32_t)stream, (uint64_t)(first / signs));
    walk_block(&m, &drawn, columns, values, variances);
  }
  return 0;
}
