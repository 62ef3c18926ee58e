/* A Brownian motion killed at either of two barriers. All in units of the deviation s of the log spot: the barriers are
   d < 0 < u, the width is w = u - d.

   Two series give the same density. Images: starts at 2jw count, those at 2u + 2jw and 2d - 2jw are taken away (j >= 0, the
   true start is j = 0); the term j weighs at most exp(-2 j (j - 1) w²). Eigenfunctions (Pelsser 2000): sines in the corridor,
   the term k decaying by exp(-k² pi²/(2 w²)). Images serve wherever w² >= 1/0.6, sines below: at that border the first image
   left out weighs less than exp(-60) and the first sine less than exp(-74), so that truncation is far below rounding. */
#ifndef XR_CORRIDOR_H
#define XR_CORRIDOR_H

#include "images.h"

#define XR_SINES_BELOW (1.0 / 0.6) /* width squared */
#define XR_IMAGES 4
#define XR_SINES 5
#define XR_PASSAGE_SINES_BELOW (1.0 / 1.44)
#define XR_PASSAGE_IMAGES 6
#define XR_NEGLIGIBLE 45.0 /* exp(-45) is 3e-20 */

static inline double xr_pi(void) { return 3.14159265358979323846; }

/* The images' mass between two edges of the corridor, without the true start's. */
static inline double xr_corridor_images(double n, double d, double u, double low, double high) {
  const double w = u - d;
  double mass = -xr_image_mass(n, 2.0 * u, low, high) - xr_image_mass(n, 2.0 * d, low, high);
  for (int j = 1; j <= XR_IMAGES && 2.0 * j * (j - 1) * w * w < XR_NEGLIGIBLE; j++) {
    mass += xr_image_mass(n, 2.0 * j * w, low, high) + xr_image_mass(n, -2.0 * j * w, low, high);
    mass -= xr_image_mass(n, 2.0 * u + 2.0 * j * w, low, high) + xr_image_mass(n, 2.0 * d - 2.0 * j * w, low, high);
  }
  return mass;
}

/* The antiderivative of exp(n x - n²/2) sin(theta (x - d)). */
static inline double xr_sine_edge(double n, double theta, double d, double x) {
  const double at = theta * (x - d);
  return exp(n * x - 0.5 * n * n) * (n * sin(at) - theta * cos(at)) / (n * n + theta * theta);
}

static inline double xr_corridor_sines(double n, double d, double u, double low, double high) {
  const double w = u - d;
  double mass = 0.0;
  for (int k = 1; k <= XR_SINES; k++) {
    const double theta = k * xr_pi() / w;
    const double start = 2.0 / w * sin(-theta * d) * exp(-0.5 * theta * theta);
    mass += start * (xr_sine_edge(n, theta, d, high) - xr_sine_edge(n, theta, d, low));
  }
  return mass;
}

/* The mass between two edges of the corridor that never left the corridor. */
static inline double xr_corridor_mass(double n, double d, double u, double low, double high) {
  if (!(low < high)) return 0.0;
  if ((u - d) * (u - d) < XR_SINES_BELOW) return xr_corridor_sines(n, d, u, low, high);
  return xr_image_mass(n, 0.0, low, high) + xr_corridor_images(n, d, u, low, high);
}

/* sinh(q a)/sinh(q w) exp(n b) for 0 < a < w and |b| = w - a; for q² < 0 the sines, below their first pole. */
static inline double xr_stationary(double n, double b, double a, double w, double square, double rate_time) {
  if (square < 0.0) {
    const double omega = sqrt(-square);
    return exp(n * b) * sin(omega * a) / sin(omega * w);
  }
  const double q = sqrt(square);
  if (q * w < 1e-8) return exp(n * b) * a / w;
  const double along = b < 0.0 ? -n : n;
  return exp(fabs(b) * xr_drift_gap(along, q, rate_time)) * expm1(-2.0 * q * a) / expm1(-2.0 * q * w);
}

/* Whether xr_corridor_passage has a result: a discount more negative than half of the first eigenvalue is refused. */
static inline int xr_corridor_converges(double n, double w, double rate_time) {
  return w * w >= XR_PASSAGE_SINES_BELOW || n * n + 2.0 * rate_time >= -0.5 * xr_pi() * xr_pi() / (w * w);
}

/* Today's value of one unit paid when barrier b (one of d and u, `other` is the other one) is touched, if that is before the
   other one and before expiry. Images: first passages over the distance |b| + 2jw count, those over 2jw - |b| are taken away,
   six of each. In a narrow corridor: what it were worth without expiry, less the sines' flux through b after expiry, of which
   the first one left out weighs less than exp(-110). */
static inline double xr_corridor_passage(double n, double b, double other, double rate_time) {
  const double near = fabs(b);
  const double w = near + fabs(other);
  if (w * w >= XR_PASSAGE_SINES_BELOW) {
    double value = xr_image_passage(n, b, near, rate_time);
    for (int j = 1; j <= XR_PASSAGE_IMAGES && 2.0 * j * w * (j * w - near) < XR_NEGLIGIBLE; j++)
      value += xr_image_passage(n, b, 2.0 * j * w + near, rate_time) - xr_image_passage(n, b, 2.0 * j * w - near, rate_time);
    return value;
  }
  const double square = n * n + 2.0 * rate_time;
  double later = 0.0;
  for (int k = 1; k <= 3; k++) {
    const double theta = k * xr_pi() / w;
    const double decay = 0.5 * (square + theta * theta);
    later += (k & 1 ? 1.0 : -1.0) * k * sin(theta * fabs(other)) * exp(n * b - decay) / decay;
  }
  return xr_stationary(n, b, fabs(other), w, square, rate_time) - xr_pi() / (w * w) * later;
}

#endif
