/* The volatility that a premium implies. */
#ifndef XR_IMPLIED_H
#define XR_IMPLIED_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Solves xr_vanilla_price(volatility) = price; arguments as there, price in the counter currency, 0 to 1e60.

   A premium below the discounted intrinsic value, or not below the discounted spot (call) or strike (put), has no solution,
   nor has any at time zero: XR_NO_SOLUTION, argument price. A premium of exactly the intrinsic value gives volatility 0. */
int64_t xr_implied_volatility(int64_t count, const int8_t *put_or_call, const double *price, const double *spot,
                              const double *strike, const double *time, const double *domestic_rate,
                              const double *foreign_rate, double *volatility, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
