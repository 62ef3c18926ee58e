/* The value of a European put or call that is paid only if it ends between two edges, while an image of the spot says which
   paths count. */
#ifndef XR_CLAIM_H
#define XR_CLAIM_H

#include "images.h"

/* The edges between which a put or call pays, cut to low..high; in units of the deviation. */
typedef struct {
  double low, high;
} xr_range;

static inline xr_range xr_paying(int8_t call, double strike, double low, double high) {
  const xr_range paying = {call ? fmax(strike, low) : low, call ? high : fmin(strike, high)};
  return paying;
}

/* (spot - strike) or (strike - spot) on the part of an image between the edges, as of today. The image has the same distance
   in both currencies' measures; only the drift differs. */
static inline double xr_image_claim(const xr_market *m, int8_t call, double strike_paid, double gamma, xr_range at) {
  if (!(at.low < at.high)) return 0.0;
  const double received = m->base * xr_image_mass(m->n_base, gamma, at.low, at.high);
  const double paid = strike_paid * xr_image_mass(m->n_counter, gamma, at.low, at.high);
  return call ? received - paid : paid - received;
}

#endif
