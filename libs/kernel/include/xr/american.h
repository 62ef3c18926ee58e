/* American vanilla options on an exchange rate: exercise at any time until expiry. */
#ifndef XR_AMERICAN_H
#define XR_AMERICAN_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Premium in the counter currency for one unit of the base currency; arguments as in xr/vanilla.h.

   XR_NOT_CONVERGED on volatility: the exercise boundary was not found, and volatility * sqrt(time) is above 10, or
   |log(spot/strike)| + |domestic_rate - foreign_rate| * time above 200. */
int64_t xr_american_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                          const double *time, const double *volatility, const double *domestic_rate,
                          const double *foreign_rate, double *price, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
