/* The pieces of one prepared curve. The exponent is minus the logarithm of the discount factor: the integral of the
   instantaneous forward rate from time 0. */
#ifndef XR_CURVE_PIECES_H
#define XR_CURVE_PIECES_H

#include <math.h>
#include <stdint.h>

#include "checks.h"
#include "xr/curve.h"

#define XR_KNOT_GAP 1e-6         /* years; half a minute. Keeps every slope finite. */
#define XR_EXPONENT_MAX 138.1551 /* log(1e60) */
#define XR_IS_SPAN(x) (((x) >= XR_KNOT_GAP) & ((x) <= XR_TIME_MAX))

/* The last piece that begins at or before a time. */
static inline int64_t xr_piece(const double *start, int64_t pieces, double time) {
  int64_t low = 0, high = pieces;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (start[middle] <= time) low = middle;
    else high = middle;
  }
  return low;
}

static inline double xr_exponent(const double *start, const double *coefficient, int64_t pieces, double time) {
  const int64_t j = xr_piece(start, pieces, time);
  const double *c = coefficient + 4 * j, u = time - start[j];
  return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

/* The slope at an end, from the two spans next to it: the three-point formula, limited so that the shape is kept (Fritsch
   and Carlson 1980; the rule is that of their PCHIM). */
static inline double xr_end_slope(double near, double far, double secant_near, double secant_far) {
  const double slope = ((2.0 * near + far) * secant_near - near * secant_far) / (near + far);
  if (slope * secant_near <= 0.0) return 0.0;
  if (secant_near * secant_far <= 0.0 && fabs(slope) > 3.0 * fabs(secant_near)) return 3.0 * secant_near;
  return slope;
}

static inline double xr_span(const double *start, int64_t i) { return start[i + 1] - start[i]; }

static inline double xr_secant(const double *start, const double *c, int64_t i) {
  return (c[4 * (i + 1)] - c[4 * i]) / xr_span(start, i);
}

/* Slopes into c1. Inner ones are the weighted harmonic mean of both secants (Fritsch and Butland 1984, equation 3, with
   Brodlie's weights), 0 where the secants differ in sign: inside of the region of monotonicity of Fritsch and Carlson
   (1980), in which both end slopes are at most three secants. */
static inline void xr_slopes_monotone(const double *start, double *c, int64_t spans) {
  for (int64_t i = 1; i < spans; i++) {
    const double before = xr_span(start, i - 1), after = xr_span(start, i);
    const double m0 = xr_secant(start, c, i - 1), m1 = xr_secant(start, c, i);
    const double w0 = 2.0 * after + before, w1 = after + 2.0 * before;
    c[4 * i + 1] = m0 * m1 > 0.0 ? (w0 + w1) / (w0 / m0 + w1 / m1) : 0.0;
  }
  const int64_t n = spans - 1;
  c[1] = xr_end_slope(xr_span(start, 0), xr_span(start, 1), xr_secant(start, c, 0), xr_secant(start, c, 1));
  c[4 * spans + 1] = xr_end_slope(xr_span(start, n), xr_span(start, n - 1), xr_secant(start, c, n),
                                  xr_secant(start, c, n - 1));
}

/* Slopes into c1: those of the natural spline (continuous second derivative, zero at both ends) from the tridiagonal
   system h[i] s[i-1] + 2 (h[i-1] + h[i]) s[i] + h[i-1] s[i+1] = 3 (h[i] m[i-1] + h[i-1] m[i]), then Hyman (1983, equation
   2.6): the sign of the data, and at most three times the smaller secant. c2 holds the eliminated upper diagonal. */
static inline void xr_slopes_spline(const double *start, double *c, int64_t spans) {
  c[2] = 0.5;
  c[1] = 1.5 * xr_secant(start, c, 0);
  for (int64_t i = 1; i < spans; i++) {
    const double before = xr_span(start, i - 1), after = xr_span(start, i);
    const double right = 3.0 * (after * xr_secant(start, c, i - 1) + before * xr_secant(start, c, i));
    const double pivot = 2.0 * (before + after) - after * c[4 * (i - 1) + 2];
    c[4 * i + 2] = before / pivot;
    c[4 * i + 1] = (right - after * c[4 * (i - 1) + 1]) / pivot;
  }
  c[4 * spans + 1] = (3.0 * xr_secant(start, c, spans - 1) - c[4 * (spans - 1) + 1]) / (2.0 - c[4 * (spans - 1) + 2]);
  for (int64_t i = spans - 1; i >= 0; i--) c[4 * i + 1] -= c[4 * i + 2] * c[4 * (i + 1) + 1];
  for (int64_t i = 0; i <= spans; i++) {
    const double m0 = xr_secant(start, c, i > 0 ? i - 1 : 0), m1 = xr_secant(start, c, i < spans ? i : spans - 1);
    const double most = 3.0 * fmin(fabs(m0), fabs(m1)), slope = c[4 * i + 1];
    c[4 * i + 1] = m0 * m1 > 0.0 && slope * m0 > 0.0 ? copysign(fmin(fabs(slope), most), m0) : 0.0;
  }
}

/* Fills c1, c2 and c3 of all pieces from start and c0; spans is at least 1, there are spans + 1 pieces. */
static inline void xr_fill_pieces(const double *start, double *c, int64_t spans, int8_t interpolation) {
  double *last = c + 4 * spans;
  last[2] = last[3] = 0.0;
  if (interpolation == XR_LOG_LINEAR || spans == 1) {
    for (int64_t i = 0; i < spans; i++) {
      c[4 * i + 1] = xr_secant(start, c, i);
      c[4 * i + 2] = c[4 * i + 3] = 0.0;
    }
    last[1] = c[4 * (spans - 1) + 1];
    return;
  }
  if (interpolation == XR_MONOTONE_CUBIC) xr_slopes_monotone(start, c, spans);
  else xr_slopes_spline(start, c, spans);
  for (int64_t i = 0; i < spans; i++) {
    const double span = xr_span(start, i), secant = xr_secant(start, c, i);
    const double s0 = c[4 * i + 1], s1 = c[4 * i + 5];
    c[4 * i + 2] = (3.0 * secant - 2.0 * s0 - s1) / span;
    c[4 * i + 3] = (s0 + s1 - 2.0 * secant) / (span * span);
  }
}

#endif
