/* Prices by simulation: see include/xr/monte_carlo.h. */
#include "xr/monte_carlo.h"

#include "checks.h"
#include "walk.h"

#define CHUNK 4096
#define LANES 8 /* of a sum: one for each lane of the widest build, so that all builds add in one order */

typedef struct {
  int product;
  double sign, spot, strike, discount;
  int64_t steps;
  const double *drift, *deviation, *weight;
} contract;

/* Sums of one sign's path: the logarithm, and the averages as far as the product needs them. */
typedef struct {
  xr_block x, arithmetic, geometric;
} path_sums;

static inline void advance(const contract *c, path_sums *p, const double *z, int64_t k, double sign) {
  const double drift = c->drift[k];
  const double deviation = sign * c->deviation[k];
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) p->x[i] += drift + deviation * z[i];
  if (c->product == XR_MC_EUROPEAN || c->weight[k] == 0.0) return;
  const double weight = c->weight[k];
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) p->geometric[i] += weight * p->x[i];
  if (c->product == XR_MC_GEOMETRIC) return;
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) p->arithmetic[i] += weight * xr_exp(p->x[i]);
}

static inline double payoff(const contract *c, double level) {
  const double gain = c->sign * (level - c->strike);
  return c->discount * (gain > 0.0 ? gain : 0.0);
}

/* Adds share × (payoff, control) of a sign's paths. */
static void settle(const contract *c, const path_sums *p, double share, double *y, double *x) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) {
    const double fixed = c->spot * xr_exp(c->product == XR_MC_EUROPEAN ? p->x[i] : p->geometric[i]);
    const double paid_on = c->product == XR_MC_ARITHMETIC ? c->spot * p->arithmetic[i] : fixed;
    y[i] += share * payoff(c, paid_on);
    x[i] += share * (c->product == XR_MC_ARITHMETIC ? payoff(c, fixed) : c->discount * fixed);
  }
}

/* The sum of the first `width` products, in one order whatever the build. */
static double product_sum(const double *a, const double *b, double a_mean, double b_mean, int64_t width) {
  double lane[LANES] = {0};
  for (int64_t i = 0; i < XR_BLOCK; i += LANES) {
#pragma omp simd
    for (int64_t l = 0; l < LANES; l++) {
      const double inside = i + l < width ? 1.0 : 0.0;
      lane[l] += inside * ((a[i + l] - a_mean) * (b[i + l] - b_mean));
    }
  }
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Adds a block's moments to a chunk's: Chan, Golub and LeVeque (1979), equation 1.5, and the same for the product. */
static void merge(double *chunk, const double *y, const double *x, int64_t width) {
  static const xr_block one = {[0 ... XR_BLOCK - 1] = 1.0};
  const double n = (double)width;
  const double y_mean = product_sum(y, one, 0.0, 0.0, width) / n;
  const double x_mean = product_sum(x, one, 0.0, 0.0, width) / n;
  const double before = chunk[0];
  const double all = before + n;
  const double y_gap = y_mean - chunk[1];
  const double x_gap = x_mean - chunk[2];
  chunk[3] += product_sum(y, y, y_mean, y_mean, width) + y_gap * y_gap * before * n / all;
  chunk[4] += product_sum(x, x, x_mean, x_mean, width) + x_gap * x_gap * before * n / all;
  chunk[5] += product_sum(y, x, y_mean, x_mean, width) + y_gap * x_gap * before * n / all;
  chunk[1] += y_gap * n / all;
  chunk[2] += x_gap * n / all;
  chunk[0] = all;
}

static void sample_block(const contract *c, int antithetic, xr_walk *walk, double *y, double *x) {
  path_sums sums[2];
  memset(sums, 0, sizeof sums);
  memset(y, 0, sizeof(xr_block));
  memset(x, 0, sizeof(xr_block));
  for (int64_t k = 0; k < c->steps; k++) {
    const double *z = xr_walk_step(walk, (uint64_t)k);
    advance(c, &sums[0], z, k, 1.0);
    if (antithetic) advance(c, &sums[1], z, k, -1.0);
  }
  settle(c, &sums[0], antithetic ? 0.5 : 1.0, y, x);
  if (antithetic) settle(c, &sums[1], 0.5, y, x);
}

int64_t xr_mc_moments(int64_t chunks, int8_t product, int8_t put_or_call, int8_t antithetic, double spot, double strike,
                      double discount, int64_t steps, const double *drift, const double *deviation,
                      const double *weight, uint64_t seed, int64_t stream, int64_t first_chunk, int64_t samples,
                      double *moments) {
  if (chunks < 0 || chunks > XR_PATH_LIMIT / CHUNK) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (product < 0 || product > XR_MC_GEOMETRIC) return xr_fault(xr_refuse(XR_NOT_A_CODE, 1), 0);
  if (put_or_call < 0 || put_or_call > 1) return xr_fault(xr_refuse(XR_NOT_A_CODE, 2), 0);
  if (!XR_IS_LEVEL(spot)) return xr_fault(xr_refuse_number(spot, 4), 0);
  if (!XR_IS_LEVEL(strike)) return xr_fault(xr_refuse_number(strike, 5), 0);
  if (first_chunk < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 13), 0);
  const xr_refusal refusal = xr_refuse_draws(samples, 14, steps, 7, stream, 12, 0, 14, 0, 7);
  if (refusal) return xr_fault(refusal, 0);
  const contract c = {product, put_or_call ? 1.0 : -1.0, spot, strike, discount, steps, drift, deviation, weight};
  xr_block pair[2], y, x;
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    double *into = moments + 6 * chunk;
    memset(into, 0, 6 * sizeof(double));
    const int64_t start = (first_chunk + chunk) * CHUNK;
    for (int64_t first = start; first < start + CHUNK && first < samples; first += XR_BLOCK) {
      xr_walk walk;
      xr_walk_from(&walk, seed, stream, first, pair[0]);
      sample_block(&c, antithetic, &walk, y, x);
      merge(into, y, x, xr_smaller(XR_BLOCK, samples - first));
    }
  }
  return 0;
}
