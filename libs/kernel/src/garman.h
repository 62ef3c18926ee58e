/* The Garman–Kohlhagen formula for one element, in a form that becomes vector code: no branches, one square root, three
   divisions, three exponentials.

   With S' = S e^(-rf T), K' = K e^(-rd T), w = σ √T, x = ln(S/K) + (rd - rf) T, d1 = x/w + w/2 and d2 = d1 - w:
   S' φ(d1) = K' φ(d2) =: A, so that one exponential serves both tails. A tail is N(-|d|) = φ(d) M(|d|) with the Mills ratio
   M, hence S' N(-|d1|) = A M(|d1|) and K' N(-|d2|) = A M(|d2|): both from A, and M(|d1|) and M(|d2|) share one division.

   Priced is the side that is out of the money at the forward; the other follows from parity, so that nothing cancels. By the
   symmetry of the two currencies both signs of x are one case: with the greater of the discounted levels called far, the
   lesser near, far = |x|/w + w/2 and near = |x|/w - w/2, the out-of-the-money option is worth

     L_near N(-near) - L_far N(-far).

   At w = 0 both are infinite and A is zero: prices and Greeks take their limits. x = 0 and w = 0 is the kink itself: delta
   is one half, gamma a number that no market gives. */
#ifndef XR_GARMAN_H
#define XR_GARMAN_H

#include "lanes.h"

#define XR_TINY 1e-200 /* stands for zero below a fraction bar; its product with a level is a normal number */
#define XR_TAIL_MAX 40.0 /* where a tail is zero in double precision, and where the fit of the Mills ratio ends */

typedef struct {
  double far, near;            /* far ≥ 0 and far ≥ |near|, both within ±40 */
  double far_tail, near_tail;  /* L N(-|far|), L N(-|near|) */
  double far_level, near_level;
  double peak; /* A */
  double out;  /* the premium of the side that is out of the money at the forward */
} xr_tails;

typedef struct {
  double paid;     /* S' N(sign d1) */
  double received; /* K' N(sign d2) */
  double premium;
  double peak;
  double d1, d2;
} xr_garman;

/* x as above; quotient is |x|/w, deviation is w. */
XR_INLINE xr_tails xr_tails_of(double x, double quotient, double deviation, double discounted_spot,
                               double discounted_strike) {
  xr_tails g;
  const double far = XR_FMA(0.5, deviation, quotient);
  const double near = XR_FMA(-0.5, deviation, quotient);
  g.far_level = x >= 0.0 ? discounted_spot : discounted_strike;
  g.near_level = x >= 0.0 ? discounted_strike : discounted_spot;
  g.far = far < XR_TAIL_MAX ? far : XR_TAIL_MAX;
  const double size = fabs(near) < XR_TAIL_MAX ? fabs(near) : XR_TAIL_MAX;
  g.near = near >= 0.0 ? size : -size;
  /* The exponential belongs to the smaller of the two, which loses less. */
  const double half = 0.5 * size * size;
  const double peak = XR_1_SQRT2PI * g.near_level * xr_exp_bounded(-half);
  g.peak = half < XR_EXP_MAX ? peak : 0.0;
  const double far_below = xr_mills_denominator(g.far), near_below = xr_mills_denominator(size);
  const double shared = g.peak / (far_below * near_below);
  g.far_tail = xr_mills_numerator(g.far) * near_below * shared;
  g.near_tail = xr_mills_numerator(size) * far_below * shared;
  const double out = (near >= 0.0 ? g.near_tail : g.near_level - g.near_tail) - g.far_tail;
  g.out = out > 0.0 ? out : 0.0;
  return g;
}

/* The premium of either side; sign: 1 for a call, -1 for a put. */
XR_INLINE double xr_premium_of(double sign, double x, const xr_tails *g) {
  const double intrinsic = g->far_level - g->near_level;
  const double inside = g->out + (intrinsic > 0.0 ? intrinsic : 0.0);
  return sign * x > 0.0 ? inside : g->out;
}

/* What the formula needs of one option; apart from the rest, so that a loop can compute it for a whole block first: two
   loops of half the length keep more elements in flight. */
typedef struct {
  double x;
  double root;      /* √T */
  double deviation; /* w */
  double discounted_spot, discounted_strike;
} xr_garman_terms;

XR_INLINE xr_garman_terms xr_garman_terms_of(double spot, double strike, double time, double volatility,
                                             double domestic, double foreign) {
  xr_garman_terms t;
  t.root = sqrt(time);
  const double w = volatility * t.root;
  t.deviation = w > XR_TINY ? w : XR_TINY;
  t.x = xr_log_growth(spot, strike, domestic, foreign, time);
  t.discounted_spot = spot * xr_exp_bounded(-foreign * time);
  t.discounted_strike = strike * xr_exp_bounded(-domestic * time);
  return t;
}

XR_INLINE xr_garman xr_garman_of(double sign, const xr_garman_terms *t) {
  xr_garman g;
  const xr_tails tails =
      xr_tails_of(t->x, fabs(t->x) / t->deviation, t->deviation, t->discounted_spot, t->discounted_strike);
  const int spot_is_far = t->x >= 0.0;
  g.peak = tails.peak;
  g.premium = xr_premium_of(sign, t->x, &tails);
  g.d1 = spot_is_far ? tails.far : -tails.near;
  g.d2 = spot_is_far ? tails.near : -tails.far;
  const double tail1 = spot_is_far ? tails.far_tail : tails.near_tail;
  const double tail2 = spot_is_far ? tails.near_tail : tails.far_tail;
  /* N(sign d) is the tail if sign d < 0, and one less the tail otherwise. */
  g.paid = sign * g.d1 < 0.0 ? tail1 : t->discounted_spot - tail1;
  g.received = sign * g.d2 < 0.0 ? tail2 : t->discounted_strike - tail2;
  return g;
}

#endif
