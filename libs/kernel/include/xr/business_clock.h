/* Time that runs at the speed of the market, and total variance along it. */
#ifndef XR_BUSINESS_CLOCK_H
#define XR_BUSINESS_CLOCK_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Business time of moments: the sum of the weights of the days until then, the last one in part, over the weight of a year.

   days            number of days that have a weight
   weight          days elements from the valuation on, 0 to 1000: 1 an ordinary day, less a weekend, more an event
   year            weight of one year, 1e-6 to 1e6
   count           number of moments
   day             count elements: days since valuation, 0 to days
   running         scratch, days + 1 elements
   time            out, count elements */
int64_t xr_business_clock_time(int64_t days, const double *weight, double year, int64_t count, const double *day,
                               double *running, double *time);

/* Total variance at times, by a flat forward variance between knots: linear from zero at time zero through the knots, and
   beyond the last with the slope of the last interval.

   knots           1 or more
   knot_time       knots elements, business time in years, ascending, 1e-9 to 1e6
   knot_variance   knots elements, total variance, 0 to 1e6, not descending
   count           number of times
   time            count elements, business time, 0 to 1e6
   variance        out, count elements */
int64_t xr_business_clock_variance(int64_t knots, const double *knot_time, const double *knot_variance, int64_t count,
                                   const double *time, double *variance);

#ifdef __cplusplus
}
#endif
#endif
