/* Results of large batches, written past the caches: an ordinary store first reads the line that it will overwrite, which is
   half of the traffic of a result that is written once. Only whole lines are written so, hence a row keeps the last elements
   of its block until the next block completes their line.

   The caller gives blocks of XR_STREAM_BLOCK elements one after the other, each computed into xr_stream_row(), and ends with
   xr_stream_end() before it or anybody else touches the results. */
#ifndef XR_STREAM_H
#define XR_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "lanes.h"

#define XR_STREAM_BLOCK 64
#define XR_STREAM_ROWS 7
#define XR_STREAM_LINE 8             /* elements of a cache line */
#define XR_STREAM_BYTES (16LL << 20) /* results of this size leave the caches anyway before the last is computed */

typedef struct {
  double kept[XR_STREAM_ROWS][XR_STREAM_LINE + XR_STREAM_BLOCK] __attribute__((aligned(64)));
  int open; /* the first line's worth of `kept` are the elements before this block */
} xr_stream;

/* Whether it pays for that many rows of so many results. */
XR_INLINE int xr_stream_pays(int64_t count, int rows) {
#if defined(__x86_64__)
  return count * rows * (int64_t)sizeof(double) >= XR_STREAM_BYTES;
#else
  (void)count, (void)rows;
  return 0;
#endif
}

/* Where a block of row k is computed. */
XR_INLINE double *xr_stream_row(xr_stream *s, int k) { return s->kept[k] + XR_STREAM_LINE; }

/* How many elements before `to` belong to the line that `to` lies in. */
XR_INLINE int xr_stream_phase(const double *to) {
  return (int)((uintptr_t)to / sizeof(double) % XR_STREAM_LINE);
}

/* One line, past the caches. */
XR_INLINE void xr_stream_line(double *to, const double *from) {
#if defined(__AVX512F__)
  _mm512_stream_pd(to, _mm512_loadu_pd(from));
#elif defined(__AVX__)
  for (int i = 0; i < XR_STREAM_LINE; i += 4) _mm256_stream_pd(to + i, _mm256_loadu_pd(from + i));
#elif defined(__x86_64__)
  for (int i = 0; i < XR_STREAM_LINE; i += 2) _mm_stream_pd(to + i, _mm_loadu_pd(from + i));
#else
  memcpy(to, from, XR_STREAM_LINE * sizeof(double));
#endif
}

/* Writes the block of every row whose first element belongs at out[k] + start. */
XR_INLINE void xr_stream_put(xr_stream *s, int rows, double *const *out, int64_t start) {
  for (int k = 0; k < rows; k++) {
    double *to = out[k] + start;
    double *kept = s->kept[k];
    const int phase = xr_stream_phase(to);
    int at = XR_STREAM_LINE - phase; /* of the first whole line, in `kept` */
    if (phase && !s->open) {
      memcpy(to, kept + XR_STREAM_LINE, (size_t)at * sizeof(double));
      at += XR_STREAM_LINE;
    }
    for (; at <= XR_STREAM_BLOCK; at += XR_STREAM_LINE) xr_stream_line(to + at - XR_STREAM_LINE, kept + at);
    memcpy(kept, kept + XR_STREAM_BLOCK, XR_STREAM_LINE * sizeof(double));
  }
  s->open = 1;
}

/* Writes what is kept of the blocks up to `stop`, and lets other threads see all of them. */
XR_INLINE void xr_stream_end(xr_stream *s, int rows, double *const *out, int64_t stop) {
  if (!s->open) return;
  for (int k = 0; k < rows; k++) {
    double *to = out[k] + stop;
    const int phase = xr_stream_phase(to);
    memcpy(to - phase, s->kept[k] + XR_STREAM_LINE - phase, (size_t)phase * sizeof(double));
  }
  s->open = 0;
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

#endif
