/* Digital (binary) options on an exchange rate: a fixed amount at expiry if the option ends in the money. */
#ifndef XR_DIGITAL_H
#define XR_DIGITAL_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The currency of a fixed payout. */
enum xr_payout_currency { XR_PAYS_COUNTER = 0, XR_PAYS_BASE = 1 };

/* Premium in the counter currency, and its sensitivities, for a payout of one unit of the payout currency.

   put_or_call        0 pays below the strike, 1 above it
   payout_currency    0 counter (cash or nothing), 1 base (asset or nothing)
   spot .. foreign_rate  as in xr/vanilla.h
   price              out, count elements
   delta              out, change of the price per change of spot
   gamma              out, change of delta per change of spot
   vega               out, change of the price per change of volatility by one
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_digital_greeks(int64_t count, const int8_t *put_or_call, const int8_t *payout_currency, const double *spot,
                          const double *strike, const double *time, const double *volatility,
                          const double *domestic_rate, const double *foreign_rate, double *price, double *delta,
                          double *gamma, double *vega, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
