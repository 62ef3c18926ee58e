/* Whether smiles can be traded against: butterflies within an expiry, calendar spreads between expiries. */
#ifndef XR_ARBITRAGE_H
#define XR_ARBITRAGE_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Durrleman's function of smiles on strikes, and where it is least; below zero the risk-neutral density is negative there.

   points            of each row, 3 or more
   forward           count elements, counter per base, 1e-60 to 1e60
   time              count elements, years to expiry, 1e-6 to 100
   strike            count rows of points each, counter per base, 1e-60 to 1e60, ascending in a row
   volatility        the same shape, per square root of a year, 1e-6 to 100
   worst             out, count elements: the least g of the row's inner strikes
   worst_strike      out, count elements: its strike
   status            out, count reasons, or NULL: then the first refused row ends the call. The index of a refused element
                     of a matrix is row * points + place */
int64_t xr_arbitrage_butterfly(int64_t count, int64_t points, const double *forward, const double *time,
                               const double *strike, const double *volatility, double *worst, double *worst_strike,
                               uint8_t *status);

/* The least step of total variance from an expiry to the next at equal forward moneyness; below zero a calendar spread
   costs less than nothing.

   expiries, points   2 or more, 1 or more
   time               expiries elements, ascending, 0 to 100
   total_variance     expiries rows of points each, volatility squared times time, 0 to 1e6; a column is one K / forward
   worst              out, expiries - 1 elements: the least of a row less the row before
   worst_point        out, the same: its column */
int64_t xr_arbitrage_calendar(int64_t expiries, int64_t points, const double *time, const double *total_variance,
                              double *worst, int64_t *worst_point);

#ifdef __cplusplus
}
#endif
#endif
