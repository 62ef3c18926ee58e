/* Paths of geometric Brownian motions: see include/xr/paths.h. */
#include "xr/paths.h"

#include "checks.h"
#include "walk.h"

#define ASSETS_MAX 256

/* sum += weight z over a block. */
static inline void add(double *restrict sum, const double *restrict z, double weight) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) sum[i] += weight * z[i];
}

static inline void level(const double *restrict logarithm, double spot, double *restrict out) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) out[i] = spot * xr_exp(logarithm[i]);
}

typedef struct {
  int64_t steps, assets;
  const double *spot, *drift, *factor;
  int terminal, signs;
  int64_t stride;
} motion;

/* One block of draws, which is one block of paths or, with both signs, two. */
static void walk_block(const motion *m, xr_walk *walk, const xr_columns *columns, double *z, double *state,
                       double *values) {
  xr_block out;
  memset(state, 0, (size_t)(m->signs * m->assets) * sizeof(xr_block));
  for (int64_t k = 0; k < m->steps; k++) {
    for (int64_t a = 0; a < m->assets; a++) {
      memcpy(z + a * XR_BLOCK, xr_walk_step(walk, (uint64_t)(k * m->assets + a)), sizeof(xr_block));
    }
    for (int64_t a = 0; a < m->assets; a++) {
      const double *row = m->factor + (k * m->assets + a) * m->assets;
      for (int sign = 0; sign < m->signs; sign++) {
        double *x = state + (sign * m->assets + a) * XR_BLOCK;
        for (int i = 0; i < XR_BLOCK; i++) x[i] += m->drift[k * m->assets + a];
        for (int64_t b = 0; b <= a; b++) add(x, z + b * XR_BLOCK, sign ? -row[b] : row[b]);
      }
    }
    if (m->terminal && k + 1 < m->steps) continue;
    double *rows = values + (m->terminal ? 0 : k) * m->assets * m->stride;
    for (int64_t a = 0; a < m->assets; a++) {
      for (int sign = 0; sign < m->signs; sign++) {
        level(state + (sign * m->assets + a) * XR_BLOCK, m->spot[a], out);
        xr_columns_store(&columns[sign], out, rows + a * m->stride);
      }
    }
  }
}

int64_t xr_paths_gbm(int64_t paths, int64_t steps, int64_t assets, const double *spot, const double *drift,
                     const double *factor, int8_t terminal, int8_t antithetic, uint64_t seed, int64_t stream,
                     int64_t first_path, int64_t stride, double *scratch, double *values) {
  if (assets < 1 || assets > ASSETS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), 0);
  if (steps > XR_STEP_LIMIT / assets) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  const xr_refusal refusal = xr_refuse_draws(paths, 0, steps, 1, stream, 9, first_path, 10, 0, 1);
  if (refusal) return xr_fault(refusal, 0);
  if (stride < paths) return xr_fault(xr_refuse(XR_INCONSISTENT, 11), 0);
  const int signs = antithetic ? 2 : 1;
  const motion m = {steps, assets, spot, drift, factor, terminal, signs, stride};
  double *z = scratch + 2 * XR_BLOCK;
  double *state = z + assets * XR_BLOCK;
  const int64_t quantum = XR_BLOCK * signs;
  for (int64_t first = first_path / quantum * quantum; first < first_path + paths; first += quantum) {
    xr_walk walk;
    xr_walk_from(&walk, seed, stream, first / signs, scratch);
    const xr_columns columns[2] = {{first - first_path, paths, signs}, {first - first_path + 1, paths, signs}};
    walk_block(&m, &walk, columns, z, state, values);
  }
  return 0;
}
