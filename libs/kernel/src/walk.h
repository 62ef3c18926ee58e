/* What path functions share: normals one step at a time, and blocks of paths into the columns of a table. */
#ifndef XR_WALK_H
#define XR_WALK_H

#include "draws.h"
#include "philox.h"

/* Where the normals of a block of paths stand. */
typedef struct {
  xr_drawn drawn;
  uint64_t made; /* steps up to here are in `pair`; a multiple of two */
  double *pair;  /* two blocks */
} xr_walk;

static inline void xr_walk_from(xr_walk *walk, uint64_t seed, int64_t stream, int64_t first, double *pair) {
  xr_drawn_from(&walk->drawn, seed, (uint32_t)stream, (uint64_t)first);
  walk->made = 0;
  walk->pair = pair;
}

/* The normals of `step`; steps are asked for in ascending order from 0. */
static inline const double *xr_walk_step(xr_walk *walk, uint64_t step) {
  if (step >= walk->made) {
    xr_normal_block(&walk->drawn, (uint32_t)(step / 2), walk->pair, walk->pair + XR_BLOCK);
    walk->made = (step | 1) + 1;
  }
  return walk->pair + (step & 1) * XR_BLOCK;
}

/* The columns of a table that a block of paths fills. Antithetic paths stand side by side: the block holds every second. */
typedef struct {
  int64_t first; /* path of the block's lane 0, counted in the table's columns; may be negative */
  int64_t paths; /* the table's columns */
  int64_t apart; /* columns between two lanes: 1, or 2 if antithetic */
} xr_columns;

static inline void xr_columns_store(const xr_columns *columns, const double *block, double *row) {
  const int64_t apart = columns->apart;
  int64_t lane = columns->first < 0 ? (-columns->first + apart - 1) / apart : 0;
  int64_t stop = (columns->paths - columns->first + apart - 1) / apart;
  if (stop > XR_BLOCK) stop = XR_BLOCK;
  if (apart == 1) {
    if (lane < stop) memcpy(row + columns->first + lane, block + lane, (size_t)(stop - lane) * sizeof(double));
  } else {
    for (; lane < stop; lane++) row[columns->first + 2 * lane] = block[lane];
  }
}

#endif
