/* Random numbers that are counted, not drawn: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).

   Each number is a function of (seed, stream, path, step) alone, whatever else is asked for, in which order and by how many
   threads. A table of numbers has a row for each step and a column for each path. */
#ifndef XR_RANDOM_H
#define XR_RANDOM_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bare generator, for known-answer tests.

   count              how many counters
   counter            4 count words
   key                2 words
   words              out, 4 count words; may be `counter` */
int64_t xr_random_words(int64_t count, const uint32_t *counter, const uint32_t *key, uint32_t *words);

/* Uniform numbers (k + 1/2) / 2^52: in (0, 1), never 0 nor 1.

   paths, steps       how many of each, not negative
   seed               any
   stream             0 to 2^32 - 1
   first_path         of the table's first column; first_path + paths at most 2^48
   first_step         of the table's first row; first_step + steps at most 2^32
   stride             distance of two rows of the table, at least `paths`
   numbers            out, steps rows of paths numbers */
int64_t xr_random_uniforms(int64_t paths, int64_t steps, uint64_t seed, int64_t stream, int64_t first_path,
                           int64_t first_step, int64_t stride, double *numbers);

/* Standard normal numbers by Box and Muller (1958) from the uniforms of steps 2j and 2j + 1; within 1e-15 of the exact
   transform, relative to the number. Arguments as above. */
int64_t xr_random_normals(int64_t paths, int64_t steps, uint64_t seed, int64_t stream, int64_t first_path,
                          int64_t first_step, int64_t stride, double *numbers);

#ifdef __cplusplus
}
#endif
#endif
