/* Vanna-Volga: a smile from three points by Castagna and Mercurio (2007), "The vanna-volga method for implied volatilities". */
#ifndef XR_VANNA_VOLGA_H
#define XR_VANNA_VOLGA_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Volatility of a strike.

   order                       0: their first-order formula, 1: their second-order one
   forward, strike...          counter per base, 1e-60 to 1e60; strike_low < strike_middle < strike_high
   time                        years to expiry, 1e-6 to 100
   volatility_low, _middle, _high   at these strikes, 1e-6 to 100
   volatility                  out; of strike: INCONSISTENT if the three strikes do not ascend, NO_SOLUTION if the formula
                               has no value from 1e-6 to 100 there
   status                      out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_vanna_volga_volatility(int64_t count, const int8_t *order, const double *forward, const double *time,
                                  const double *strike_low, const double *strike_middle, const double *strike_high,
                                  const double *volatility_low, const double *volatility_middle,
                                  const double *volatility_high, const double *strike, double *volatility,
                                  uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
