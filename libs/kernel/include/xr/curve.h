/* Discount curves: log discount factors between knots, many curves in one call. */
#ifndef XR_CURVE_H
#define XR_CURVE_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the logarithm of the discount factor runs between knots. */
enum xr_interpolation {
  XR_LOG_LINEAR = 0,      /* straight: forward rates are constant between knots */
  XR_MONOTONE_CUBIC = 1,  /* cubic; slopes by Fritsch and Butland (1984): local */
  XR_MONOTONE_SPLINE = 2  /* natural cubic spline, its slopes limited as by Hyman (1983) */
};

/* Makes curves ready to be read. Every curve begins with the discount factor 1 at time 0, which is not a knot.

   curves             how many
   offsets            curves + 1; curve k has the knots offsets[k] to offsets[k + 1] - 1, at least one
   knot_time          years, 1e-6 to 100, ascending within a curve by at least 1e-6
   discount           of each knot, 1e-60 to 1e60
   interpolation      of each curve, see above
   start              out, one more a curve than knots: where each piece begins, 0 first, the last knot last
   coefficient        out, four for each piece: minus the logarithm of the discount factor is
                      c0 + c1 u + c2 u^2 + c3 u^3 with u the time since the piece's start */
int64_t xr_curve_prepare(int64_t curves, const int64_t *offsets, const double *knot_time, const double *discount,
                         const int8_t *interpolation, double *start, double *coefficient);

/* Discount factors, zero rates and instantaneous forward rates. After the last knot the instantaneous forward rate stays.

   curve              which curve each element is about, from 0
   time               years, 0 to 100
   curves to coefficient   as xr_curve_prepare has them; they are not checked again
   discount           out, or NULL
   zero_rate          out, or NULL: continuously compounded; at time 0 the limit
   forward            out, or NULL: at a knot that of the piece which begins there
   status             out, count reasons, or NULL; XR_NO_SOLUTION for time: the discount factor leaves 1e-60 to 1e60 */
int64_t xr_curve_read(int64_t count, const int64_t *curve, const double *time, int64_t curves, const int64_t *offsets,
                      const double *start, const double *coefficient, double *discount, double *zero_rate,
                      double *forward, uint8_t *status);

/* Forward rates over a period: continuously compounded, and simple.

   from, to           years, 0 to 100; from is before to by at least 1e-6
   accrual            the period's year fraction, by which the simple rate is divided, 1e-6 to 100
   continuous         out, or NULL
   simple             out, or NULL */
int64_t xr_curve_forward_rate(int64_t count, const int64_t *curve, const double *from, const double *to,
                              const double *accrual, int64_t curves, const int64_t *offsets, const double *start,
                              const double *coefficient, double *continuous, double *simple, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
