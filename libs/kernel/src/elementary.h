/* Elementary functions without branches, for loops that gcc vectorises: SSE2, AVX2 and AVX-512 from one source.

   The polynomials interpolate the function named at each, at Chebyshev nodes, in 50 digits; the coefficients were rounded
   afterwards. Errors stated are of the polynomial alone, relative to the function. */
#ifndef XR_ELEMENTARY_H
#define XR_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define XR_LN2_HIGH 0.6931471803691238 /* 32 bits, so that its product with a small integer is exact */
#define XR_LN2_LOW 1.9082149292705877e-10
#define XR_ROUNDER 6755399441055744.0 /* 1.5 × 2^52: added to a small number it leaves the nearest integer in the low bits */

static inline uint64_t xr_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double xr_of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The 52 highest bits k of a word as (k + 1/2) / 2^52: exact, never 0 nor 1, and symmetric about 1/2.
   1 + k / 2^52 is made by its bits; subtracting 1 - 2^-53 is exact, since the result is an odd multiple of 2^-53. */
static inline double xr_unit(uint64_t word) {
  return xr_of_bits(word >> 12 | 0x3FF0000000000000u) - (1.0 - 0x1p-53);
}

/* Natural logarithm of a positive normal number, within 2 units in the last place.
   x = 2^k m with m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1), log m = 2 atanh s = 2s + s w P(w) with w = s s; the
   polynomial's error is 1.4e-17. Near 1 the result is accurate in relative terms, since m - 1 is exact and k is 0. */
static inline double xr_ln(double x) {
  const uint64_t shifted = xr_bits(x) - 0x3FE6A09E667F3BCDu; /* the bits of sqrt(1/2) */
  const double k = xr_of_bits((shifted >> 52 ^ 0x800) | 0x4330000000000000u) - (0x1p52 + 2048.0);
  const double m = xr_of_bits((shifted & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
  const double s = (m - 1.0) / (m + 1.0);
  const double w = s * s;
  double p = 0.14616585424888623;
  p = p * w + 0.15331710618210773;
  p = p * w + 0.18182889455674947;
  p = p * w + 0.22222211130259878;
  p = p * w + 0.2857142862600327;
  p = p * w + 0.39999999999899444;
  p = p * w + 0.666666666666667;
  return k * XR_LN2_HIGH + (k * XR_LN2_LOW + (2.0 * s + s * w * p));
}

/* Exponential within 2 units in the last place, for x from -708 to 709; outside of that as if at the border.
   x = k ln 2 + r with |r| <= ln 2 / 2, exp r = 1 + r + r r P(r); the polynomial's error is 1.5e-17. */
static inline double xr_exponential(double x) {
  const double inside = x < -708.0 ? -708.0 : x > 709.0 ? 709.0 : x;
  const double rounded = inside * 1.4426950408889634 + XR_ROUNDER;
  const double k = rounded - XR_ROUNDER;
  const double r = (inside - k * XR_LN2_HIGH) - k * XR_LN2_LOW;
  double p = 2.5100472505694996e-08;
  p = p * r + 2.7620201591031547e-07;
  p = p * r + 2.7557268276905696e-06;
  p = p * r + 2.4801521057868204e-05;
  p = p * r + 0.00019841269863171557;
  p = p * r + 0.0013888888917367081;
  p = p * r + 0.008333333333330039;
  p = p * r + 0.041666666666623824;
  p = p * r + 0.16666666666666669;
  p = p * r + 0.5000000000000001;
  return xr_of_bits(xr_bits(1.0 + (r + r * r * p)) + (xr_bits(rounded) << 52));
}

/* Cosine and sine of `turns` full turns, for turns from 0 to 1 that are multiples of 2^-53; each within 2 units in the last
   place, also next to its zeros. 4 turns = q + r with |r| <= 1/2 is exact; sin(r pi / 2) = r P(r r) and
   cos(r pi / 2) = 1 + r r Q(r r), with errors of 3.9e-17 and 1.9e-17; the quarter q swaps them and sets the signs. */
static inline void xr_circle(double turns, double *cosine, double *sine) {
  const double rounded = 4.0 * turns + XR_ROUNDER;
  const uint64_t quarter = xr_bits(rounded);
  const double r = 4.0 * turns - (rounded - XR_ROUNDER);
  const double w = r * r;
  double p = 5.633933781537854e-08;
  p = p * w - 3.59864335298231e-06;
  p = p * w + 0.0001604411507421909;
  p = p * w - 0.004681754132340976;
  p = p * w + 0.07969262624604301;
  p = p * w - 0.6459640975062443;
  p = p * w + 1.5707963267948966;
  double q = -6.329396344967424e-09;
  q = q * w + 4.710678405505227e-07;
  q = q * w - 2.5202039028029178e-05;
  q = q * w + 0.0009192602745468447;
  q = q * w - 0.020863480763340773;
  q = q * w + 0.2536695079010478;
  q = q * w - 1.2337005501361697;
  const double s = r * p;
  const double c = 1.0 + w * q;
  const uint64_t swap = (xr_bits(s) ^ xr_bits(c)) & (0 - (quarter & 1));
  *cosine = xr_of_bits(xr_bits(c) ^ swap ^ ((quarter + 1) & 2) << 62);
  *sine = xr_of_bits(xr_bits(s) ^ swap ^ (quarter & 2) << 62);
}

#endif
