/* The inverse of the normal distribution function: Wichura (1988), "Algorithm AS 241: the percentage points of the normal
   distribution", PPND16, whose rational functions have a relative error of about 1e-16. All three of its branches are
   computed and one is selected, so that loops over it can be vectorised. */
#ifndef XR_QUANTILE_H
#define XR_QUANTILE_H

#include "elementary.h"

#define XR_HORNER8(x, a0, a1, a2, a3, a4, a5, a6, a7) \
  ((((((((a7) * (x) + (a6)) * (x) + (a5)) * (x) + (a4)) * (x) + (a3)) * (x) + (a2)) * (x) + (a1)) * (x) + (a0))

/* For p from 1e-300 to 1 - 2^-53. */
static inline double xr_quantile(double p) {
  const double q = p - 0.5;
  const double inner = 0.180625 - q * q;
  const double centre =
      q *
      XR_HORNER8(inner, 3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
                 45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727) /
      XR_HORNER8(inner, 1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
                 21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610);
  const double tail = sqrt(-xr_log(q < 0.0 ? p : 1.0 - p));
  const double near = tail - 1.6;
  const double far = tail - 5.0;
  const double shoulder =
      XR_HORNER8(near, 1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
                 1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833,
                 7.74545014278341407640e-4) /
      XR_HORNER8(near, 1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
                 0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4,
                 1.05075007164441684324e-9);
  const double end =
      XR_HORNER8(far, 6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
                 0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5,
                 2.01033439929228813265e-7) /
      XR_HORNER8(far, 1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
                 7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
                 2.04426310338993978564e-15);
  const double outside = tail <= 5.0 ? shoulder : end;
  const double signed_outside = q < 0.0 ? -outside : outside;
  return fabs(q) <= 0.425 ? centre : signed_outside;
}

#endif
