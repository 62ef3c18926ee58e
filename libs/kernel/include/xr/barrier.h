/* European options that are knocked in or out at one or two barriers, watched continuously until expiry. */
#ifndef XR_BARRIER_H
#define XR_BARRIER_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the barrier lies and what touching it does. */
enum xr_barrier_type { XR_DOWN_AND_OUT = 0, XR_DOWN_AND_IN = 1, XR_UP_AND_OUT = 2, XR_UP_AND_IN = 3 };

/* What touching either of two barriers does. */
enum xr_knock { XR_KNOCK_OUT = 0, XR_KNOCK_IN = 1 };

/* Premium in the counter currency for one unit of the base currency.

   put_or_call        0 put, 1 call
   barrier_type       0 down and out, 1 down and in, 2 up and out, 3 up and in
   spot, strike, barrier  counter per base. A spot at or beyond the barrier has touched it.
   rebate             counter per base, 0 to 1e60: paid at once when knocked out, at expiry when never knocked in
   time .. foreign_rate  as in xr/vanilla.h
   price              out, count elements
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_barrier_price(int64_t count, const int8_t *put_or_call, const int8_t *barrier_type, const double *spot,
                         const double *strike, const double *barrier, const double *rebate, const double *time,
                         const double *volatility, const double *domestic_rate, const double *foreign_rate,
                         double *price, uint8_t *status);

/* The same with two barriers.

   knock              0 out, 1 in
   lower_barrier, upper_barrier       the barriers, counter per base; lower < upper, or XR_INCONSISTENT on upper. A spot at or beyond one
                      of them has touched it.
   XR_NOT_CONVERGED on domestic_rate: a rebate at hit grows faster at a rate this negative than the chance to survive
   decays (domestic_rate * time below -3.5 in any case). */
int64_t xr_double_barrier_price(int64_t count, const int8_t *put_or_call, const int8_t *knock, const double *spot,
                                const double *strike, const double *lower_barrier, const double *upper_barrier, const double *rebate,
                                const double *time, const double *volatility, const double *domestic_rate,
                                const double *foreign_rate, double *price, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
