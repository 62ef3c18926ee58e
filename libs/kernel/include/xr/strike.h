/* Strikes and deltas in the conventions of the foreign exchange market: Reiswich and Wystup (2010), Clark (2011). */
#ifndef XR_STRIKE_H
#define XR_STRIKE_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a delta is: of the spot or of the forward contract, and whether the premium, paid in the base currency, is taken off. */
enum xr_delta_convention {
  XR_DELTA_SPOT = 0,
  XR_DELTA_FORWARD = 1,
  XR_DELTA_SPOT_PREMIUM_ADJUSTED = 2,
  XR_DELTA_FORWARD_PREMIUM_ADJUSTED = 3
};

/* What is at the money: the forward, the strike whose straddle has no delta, or the spot. */
enum xr_atm_convention { XR_ATM_FORWARD = 0, XR_ATM_DELTA_NEUTRAL = 1, XR_ATM_SPOT = 2 };

/* Delta of a strike: base currency for one unit of base notional; calls positive, puts negative.

   put_or_call        0 put, 1 call
   delta_convention   0 spot, 1 forward, 2 spot premium-adjusted, 3 forward premium-adjusted
   spot, strike       counter per base, 1e-60 to 1e60
   time               years to expiry, 0 to 100
   volatility         per square root of a year, 0 to 100
   domestic_rate      continuously compounded rate of the counter currency, -5 to 5
   foreign_rate       the same of the base currency
   delta              out, count elements; NO_SOLUTION (of strike) where it has no finite value
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_strike_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention, const double *spot,
                        const double *strike, const double *time, const double *volatility, const double *domestic_rate,
                        const double *foreign_rate, double *delta, uint8_t *status);

/* Strike of a delta, signed as above. Of the two strikes of a premium-adjusted call it is the one to the right of the
   maximum of the delta. NO_SOLUTION (of delta): no strike has it, or time or volatility are zero, or the strike leaves
   1e-60 to 1e60. delta may be -1e60 to 1e60; other arguments as above. */
int64_t xr_strike_from_delta(int64_t count, const int8_t *put_or_call, const int8_t *delta_convention, const double *spot,
                             const double *delta, const double *time, const double *volatility,
                             const double *domestic_rate, const double *foreign_rate, double *strike, uint8_t *status);

/* Strike at the money. atm_convention: 0 forward, 1 delta neutral, 2 spot; delta_convention matters for delta neutral alone.
   NO_SOLUTION (of volatility): the strike leaves 1e-60 to 1e60. Other arguments as above. */
int64_t xr_strike_atm(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention, const double *spot,
                      const double *time, const double *volatility, const double *domestic_rate,
                      const double *foreign_rate, double *strike, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
