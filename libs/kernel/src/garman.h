/* The Garman–Kohlhagen formula for one element, in a form that becomes vector code: no branches, one square root, three
   divisions, three exponentials.

   With S' = S e^(-rf T), K' = K e^(-rd T), w = σ √T, x = ln(S/K) + (rd - rf) T, d1 = x/w + w/2 and d2 = d1 - w:
   S' φ(d1) = K' φ(d2) =: A, so that one exponential serves both tails. A tail is N(-|d|) = φ(d) M(|d|) with the Mills ratio
   M, hence S' N(-|d1|) = A M(|d1|) and K' N(-|d2|) = A M(|d2|): both from A, and M(|d1|) and M(|d2|) share one division.
   Priced is the side that is out of the money at the forward; the other follows from parity, so that nothing cancels.

   At w = 0 both d are infinite with the sign of x, and A is zero: prices and Greeks take their limits. x = 0 and w = 0 is
   the kink itself: delta is one half, gamma infinite. */
#ifndef XR_GARMAN_H
#define XR_GARMAN_H

#include "lanes.h"

typedef struct {
  double tail1, tail2; /* S' N(-|d1|), K' N(-|d2|) */
  double peak;         /* A = S' φ(d1) */
  double d1, d2;       /* within ±40 */
  double out;          /* premium of the side that is out of the money at the forward */
} xr_tails;

typedef struct {
  double paid;     /* S' N(sign d1) */
  double received; /* K' N(sign d2) */
  double premium;
  double peak;
  double d1, d2;
  double root;      /* √T */
  double deviation; /* w */
} xr_garman;

#define XR_TINY 1e-300

/* x as above; quotient is x/w, deviation is w. */
XR_INLINE xr_tails xr_tails_of(double x, double quotient, double deviation, double discounted_spot,
                               double discounted_strike) {
  xr_tails g;
  g.d1 = xr_clamp(quotient + 0.5 * deviation, -40.0, 40.0);
  g.d2 = xr_clamp(quotient - 0.5 * deviation, -40.0, 40.0);
  const double y1 = fabs(g.d1), y2 = fabs(g.d2);
  /* The exponential belongs to the smaller |d|, which is d2 for x ≥ 0; the other product equals it. */
  const double least = x >= 0.0 ? y2 : y1;
  const double half = 0.5 * least * least;
  const double level = x >= 0.0 ? discounted_strike : discounted_spot;
  const double peak = XR_1_SQRT2PI * level * xr_exp(-half);
  g.peak = half < XR_EXP_MAX ? peak : 0.0;
  const double q1 = xr_mills_denominator(y1), q2 = xr_mills_denominator(y2);
  const double shared = g.peak / (q1 * q2);
  g.tail1 = xr_mills_numerator(y1) * q2 * shared;
  g.tail2 = xr_mills_numerator(y2) * q1 * shared;
  /* For x ≥ 0 the put, K' N(-d2) - S' N(-d1); else the call, S' N(d1) - K' N(d2). */
  const double near_put = g.d2 >= 0.0 ? g.tail2 : discounted_strike - g.tail2;
  const double near_call = g.d1 < 0.0 ? g.tail1 : discounted_spot - g.tail1;
  const double out = x >= 0.0 ? near_put - g.tail1 : near_call - g.tail2;
  g.out = out > 0.0 ? out : 0.0;
  return g;
}

/* The premium of either side; sign: 1 for a call, -1 for a put. */
XR_INLINE double xr_premium_of(double sign, double x, double out, double discounted_spot, double discounted_strike) {
  const double intrinsic = sign * (discounted_spot - discounted_strike);
  const double kept = sign * x > 0.0 ? intrinsic : 0.0;
  return out + (kept > 0.0 ? kept : 0.0);
}

XR_INLINE xr_garman xr_garman_of(double sign, double spot, double strike, double time, double volatility,
                                 double domestic, double foreign) {
  xr_garman g;
  g.root = sqrt(time);
  const double w = volatility * g.root;
  g.deviation = w > XR_TINY ? w : XR_TINY;
  const double x = xr_log_ratio(spot, strike) + (domestic - foreign) * time;
  const double ds = spot * xr_exp(-foreign * time);
  const double dk = strike * xr_exp(-domestic * time);
  const xr_tails tails = xr_tails_of(x, x / g.deviation, g.deviation, ds, dk);
  g.peak = tails.peak;
  g.d1 = tails.d1;
  g.d2 = tails.d2;
  /* N(sign d) is the tail if sign d < 0, and one less the tail otherwise. */
  g.paid = sign * g.d1 < 0.0 ? tails.tail1 : ds - tails.tail1;
  g.received = sign * g.d2 < 0.0 ? tails.tail2 : dk - tails.tail2;
  g.premium = xr_premium_of(sign, x, tails.out, ds, dk);
  return g;
}

#endif
