/* Order statistics of losses: the worst outcomes first, and where a quantile stands among them. */
#ifndef XR_TAIL_H
#define XR_TAIL_H

#include <float.h>
#include <math.h>
#include <stdint.h>

/* One outcome. Two outcomes of one loss stand in the order of their scenarios, so that the order is always the same. */
typedef struct {
  double loss;
  int64_t scenario;
} xr_outcome;

/* Sorts outcomes that stand in the order of their scenarios by loss, worst first; stable, so that ties keep that order.
   Runs of eight by insertion, then merges to and fro between the two buffers; returns the one that holds the result. */
static xr_outcome *xr_sort_outcomes(int64_t count, xr_outcome *from, xr_outcome *to) {
  for (int64_t start = 0; start < count; start += 8) {
    const int64_t stop = start + 8 < count ? start + 8 : count;
    for (int64_t i = start + 1; i < stop; i++) {
      const xr_outcome each = from[i];
      int64_t j = i;
      for (; j > start && from[j - 1].loss < each.loss; j--) from[j] = from[j - 1];
      from[j] = each;
    }
  }
  for (int64_t width = 8; width < count; width *= 2) {
    for (int64_t start = 0; start < count; start += 2 * width) {
      const int64_t middle = start + width < count ? start + width : count;
      const int64_t stop = start + 2 * width < count ? start + 2 * width : count;
      int64_t left = start, right = middle, at = start;
      while (left < middle && right < stop) {
        const int second = from[right].loss > from[left].loss;
        to[at++] = from[second ? right : left];
        right += second;
        left += !second;
      }
      while (left < middle) to[at++] = from[left++];
      while (right < stop) to[at++] = from[right++];
    }
    xr_outcome *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/* The loss that about `wanted` of `count` outcomes exceed, from 64 of them, with three deviations to the safe side; minus
   infinity where a sample does not pay. A wrong guess costs time and changes nothing. */
static double xr_tail_guess(int64_t count, const double *pnl, int64_t wanted) {
  if (count < 256 || wanted > count / 4) return -INFINITY;
  const double expected = 64.0 * (double)wanted / (double)count;
  const int place = (int)(expected + 3.0 * sqrt(expected)) + 1;
  if (place >= 60) return -INFINITY;
  double worst[64];
  for (int i = 0; i < 64; i++) {
    const double loss = -pnl[(int64_t)i * count / 64];
    int j = i < place ? i : place;
    if (i > place && !(loss > worst[place])) continue;
    for (; j > 0 && worst[j - 1] < loss; j--) worst[j] = worst[j - 1];
    worst[j] = loss;
  }
  return worst[place];
}

/* At least the `wanted` worst outcomes, worst first; *kept is their number. Only outcomes beyond a guessed loss are sorted;
   if they are too few, all are. */
static xr_outcome *xr_worst_first(int64_t count, const double *pnl, int64_t wanted, int64_t *kept, xr_outcome *buffer) {
  const double guess = xr_tail_guess(count, pnl, wanted);
  int64_t taken = 0;
  for (int64_t i = 0; i < count; i++) {
    buffer[taken] = (xr_outcome){-pnl[i], i};
    taken += -pnl[i] >= guess;
  }
  if (taken < wanted) {
    for (int64_t i = 0; i < count; i++) buffer[i] = (xr_outcome){-pnl[i], i};
    taken = count;
  }
  *kept = taken;
  return xr_sort_outcomes(taken, buffer, buffer + count);
}

/* A product count × confidence that is an integer but for rounding, as that integer. */
static inline double xr_near_integer(double x, double scale) {
  const double whole = nearbyint(x);
  return fabs(x - whole) <= 4.0 * DBL_EPSILON * fmax(1.0, scale) ? whole : x;
}

/* Where the quantile stands: between the order statistics of the losses, ascending from 1, at `rank` and `rank + 1`, by
   `part` towards the second. Hyndman and Fan (1996), definitions 1 to 9; 0 is the upper quantile, 10 interpolates the ranks
   counted from the worst. */
static void xr_quantile_place(int64_t count, double confidence, int convention, int64_t *rank, double *part) {
  const double n = (double)count;
  const double shift[] = {0.0, 0.0, 0.0, -0.5, 0.0, 0.5, confidence, 1.0 - confidence, (confidence + 1.0) / 3.0,
                          0.25 * confidence + 0.375, 1.0};
  const double at = xr_near_integer(n * confidence + shift[convention], n);
  const double below = floor(at);
  double part_ = at - below;
  if (convention == 0) part_ = 1.0;
  if (convention == 1) part_ = part_ > 0.0 ? 1.0 : 0.0;
  if (convention == 2) part_ = part_ > 0.0 ? 1.0 : 0.5;
  if (convention == 3) part_ = part_ == 0.0 && fmod(below, 2.0) == 0.0 ? 0.0 : 1.0;
  *rank = (int64_t)below;
  *part = part_;
  if (*rank < 1) *rank = 1, *part = 0.0;
  if (*rank >= count) *rank = count, *part = 0.0;
}

/* The quantile of `count` losses of which at least the worst are sorted. */
static inline double xr_quantile_at(int64_t count, const xr_outcome *worst, int64_t rank, double part) {
  const double low = worst[count - rank].loss;
  return part > 0.0 ? low + part * (worst[count - rank - 1].loss - low) : low;
}

#endif
