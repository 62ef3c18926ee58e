/* Matching of orders in one order book: price-time priority, whole numbers only, the same events for the same commands.

   A book lives in memory of the caller, `xr_matching_words` words long, zeroed before `xr_matching_begin`. It holds no pointers and
   may be moved. Commands and events are records of XR_COMMAND and XR_EVENT words, one after the other. Codes are FIX's where FIX
   has one. Bounds of all that a command brings are checked: what does not fit is an event, never a fault. */
#ifndef XR_MATCHING_H
#define XR_MATCHING_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum xr_matching_sizes {
  XR_COMMAND = 16,        /* words of a command */
  XR_EVENT = 16,          /* words of an event */
  XR_ORDER = 19,          /* words of an order that is kept */
  XR_FACTS = 8,           /* words of what a book knows beside its orders */
  XR_MATCHING_ROOM = 4,   /* events for which there has to be room */
  XR_MATCHING_ORDERS = 1048576 /* the most orders of a book */
};

/* Prices, quantities and identifiers: at least 1. 2^20 orders of 2^40 units are 2^60. */
enum xr_matching_bits { XR_PRICE_BITS = 40, XR_QUANTITY_BITS = 40, XR_ID_BITS = 62, XR_TRANCHES = 1000 };

/* Where the words of a command are. */
enum xr_command_word {
  XR_C_OPERATION = 0,
  XR_C_ID = 1,
  XR_C_OWNER = 2,
  XR_C_SIDE = 3,          /* 1 buy, 2 sell */
  XR_C_TYPE = 4,          /* 1 market, 2 limit */
  XR_C_TIME_IN_FORCE = 5, /* 1 good till cancel, 3 immediate or cancel, 4 fill or kill, 6 good till date */
  XR_C_QUANTITY = 6,      /* units; of a replacement the new total, what is filled included */
  XR_C_PRICE = 7,         /* ticks; 0 of a market order */
  XR_C_DISPLAY = 8,       /* units that are shown; 0 shows all */
  XR_C_MINIMUM = 9,       /* units that have to trade at once, or nothing does; 0 for none */
  XR_C_EXPIRE = 10,       /* time at which a good-till-date order ends; else 0 */
  XR_C_TRIGGER = 11,      /* 0 none, 1 stop, 2 if touched, 3 trailing stop */
  XR_C_SOURCE = 12,       /* of the trigger: 1 bid, 2 ask, 3 mid, 4 last; else 0 */
  XR_C_TRIGGER_PRICE = 13, /* ticks; of a trailing stop its distance */
  XR_C_INSTRUCTIONS = 14, /* self-match prevention (0 none, 1 cancel resting, 2 cancel aggressing, 3 both), plus 4 for
                             post-only, plus 8 where triggers wait for the next command */
  XR_C_TIME = 15          /* of the command; never less than the one before */
};

enum xr_operation { XR_NEW = 1, XR_REPLACE = 2, XR_CANCEL = 3, XR_MASS_CANCEL = 4, XR_ADVANCE = 5 };

/* Where the words of an event are. */
enum xr_event_word {
  XR_E_SEQUENCE = 0,  /* from 1, without gaps */
  XR_E_KIND = 1,
  XR_E_ID = 2,
  XR_E_OWNER = 3,
  XR_E_SIDE = 4,
  XR_E_PRICE = 5,     /* of a fill what was dealt at; else the order's */
  XR_E_QUANTITY = 6,  /* of a fill what was dealt; of an end what is not dealt any more; of a mass cancel how many orders;
                         else the order's total */
  XR_E_LEAVES = 7,    /* units that are open after the event */
  XR_E_FILLED = 8,    /* units that are filled after the event */
  XR_E_EXECUTION = 9, /* of a fill: the trade's number, the same on both sides */
  XR_E_COUNTER = 10,  /* of a fill: the other order */
  XR_E_LIQUIDITY = 11, /* of a fill: 1 added (maker), 2 removed (taker) */
  XR_E_REASON = 12,
  XR_E_TIME = 13,
  XR_E_OPERATION = 14, /* that caused it */
  XR_E_SHOWN = 15     /* units of it that the book shows after the event */
};

enum xr_event_kind {
  XR_ACCEPTED = 1,
  XR_REJECTED = 2,
  XR_FILLED = 3,
  XR_CANCELLED = 4,
  XR_REPLACED = 5,
  XR_EXPIRED = 6,
  XR_TRIGGERED = 7,
  XR_MASS_CANCELLED = 8
};

