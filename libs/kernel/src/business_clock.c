/* Business time: see include/xr/business_clock.h. */
#include "xr/business_clock.h"

#include "checks.h"

#define WEIGHT_MAX 1000.0
#define CLOCK_MAX 1e6
#define YEAR_MIN 1e-6
#define KNOT_MIN 1e-9 /* a slope between neighbours stays a number */

int64_t xr_business_clock_time(int64_t days, const double *weight, double year, int64_t count, const double *day,
                               double *running, double *time) {
  if (days < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 0), 0);
  running[0] = 0.0;
  for (int64_t i = 0; i < days; i++) {
    if (!((weight[i] >= 0.0) & (weight[i] <= WEIGHT_MAX))) return xr_fault(xr_refuse_number(weight[i], 1), i);
    running[i + 1] = running[i] + weight[i];
  }
  if (!((year >= YEAR_MIN) & (year <= CLOCK_MAX))) return xr_fault(xr_refuse_number(year, 2), 0);
  for (int64_t i = 0; i < count; i++)
    if (!((day[i] >= 0.0) & (day[i] <= (double)days))) return xr_fault(xr_refuse_number(day[i], 4), i);
  for (int64_t i = 0; i < count; i++) {
    const int64_t whole = day[i] < (double)days ? (int64_t)day[i] : days - 1;
    time[i] = (running[whole] + (day[i] - (double)whole) * weight[whole]) / year;
  }
  return 0;
}

int64_t xr_business_clock_variance(int64_t knots, const double *knot_time, const double *knot_variance, int64_t count,
                                   const double *time, double *variance) {
  if (knots < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 0), 0);
  for (int64_t i = 0; i < knots; i++)
    if (!((knot_time[i] >= KNOT_MIN) & (knot_time[i] <= CLOCK_MAX))) return xr_fault(xr_refuse_number(knot_time[i], 1), i);
  for (int64_t i = 0; i < knots; i++)
    if (!XR_IS_TOTAL_VARIANCE(knot_variance[i])) return xr_fault(xr_refuse_number(knot_variance[i], 2), i);
  for (int64_t i = 1; i < knots; i++)
    if (!(knot_time[i] > knot_time[i - 1])) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 1), i);
  for (int64_t i = 1; i < knots; i++)
    if (!(knot_variance[i] >= knot_variance[i - 1])) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 2), i);
  for (int64_t i = 0; i < count; i++)
    if (!((time[i] >= 0.0) & (time[i] <= CLOCK_MAX))) return xr_fault(xr_refuse_number(time[i], 4), i);
  for (int64_t i = 0; i < count; i++) {
    int64_t low = 0, high = knots - 1; /* the first knot at or after the time, or the last */
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (knot_time[middle] < time[i]) low = middle + 1;
      else high = middle;
    }
    const double t0 = low ? knot_time[low - 1] : 0.0, w0 = low ? knot_variance[low - 1] : 0.0;
    const double slope = (knot_variance[low] - w0) / (knot_time[low] - t0);
    variance[i] = time[i] == knot_time[low] ? knot_variance[low] : w0 + slope * (time[i] - t0);
  }
  return 0;
}
