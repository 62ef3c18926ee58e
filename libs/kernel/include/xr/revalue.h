/* Full revaluation: what a book of FX trades gains or loses in each of many scenarios. */
#ifndef XR_REVALUE_H
#define XR_REVALUE_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a position is. */
enum xr_position_kind { XR_POSITION_PUT = 0, XR_POSITION_CALL = 1, XR_POSITION_FORWARD = 2 };

/* Profit of a book in each scenario, in the reporting currency: Σ notional × (conversion_j V_j - conversion_0 V_0).

   A market is a pair of currencies with its spot, and in each scenario a shift of spot, of volatility and of both rates;
   rows of the shift arrays are markets, `stride` elements apart, columns are scenarios. Every shift array but spot_return
   may be NULL: no shift.

   positions, markets, scenarios   counts
   stride             elements from one market's row to the next, at least scenarios
   kind               of each position: 0 put, 1 call, 2 forward (buys base at strike)
   market             of each position: which market, 0 to markets - 1
   strike, time, volatility, domestic_rate, foreign_rate    of each position, as in xr/vanilla.h
   notional           of each position: base currency bought, negative if sold
   spot               of each market today, counter per base
   conversion         of each market today: reporting currency for one of the counter currency
   spot_return        ln of scenario spot over today's, -50 to 50
   volatility_shift   added to the position's volatility; the sum is not let below 0
   domestic_shift, foreign_shift   added to the rates, -5 to 5
   conversion_return  ln of the scenario's conversion over today's, -50 to 50
   profit             out, scenarios elements
   contributions      out, positions × scenarios (rows `scenarios` long): each position's part; or NULL
   scratch            6 × positions + 6 × 64 × markets doubles

   A scenario's profit is summed in the order of positions, whatever the count of scenarios: cutting the scenarios into
   runs changes no bit. Faults have the index of the position, of the market, or row × stride + column. */
int64_t xr_revalue(int64_t positions, int64_t markets, int64_t scenarios, int64_t stride, const int8_t *kind,
                   const int64_t *market, const double *strike, const double *time, const double *volatility,
                   const double *domestic_rate, const double *foreign_rate, const double *notional, const double *spot,
                   const double *conversion, const double *spot_return, const double *volatility_shift,
                   const double *domestic_shift, const double *foreign_shift, const double *conversion_return,
                   double *profit, double *contributions, double *scratch);

#ifdef __cplusplus
}
#endif
#endif
