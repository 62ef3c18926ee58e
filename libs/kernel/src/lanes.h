/* Elementary functions that every source uses; static inline, so that loops over them can be vectorised. */
#ifndef XR_LANES_H
#define XR_LANES_H

#include <math.h>

#define XR_SQRT1_2 0.70710678118654752440
#define XR_SQRT2PI 2.50662827463100050242
#define XR_1_SQRT2PI 0.39894228040143267794

/* The standard normal density. */
static inline double xr_npdf(double x) { return XR_1_SQRT2PI * exp(-0.5 * x * x); }

/* The standard normal distribution function, accurate in relative terms in its lower tail. */
static inline double xr_ndtr(double x) { return 0.5 * erfc(-x * XR_SQRT1_2); }

#endif
