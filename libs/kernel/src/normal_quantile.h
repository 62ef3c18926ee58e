/* The inverse of the normal distribution function, and the logarithm of the function itself. */
#ifndef XR_NORMAL_QUANTILE_H
#define XR_NORMAL_QUANTILE_H

#include "lanes.h"

static inline double xr_polynomial7(const double c[8], double x) {
  return ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0];
}

/* The x with N(x) = p, for p between 0 and 1 exclusively. Rational approximations of Wichura (1988), algorithm AS 241,
   routine PPND16: relative error about 1e-16. */
static inline double xr_quantile(double p) {
  static const double middle[2][8] = {
      {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
       4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
      {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
       3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
  static const double outer[2][8] = {
      {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
       1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
      {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
       1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
  static const double far[2][8] = {
      {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
       2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
      {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
       1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};
  const double q = p - 0.5;
  if (fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * xr_polynomial7(middle[0], r) / xr_polynomial7(middle[1], r);
  }
  const double r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
  const double x = r <= 5.0 ? xr_polynomial7(outer[0], r - 1.6) / xr_polynomial7(outer[1], r - 1.6)
                            : xr_polynomial7(far[0], r - 5.0) / xr_polynomial7(far[1], r - 5.0);
  return q < 0.0 ? -x : x;
}

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
