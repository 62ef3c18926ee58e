/* Margin: of portfolios in the manner of SPAN, and of notional amounts by tiers. */
#ifndef XR_MARGIN_H
#define XR_MARGIN_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Requirements of many accounts from risk arrays of 16 scenarios: scanning risk by group of instruments on one underlying,
   credits for spreads between groups, a minimum for short options, less net option value.

   accounts        rows of positions
   instruments     columns
   groups          number of groups ("combined commodities"), from 1
   position        accounts × instruments, units, long positive
   group           instruments, 0 to groups - 1
   risk            instruments × 16, loss of one long unit, scenarios in SPAN's order: two a price move, volatility up and down,
                   for moves 0, +1/3, -1/3, +2/3, -2/3, +1, -1; then the extreme moves up and down, already in their part
   delta           instruments, of one long unit, in the group's common unit
   short_minimum   instruments, charge for each short unit, from 0
   option_value    instruments, market value of one long unit of an option paid up front; 0 for what settles daily
   spreads         number of spreads, in the order in which they are formed
   first, second   spreads, groups of the legs
   first_ratio, second_ratio   spreads, deltas of a leg in one spread, 1e-60 to 1e60
   same_side       spreads, 1 if both legs have one sign, 0 if opposite ones
   credit_rate     spreads, part of the legs' price risk that is credited, 0 to 1
   scan, credit    out, accounts × groups
   requirement     out, accounts
   scratch         groups × 20 */
int64_t xr_margin_portfolio(int64_t accounts, int64_t instruments, int64_t groups, const double *position,
                            const int64_t *group, const double *risk, const double *delta, const double *short_minimum,
                            const double *option_value, int64_t spreads, const int64_t *first, const int64_t *second,
                            const double *first_ratio, const double *second_ratio, const int8_t *same_side,
                            const double *credit_rate, double *scan, double *credit, double *requirement,
                            double *scratch);

/* Margin of a notional amount whose slices have rising rates: of each slice from one bound to the next, its rate.

   count      amounts
   notional   count, in the tables' currency; its sign does not matter
   table      count, which table, 0 to tables - 1
   tables     rows
   tiers      columns, from 1
   bound      rows × columns, where a slice begins, ascending from 0
   rate       rows × columns, 0 to 1
   margin     out, count */
int64_t xr_margin_tiered(int64_t count, const double *notional, const int64_t *table, int64_t tables, int64_t tiers,
                         const double *bound, const double *rate, double *margin);

#ifdef __cplusplus
}
#endif
#endif
