/* Touch options on an exchange rate: a fixed amount if one or two barriers are touched, or if they are not. */
#ifndef XR_TOUCH_H
#define XR_TOUCH_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is paid for, and when. */
enum xr_touch_type { XR_NO_TOUCH = 0, XR_ONE_TOUCH_AT_EXPIRY = 1, XR_ONE_TOUCH_AT_HIT = 2 };

/* On which side of the spot a barrier lies. */
enum xr_direction { XR_DOWN = 0, XR_UP = 1 };

/* Premium in the counter currency for a payout of one unit of the payout currency.

   touch_type         0 paid at expiry if never touched, 1 paid at expiry if touched, 2 paid when touched
   direction          0 the barrier lies below the spot, 1 above it
   payout_currency    0 counter, 1 base
   spot, barrier      counter per base. A spot at or beyond the barrier has touched it.
   time .. foreign_rate  as in xr/vanilla.h
   price              out, count elements
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_touch_price(int64_t count, const int8_t *touch_type, const int8_t *direction, const int8_t *payout_currency,
                       const double *spot, const double *barrier, const double *time, const double *volatility,
                       const double *domestic_rate, const double *foreign_rate, double *price, uint8_t *status);

/* The same with two barriers: double no-touch, double one-touch (either barrier).

   lower_barrier, upper_barrier       the barriers, counter per base; lower < upper, or XR_INCONSISTENT on upper
   XR_NOT_CONVERGED on domestic_rate: as in xr_double_barrier_price. */
int64_t xr_double_touch_price(int64_t count, const int8_t *touch_type, const int8_t *payout_currency,
                              const double *spot, const double *lower_barrier, const double *upper_barrier, const double *time,
                              const double *volatility, const double *domestic_rate, const double *foreign_rate,
                              double *price, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
