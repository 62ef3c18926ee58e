/* A smile of one expiry from the quotes of the foreign exchange market: at the money, risk reversals, butterflies. */
#ifndef XR_SMILE_H
#define XR_SMILE_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a butterfly quote means. Market strangle (broker strangle): the premium of the strangle whose two strikes have the
   delta at one volatility, at the money plus the quote, is what the smile gives for these two strikes. Smile strangle: the
   mean of the smile's volatilities at the delta, less at the money. */
enum xr_strangle { XR_MARKET_STRANGLE = 0, XR_SMILE_STRANGLE = 1 };

/* Smiles through three points: put at the delta, at the money, call at the delta. One element is one (pair, expiry).

   atm_convention     0 forward, 1 delta neutral, 2 spot
   delta_convention   0 spot, 1 forward, 2 spot premium-adjusted, 3 forward premium-adjusted
   strangle           0 the butterfly is a market strangle, 1 a smile strangle
   spot               counter per base, 1e-60 to 1e60
   time               years to expiry, 1e-6 to 100
   domestic_rate      continuously compounded rate of the counter currency, -5 to 5
   foreign_rate       the same of the base currency
   delta              of both wings, unsigned, 0.0001 to 0.5
   atm_volatility     per square root of a year, 1e-6 to 100
   risk_reversal      volatility of the call less that of the put, -100 to 100
   butterfly          as strangle says, -100 to 100
   strike_..., volatility_...   out, the smile at its three points
   c0, c1, c2         out: log volatility = c0 + c1 u + c2 u^2 with u as in xr_smile_volatility
   status             out, count reasons, or NULL: then the first refused element ends the call. Of butterfly:
                      NO_SOLUTION if no strike has a delta, INCONSISTENT if a volatility would not be positive or the
                      strikes would not ascend, NOT_CONVERGED if no smile meets the market strangle */
int64_t xr_smile_three(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention,
                       const int8_t *strangle, const double *spot, const double *time, const double *domestic_rate,
                       const double *foreign_rate, const double *delta, const double *atm_volatility,
                       const double *risk_reversal, const double *butterfly, double *strike_put, double *strike_atm,
                       double *strike_call, double *volatility_put, double *volatility_atm, double *volatility_call,
                       double *c0, double *c1, double *c2, uint8_t *status);

/* The same through five points, with two deltas: the outer delta below the inner one (INCONSISTENT
   of outer_butterfly otherwise). Reasons of the calibration are of outer_butterfly. */
int64_t xr_smile_five(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention,
                      const int8_t *strangle, const double *spot, const double *time, const double *domestic_rate,
                      const double *foreign_rate, const double *inner_delta, const double *outer_delta,
                      const double *atm_volatility, const double *inner_risk_reversal, const double *inner_butterfly,
                      const double *outer_risk_reversal, const double *outer_butterfly, double *strike_outer_put,
                      double *strike_inner_put, double *strike_atm, double *strike_inner_call,
                      double *strike_outer_call, double *volatility_outer_put, double *volatility_inner_put,
                      double *volatility_atm, double *volatility_inner_call, double *volatility_outer_call, double *c0,
                      double *c1, double *c2, double *c3, double *c4, uint8_t *status);

/* Volatility of a strike: exp(c0 + c1 u + ... + c4 u^4), u = 2 N(log(forward / strike) / (atm_volatility sqrt(time))) - 1.

   forward, strike    counter per base, 1e-60 to 1e60
   time, atm_volatility   as above
   c0 ... c4          -1e60 to 1e60
   volatility         out; NO_SOLUTION (of strike) if it is not from 1e-6 to 100 */
int64_t xr_smile_volatility(int64_t count, const double *forward, const double *time, const double *atm_volatility,
                            const double *c0, const double *c1, const double *c2, const double *c3, const double *c4,
                            const double *strike, double *volatility, uint8_t *status);

/* Strike and volatility of a delta on the smile: the strike whose delta, at the smile's volatility for that strike, is
   the one given; signed, calls positive. NO_SOLUTION (of delta) if there is none. */
int64_t xr_smile_at_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention,
                          const double *forward, const double *time, const double *foreign_rate,
                          const double *atm_volatility, const double *c0, const double *c1, const double *c2,
                          const double *c3, const double *c4, const double *delta, double *strike, double *volatility,
                          uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
