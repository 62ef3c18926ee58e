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

/* -2 ln(u) for u from 2^-53 to 1, within 2 units in the last place: so few powers of two need no second part of ln 2. */
XR_INLINE double xr_minus_twice_log(double u) {
  const xr_power power = xr_power_between(u, 1.0);
  const double f = (u - power.scaled) / (u + power.scaled);
  const double four = -4.0 * f;
  return XR_FMA(power.n, -1.38629436111989061883, XR_FMA(four, xr_atanh_excess(f), four));
}

/* Cosine and sine of xr_unit(word) full turns, each within 2 units in the last place, also next to their zeros. 4 turns =
   q + r with |r| < 1/2, both read off the word with an eighth of a turn added: the two highest bits are q, the next 50 and
   the half are r + 1/2. sin(r pi / 2) = r P(r r) and cos(r pi / 2) = 1 + r r Q(r r), with errors of 3.9e-17 and 1.9e-17; the
   quarter q swaps them and sets the signs. */
XR_INLINE void xr_circle(uint64_t word, double *cosine, double *sine) {
  const uint64_t turned = word + (1ULL << 61);
  const double r = xr_from_bits((int64_t)((turned >> 10 & 0x000FFFFFFFFFFFFCu) | 0x3FF0000000000002u)) - 1.5;
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
  const double c = XR_FMA(w, q, 1.0);
  const int64_t odd = (int64_t)(turned << 1) >> 63; /* all bits, or none */
  const int64_t swap = (xr_bits(s) ^ xr_bits(c)) & odd;
  *cosine = xr_from_bits(xr_bits(c) ^ swap ^ (int64_t)((turned + (1ULL << 62)) & 1ULL << 63));
  *sine = xr_from_bits(xr_bits(s) ^ swap ^ (int64_t)(turned & 1ULL << 63));
}

#endif
