/* Elementary functions that every source uses: branch-free and inline, so that loops over them become vector code, and the
   same for one element as for a thousand. Bounds are relative, for results in the normal range, and tested against mpmath.

   The polynomials interpolate at Chebyshev nodes in 40 digits; the rational function of the Mills ratio is a Remez fit. */
#ifndef XR_LANES_H
#define XR_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Small functions that must not stay calls: a call ends the vector loop. */
#define XR_INLINE static inline __attribute__((always_inline))

/* a b + c, rounded once where the processor can, twice where it cannot. The compiler itself never fuses: what it would fuse
   depends on the code around, and the same figure would have other bits in another function. gcc says by __FP_FAST_FMA that
   the processor can; clang does not, on processors that do. */
#ifndef XR_FUSES
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__aarch64__)
#define XR_FUSES 1
#else
#define XR_FUSES 0
#endif
#endif
#if XR_FUSES
#define XR_FMA(a, b, c) __builtin_fma((a), (b), (c))
#else
#define XR_FMA(a, b, c) ((a) * (b) + (c))
#endif

#define XR_SQRT2PI 2.50662827463100050242
#define XR_1_SQRT2PI 0.39894228040143267794
#define XR_LOG2E 1.44269504088896340736
#define XR_LN2_HIGH 6.93147180369123816490e-01 /* 33 bits of ln 2: times an exponent it is exact */
#define XR_LN2_LOW 1.90821492927058770002e-10
#define XR_ROUNDER 6755399441055744.0 /* 1.5 × 2^52: adding it rounds to an integer, which stands in the low bits */
#define XR_EXP_MAX 708.0              /* e^±708 is still a normal number */

