/* Paths under a local volatility: see include/xr/local_volatility.h. */
#include "xr/local_volatility.h"

#include "checks.h"
#include "walk.h"

#define POINTS_MAX 1024

typedef struct {
  int64_t steps, stride, points;
  double spot;
  const double *width, *carry, *moneyness, *volatility;
  int terminal, signs;
} surface;

/* The volatility at each level of a block, as the first point's plus, for each interval of the grid, its slope times the part
   of it that lies below the level: no search and no branch. */
static void interpolate(const surface *s, const double *row, const double *restrict y, double *restrict vol) {
  for (int i = 0; i < XR_BLOCK; i++) vol[i] = row[0];
  for (int64_t j = 0; j + 1 < s->points; j++) {
    const double from = s->moneyness[j];
    const double length = s->moneyness[j + 1] - from;
    const double slope = (row[j + 1] - row[j]) / length;
    if (slope == 0.0) continue;
#pragma omp simd
    for (int i = 0; i < XR_BLOCK; i++) {
      const double above = y[i] - from > 0.0 ? y[i] - from : 0.0;
      vol[i] += slope * (above < length ? above : length);
    }
  }
}

static void advance(double *restrict y, const double *restrict vol, const double *restrict z, double width, double sign) {
  const double root = sign * sqrt(width);
  const double half = 0.5 * width;
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) y[i] += vol[i] * (root * z[i]) - half * (vol[i] * vol[i]);
}

static void level(const double *restrict y, double spot, double growth, double *restrict out) {
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) out[i] = spot * xr_exp(growth + y[i]);
}

static void walk_block(const surface *s, xr_walk *walk, const xr_columns *columns, double *values) {
  xr_block y[2], vol, out;
  double growth = 0.0;
  memset(y, 0, sizeof y);
  for (int64_t k = 0; k < s->steps; k++) {
    const double *z = xr_walk_step(walk, (uint64_t)k);
    growth += s->carry[k];
    for (int sign = 0; sign < s->signs; sign++) {
      interpolate(s, s->volatility + k * s->points, y[sign], vol);
      advance(y[sign], vol, z, s->width[k], sign ? -1.0 : 1.0);
      if (s->terminal && k + 1 < s->steps) continue;
      level(y[sign], s->spot, growth, out);
      xr_columns_store(&columns[sign], out, values + (s->terminal ? 0 : k * s->stride));
    }
  }
}

int64_t xr_paths_local_volatility(int64_t paths, int64_t steps, double spot, const double *width, const double *carry,
                                  int64_t points, const double *moneyness, const double *volatility, int8_t terminal,
                                  int8_t antithetic, uint64_t seed, int64_t stream, int64_t first_path, int64_t stride,
                                  double *values) {
  if (!XR_IS_LEVEL(spot)) return xr_fault(xr_refuse_number(spot, 2), 0);
  if (points < 1 || points > POINTS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), 0);
  const xr_refusal refusal = xr_refuse_draws(paths, 0, steps, 1, stream, 11, first_path, 12, 0, 1);
  if (refusal) return xr_fault(refusal, 0);
  if (stride < paths) return xr_fault(xr_refuse(XR_INCONSISTENT, 13), 0);
  for (int64_t j = 1; j < points; j++) {
    if (!(moneyness[j] > moneyness[j - 1])) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 6), j);
  }
  const int signs = antithetic ? 2 : 1;
  const surface s = {steps, stride, points, spot, width, carry, moneyness, volatility, terminal, signs};
  const int64_t quantum = XR_BLOCK * signs;
  xr_block pair[2];
  for (int64_t first = first_path / quantum * quantum; first < first_path + paths; first += quantum) {
    xr_walk walk;
    xr_walk_from(&walk, seed, stream, first / signs, pair[0]);
    const xr_columns columns[2] = {{first - first_path, paths, signs}, {first - first_path + 1, paths, signs}};
    walk_block(&s, &walk, columns, values);
  }
  return 0;
}
