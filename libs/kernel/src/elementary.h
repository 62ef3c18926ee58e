/* Uniform numbers and the circle functions of Box and Muller, without branches, for loops that become vector code.

   The polynomials interpolate the function named at each, at Chebyshev nodes, in 50 digits; the coefficients were rounded
   afterwards. Errors stated are of the polynomial alone, relative to the function. */
#ifndef XR_ELEMENTARY_H
#define XR_ELEMENTARY_H

#include "lanes.h"

/* The 52 highest bits k of a word as (k + 1/2) / 2^52: exact, never 0 nor 1, and symmetric about 1/2.
   1 + k / 2^52 is made by its bits; subtracting 1 - 2^-53 is exact, since the result is an odd multiple of 2^-53. */
XR_INLINE double xr_unit(uint64_t word) {
  return xr_from_bits((int64_t)(word >> 12 | 0x3FF0000000000000u)) - (1.0 - 0x1p-53);
}

/* Cosine and sine of `turns` full turns, for turns from 0 to 1 that are multiples of 2^-53; each within 2 units in the last
   place, also next to its zeros. 4 turns = q + r with |r| <= 1/2 is exact; sin(r pi / 2) = r P(r r) and
   cos(r pi / 2) = 1 + r r Q(r r), with errors of 3.9e-17 and 1.9e-17; the quarter q swaps them and sets the signs. */
XR_INLINE void xr_circle(double turns, double *cosine, double *sine) {
  const double rounded = 4.0 * turns + XR_ROUNDER;
  const uint64_t quarter = (uint64_t)xr_bits(rounded);
  const double r = 4.0 * turns - (rounded - XR_ROUNDER);
  const double w = r * r;
  double p = 5.633933781537854e-08;
  p = XR_FMA(p, w, -3.59864335298231e-06);
  p = XR_FMA(p, w, 0.0001604411507421909);
  p = XR_FMA(p, w, -0.004681754132340976);
  p = XR_FMA(p, w, 0.07969262624604301);
  p = XR_FMA(p, w, -0.6459640975062443);
  p = XR_FMA(p, w, 1.5707963267948966);
  double q = -6.329396344967424e-09;
  q = XR_FMA(q, w, 4.710678405505227e-07);
  q = XR_FMA(q, w, -2.5202039028029178e-05);
  q = XR_FMA(q, w, 0.0009192602745468447);
  q = XR_FMA(q, w, -0.020863480763340773);
  q = XR_FMA(q, w, 0.2536695079010478);
  q = XR_FMA(q, w, -1.2337005501361697);
  const double s = r * p;
  const double c = 1.0 + w * q;
  const uint64_t swap = (uint64_t)(xr_bits(s) ^ xr_bits(c)) & (0 - (quarter & 1));
  *cosine = xr_from_bits((int64_t)((uint64_t)xr_bits(c) ^ swap ^ ((quarter + 1) & 2) << 62));
  *sine = xr_from_bits((int64_t)((uint64_t)xr_bits(s) ^ swap ^ (quarter & 2) << 62));
}

#endif
