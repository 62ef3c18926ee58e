/* Masses of a Brownian motion with drift, killed at barriers, as sums over mirror images of its start.

   The log of the spot, relative to today's and in units of its standard deviation s = volatility sqrt(time), is n + Z at
   expiry with n = drift/s. Mirroring at a barrier b puts an image of the start at gamma = 2b, whose density at x is
   exp(n gamma) phi(x - gamma - n) (method of images; Harrison 1985, section 1.8). All that single and double barriers need
   are integrals of this over intervals on the living side of the barrier, and the discounted first passage.

   The weight exp(n gamma) may be huge where the density is tiny. Both are therefore taken together:
   n gamma - (x - gamma - n)²/2 = -(x - n)²/2 + gamma (2x - gamma)/2, whose two terms are never positive for a living x. */
#ifndef XR_IMAGES_H
#define XR_IMAGES_H

#include <math.h>

#include "lanes.h"
#include "scaled_erfc.h"

#define XR_FAR 1e150         /* stands for infinity as an edge; its square is finite */
#define XR_DEVIATION_MIN 1e-100 /* zero volatility or time become this: every mass is then 0, 1/2 or 1 */

/* What all barrier products need to know of the market, in the units above. */
typedef struct {
  double deviation; /* s */
  double n_counter; /* n when values are counted in the counter currency */
  double n_base;    /* n when they are counted in the base currency: n_counter + s */
  double counter;   /* today's value of one unit of the counter currency at expiry */
  double base;      /* the same of the base currency, in the counter currency */
  double rate_time; /* domestic rate times time */
} xr_market;

static inline xr_market xr_market_of(double spot, double time, double volatility, double domestic, double foreign) {
  xr_market m;
  m.deviation = fmax(volatility * sqrt(time), XR_DEVIATION_MIN);
  const double growth = (domestic - foreign) * time / m.deviation;
  m.n_counter = growth - 0.5 * m.deviation;
  m.n_base = growth + 0.5 * m.deviation;
  m.counter = exp(-domestic * time);
  m.base = spot * exp(-foreign * time);
  m.rate_time = domestic * time;
  return m;
}

/* The image's mass above the edge (side 1) or below it (side -1), where the edge lies on that side of its mean. */
static inline double xr_image_tail(double n, double gamma, double edge, double side) {
  if (fabs(edge) >= XR_FAR) return 0.0;
  const double exponent = -0.5 * (edge - n) * (edge - n) + 0.5 * gamma * (2.0 * edge - gamma);
  return 0.5 * exp(exponent) * xr_erfcx(side * (edge - gamma - n) * 0.70710678118654752440);
}

/* The image's mass between two edges; zero if they are not in order. */
static inline double xr_image_mass(double n, double gamma, double low, double high) {
  if (!(low < high)) return 0.0;
  const double mean = gamma + n;
  if (low >= mean) return xr_image_tail(n, gamma, low, 1.0) - xr_image_tail(n, gamma, high, 1.0);
  if (high <= mean) return xr_image_tail(n, gamma, high, -1.0) - xr_image_tail(n, gamma, low, -1.0);
  return exp(n * gamma) - xr_image_tail(n, gamma, low, -1.0) - xr_image_tail(n, gamma, high, 1.0);
}

/* Differences of masses may be a rounding below zero where the value is none. */
static inline double xr_not_negative(double value) { return value < 0.0 ? 0.0 : value; }

/* n - q for q = sqrt(n² + 2 rate_time) >= 0, without cancellation. */
static inline double xr_drift_gap(double n, double q, double rate_time) {
  return n > 0.0 ? -2.0 * rate_time / (n + q) : n - q;
}

/* exp(n b) times the discounted probability that a driftless motion passes a point at distance gamma >= |b| before expiry,
   the discount being exp(-(q²/2) t) at the fraction t of the life, q² = n² + 2 rate_time. With gamma = |b| that is today's
   value of one unit paid when the barrier b is touched (Rubinstein and Reiner 1991, "Unscrambling the binary code",
   American cash-or-nothing):

     exp(n b) [exp(-gamma q) N(q - gamma) + exp(gamma q) N(-q - gamma)].

   q² is negative where the domestic rate is below -n²/(2 time); the two terms are then complex conjugates, and their sum
   the real part of the Faddeeva function. */
static inline double xr_image_passage(double n, double b, double gamma, double rate_time) {
  const double along = b < 0.0 ? -n : n;
  const double away = fabs(b);
  const double square = n * n + 2.0 * rate_time;
  const double exponent =
      -0.5 * (along - away) * (along - away) - rate_time - 0.5 * (gamma - away) * (gamma + away);
  const double root = 0.70710678118654752440;
  if (square < 0.0) return exp(exponent) * xr_faddeeva_real(sqrt(-square) * root, gamma * root);
  const double q = sqrt(square);
  const double half = 0.5 * exp(exponent);
  const double far = half * xr_erfcx((gamma + q) * root);
  if (gamma >= q) return far + half * xr_erfcx((gamma - q) * root);
  const double sure = exp(away * xr_drift_gap(along, q, rate_time) - (gamma - away) * q);
  return far + sure - half * xr_erfcx((q - gamma) * root);
}

#endif
