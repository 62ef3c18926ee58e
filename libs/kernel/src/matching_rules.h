/* What a command may say, and what an order may be: one reason for the first word that does not fit. */
#ifndef XR_MATCHING_RULES_H
#define XR_MATCHING_RULES_H

#include "matching_book.h"

#define PRICE_MAX (INT64_C(1) << XR_PRICE_BITS)
#define QUANTITY_MAX (INT64_C(1) << XR_QUANTITY_BITS)
#define ID_MAX (INT64_C(1) << XR_ID_BITS)

enum { BUY = 1, SELL = 2 };
enum { MARKET = 1, LIMIT = 2 };
enum { GTC = 1, IOC = 3, FOK = 4, GTD = 6 };
enum { UNTRIGGERED = 0, STOP = 1, TOUCHED = 2, TRAILING = 3 };
enum { PREVENTION = 3, POST_ONLY = 4, MORE = 8 };
enum { CANCEL_RESTING = 1, CANCEL_AGGRESSING = 2, CANCEL_BOTH = 3 };

static inline int within(int64_t value, int64_t max) { return value >= 1 && value <= max; }

/* What is shown of an order: all, or so much that it has at most XR_TRANCHES parts. */
static inline int is_display(int64_t display, int64_t quantity) {
  return !display || (within(display, quantity) && (quantity + display - 1) / display <= XR_TRANCHES);
}

static inline int is_expire(int64_t time_in_force, int64_t expire, int64_t now) {
  return time_in_force == GTD ? expire > now : !expire;
}

/* Whether what is left of an order stays in the book. */
static inline int rests(const order *o) {
  return o->type == LIMIT && o->time_in_force != IOC && o->time_in_force != FOK;
}

static inline int64_t why_no_trigger(const order *o) {
  if (o->trigger < UNTRIGGERED || o->trigger > TRAILING) return XR_BAD_TRIGGER;
  if (!o->trigger) return o->source ? XR_BAD_SOURCE : o->trigger_price ? XR_BAD_TRIGGER_PRICE : 0;
  if (!within(o->source, 4)) return XR_BAD_SOURCE;
  return within(o->trigger_price, PRICE_MAX) ? 0 : XR_BAD_TRIGGER_PRICE;
}

/* Whether the words of a new order fit each other. */
static inline int64_t why_no_order(const order *o, int64_t now) {
  if (!within(o->id, ID_MAX)) return XR_BAD_ID;
  if (!within(o->owner, ID_MAX)) return XR_BAD_OWNER;
  if (o->side != BUY && o->side != SELL) return XR_BAD_SIDE;
  if (o->type != MARKET && o->type != LIMIT) return XR_BAD_TYPE;
  if (o->time_in_force != GTC && o->time_in_force != IOC && o->time_in_force != FOK && o->time_in_force != GTD)
    return XR_BAD_TIME_IN_FORCE;
  if (!within(o->quantity, QUANTITY_MAX)) return XR_BAD_QUANTITY;
  if (o->type == LIMIT ? !within(o->price, PRICE_MAX) : o->price != 0) return XR_BAD_PRICE;
  if (!is_display(o->display, o->quantity) || (o->display && !rests(o))) return XR_BAD_DISPLAY;
  if (o->minimum && (!within(o->minimum, o->quantity) || o->time_in_force == FOK)) return XR_BAD_MINIMUM;
  if (!is_expire(o->time_in_force, o->expire, now)) return XR_BAD_EXPIRE;
  const int64_t reason = why_no_trigger(o);
  if (reason) return reason;
  if (o->instructions < 0 || o->instructions > (MORE | POST_ONLY | PREVENTION)) return XR_BAD_INSTRUCTIONS;
  return o->instructions & POST_ONLY && (!rests(o) || o->minimum) ? XR_BAD_INSTRUCTIONS : 0;
}

/* Of an order that waits for its trigger: whether the reference has to fall to it. */
static inline int falls(const order *o) { return (o->trigger == TOUCHED) == (o->side == BUY); }

static inline int64_t stops_of(const order *o) { return STOPS + 2 * (o->source - 1) + falls(o); }

static inline int64_t trail_of(const order *o) { return 2 * (o->source - 1) + falls(o); }

/* Twice the price at which it triggers, so that the middle of two ticks is a whole number; with the sign that makes the first one
   to trigger the least. */
static inline int64_t stop_key(const order *o) {
  int64_t twice = 2 * o->trigger_price;
  if (o->trigger == TRAILING) twice = falls(o) ? o->extreme - twice : o->extreme + twice;
  return falls(o) ? -twice : twice;
}

static inline int64_t place_key(const order *o) { return o->side == BUY ? -o->price : o->price; }

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t shown_of(const order *o) { return o->display ? least(o->display, o->leaves) : o->leaves; }

/* Puts an order where it waits: into its price level, or among the stops. A trailing stop without a reference is in its trail alone. */
static inline void place(book *b, int64_t slot) {
  const order *o = &b->order[slot];
  if (!o->trigger) {
    join(b, o->side == BUY ? BIDS : ASKS, PLACE, place_key(o), slot);
    return;
  }
  if (o->trigger == TRAILING) join(b, TRAILS, TRAIL, trail_of(o), slot);
  if (o->trigger != TRAILING || o->extreme) join(b, stops_of(o), PLACE, stop_key(o), slot);
}

static inline void unplace(book *b, int64_t slot) {
  const order *o = &b->order[slot];
  leave(b, o->trigger ? stops_of(o) : o->side == BUY ? BIDS : ASKS, PLACE, slot);
  if (o->trigger == TRAILING) leave(b, TRAILS, TRAIL, slot);
}

/* Puts an order among those of its owner and those that expire. */
static inline void enlist(book *b, int64_t slot) {
  const order *o = &b->order[slot];
  join(b, OWNERS, OWNER, o->owner, slot);
  if (o->time_in_force == GTD) join(b, EXPIRIES, EXPIRY, o->expire, slot);
}

/* Whether these words are a book. */
static inline int is_book(int64_t size, const int64_t *words) {
  if (size < WORDS(head)) return 0;
  const head *h = (const head *)words;
  return h->magic == MAGIC && h->capacity >= 1 && h->capacity <= XR_MATCHING_ORDERS && size >= words_of(h->capacity);
}

#endif
