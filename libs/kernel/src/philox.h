/* Random numbers that are counted, not drawn: Philox4x32-10 of Salmon, Moraes, Dror and Shaw (2011), "Parallel random
   numbers: as easy as 1, 2, 3", section 4.3, over blocks of paths.

   The counter of a block of four words is (path low, path high, pair of steps, stream), the key is the seed. Its first two
   words make the word of step 2 pair, its last two that of step 2 pair + 1. A number so depends on seed, stream, path and
   step alone. Paths come in blocks of XR_BLOCK at multiples of XR_BLOCK: every loop has one length, so that no remainder is
   computed by other instructions than the rest. */
#ifndef XR_PHILOX_H
#define XR_PHILOX_H

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "elementary.h"

#define XR_BLOCK 256
#define XR_PATH_LIMIT ((int64_t)1 << 48)
#define XR_STEP_LIMIT ((int64_t)1 << 32)
#define XR_STREAM_LIMIT ((int64_t)1 << 32)

#define XR_PHILOX_M0 0xD2511F53u
#define XR_PHILOX_M1 0xCD9E8D57u
#define XR_PHILOX_W0 0x9E3779B9u
#define XR_PHILOX_W1 0xBB67AE85u
#define XR_PHILOX_GROUPS 4 /* independent vectors at a time, which hide the latency of the ten rounds */

typedef double xr_block[XR_BLOCK] __attribute__((aligned(64)));
typedef uint64_t xr_words[XR_BLOCK] __attribute__((aligned(64)));

/* A vector of 32-bit words in lanes of 64 bits, whose upper halves are ignored; gcc does not find the processor's
   multiplication of such lanes by itself, which is twice to six times faster. */
#if defined(__AVX512F__)
#define XR_PHILOX_LANES 8
#elif defined(__AVX2__)
#define XR_PHILOX_LANES 4
#else
#define XR_PHILOX_LANES 2
#endif
typedef uint64_t xr_philox_lanes __attribute__((vector_size(8 * XR_PHILOX_LANES)));

