/* Sobol sequences and Brownian bridges: see include/xr/sobol.h. */
#include "xr/sobol.h"

#include "checks.h"
#include "draws.h"
#include "philox.h"
#include "quantile.h"

#define COLUMNS 32
#define POINTS_MAX ((int64_t)1 << COLUMNS)
#define DIMENSIONS_MAX 65536
#define LOW_BITS 8 /* of a point's number within a block */

/* The exclusive or of the directions at the bits of a Gray code. */
static inline uint64_t combine(const uint64_t *direction, uint64_t gray) {
  uint64_t word = 0;
  for (int bit = 0; gray; bit++, gray >>= 1) {
    if (gray & 1) word ^= direction[bit];
  }
  return word;
}

/* One row. Number 256 B + l has the Gray code of B above that of l, and the lowest bit of B flips the highest one of l's: so
   a coordinate is a word of the block with one of the lane. */
static void row(const uint64_t *direction, uint64_t shift, int normal, int64_t first_point, int64_t points, double *out) {
  xr_words lanes;
  xr_block numbers;
  for (uint64_t l = 0; l < XR_BLOCK; l++) lanes[l] = combine(direction, l ^ l >> 1);
  for (int64_t done = 0; done < points;) {
    const int64_t lane = (first_point + done) % XR_BLOCK;
    const uint64_t block = (uint64_t)(first_point + done) / XR_BLOCK;
    const int64_t width = xr_smaller(XR_BLOCK - lane, points - done);
    const uint64_t gray = (block ^ block >> 1) << LOW_BITS ^ (block & 1) << (LOW_BITS - 1);
    const uint64_t base = combine(direction, gray) ^ shift;
#pragma omp simd
    for (int i = 0; i < XR_BLOCK; i++) numbers[i] = xr_unit(lanes[i] ^ base);
    if (normal) {
#pragma omp simd
      for (int i = 0; i < XR_BLOCK; i++) numbers[i] = xr_quantile(numbers[i]);
    }
    memcpy(out + done, numbers + lane, (size_t)width * sizeof(double));
    done += width;
  }
}

int64_t xr_sobol_points(int64_t points, int64_t dimensions, const uint64_t *directions, const uint64_t *shift,
                        int8_t normal, int64_t first_point, int64_t stride, double *numbers) {
  if (points < 0 || points > POINTS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (dimensions < 0 || dimensions > DIMENSIONS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  if (normal < 0 || normal > 1) return xr_fault(xr_refuse(XR_NOT_A_CODE, 4), 0);
  if (first_point < 0 || first_point > POINTS_MAX - points) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), 0);
  if (stride < points) return xr_fault(xr_refuse(XR_INCONSISTENT, 6), 0);
  for (int64_t d = 0; d < dimensions; d++) {
    row(directions + d * COLUMNS, shift[d], normal, first_point, points, numbers + d * stride);
  }
  return 0;
}

/* A row's part as a whole block; zeros where there is no row or no path. */
static void load(const double *table, int64_t at, int64_t stride, int64_t start, int64_t width, double *block) {
  memset(block, 0, sizeof(xr_block));
  if (at >= 0) memcpy(block, table + at * stride + start, (size_t)width * sizeof(double));
}

int64_t xr_sobol_bridge(int64_t paths, int64_t steps, const int64_t *order, const int64_t *left, const int64_t *right,
                        const double *left_weight, const double *right_weight, const double *deviation,
                        const double *normals, int64_t stride, double *motion) {
  if (paths < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (steps < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  if (stride < paths) return xr_fault(xr_refuse(XR_INCONSISTENT, 9), 0);
  for (int64_t i = 0; i < steps; i++) {
    if (order[i] < 0 || order[i] >= steps) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), i);
    if (left[i] < -1 || left[i] >= steps) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), i);
    if (right[i] < -1 || right[i] >= steps) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 4), i);
  }
  for (int64_t start = 0; start < paths; start += XR_BLOCK) {
    const int64_t width = xr_smaller(XR_BLOCK, paths - start);
    for (int64_t i = 0; i < steps; i++) {
      xr_block z, a, b;
      load(normals, i, stride, start, width, z);
      load(motion, left[i], stride, start, width, a);
      load(motion, right[i], stride, start, width, b);
#pragma omp simd
      for (int k = 0; k < XR_BLOCK; k++) {
        z[k] = deviation[i] * z[k] + (left_weight[i] * a[k] + right_weight[i] * b[k]);
      }
      memcpy(motion + order[i] * stride + start, z, (size_t)width * sizeof(double));
    }
  }
  return 0;
}
