/* American options: see include/xr/american.h.

   A call on the base currency is a put on the counter currency (McDonald and Schroder 1998), so that only puts are priced:
   spot y for a strike of one, discount rate r, carry rate q. Three cases:
   - r <= 0 and q >= r: the strike earns nothing by waiting less, so that exercise never pays. European.
   - r > 0: one exercise boundary B. Andersen, Lake and Offengenden (2016), "High-performance American option pricing": a fixed
     point for B at Chebyshev nodes of the root of time, then the premium of early exercise as an integral over B.
   - otherwise, and where that fixed point was not found: binomial trees. With q < r < 0 there are two boundaries. */
#include "xr/american.h"

#include "angles.h"
#include "checks.h"
#include "lanes.h"

#define XR_DEGREE 12            /* of the polynomial for the boundary */
#define XR_ITERATIONS 200
#define XR_STEADY 1e-10         /* relative change of the boundary that ends the iteration */
#define XR_MISMATCH 1e-7        /* of the value at the boundary, over the strike */
#define XR_STEPS 1024           /* of the finest tree */
#define XR_TREE_DEVIATION 10.0
#define XR_TREE_REACH 200.0 /* log of the farthest forward over the strike: beyond, the tree's corners overflow */

typedef struct {
  double time, volatility, r, q, start; /* start: the boundary just before expiry */
} xr_put;

/* Chebyshev's node i, from -1 for no time left to 1 for the whole life. */
static inline double node(int i) { return -cos(3.14159265358979323846 * i / XR_DEGREE); }

/* Coefficients of the polynomial through log(B/start)² at the nodes (discrete cosine transform, both ends halved). */
static void fit(const xr_put *p, const double *boundary, double *coefficient) {
  for (int k = 0; k <= XR_DEGREE; k++) {
    double sum = 0.0;
    for (int i = 1; i <= XR_DEGREE; i++) {
      const double gap = log(boundary[i] / p->start);
      const double turn = cos(3.14159265358979323846 * k * (XR_DEGREE - i) / XR_DEGREE);
      sum += gap * gap * turn * (i == XR_DEGREE ? 0.5 : 1.0);
    }
    coefficient[k] = sum * (k == 0 || k == XR_DEGREE ? 1.0 : 2.0) / XR_DEGREE;
  }
}

/* log(B/start) with `share` = sqrt(time left / whole life); Clenshaw's recurrence. */
static inline double log_boundary(const double *coefficient, double share) {
  const double z = 2.0 * share - 1.0;
  double one = 0.0, two = 0.0;
  for (int k = XR_DEGREE; k >= 1; k--) {
    const double next = 2.0 * z * one - two + coefficient[k];
    two = one;
    one = next;
  }
  return -sqrt(fmax(z * one - two + coefficient[0], 0.0));
}

/* The boundary at one node from the boundary at all: equations FP-A (smooth pasting) and FP-B (value matching) of the paper.
   A oscillates where the rates' gap outweighs the variance and
   fails at negative carry, so that B is taken there. With the time to go u = t cos², the
   remaining t - u = t sin², kernel and boundary are smooth in the angle. */
