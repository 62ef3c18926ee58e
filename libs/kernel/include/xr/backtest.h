/* Whether a value at risk is breached as often, and as independently, as it claims. */
#ifndef XR_BACKTEST_H
#define XR_BACKTEST_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zones of the Basel Committee's backtesting framework (1996), by the probability of so many breaches or fewer. */
enum xr_zone { XR_GREEN = 0, XR_YELLOW = 1, XR_RED = 2 }; /* below 95 %; from 95 %; from 99.99 % */

/* Kupiec's (1995) proportion of failures.

   breaches           whole, not above observations: XR_INCONSISTENT if it is
   observations       whole, 1 to 1e9
   probability        of a breach if the model is right: 0.01 for 99 %; 1e-9 to 1 - 1e-9
   statistic          out: likelihood ratio, chi-square with one degree of freedom
   p_value            out: of a statistic as large or larger
   status             out, or NULL */
int64_t xr_backtest_failures(int64_t count, const double *breaches, const double *observations,
                             const double *probability, double *statistic, double *p_value, uint8_t *status);

/* The traffic light, for any number of observations and probability.

   cumulative         out: probability of so many breaches or fewer if the model is right
   tail               out: probability of so many or more: of wrongly rejecting a right model from there on
   zone               out: enum xr_zone, as a double */
int64_t xr_backtest_zone(int64_t count, const double *breaches, const double *observations, const double *probability,
                         double *cumulative, double *tail, double *zone, uint8_t *status);

/* Christoffersen's (1998) tests of sequences of breaches.

   series, offsets    series k has the days offsets[k] to offsets[k + 1] - 1, at least two
   breach             of each day: 1 if the loss was above the value at risk, else 0
   probability        of each series, as above
   transitions        out, series x 4: days of no breach after none, breach after none, none after breach, breach after
                      breach
   statistic          out, series x 3: unconditional coverage (Kupiec's, of all days), independence, conditional coverage
                      (of all days but the first)
   p_value            out, series x 3: by chi-square with 1, 1 and 2 degrees of freedom */
int64_t xr_backtest_sequence(int64_t series, const int64_t *offsets, const int8_t *breach, const double *probability,
                             double *transitions, double *statistic, double *p_value);

#ifdef __cplusplus
}
#endif
#endif
