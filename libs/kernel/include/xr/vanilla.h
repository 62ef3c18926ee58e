/* European vanilla options on an exchange rate: Garman and Kohlhagen (1983). */
#ifndef XR_VANILLA_H
#define XR_VANILLA_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Premium in the counter currency for one unit of the base currency.

   put_or_call        0 put, 1 call
   spot, strike       counter per base, 1e-60 to 1e60
   time               years to expiry, 0 to 100
   volatility         per square root of a year, 0 to 100
   domestic_rate      continuously compounded rate of the counter currency, -5 to 5
   foreign_rate       the same of the base currency
   price              out, count elements
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_vanilla_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                         const double *time, const double *volatility, const double *domestic_rate,
                         const double *foreign_rate, double *price, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