XR_INLINE int64_t xr_bits(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

XR_INLINE double xr_from_bits(int64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

XR_INLINE double xr_clamp(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

/* e^x for |x| ≤ 708, within 1 ulp; nonsense beyond. e^x = 2^n e^r with |r| ≤ ln 2 / 2. */
XR_INLINE double xr_exp_bounded(double x) {
  const double shifted = XR_FMA(x, XR_LOG2E, XR_ROUNDER);
  const double n = shifted - XR_ROUNDER;
  const double r = XR_FMA(n, -XR_LN2_LOW, XR_FMA(n, -XR_LN2_HIGH, x));
  double p = 2.510038319586702134e-8;
  p = XR_FMA(p, r, 2.7620085455018415696e-7);
  p = XR_FMA(p, r, 2.7557268464831626452e-6);
  p = XR_FMA(p, r, 0.000024801521302241083138);
  p = XR_FMA(p, r, 0.00019841269863050505549);
  p = XR_FMA(p, r, 0.0013888888917209671046);
  p = XR_FMA(p, r, 0.0083333333333300624555);
  p = XR_FMA(p, r, 0.041666666666624135973);
  p = XR_FMA(p, r, 0.16666666666666667453);
  p = XR_FMA(p, r, 0.50000000000000010219);
  const double scale = xr_from_bits((int64_t)(((uint64_t)xr_bits(shifted) + 1023) << 52));
  return XR_FMA(scale, XR_FMA(r * r, p, r), scale);
}

/* e^x for any number; beyond ±708 the value at that border. */
XR_INLINE double xr_exp(double x) { return xr_exp_bounded(xr_clamp(x, -XR_EXP_MAX, XR_EXP_MAX)); }

/* ln(a / b) = n ln 2 + 2 atanh(f), f = (a - scaled) / (a + scaled), for positive normal a and b whose quotient is one too. The
   quotient is never formed: b is scaled by the power of two that brings the ratio between 2^-0.59 and 2^0.59, where a - scaled
   is exact. The power comes from the difference of the bit patterns, which is a logarithm to the base two within 0.086
   (Mitchell 1962). */
typedef struct {
  double n, scaled;
} xr_power;

XR_INLINE xr_power xr_power_between(double a, double b) {
  /* Unsigned, because a block is computed before it is known that no number in it is negative. */
  const uint64_t bits = (uint64_t)xr_bits(a) - (uint64_t)xr_bits(b) + (1ULL << 62) + (1ULL << 51);
  const uint64_t biased = bits >> 52; /* n + 1024 */
  const xr_power between = {
      xr_from_bits((int64_t)(biased + 0x4330000000000000ULL)) - 4503599627371520.0,
      xr_from_bits((int64_t)((uint64_t)xr_bits(b) + (biased << 52) - (1ULL << 62))),
  };
  return between;
}

/* atanh(f) / f - 1. */
XR_INLINE double xr_atanh_excess(double f) {
  const double z = f * f;
  double p = 0.068095330214151615013;
  p = XR_FMA(p, z, 0.066041990013906814518);
  p = XR_FMA(p, z, 0.076944673012973401986);
  p = XR_FMA(p, z, 0.090908679748348487171);
  p = XR_FMA(p, z, 0.11111111534886074052);
  p = XR_FMA(p, z, 0.1428571428357347651);
  p = XR_FMA(p, z, 0.20000000000004114294);
  p = XR_FMA(p, z, 0.33333333333333332038);
  return z * p;
}

/* ln(a / b), within 2 ulp. */
XR_INLINE double xr_log_ratio(double a, double b) {
  const xr_power power = xr_power_between(a, b);
  const double f = (a - power.scaled) / (a + power.scaled);
  const double twice = f + f;
  const double within = XR_FMA(twice, xr_atanh_excess(f), twice);
  return XR_FMA(power.n, XR_LN2_HIGH, XR_FMA(power.n, XR_LN2_LOW, within));
}

/* ln(a / b) + (up - down) time, to a few 1e-17 even where the two cancel: a density far from the money magnifies what is lost
   here by d / w. What the quotient, the sum with n ln 2 and the difference of the rates are rounded by is added in the end. */
XR_INLINE double xr_log_growth(double a, double b, double up, double down, double time) {
  const xr_power power = xr_power_between(a, b);
  const double difference = a - power.scaled, sum = a + power.scaled;
  const double over = 1.0 / sum;
  const double f = difference * over;
  const double f_rest = XR_FMA(-f, sum, difference) * over;
  const double twice = f + f;
  const double whole = power.n * XR_LN2_HIGH; /* exact */
  const double most = whole + twice;
  const double most_rest = twice - (most - whole);
  const double rate = up - down;
  const double back = rate - up;
  const double rate_rest = (up - (rate - back)) - (down + back);
  double rest = XR_FMA(twice, xr_atanh_excess(f), f_rest + f_rest);
  rest = XR_FMA(power.n, XR_LN2_LOW, rest) + most_rest;
  rest = XR_FMA(rate_rest, time, rest);
  return XR_FMA(rate, time, most) + rest;
}

/* ln(x) for positive normal x. */
XR_INLINE double xr_log(double x) { return xr_log_ratio(x, 1.0); }

/* The Mills ratio of the normal distribution, (1 - N(y)) / φ(y), for 0 ≤ y ≤ 40, as numerator and denominator: two ratios can
   then share one division. All coefficients are positive, so that nothing cancels. Theoretical error 5.4e-17. */
XR_INLINE double xr_mills_numerator(double y) {
  double p = 3.5012468060376048433e-6;
  p = XR_FMA(p, y, 0.000094006097691290334923);
  p = XR_FMA(p, y, 0.0012361555897570032711);
  p = XR_FMA(p, y, 0.010297796738529478592);
  p = XR_FMA(p, y, 0.059435665586183341216);
  p = XR_FMA(p, y, 0.24562539478759393618);
  p = XR_FMA(p, y, 0.72687331611542688759);
  p = XR_FMA(p, y, 1.4913249989239360408);
  p = XR_FMA(p, y, 1.9438875519849705735);
  return XR_FMA(p, y, 1.2533141373155001836);
}

XR_INLINE double xr_mills_denominator(double y) {
  double q = 3.5012468060470104365e-6;
  q = XR_FMA(q, y, 0.000094006097689316862487);
  q = XR_FMA(q, y, 0.0012396568367494768641);
  q = XR_FMA(q, y, 0.010391802825644517311);
  q = XR_FMA(q, y, 0.060664819088229308975);
  q = XR_FMA(q, y, 0.25573516806280554039);
  q = XR_FMA(q, y, 0.78387191931865045962);
  q = XR_FMA(q, y, 1.7172910002137090783);
  q = XR_FMA(q, y, 2.5640422150015167525);
  q = XR_FMA(q, y, 2.3488824264685400751);
  return XR_FMA(q, y, 1.0);
}

/* The standard normal density; relative error 2 ulp also in the tails: the square is split, so that the rounding of x² does
   not grow with it. Zero beyond ±37.6. */
XR_INLINE double xr_npdf(double x) {
  const double coarse = (x * 16.0 + XR_ROUNDER - XR_ROUNDER) * 0.0625;
  const double rest = -0.5 * (x - coarse) * (x + coarse);
  const double density = XR_1_SQRT2PI * xr_exp(-0.5 * coarse * coarse) * xr_exp(rest);
  return x * x > 2.0 * XR_EXP_MAX ? 0.0 : density;
}

/* The standard normal distribution function, accurate in relative terms in its lower tail; zero below -37.6. */
XR_INLINE double xr_ndtr(double x) {
  const double y = fabs(x) > 40.0 ? 40.0 : fabs(x);
  const double tail = xr_npdf(y) * xr_mills_numerator(y) / xr_mills_denominator(y);
  return x < 0.0 ? tail : 1.0 - tail;
}

#endif
