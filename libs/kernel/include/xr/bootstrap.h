/* Discount curves from market quotes, solved one instrument after the other. */
#ifndef XR_BOOTSTRAP_H
#define XR_BOOTSTRAP_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every instrument exchanges a fixed rate for what money earns over the same periods: its quote is the rate at which
   sum over its periods of ((D(begin) / D(end) - 1) - rate * accrual) * D(payment) is zero. A deposit and a forward rate
   agreement have one period; an overnight index swap has one for each coupon, because compounded overnight rates earn
   D(begin) / D(end) over a period whatever their fixings.

   instruments, offsets        instrument k has the periods offsets[k] to offsets[k + 1] - 1, at least one
   begin, end                  of each period, years, 0 to 100; begin is before end by at least 1e-6
   payment                     years; not before the period's end
   accrual                     the fixed rate's year fraction of each period, 1e-6 to 100 */

/* Solves curves for many rows of quotes of the same instruments; each instrument has its knot at its latest time.

   scenarios          how many rows of quotes
   rate               scenarios x instruments, -5 to 5
   interpolation      as xr_curve_prepare has it, for all
   knot_time          out, instruments; they ascend by at least 1e-6, or XR_NOT_ASCENDING for offsets
   discount           out, scenarios x instruments: relative error at most 1e-13
   scratch            6 * instruments + 5 numbers
   status             out, scenarios reasons, or NULL. XR_NO_SOLUTION for rate: no forward rate from -50 to 50 gives the
                      quote; XR_NOT_CONVERGED: interpolation's rounds did not settle */
int64_t xr_bootstrap(int64_t scenarios, int64_t instruments, const int64_t *offsets, const double *begin,
                     const double *end, const double *payment, const double *accrual, const double *rate,
                     int8_t interpolation, double *knot_time, double *discount, double *scratch, uint8_t *status);

/* The rate at which each instrument is worth nothing, on each of many prepared curves (as xr_curve_prepare has them).

   curves, curve_offsets, start, coefficient   the curves
   par_rate                                    out, curves x instruments */
int64_t xr_bootstrap_par_rate(int64_t curves, const int64_t *curve_offsets, const double *start,
                              const double *coefficient, int64_t instruments, const int64_t *offsets,
                              const double *begin, const double *end, const double *payment, const double *accrual,
                              double *par_rate);

#ifdef __cplusplus
}
#endif
#endif
