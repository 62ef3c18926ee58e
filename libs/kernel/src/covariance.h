/* What a covariance matrix must be, and the quantile of the normal distribution. */
#ifndef XR_COVARIANCE_H
#define XR_COVARIANCE_H

#include "lanes.h"
#include "quantile.h"
#include "tables.h"

#define XR_COVARIANCE_MAX 1e20  /* with the next: the fourth power of their product is finite */
#define XR_SENSITIVITY_MAX 1e30 /* delta, gamma */

/* A finite, symmetric, positive semi-definite matrix, or the fault. Symmetric to 1e-12 of the two variances. Elimination
   without pivoting leaves, in a semi-definite matrix, no pivot below zero, and beside a pivot of zero only zeros; both to 1e-12
   of the greatest variance, since a matrix estimated from few returns is singular up to rounding. `scratch` is size². */
static int64_t xr_not_covariance(int64_t size, const double *matrix, int32_t argument, double *scratch) {
  const int64_t fault = xr_outside(size * size, matrix, -XR_COVARIANCE_MAX, XR_COVARIANCE_MAX, argument);
  if (fault) return fault;
  double greatest = 0.0;
  for (int64_t i = 0; i < size; i++) {
    if (matrix[i * size + i] < 0.0) return xr_fault(xr_refuse(XR_NOT_PSD, argument), i * size + i);
    greatest = fmax(greatest, matrix[i * size + i]);
  }
  for (int64_t i = 0; i < size; i++)
    for (int64_t j = 0; j < i; j++) {
      const double scale = fmax(matrix[i * size + i], matrix[j * size + j]);
      if (!(fabs(matrix[i * size + j] - matrix[j * size + i]) <= 1e-12 * scale))
        return xr_fault(xr_refuse(XR_INCONSISTENT, argument), i * size + j);
    }
  const double zero = 1e-12 * greatest;
  for (int64_t i = 0; i < size * size; i++) scratch[i] = matrix[i];
  for (int64_t k = 0; k < size; k++) {
    const double *pivot = scratch + k * size;
    if (pivot[k] < -zero) return xr_fault(xr_refuse(XR_NOT_PSD, argument), k * size + k);
    for (int64_t i = k + 1; i < size; i++) {
      double *row = scratch + i * size;
      if (pivot[k] <= zero) {
        if (fabs(row[k]) > sqrt(zero * fmax(row[i], zero)) * 2.0)
          return xr_fault(xr_refuse(XR_NOT_PSD, argument), i * size + k);
        continue;
      }
      const double share = row[k] / pivot[k];
      for (int64_t j = k + 1; j < size; j++) row[j] -= share * pivot[j];
    }
  }
  return 0;
}

/* out = matrix × in, for a square matrix. */
static inline void xr_apply(int64_t size, const double *matrix, const double *in, double *out) {
  for (int64_t i = 0; i < size; i++) {
    double sum = 0.0;
    for (int64_t j = 0; j < size; j++) sum += matrix[i * size + j] * in[j];
    out[i] = sum;
  }
}

static inline double xr_dot(int64_t size, const double *a, const double *b) {
  double sum = 0.0;
  for (int64_t i = 0; i < size; i++) sum += a[i] * b[i];
  return sum;
}

/* The standard normal quantile of 1 - p, as a positive number: where the upper tail is 1 - p. */
static inline double xr_normal_tail(double confidence) { return 0.0 - xr_quantile(1.0 - confidence); }

#endif