static double improved(const xr_put *p, const double *coefficient, double boundary, double share) {
  const double t = p->time * share * share;
  const double root = p->volatility * sqrt(t);
  const double level = log(boundary / p->start);
  const int pasting = p->q >= 0.0 && fabs(p->r - p->q) <= 0.5 * p->volatility * p->volatility;
  double k0 = 0.0, k1 = 0.0, k2 = 0.0, k3 = 0.0;
  for (int j = 0; j < XR_ANGLES; j++) {
    const double past = t * XR_COSINE[j] * XR_COSINE[j];
    const double ahead = t * XR_SINE[j] * XR_SINE[j];
    const double s = root * XR_SINE[j];
    const double gap = level - log_boundary(coefficient, share * XR_COSINE[j]);
    const double d_minus = (gap + (p->r - p->q) * ahead) / s - 0.5 * s;
    const double weight = 2.0 * XR_ANGLE_WEIGHT[j] * XR_COSINE[j];
    const double carry = weight * exp(p->q * past);
    const double discount = weight * exp(p->r * past);
    k1 += carry * XR_SINE[j] * xr_ndtr(d_minus + s);
    if (pasting) {
      k2 += carry * xr_npdf(d_minus + s);
      k3 += discount * xr_npdf(d_minus);
    } else {
      k0 += discount * XR_SINE[j] * xr_ndtr(d_minus);
    }
  }
  const double d_minus = (log(boundary) + (p->r - p->q) * t) / root - 0.5 * root;
  const double d_plus = d_minus + root;
  const double spread = t / root; /* sqrt(t)/volatility */
  const double above = pasting ? xr_npdf(d_minus) / root + p->r * spread * k3 : xr_ndtr(d_minus) + p->r * t * k0;
  const double below = pasting ? xr_ndtr(d_plus) + xr_npdf(d_plus) / root + p->q * (t * k1 + spread * k2)
                               : xr_ndtr(d_plus) + p->q * t * k1;
  return exp(-(p->r - p->q) * t) * above / below;
}

static inline double european_put(double y, double time, double deviation, double r, double q) {
  const double s = fmax(deviation, 1e-100);
  const double d_minus = (log(y) + (r - q) * time) / s - 0.5 * s;
  return exp(-r * time) * xr_ndtr(-d_minus) - y * exp(-q * time) * xr_ndtr(-d_minus - s);
}

/* European value and early exercise premium (Kim 1990, equation 10), the time ahead being time sin². */
static double with_premium(const xr_put *p, const double *coefficient, double y) {
  double premium = 0.0;
  for (int j = 0; j < XR_ANGLES; j++) {
    const double ahead = p->time * XR_SINE[j] * XR_SINE[j];
    const double s = p->volatility * sqrt(p->time) * XR_SINE[j];
    const double gap = log(y / p->start) - log_boundary(coefficient, XR_COSINE[j]);
    const double d_minus = (gap + (p->r - p->q) * ahead) / s - 0.5 * s;
    const double interest = p->r * exp(-p->r * ahead) * xr_ndtr(-d_minus);
    const double given_up = p->q * y * exp(-p->q * ahead) * xr_ndtr(-d_minus - s);
    premium += 2.0 * XR_ANGLE_WEIGHT[j] * XR_SINE[j] * XR_COSINE[j] * (interest - given_up);
  }
  return european_put(y, p->time, p->volatility * sqrt(p->time), p->r, p->q) + premium * p->time;
}

/* The value by the fixed point, or NaN if it was not found or its boundary does not match the payoff. */
static double by_boundary(double y, double time, double volatility, double r, double q) {
  const xr_put p = {time, volatility, r, q, q > r ? r / q : 1.0};
  const double variance = volatility * volatility;
  const double mu = (r - q) / variance - 0.5;
  const double power = -mu - sqrt(mu * mu + 2.0 * r / variance);
  const double forever = fmin(fmax(power / (power - 1.0), 1e-8), p.start); /* the boundary without expiry: Merton 1973 */
  double boundary[XR_DEGREE + 1], next[XR_DEGREE + 1], coefficient[XR_DEGREE + 1];
  for (int i = 0; i <= XR_DEGREE; i++) {
    const double share = 0.5 * (1.0 + node(i));
    boundary[i] = p.start * pow(forever / p.start, -expm1(-2.0 * volatility * sqrt(time) * share));
  }
  double change = INFINITY;
  for (int turn = 0; turn < XR_ITERATIONS && change > XR_STEADY; turn++) {
    fit(&p, boundary, coefficient);
    change = 0.0;
    for (int i = 1; i <= XR_DEGREE; i++) {
      next[i] = fmin(improved(&p, coefficient, boundary[i], 0.5 * (1.0 + node(i))), p.start);
      if (!(next[i] > 1e-12)) return NAN;
      change = fmax(change, fabs(next[i] / boundary[i] - 1.0));
    }
    for (int i = 1; i <= XR_DEGREE; i++) boundary[i] = next[i];
  }
  if (change > XR_STEADY) return NAN;
  fit(&p, boundary, coefficient);
  const double now = boundary[XR_DEGREE];
  if (!(fabs(with_premium(&p, coefficient, now) - (1.0 - now)) < XR_MISMATCH)) return NAN;
  return y <= now ? 1.0 - y : with_premium(&p, coefficient, y);
}