static inline __attribute__((always_inline)) xr_philox_lanes xr_philox_product(xr_philox_lanes a, xr_philox_lanes b) {
#if defined(__AVX512F__)
  return (xr_philox_lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (xr_philox_lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (xr_philox_lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/* One counter of four words, in place. */
static inline void xr_philox_one(uint32_t word[4], uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)word[0] * XR_PHILOX_M0;
    const uint64_t p1 = (uint64_t)word[2] * XR_PHILOX_M1;
    word[0] = (uint32_t)(p1 >> 32) ^ word[1] ^ key0;
    word[1] = (uint32_t)p1;
    word[2] = (uint32_t)(p0 >> 32) ^ word[3] ^ key1;
    word[3] = (uint32_t)p0;
    key0 += XR_PHILOX_W0;
    key1 += XR_PHILOX_W1;
  }
}

/* A block of paths of one seed and stream, with what the first two of the ten rounds make of the paths: a path is one word of the
   counter, and meets the step's only in the third. What the two rounds make of the words that all paths share is one number. */
typedef struct {
  xr_words upper, lower, rest; /* second round's product of the path's word, by halves; first round's lower half */
  uint64_t seed, first;
  uint32_t stream;
} xr_drawn;

/* The paths from `first`, a multiple of XR_BLOCK. */
static inline void xr_drawn_from(xr_drawn *drawn, uint64_t seed, uint32_t stream, uint64_t first) {
  drawn->seed = seed;
  drawn->stream = stream;
  drawn->first = first;
  const xr_philox_lanes zero = {0};
  const xr_philox_lanes fixed = zero + (stream ^ (uint32_t)(seed >> 32));
  xr_philox_lanes path = {0};
  for (int i = 0; i < XR_PHILOX_LANES; i++) path[i] = first + (uint64_t)i;
  for (uint64_t i = 0; i < XR_BLOCK; i += XR_PHILOX_LANES) {
    const xr_philox_lanes product = xr_philox_product(path, zero + XR_PHILOX_M0);
    const xr_philox_lanes again = xr_philox_product(product >> 32 ^ fixed, zero + XR_PHILOX_M1);
    const xr_philox_lanes upper = again >> 32;
    memcpy(drawn->rest + i, &product, sizeof product);
    memcpy(drawn->lower + i, &again, sizeof again);
    memcpy(drawn->upper + i, &upper, sizeof upper);
    path += XR_PHILOX_LANES;
  }
}

/* The words of steps 2 pair and 2 pair + 1. */
static inline void xr_philox_block(const xr_drawn *drawn, uint32_t pair, uint64_t *even, uint64_t *odd) {
  const xr_philox_lanes zero = {0};
  const xr_philox_lanes m0 = zero + XR_PHILOX_M0;
  const xr_philox_lanes m1 = zero + XR_PHILOX_M1;
  uint32_t key[10][2];
  for (uint32_t round = 0; round < 10; round++) {
    key[round][0] = (uint32_t)drawn->seed + round * XR_PHILOX_W0;
    key[round][1] = (uint32_t)(drawn->seed >> 32) + round * XR_PHILOX_W1;
  }
  const uint64_t product = (uint64_t)pair * XR_PHILOX_M1;
  const uint32_t word = (uint32_t)(product >> 32) ^ (uint32_t)(drawn->first >> 32) ^ key[0][0];
  const uint64_t again = (uint64_t)word * XR_PHILOX_M0;
  const xr_philox_lanes same0 = zero + ((uint32_t)product ^ key[1][0]);
  const xr_philox_lanes same2 = zero + ((uint32_t)(again >> 32) ^ key[1][1]);
  const xr_philox_lanes same3 = zero + (uint32_t)again;
  xr_philox_lanes keys[10][2];
  for (int round = 2; round < 10; round++) {
    keys[round][0] = zero + key[round][0];
    keys[round][1] = zero + key[round][1];
  }
  for (uint64_t i = 0; i < XR_BLOCK; i += XR_PHILOX_GROUPS * XR_PHILOX_LANES) {
    xr_philox_lanes c0[XR_PHILOX_GROUPS], c1[XR_PHILOX_GROUPS], c2[XR_PHILOX_GROUPS], c3[XR_PHILOX_GROUPS];
#pragma GCC unroll 4
    for (uint64_t g = 0; g < XR_PHILOX_GROUPS; g++) {
      const uint64_t at = i + g * XR_PHILOX_LANES;
      memcpy(&c0[g], drawn->upper + at, sizeof c0[g]);
      memcpy(&c1[g], drawn->lower + at, sizeof c1[g]);
      memcpy(&c2[g], drawn->rest + at, sizeof c2[g]);
      c0[g] ^= same0;
      c2[g] ^= same2;
      c3[g] = same3;
    }
#pragma GCC unroll 10
    for (int round = 2; round < 10; round++) {
#pragma GCC unroll 4
      for (int g = 0; g < XR_PHILOX_GROUPS; g++) {
        const xr_philox_lanes p0 = xr_philox_product(c0[g], m0);
        const xr_philox_lanes p1 = xr_philox_product(c2[g], m1);
        c0[g] = (p1 >> 32) ^ (c1[g] ^ keys[round][0]);
        c2[g] = (p0 >> 32) ^ (c3[g] ^ keys[round][1]);
        c1[g] = p1;
        c3[g] = p0;
      }
    }
#pragma GCC unroll 4
    for (int g = 0; g < XR_PHILOX_GROUPS; g++) {
      const xr_philox_lanes first_word = c0[g] << 32 | (c1[g] & 0xFFFFFFFFu);
      const xr_philox_lanes second_word = c2[g] << 32 | (c3[g] & 0xFFFFFFFFu);
      memcpy(even + i + (uint64_t)g * XR_PHILOX_LANES, &first_word, sizeof first_word);
      memcpy(odd + i + (uint64_t)g * XR_PHILOX_LANES, &second_word, sizeof second_word);
    }
  }
}

/* Uniforms of a block, at two steps. */
static inline void xr_uniform_block(const xr_drawn *drawn, uint32_t pair, double *even, double *odd) {
  xr_words a, b;
  xr_philox_block(drawn, pair, a, b);
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) {
    even[i] = xr_unit(a[i]);
    odd[i] = xr_unit(b[i]);
  }
}

/* Standard normals of a block, at two steps: Box and Muller (1958), sqrt(-2 ln u) times cosine and sine of v turns. With
   v from a counter-based generator none of that transform's troubles with congruential generators arises (Neave 1973), and
   it costs half of an inverse distribution function: one logarithm for two normals. They reach 8.57. */
static inline void xr_normal_block(const xr_drawn *drawn, uint32_t pair, double *even, double *odd) {
  xr_words a, b;
  xr_philox_block(drawn, pair, a, b);
#pragma omp simd
  for (int i = 0; i < XR_BLOCK; i++) {
    const double radius = sqrt(xr_minus_twice_log(xr_unit(a[i])));
    double cosine, sine;
    xr_circle(b[i], &cosine, &sine);
    even[i] = radius * cosine;
    odd[i] = radius * sine;
  }
}

#endif
