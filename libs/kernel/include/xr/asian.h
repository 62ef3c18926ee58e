/* Options on the arithmetic average of an exchange rate. */
#ifndef XR_ASIAN_H
#define XR_ASIAN_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Premium in the counter currency for one unit of the base currency, paid at the last fixing.

   put_or_call        0 put, 1 call on the average
   spot, strike       counter per base
   first_fixing       years to the first fixing still to come, 0 to time, else XR_INCONSISTENT
   time               years to the last fixing
   fixings            how many fixings are still to come, evenly spaced from the first to the last, a whole number to 10000; 0
                      for an average taken continuously; with 1 the only fixing is the last
   fixed_weight       share of the average that is fixed already, 0 to 1
   fixed_average      average of the fixings past, counter per base; without meaning at weight 0
   volatility .. foreign_rate  as in xr/vanilla.h
   price              out, count elements
   XR_NOT_CONVERGED on volatility: volatility² * time above 600 and a difference of rates that, times time, is of the
   same order; the second moment is then beyond double precision
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_asian_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                       const double *first_fixing, const double *time, const double *fixings,
                       const double *fixed_weight, const double *fixed_average, const double *volatility,
                       const double *domestic_rate, const double *foreign_rate, double *price, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
