/* The logarithm of the normal distribution function. */
#ifndef XR_NORMAL_TAIL_H
#define XR_NORMAL_TAIL_H

#include "lanes.h"

/* log N(y), and its slope n(y) / N(y) as the result. Below -20 by the asymptotic series of the tail, N(y) =
   n(y) / -y * (1 - 1/y^2 + 3/y^4 - 15/y^6 ...), whose first left-out term is below 2e-16 there. */
static inline double xr_log_ndtr(double y, double *logarithm) {
  if (y < -20.0) {
    const double r = 1.0 / (y * y);
    const double rest =
        r * (-1.0 + r * (3.0 + r * (-15.0 + r * (105.0 + r * (-945.0 + r * (10395.0 + r * (-135135.0 + r * 2027025.0)))))));
    *logarithm = -0.5 * y * y - log(-y * XR_SQRT2PI) + log1p(rest);
    return -y / (1.0 + rest);
  }
  const double below = xr_ndtr(y);
  *logarithm = y > 1.0 ? log1p(-xr_ndtr(-y)) : log(below);
  return xr_npdf(y) / below;
}

#endif
