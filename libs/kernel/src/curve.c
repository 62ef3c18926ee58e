/* Discount curves: see include/xr/curve.h. */
#include "xr/curve.h"

#include "curve_pieces.h"
#include "ragged.h"

int64_t xr_curve_prepare(int64_t curves, const int64_t *offsets, const double *knot_time, const double *discount,
                         const int8_t *interpolation, double *start, double *coefficient) {
  const int64_t fault = xr_check_rows(offsets, curves, 1, 1);
  if (fault) return fault;
  const int64_t knots = offsets[curves];
  XR_REQUIRE_ALL(XR_IS_SPAN, knot_time, knots, 2);
  for (int64_t k = 0; k < curves; k++)
    for (int64_t i = offsets[k] + 1; i < offsets[k + 1]; i++)
      if (knot_time[i] - knot_time[i - 1] < XR_KNOT_GAP) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 2), i);
  XR_REQUIRE_ALL(XR_IS_LEVEL, discount, knots, 3);
  XR_REQUIRE_ALL_CODES(interpolation, 3, curves, 4);
  for (int64_t k = 0; k < curves; k++) {
    const int64_t spans = offsets[k + 1] - offsets[k];
    double *s = start + offsets[k] + k, *c = coefficient + 4 * (offsets[k] + k);
    s[0] = c[0] = 0.0;
    for (int64_t i = 0; i < spans; i++) {
      s[i + 1] = knot_time[offsets[k] + i];
      c[4 * (i + 1)] = -log(discount[offsets[k] + i]);
    }
    xr_fill_pieces(s, c, spans, interpolation[k]);
  }
  return 0;
}

int64_t xr_curve_read(int64_t count, const int64_t *curve, const double *time, int64_t curves, const int64_t *offsets,
                      const double *start, const double *coefficient, double *discount, double *zero_rate,
                      double *forward, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    double exponent = NAN, zero = NAN, slope = NAN;
    xr_refusal refusal = 0;
    if (curve[i] < 0 || curve[i] >= curves) refusal = xr_refuse(XR_NOT_A_CODE, 1);
    else if (!XR_IS_TIME(time[i])) refusal = xr_refuse_number(time[i], 2);
    else {
      const int64_t k = curve[i], first = offsets[k] + k, pieces = offsets[k + 1] - offsets[k] + 1;
      const int64_t j = xr_piece(start + first, pieces, time[i]);
      const double *c = coefficient + 4 * (first + j), u = time[i] - start[first + j];
      const double mean = c[1] + u * (c[2] + u * c[3]); /* of the forward rate, since the piece's start */
      exponent = c[0] + u * mean;
      zero = j ? exponent / time[i] : mean; /* in the first piece c0 and its start are 0: no division */
      slope = c[1] + u * (2.0 * c[2] + 3.0 * u * c[3]);
      if (!(fabs(exponent) <= XR_EXPONENT_MAX)) {
        refusal = xr_refuse(XR_NO_SOLUTION, 2);
        exponent = zero = slope = NAN;
      }
    }
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (discount) discount[i] = exp(-exponent);
    if (zero_rate) zero_rate[i] = zero;
    if (forward) forward[i] = slope;
  }
  return 0;
}

int64_t xr_curve_forward_rate(int64_t count, const int64_t *curve, const double *from, const double *to,
                              const double *accrual, int64_t curves, const int64_t *offsets, const double *start,
                              const double *coefficient, double *continuous, double *simple, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    double growth = NAN;
    xr_refusal refusal = 0;
    if (curve[i] < 0 || curve[i] >= curves) refusal = xr_refuse(XR_NOT_A_CODE, 1);
    else if (!XR_IS_TIME(from[i])) refusal = xr_refuse_number(from[i], 2);
    else if (!XR_IS_TIME(to[i])) refusal = xr_refuse_number(to[i], 3);
    else if (!(to[i] - from[i] >= XR_KNOT_GAP)) refusal = xr_refuse(XR_NOT_ASCENDING, 3);
    else if (!XR_IS_SPAN(accrual[i])) refusal = xr_refuse_number(accrual[i], 4);
    else {
      const int64_t k = curve[i], first = offsets[k] + k, pieces = offsets[k + 1] - offsets[k] + 1;
      const double near = xr_exponent(start + first, coefficient + 4 * first, pieces, from[i]);
      const double far = xr_exponent(start + first, coefficient + 4 * first, pieces, to[i]);
      if (fabs(near) <= XR_EXPONENT_MAX && fabs(far) <= XR_EXPONENT_MAX) growth = far - near;
      else refusal = xr_refuse(XR_NO_SOLUTION, 3);
    }
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (continuous) continuous[i] = growth / (to[i] - from[i]);
    if (simple) simple[i] = expm1(growth) / accrual[i];
  }
  return 0;
}
