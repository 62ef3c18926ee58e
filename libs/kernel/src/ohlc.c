/* Bars of quotes: see include/xr/ohlc.h. */
#include "xr/ohlc.h"

#include "checks.h"
#include "lanes.h"

#define AHEAD 1024 /* elements: two pages, which is where the processor's own prefetching ends */
#define LINE 8     /* elements of a line of the caches */
#define BLOCK 64 /* quotes that are looked at together: most blocks lie within one bar */

#define XR_NS_MAX (INT64_MAX - (INT64_C(1) << 60)) /* in ns the years 1714 to 2225; two steps more do not overflow */
#define XR_NS_STEP_MAX (INT64_C(1) << 59)

static int is_time(int64_t time) { return time >= -XR_NS_MAX && time <= XR_NS_MAX; }

/* The first edge after a time; `offset` is an edge less than a step from 0. */
static int64_t edge_after(int64_t time, int64_t offset, int64_t step) {
  const int64_t past = (time - offset) % step;
  return time - past + (past < 0 ? 0 : step);
}

/* Has the part of an array that comes AHEAD after some elements brought to the caches: an eighth less time where the quotes
   come from memory. */
static inline void ahead(int64_t count, const void *array, int64_t begin, int64_t end) {
  const char *bytes = array;
  for (int64_t i = begin + AHEAD; i < end + AHEAD && i < count; i += LINE) __builtin_prefetch(bytes + i * 8);
}

int64_t xr_ohlc_starts(int64_t count, const int64_t *time, int64_t anchor, int64_t step, int64_t *start, int64_t *opens,
                       int64_t *bars) {
  if (count < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (!is_time(anchor)) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), 0);
  if (step < 1 || step > XR_NS_STEP_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
  const int64_t offset = anchor % step;
  int64_t made = 0;
  if (count) {
    if (!is_time(time[0])) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
    int64_t edge = edge_after(time[0], offset, step);
    opens[made] = edge - step;
    start[made++] = 0;
    for (int64_t begin = 1; begin < count; begin += BLOCK) {
      const int64_t end = begin + BLOCK < count ? begin + BLOCK : count;
      ahead(count, time, begin, end);
      int64_t fine = 1;
      for (int64_t i = begin; i < end; i++) fine &= time[i] >= time[i - 1];
      for (int64_t i = begin; !fine && i < end; i++)
        if (time[i] < time[i - 1]) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 1), i);
      if (!is_time(time[end - 1])) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), end - 1);
      if (time[end - 1] < edge) continue;
      /* The first of the next bar stands behind all that are before its edge. */
      int64_t next = begin;
      for (int64_t i = begin; i < end; i++) next += time[i] < edge;
      while (next < end) {
        edge += step;
        if (time[next] >= edge) edge = edge_after(time[next], offset, step);
        opens[made] = edge - step;
        start[made++] = next++;
        if (time[end - 1] < edge) break;
        while (time[next] < edge) next++;
      }
    }
  }
  *bars = made;
  return 0;
}

typedef struct {
  double high, low;
} range;

/* Greatest and least of at least one price. `x - x` is zero for a number and NaN for what is none, so the sum tells whether
   there was one. */
static range range_of(int64_t count, const double *price) {
  double high = price[0], low = price[0], none = price[0] - price[0];
  if (count < 16)
    for (int64_t i = 1; i < count; i++) {
      high = price[i] > high ? price[i] : high;
      low = price[i] < low ? price[i] : low;
      none += price[i] - price[i];
    }
  else {
#pragma omp simd reduction(max : high) reduction(min : low) reduction(+ : none)
    for (int64_t i = 1; i < count; i++) {
      high = price[i] > high ? price[i] : high;
      low = price[i] < low ? price[i] : low;
      none += price[i] - price[i];
    }
  }
  return (range){high + none, low + none};
}

int64_t xr_ohlc_prices(int64_t bars, const int64_t *start, int64_t count, const double *price, double *open, double *high,
                       double *low, double *close) {
  if (bars < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (bars && start[0]) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  for (int64_t k = 0; k < bars; k++) {
    const int64_t end = k + 1 < bars ? start[k + 1] : count;
    if (end <= start[k] || end > count) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 1), k);
    ahead(count, price, start[k], end);
    const range found = range_of(end - start[k], price + start[k]);
    open[k] = price[start[k]];
    high[k] = found.high;
    low[k] = found.low;
    close[k] = price[end - 1];
  }
  return 0;
}
