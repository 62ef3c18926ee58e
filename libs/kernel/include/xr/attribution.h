/* What each position adds to value at risk and expected shortfall. Losses are positive. */
#ifndef XR_ATTRIBUTION_H
#define XR_ATTRIBUTION_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Components (Euler's allocation: they add up to the total) and increments (the measure with the position less without it)
   of one portfolio by historical simulation.

   positions        rows
   scenarios        columns, from 2
   pnl              rows × columns
   confidence       0.5 to 0.999999
   convention       XR_UPPER or XR_INVERTED_CDF: the quantile is one scenario
   window           the component of value at risk is a mean over the scenario of the quantile and up to so many on both
                    sides of it in the order of losses, with weights that fall linearly to nothing one rank further; 0 takes
                    the scenario alone. Cut to be symmetric where the sample ends. 0 to scenarios
   component_var    out, rows; adds up to total[1]
   component_es     out, rows; adds up to total[2]
   incremental_var, incremental_es   out, rows
   total            out, 3: value at risk, the smoothed one that the components add up to, expected shortfall
   scratch          6 × scenarios */
int64_t xr_attribution_historical(int64_t positions, int64_t scenarios, const double *pnl, double confidence,
                                  int8_t convention, int64_t window, double *component_var, double *component_es,
                                  double *incremental_var, double *incremental_es, double *total, double *scratch);

/* The same for linear positions and normal moves of mean zero.

   positions    rows
   factors      columns, from 1
   delta        rows × columns, P&L for a unit move of the factor
   covariance   columns × columns, of the moves over the holding period
   total        out, 2: value at risk and expected shortfall, to which the components add up
   scratch      factors × factors + 2 × factors */
int64_t xr_attribution_normal(int64_t positions, int64_t factors, const double *delta, const double *covariance,
                              double confidence, double *component_var, double *component_es, double *incremental_var,
                              double *incremental_es, double *total, double *scratch);

#ifdef __cplusplus
}
#endif
#endif