/* Why a command was refused (1 to 31) or an order ended (from 32). */
enum xr_matching_reason {
  XR_BAD_OPERATION = 1,
  XR_BAD_ID = 2,
  XR_DUPLICATE_ID = 3,
  XR_UNKNOWN_ORDER = 4,
  XR_BAD_OWNER = 5,
  XR_BAD_SIDE = 6,
  XR_BAD_TYPE = 7,
  XR_BAD_TIME_IN_FORCE = 8,
  XR_BAD_QUANTITY = 9,
  XR_BAD_PRICE = 10,
  XR_BAD_DISPLAY = 11,
  XR_BAD_MINIMUM = 12,
  XR_BAD_EXPIRE = 13,
  XR_BAD_TRIGGER = 14,
  XR_BAD_SOURCE = 15,
  XR_BAD_TRIGGER_PRICE = 16,
  XR_BAD_INSTRUCTIONS = 17,
  XR_BAD_TIME = 18,
  XR_BOOK_FULL = 19,
  XR_POST_ONLY = 20, /* also of a stop order that would have taken when it was triggered */
  XR_REQUESTED = 32,
  XR_MASS = 33,
  XR_NO_LIQUIDITY = 34,
  XR_IMMEDIATE_OR_CANCEL = 35,
  XR_FILL_OR_KILL = 36,
  XR_MINIMUM_QUANTITY = 37,
  XR_SELF_MATCH = 38,
  XR_QUANTITY_FILLED = 39 /* a replacement asked for no more than was filled */
};

/* The words of a book's memory.

   capacity  orders that may rest or wait, 1 to XR_MATCHING_ORDERS
   words     out, one */
int64_t xr_matching_words(int64_t capacity, int64_t *words);

/* Makes an empty book of zeroed memory.

   capacity  as before
   size      words of the memory
   book      size; zeros */
int64_t xr_matching_begin(int64_t capacity, int64_t size, int64_t *book);

/* Carries out commands, in order. It stops early where there is no room for a step's events: call it again with the commands that
   were not taken until all are and `done` says that nothing is under way.

   size     words of the book
   book     in and out, size
   count    commands
   command  count records
   room     events that there is room for, at least XR_MATCHING_ROOM
   event    out, room records
   done     out, three: commands taken, events made, and 1 where nothing is under way */
int64_t xr_matching_run(int64_t size, int64_t *book, int64_t count, const int64_t *command, int64_t room, int64_t *event,
                        int64_t *done);

/* Price levels of one side, the best one first: what is shown.

   size      words of the book
   book      size
   side      1 bids, 2 offers
   levels    the most levels that there is room for
   price     out, levels; ticks
   quantity  out, levels; units that are shown
   orders    out, levels; how many orders, those that show a part included
   made      out, one: how many levels there are */
int64_t xr_matching_depth(int64_t size, const int64_t *book, int64_t side, int64_t levels, int64_t *price,
                          int64_t *quantity, int64_t *orders, int64_t *made);

/* What a book knows beside its orders.

   size   words of the book
   book   size
   facts  out, XR_FACTS: capacity, time, events so far, trades so far, last price and quantity (0 before the first trade),
          stamps given so far, orders */
int64_t xr_matching_facts(int64_t size, const int64_t *book, int64_t *facts);

/* All orders that rest or wait, by owner. The words of an order: its command's words from id to instructions, then units that
   are open, units shown, twice the trailing extreme (0 for none), stamp of its time priority, stamp of its acceptance.

   size   words of the book
   book   size; nothing under way
   room   orders that there is room for; XR_TOO_FEW where it is not enough
   order  out, room records of XR_ORDER words */
int64_t xr_matching_orders(int64_t size, const int64_t *book, int64_t room, int64_t *order);

/* Puts orders and facts into an empty book, which then goes on as the one that they are of.

   size     words of the book
   book     in and out, size; empty
   facts    XR_FACTS, as they were read; the capacity may be another one
   count    orders
   kept     count records, ascending by stamp of time priority; XR_NOT_ASCENDING where they are not, XR_OUT_OF_RANGE or
            XR_INCONSISTENT where no book could hold it
   by_rank  count: places of the orders, ascending by stamp of acceptance */
int64_t xr_matching_load(int64_t size, int64_t *book, const int64_t *facts, int64_t count, const int64_t *kept,
                         const int64_t *by_rank);

#ifdef __cplusplus
}
#endif
#endif