/* A tree whose branches lie about the drift, so that any rates are allowed; before its last step the European value stands
   (Broadie and Detemple 1996, BBS). */
static double tree(double y, double time, double volatility, double r, double q, int steps) {
  double value[XR_STEPS], power[XR_STEPS];
  const double dt = time / steps;
  const double step = fmax(volatility * sqrt(dt), 1e-150);
  const double drift = (r - q) * dt - 0.5 * volatility * volatility * dt;
  const double discount = exp(-r * dt);
  const double up = discount * (expm1(0.5 * step * step) - expm1(-step)) / (expm1(step) - expm1(-step));
  const double down = discount - up;
  for (int j = 0; j < steps; j++) power[j] = exp(2.0 * step * j);
  for (int i = steps - 1; i >= 0; i--) {
    const double lowest = y * exp(i * (drift - step));
    for (int j = 0; j <= i; j++) {
      const double spot = lowest * power[j];
      const double kept =
          i == steps - 1 ? european_put(spot, dt, step, r, q) : up * value[j + 1] + down * value[j];
      value[j] = fmax(kept, 1.0 - spot);
    }
  }
  return value[0];
}

/* What trees of more and more steps tend to: of the mean of two whose steps differ by one, which does not waver, half of the
   error is gone with twice the steps (Broadie and Detemple 1996, BBSR). */
static double by_trees(double y, double time, double volatility, double r, double q) {
  double means[2];
  for (int half = 0; half < 2; half++) {
    const int steps = half ? XR_STEPS / 2 : XR_STEPS;
    means[half] = 0.5 * (tree(y, time, volatility, r, q, steps) + tree(y, time, volatility, r, q, steps - 1));
  }
  return 2.0 * means[0] - means[1];
}

/* Today's value of a put with strike one; NaN where neither method has one. */
static double put(double y, double time, double volatility, double r, double q) {
  const double deviation = volatility * sqrt(time);
  const double european = european_put(y, time, deviation, r, q);
  if (r <= 0.0 && q >= r) return european;
  double value = r > 0.0 && deviation > 1e-6 ? by_boundary(y, time, volatility, r, q) : NAN;
  const int within = deviation <= XR_TREE_DEVIATION && fabs(log(y)) + fabs(r - q) * time <= XR_TREE_REACH;
  if (isnan(value) && within) value = by_trees(y, time, volatility, r, q);
  return isnan(value) ? value : fmax(fmax(value, european), 1.0 - y);
}

static inline xr_refusal check(int8_t call, double spot, double strike, double time, double volatility, double domestic,
                               double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 2);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 3);
  XR_REQUIRE(XR_IS_TIME(time), time, 4);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, 5);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 6);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 7);
  return 0;
}

int64_t xr_american_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                          const double *time, const double *volatility, const double *domestic_rate,
                          const double *foreign_rate, double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal =
        check(put_or_call[i], spot[i], strike[i], time[i], volatility[i], domestic_rate[i], foreign_rate[i]);
    double value = NAN;
    if (!refusal) {
      value = put_or_call[i]
                  ? spot[i] * put(strike[i] / spot[i], time[i], volatility[i], foreign_rate[i], domestic_rate[i])
                  : strike[i] * put(spot[i] / strike[i], time[i], volatility[i], domestic_rate[i], foreign_rate[i]);
      if (isnan(value)) refusal = xr_refuse(XR_NOT_CONVERGED, 5);
    }
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = value;
  }
  return 0;
}
