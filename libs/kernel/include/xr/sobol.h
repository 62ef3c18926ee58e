/* Sobol sequences, and Brownian motions from them. */
#ifndef XR_SOBOL_H
#define XR_SOBOL_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Points in Gray code order (Antonov and Saleev 1979), a row for each dimension and a column for each point. A coordinate
   depends on the point's number and its dimension's directions alone.

   points             how many, not negative
   dimensions         how many rows, 0 to 65536
   directions         dimensions rows of 32 words, the binary point before their highest bit
   shift              dimensions words, by exclusive or on each coordinate
   normal             0: (k + 1/2) / 2^52 with the 52 highest bits k; 1: the normal quantile of that
   first_point        of the table's first column; first_point + points at most 2^32
   stride             distance of two rows, at least `points`
   numbers            out, dimensions rows of points numbers */
int64_t xr_sobol_points(int64_t points, int64_t dimensions, const uint64_t *directions, const uint64_t *shift,
                        int8_t normal, int64_t first_point, int64_t stride, double *numbers);

/* Brownian motions at ascending times by bridges: row order[i] is left_weight[i] times row left[i] plus right_weight[i] times
   row right[i] plus deviation[i] times row i of the normals. Row -1 is zero: time 0, or nothing to the right.

   paths, steps       how many
   order              steps: each row once, after its neighbours
   left, right        steps: rows, or -1
   left_weight, right_weight, deviation: steps each
   normals            steps rows
   stride             distance of two rows, of both tables
   motion             out, steps rows; not `normals` */
int64_t xr_sobol_bridge(int64_t paths, int64_t steps, const int64_t *order, const int64_t *left, const int64_t *right,
                        const double *left_weight, const double *right_weight, const double *deviation,
                        const double *normals, int64_t stride, double *motion);

#ifdef __cplusplus
}
#endif
#endif
