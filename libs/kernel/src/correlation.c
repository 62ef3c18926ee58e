/* Correlation matrices: see include/xr/correlation.h. */
#include "xr/correlation.h"

#include <string.h>

#include "checks.h"

#define SIZE_LIMIT 4096
#define ALIKE 1e-12
#define SWEEPS 60

static inline double larger(double a, double b) { return a > b ? a : b; }

static int64_t check(int64_t size, const double *matrix, int any_diagonal) {
  if (size < 1 || size > SIZE_LIMIT) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  for (int64_t i = 0; i < size; i++) {
    for (int64_t j = 0; j < size; j++) {
      const double value = matrix[i * size + j];
      const int64_t index = i * size + j;
      if (!isfinite(value)) return xr_fault(xr_refuse(XR_NOT_FINITE, 1), index);
      if (i == j && any_diagonal) continue;
      if (fabs(value) > 1.0 + ALIKE) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), index);
      if (i == j && fabs(value - 1.0) > ALIKE) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), index);
      if (j < i && fabs(value - matrix[j * size + i]) > ALIKE) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), index);
    }
  }
  return 0;
}

/* Row by row (Cholesky and Banachiewicz), so that the row of a failure is the first whose leading minor is not fine. */
int64_t xr_correlation_factor(int64_t size, const double *matrix, double *factor) {
  const int64_t fault = check(size, matrix, 0);
  if (fault) return fault;
  const double zero = (double)size * 0x1p-40;
  const double dropped = sqrt(2.0 * zero);
  for (int64_t i = 0; i < size; i++) {
    double *row = factor + i * size;
    double pivot = 1.0;
    for (int64_t j = 0; j < i; j++) {
      const double *other = factor + j * size;
      double rest = matrix[i * size + j];
      for (int64_t k = 0; k < j; k++) rest -= row[k] * other[k];
      if (other[j] == 0.0 && fabs(rest) > dropped) return xr_fault(xr_refuse(XR_NOT_PSD, 1), i);
      row[j] = other[j] == 0.0 ? 0.0 : rest / other[j];
      pivot -= row[j] * row[j];
    }
    if (pivot < -zero) return xr_fault(xr_refuse(XR_NOT_PSD, 1), i);
    row[i] = pivot <= zero ? 0.0 : sqrt(pivot);
    for (int64_t j = i + 1; j < size; j++) row[j] = 0.0;
  }
  return 0;
}

/* Turns rows p and q of a matrix by the angle with cosine c and sine s. */
static inline void turn(double *restrict p, double *restrict q, double c, double s, int64_t size) {
#pragma omp simd
  for (int64_t k = 0; k < size; k++) {
    const double a = p[k];
    const double b = q[k];
    p[k] = c * a - s * b;
    q[k] = s * a + c * b;
  }
}

/* Eigenvalues on the diagonal of `a` and eigenvectors as rows of `v`: cyclic Jacobi rotations (Golub and Van Loan, Matrix
   Computations, section 8.5), each with the smaller of the two angles that make one element zero. */
static int jacobi(int64_t size, double *a, double *v) {
  memset(v, 0, (size_t)(size * size) * sizeof(double));
  for (int64_t i = 0; i < size; i++) v[i * size + i] = 1.0;
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    double off = 0.0, all = 0.0;
    for (int64_t i = 0; i < size; i++) {
      for (int64_t j = 0; j < size; j++) {
        const double square = a[i * size + j] * a[i * size + j];
        all += square;
        if (i != j) off += square;
      }
    }
    if (off <= 1e-30 * all) return 1;
    for (int64_t p = 0; p < size; p++) {
      for (int64_t q = p + 1; q < size; q++) {
        const double apq = a[p * size + q];
        if (fabs(apq) <= 1e-300) continue;
        const double theta = (a[q * size + q] - a[p * size + p]) / (2.0 * apq);
        const double t = (theta < 0.0 ? -1.0 : 1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
        const double c = 1.0 / sqrt(t * t + 1.0);
        const double s = t * c;
        turn(a + p * size, a + q * size, c, s, size);
        for (int64_t k = 0; k < size; k++) {
          double *row = a + k * size;
          const double x = row[p];
          const double y = row[q];
          row[p] = c * x - s * y;
          row[q] = s * x + c * y;
        }
        a[p * size + q] = a[q * size + p] = 0.0;
        turn(v + p * size, v + q * size, c, s, size);
      }
    }
  }
  return 0;
}

/* The nearest semi-definite matrix: negative eigenvalues become zero. `work` is two matrices; `from` is kept. */
static int project(int64_t size, const double *from, double *to, double *work) {
  double *a = work;
  double *v = work + size * size;
  memcpy(a, from, (size_t)(size * size) * sizeof(double));
  if (!jacobi(size, a, v)) return 0;
  memset(to, 0, (size_t)(size * size) * sizeof(double));
  for (int64_t e = 0; e < size; e++) {
    const double value = a[e * size + e];
    const double *vector = v + e * size;
    if (value <= 0.0) continue;
    for (int64_t i = 0; i < size; i++) {
      const double scaled = value * vector[i];
      for (int64_t j = 0; j < size; j++) to[i * size + j] += scaled * vector[j];
    }
  }
  return 1;
}

static double change(int64_t size, const double *a, const double *b) {
  double gap = 0.0, whole = 0.0;
  for (int64_t i = 0; i < size * size; i++) {
    gap += (a[i] - b[i]) * (a[i] - b[i]);
    whole += a[i] * a[i];
  }
  return sqrt(gap / whole);
}

/* Semi-definite and of ones on the diagonal, both: the last projection is scaled by its diagonal's roots. */
static void scale(int64_t size, const double *x, double *nearest) {
  for (int64_t i = 0; i < size; i++) {
    for (int64_t j = 0; j < size; j++) {
      const double root = sqrt(x[i * size + i] * x[j * size + j]);
      nearest[i * size + j] = i == j ? 1.0 : 0.5 * (x[i * size + j] + x[j * size + i]) / root;
    }
  }
}

int64_t xr_correlation_nearest(int64_t size, const double *matrix, double tolerance, int64_t iterations, double *scratch,
                               double *nearest) {
  if (!(tolerance >= 1e-14 && tolerance <= 1.0)) return xr_fault(xr_refuse_number(tolerance, 2), 0);
  if (iterations < 1) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
  const int64_t fault = check(size, matrix, 1);
  if (fault) return fault;
  const int64_t area = size * size;
  double *y = scratch;
  double *x = scratch + area;
  double *correction = scratch + 2 * area;
  double *work = scratch + 3 * area;
  for (int64_t i = 0; i < size; i++) {
    for (int64_t j = 0; j < size; j++) {
      y[i * size + j] = i == j ? 1.0 : 0.5 * (matrix[i * size + j] + matrix[j * size + i]);
    }
  }
  memset(correction, 0, (size_t)area * sizeof(double));
  for (int64_t step = 0; step < iterations; step++) {
    for (int64_t i = 0; i < area; i++) nearest[i] = y[i] - correction[i];
    if (!project(size, nearest, x, work)) break;
    for (int64_t i = 0; i < area; i++) correction[i] = x[i] - nearest[i];
    memcpy(work, y, (size_t)area * sizeof(double));
    memcpy(y, x, (size_t)area * sizeof(double));
    for (int64_t i = 0; i < size; i++) y[i * size + i] = 1.0;
    if (larger(change(size, y, work), change(size, y, x)) <= tolerance) {
      scale(size, x, nearest);
      return 0;
    }
  }
  return xr_fault(xr_refuse(XR_NOT_CONVERGED, 3), 0);
}
