/* The parts of a step: events, orders that come to rest and end, what an order meets. See matching.c. */
#ifndef XR_MATCHING_STEPS_H
#define XR_MATCHING_STEPS_H

#include "matching_book.h"
#include "matching_rules.h"

static inline int64_t *say(book *b, int64_t kind, int64_t reason) {
  head *h = b->head;
  int64_t *e = b->event + b->made++ * XR_EVENT;
  memset(e, 0, sizeof(int64_t) * XR_EVENT);
  e[XR_E_SEQUENCE] = ++h->sequence;
  e[XR_E_KIND] = kind;
  e[XR_E_REASON] = reason;
  e[XR_E_TIME] = h->time;
  e[XR_E_OPERATION] = h->command[XR_C_OPERATION];
  return e;
}

static inline int64_t *tell(book *b, int64_t kind, int64_t reason, const order *o) {
  int64_t *e = say(b, kind, reason);
  e[XR_E_ID] = o->id;
  e[XR_E_OWNER] = o->owner;
  e[XR_E_SIDE] = o->side;
  e[XR_E_PRICE] = o->price;
  e[XR_E_QUANTITY] = o->quantity;
  e[XR_E_LEAVES] = o->leaves;
  e[XR_E_FILLED] = o->quantity - o->leaves;
  e[XR_E_SHOWN] = o->trigger ? 0 : o->shown;
  return e;
}

static inline void refuse(book *b, int64_t reason) {
  const int64_t *c = b->head->command;
  int64_t *e = say(b, XR_REJECTED, reason);
  e[XR_E_ID] = c[XR_C_ID];
  e[XR_E_OWNER] = c[XR_C_OWNER];
  e[XR_E_SIDE] = c[XR_C_SIDE];
  e[XR_E_PRICE] = c[XR_C_PRICE];
  e[XR_E_QUANTITY] = c[XR_C_QUANTITY];
  b->head->phase = SETTLING;
}

/* Ends an order: out of every list, and its slot is free. */
static inline void end(book *b, int64_t slot, int64_t kind, int64_t reason) {
  order *o = &b->order[slot];
  const int64_t open = o->leaves;
  if (o->in[PLACE].level || o->in[TRAIL].level) unplace(b, slot);
  if (o->in[OWNER].level) {
    leave(b, OWNERS, OWNER, slot);
    leave(b, EXPIRIES, EXPIRY, slot);
    forget(b, slot);
    b->head->orders--;
  }
  o->leaves = o->shown = 0;
  if (kind) {
    int64_t *e = tell(b, kind, reason, o);
    e[XR_E_QUANTITY] = open;
    e[XR_E_FILLED] = o->quantity - open;
  }
  GIVE(b->head->of_orders, b->order, id, slot);
}

/* Rests an order, or lets it wait for its trigger. */
static inline void keep(book *b, int64_t slot) {
  order *o = &b->order[slot];
  o->shown = shown_of(o);
  o->priority = ++b->head->stamp;
  place(b, slot);
  if (o->in[OWNER].level) return;
  o->rank = o->priority;
  enlist(b, slot);
  remember(b, slot);
  b->head->orders++;
}

/* A reference of triggers, doubled; 0 where there is none. */
static inline int64_t reference(const book *b, int64_t source) {
  const head *h = b->head;
  const int64_t bid = h->ladders[BIDS].first, ask = h->ladders[ASKS].first;
  if (source == 4) return 2 * h->last_price;
  if ((source != 2 && !bid) || (source != 1 && !ask)) return 0;
  if (source == 1) return -2 * b->level[bid].key;
  return source == 2 ? 2 * b->level[ask].key : b->level[ask].key - b->level[bid].key;
}

static inline int crosses(const order *o, const level *against) {
  return o->type == MARKET || (o->side == BUY ? against->key <= o->price : -against->key >= o->price);
}

/* Units that an order would trade at once, at most until `enough`. What its owner's own orders would stop does not count. */
static inline int64_t available(const book *b, const order *o, int64_t enough) {
  const int64_t mode = o->instructions & PREVENTION;
  int64_t units = 0;
  for (int64_t at = b->head->ladders[o->side == BUY ? ASKS : BIDS].first; at; at = b->level[at].next) {
    const level *l = &b->level[at];
    if (units >= enough || !crosses(o, l)) break;
    if (!mode) {
      units += l->leaves;
      continue;
    }
    int64_t all = 0, ahead = 0, own = 0;
    for (int64_t slot = l->head; slot && !(own && mode != CANCEL_RESTING); slot = b->order[slot].in[PLACE].next) {
      const order *maker = &b->order[slot];
      if (maker->owner == o->owner) {
        own = 1;
        continue;
      }
      all += maker->leaves;
      ahead += maker->shown;
    }
    /* Behind an own order nothing is reached, nor the hidden parts, which come behind it. */
    if (own && mode != CANCEL_RESTING) return units + ahead;
    units += all;
  }
  return units;
}

/* Lets an order meet the other side, or ends it where it must not. */
static inline void enter(book *b, int64_t slot) {
  const order *o = &b->order[slot];
  const int64_t need = o->time_in_force == FOK ? o->leaves : o->leaves == o->quantity ? o->minimum : 0;
  b->head->taker = slot;
  b->head->phase = MATCHING;
  if (!need || available(b, o, need) >= need) return;
  end(b, slot, XR_CANCELLED, o->time_in_force == FOK ? XR_FILL_OR_KILL : XR_MINIMUM_QUANTITY);
  b->head->phase = SETTLING;
}

static inline int would_take(const book *b, const order *o) {
  const int64_t best = b->head->ladders[o->side == BUY ? ASKS : BIDS].first;
  return best && crosses(o, &b->level[best]);
}

#endif
