/* Bars of quotes: where each begins, and its open, high, low and close. */
#ifndef XR_OHLC_H
#define XR_OHLC_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first quote of each bar that has one. Bars begin at anchor + k step for every whole k.

   count    quotes
   time     count, of each, in any unit, at most 2^63 - 2^60 from 0; XR_NOT_ASCENDING where one is before
            the one ahead of it
   anchor   a time at which a bar begins, in the same range
   step     length of a bar, 1 to 2^59
   start    out, room for count: the places of the first quotes, ascending
   opens    out, room for count: when those bars begin
   bars     out, one: how many */
int64_t xr_ohlc_starts(int64_t count, const int64_t *time, int64_t anchor, int64_t step, int64_t *start, int64_t *opens,
                       int64_t *bars);

/* Prices of one side of each bar.

   bars     how many
   start    bars, ascending from 0: the place of each one's first quote; XR_NOT_ASCENDING where a bar has no quote
   count    quotes
   price    count; NaN for a side that is not there
   open     out, bars: the first price
   high     out, bars: the greatest one, NaN if one of the bar's prices is NaN
   low      out, bars: the least one, likewise
   close    out, bars: the last one */
int64_t xr_ohlc_prices(int64_t bars, const int64_t *start, int64_t count, const double *price, double *open, double *high,
                       double *low, double *close);

#ifdef __cplusplus
}
#endif
#endif
