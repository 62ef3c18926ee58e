/* Correlation matrices: triangular factors and repair. Matrices are row by row. */
#ifndef XR_CORRELATION_H
#define XR_CORRELATION_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The lower triangular factor L of a correlation matrix C = L L', also if C is only semi-definite.

   size               1 to 4096
   matrix             size x size: ones on the diagonal, symmetric, -1 to 1, each within 1e-12
   factor             out, size x size; zeros above the diagonal

   Refuses with XR_NOT_PSD and the row as index at which a pivot falls below -size 2^-40. A pivot within that of zero counts as
   zero; of its column, which should be zero too, up to sqrt(size 2^-39) is dropped, and more is refused. Without such pivots
   L L' is C within size 2^-50. XR_INCONSISTENT names an element of a matrix that is none of a
   correlation. */
int64_t xr_correlation_factor(int64_t size, const double *matrix, double *factor);

/* The nearest correlation matrix in the Frobenius norm: Higham (2002), alternating projections with Dykstra's correction.

   size               1 to 4096
   matrix             size x size, symmetric within 1e-12; the diagonal counts as ones
   tolerance          relative change at which the iteration ends, 1e-14 to 1
   iterations         at most so many, positive; XR_NOT_CONVERGED if they do not do
   scratch            5 size^2 doubles
   nearest            out, size x size: symmetric, ones on the diagonal, semi-definite up to rounding */
int64_t xr_correlation_nearest(int64_t size, const double *matrix, double tolerance, int64_t iterations, double *scratch,
                               double *nearest);

#ifdef __cplusplus
}
#endif
#endif
