/* Value at risk and expected shortfall from profits and losses of scenarios. Losses are positive. */
#ifndef XR_VAR_H
#define XR_VAR_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which order statistics a quantile is made of, of n losses at a confidence p. 1 to 9 are definitions 1 to 9 of Hyndman and
   Fan (1996) applied to the losses. */
enum xr_quantile_convention {
  XR_UPPER = 0,             /* the least loss whose distribution function exceeds p */
  XR_INVERTED_CDF = 1,      /* the least loss whose distribution function reaches p: value at risk's definition */
  XR_AVERAGED = 2,          /* 1, at a step the mean of both sides */
  XR_CLOSEST = 3,           /* the nearest order statistic, halves to the even one */
  XR_INTERPOLATED_CDF = 4,  /* linear in the distribution function, ranks from the best */
  XR_HAZEN = 5,             /* through the middles of the steps */
  XR_WEIBULL = 6,           /* rank p(n + 1) */
  XR_LINEAR = 7,            /* rank 1 + p(n - 1), what spreadsheets do */
  XR_MEDIAN_UNBIASED = 8,   /* rank p(n + 1/3) + 1/3 */
  XR_NORMAL_UNBIASED = 9,   /* rank p(n + 1/4) + 3/8 */
  XR_TAIL_INTERPOLATED = 10 /* linear in the weight accumulated from the worst: Boudoukh, Richardson, Whitelaw (1998) */
};

/* Value at risk and expected shortfall of many portfolios, each its own row of P&L.

   portfolios   rows
   scenarios    columns, from 2
   pnl          rows × columns, profit positive, -1e60 to 1e60
   weight       columns, from 0 to 1e60, of positive sum (need not be 1), or NULL: all equal
   levels       number of confidences
   confidence   levels, fractions 0.5 to 0.999999
   convention   xr_quantile_convention; with weights 0, 1 or 10
   var, es      out, rows × levels
   es_error     out, rows × levels: standard error of es for independent scenarios; NULL with weights
   scratch      4 × scenarios */
int64_t xr_var_measure(int64_t portfolios, int64_t scenarios, const double *pnl, const double *weight, int64_t levels,
                       const double *confidence, int8_t convention, double *var, double *es, double *es_error,
                       double *scratch);

/* The worst outcomes of each row, worst first, outcomes of equal loss in the order of their scenarios.

   portfolios, scenarios, pnl, scratch   as above
   worst                                 how many, 1 to scenarios
   loss, scenario                        out, rows × worst: the losses, and the columns they stand in */
int64_t xr_var_worst(int64_t portfolios, int64_t scenarios, const double *pnl, int64_t worst, double *loss,
                     int64_t *scenario, double *scratch);

/* Weights that fall with age: the newest scenario is the last, each older one weighs `decay` times its successor. Their sum
   is 1.

   scenarios   from 1
   decay       0.5 to 1
   weight      out, scenarios */
int64_t xr_var_age_weight(int64_t scenarios, double decay, double *weight);

#ifdef __cplusplus
}
#endif
#endif
