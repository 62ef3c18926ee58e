/* Whether a block of numbers is in its ranges, for loops that become vector code: non-negative doubles are ordered as their bit
   patterns are, and subtractions of integers leave the ports alone that the formula waits for. A result's sign bit is the
   answer; results of many elements are joined by |, and one test at the end serves all. */
#ifndef XR_RANGES_H
#define XR_RANGES_H

#include "checks.h"
#include "lanes.h"

/* Sign bit set unless low ≤ x ≤ high, for 0 ≤ low ≤ high; also for NaN, and for -0.0: who finds it set looks closer. Of a
   negative x, whose pattern is a negative integer, at least one difference is negative even after wrapping around. */
XR_INLINE uint64_t xr_outside(double x, double low, double high) {
  const uint64_t bits = (uint64_t)xr_bits(x);
  return (bits - (uint64_t)xr_bits(low)) | ((uint64_t)xr_bits(high) - bits);
}

/* Sign bit set unless |x| ≤ limit; also for NaN. */
XR_INLINE uint64_t xr_beyond(double x, double limit) {
  return (uint64_t)xr_bits(limit) - ((uint64_t)xr_bits(x) & ~(1ULL << 63));
}

/* Of what options have in common. */
XR_INLINE uint64_t xr_outside_market(double spot, double strike, double time, double domestic, double foreign) {
  return xr_outside(spot, XR_LEVEL_MIN, XR_LEVEL_MAX) | xr_outside(strike, XR_LEVEL_MIN, XR_LEVEL_MAX) |
         xr_outside(time, 0.0, XR_TIME_MAX) | xr_beyond(domestic, XR_RATE_MAX) | xr_beyond(foreign, XR_RATE_MAX);
}

/* Whether a block's codes are all 0 or 1; length is a multiple of eight. */
XR_INLINE int xr_are_flags(const int8_t *codes, int length) {
  uint64_t joined = 0;
  for (int i = 0; i < length; i += 8) {
    uint64_t eight;
    memcpy(&eight, codes + i, sizeof eight);
    joined |= eight;
  }
  return !(joined & ~0x0101010101010101ULL);
}

#endif
