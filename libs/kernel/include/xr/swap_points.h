/* Swap points, outright forwards, and what they imply by covered interest parity. */
#ifndef XR_SWAP_POINTS_H
#define XR_SWAP_POINTS_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which two dates a quote of swap points is between. Points are the later date's rate minus the earlier's, in pips. */
enum xr_swap_leg {
  XR_FROM_SPOT = 0,     /* from spot to a later date: spot/next, 1W, 1M, ... */
  XR_INTO_SPOT = 1,     /* from the day before spot to spot: tom/next; overnight where spot is tomorrow */
  XR_INTO_TOMORROW = 2  /* overnight of a pair whose spot is two days away; its row has one XR_INTO_SPOT, too */
};

/* How a broken date lies between quoted ones. */
enum xr_broken_date {
  XR_BY_POINTS = 0, /* points run straight in time */
  XR_BY_RATE = 1    /* the implied rate difference log(forward / spot) / (time - spot time) does, flat next to spot */
};

/* The outright forward and swap points of covered interest parity: forward = spot * base(t) / base(s) * counter(s) /
   counter(t), with discount factors of both currencies to the date t and to the spot date s. Before spot the sign of the
   points turns by itself.

   spot               counter per base, 1e-60 to 1e60
   base, counter      discount factors to the forward's date, 1e-60 to 1e60
   base_spot, counter_spot   to the spot date
   pip                of the pair, e.g. 0.0001; 1e-60 to 1e60
   outright, points   out: counter per base; pips above spot
   status             out, or NULL; XR_NO_SOLUTION for base: the forward leaves 1e-60 to 1e60, or the points 1e60 */
int64_t xr_swap_points_parity(int64_t count, const double *spot, const double *base, const double *counter,
                              const double *base_spot, const double *counter_spot, const double *pip,
                              double *outright, double *points, uint8_t *status);

/* Two-sided outright rates from two-sided quotes: of each quote's date that is not spot. A date before spot is spot minus
   points, so that its bid takes the points' offer.

   pairs, offsets     pair k has the quotes offsets[k] to offsets[k + 1] - 1
   leg                of each quote, enum xr_swap_leg
   bid, offer         points in pips, bid not above offer
   spot_bid, spot_offer   of each pair
   pip                of each pair
   outright_bid, outright_offer   out, of each quote; XR_NO_SOLUTION for bid: one is not positive */
int64_t xr_swap_points_outright(int64_t pairs, const int64_t *offsets, const int8_t *leg, const double *bid,
                                const double *offer, const double *spot_bid, const double *spot_offer,
                                const double *pip, double *outright_bid, double *outright_offer);

/* The other currency's discount factors, from one currency's and outright rates.

   curves, offsets    curve k has the dates offsets[k] to offsets[k + 1] - 1, at least two, the spot date among them
   time               years from the curve's date, 0 to 100, ascending by at least 1e-6
   outright           counter per base at each date; at the spot date the spot rate
   known              discount factor of the known currency at each date; 1 at time 0
   known_is_base      of each curve: 1 if the known currency is the base, 0 if it is the counter
   implied            out. At time 0 it is 1; without a date at time 0 the forward rate before the second date is constant */
int64_t xr_swap_points_implied(int64_t curves, const int64_t *offsets, const double *time, const double *outright,
                               const double *known, const int8_t *known_is_base, double *implied);

/* Outright rates of dates between quoted ones.

   pair               which pair each element is about, from 0
   time               years; XR_NO_SOLUTION where it is before the first or after the last date of the pair
   pairs, offsets, quote_time, outright   the quoted dates, ascending, the spot date with the spot rate among them
   spot_time          of each pair, one of its dates: XR_INCONSISTENT if it is not
   method             enum xr_broken_date
   forward            out
   status             out, or NULL */
int64_t xr_swap_points_broken(int64_t count, const int64_t *pair, const double *time, int64_t pairs,
                              const int64_t *offsets, const double *quote_time, const double *outright,
                              const double *spot_time, int8_t method, double *forward, uint8_t *status);

/* A cross through a third currency: the forward that two pairs imply, and how far a quote is from it.

   first, second      outrights of the two pairs at the date
   divide             0: first * second (A/B times B/C); 1: first / second (A/C by B/C)
   spot, points, pip  what is quoted for the cross
   implied            out, the cross's outright
   implied_points     out, pips above the quoted spot
   residual           out, quoted points minus implied ones
   status             out, or NULL; XR_NO_SOLUTION for first: the implied outright leaves 1e-60 to 1e60 */
int64_t xr_swap_points_cross(int64_t count, const double *first, const double *second, const int8_t *divide,
                             const double *spot, const double *points, const double *pip, double *implied,
                             double *implied_points, double *residual, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
