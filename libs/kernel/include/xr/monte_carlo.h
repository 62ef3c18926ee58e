/* Prices by simulation of one geometric Brownian motion, with a control variate. */
#ifndef XR_MONTE_CARLO_H
#define XR_MONTE_CARLO_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is paid at the last step on the average A or G of the levels, or on the last level. */
enum xr_mc_product {
  XR_MC_EUROPEAN = 0,  /* on the last level; its control is the last level */
  XR_MC_ARITHMETIC = 1, /* on A = sum of weight[k] level[k]; its control is the payoff on G */
  XR_MC_GEOMETRIC = 2   /* on G = exp(sum of weight[k] log level[k]); its control is G */
};

/* Moments of payoff and control over chunks of 4096 samples. A chunk's result depends on the chunk's number alone, so that
   merging them in order gives the same sum for any number of threads. A sample is a path, or the mean of an antithetic pair.

   chunks             how many, not negative
   product            xr_mc_product
   put_or_call        0 put, 1 call
   antithetic         1: each sample is the mean over a path and its mirror
   spot, strike       levels
   discount           factor on both payoff and control
   steps              1 to 2^32
   drift, deviation   steps each: mean and standard deviation of the logarithm's increments; sums as in xr_paths_gbm
   weight             steps: of the average, summing to 1; 0 where nothing is fixed. Unused for XR_MC_EUROPEAN
   seed, stream       as in random.h
   first_chunk        chunk c holds the paths from 4096 c
   samples            of the whole run: those beyond are left out of its last chunk
   moments            out, 6 for each chunk: number of samples, mean of payoff, mean of control, and the sums of squared
                      deviations from the means: of payoff, of control, and their product */
int64_t xr_mc_moments(int64_t chunks, int8_t product, int8_t put_or_call, int8_t antithetic, double spot, double strike,
                      double discount, int64_t steps, const double *drift, const double *deviation,
                      const double *weight, uint64_t seed, int64_t stream, int64_t first_chunk, int64_t samples,
                      double *moments);

#ifdef __cplusplus
}
#endif
#endif
