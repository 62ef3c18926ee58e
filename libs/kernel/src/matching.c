/* Commands to an order book: see include/xr/matching.h.

   A command is carried out in steps that make at most XR_MATCHING_ROOM events each, and what is under way is kept in the book. So
   the caller's room for events need not be as large as the greatest sweep. */
#include "xr/matching.h"

#include "matching_book.h"
#include "matching_rules.h"
#include "matching_steps.h"

static void execute_new(book *b) {
  head *h = b->head;
  order given = {0};
  memcpy(&given, h->command + XR_C_ID, sizeof(int64_t) * (XR_C_INSTRUCTIONS - XR_C_ID + 1));
  int64_t reason = why_no_order(&given, h->time);
  if (!reason && find(b, given.id)) reason = XR_DUPLICATE_ID;
  if (!reason && h->orders >= h->capacity && (given.trigger || rests(&given))) reason = XR_BOOK_FULL;
  if (!reason && given.instructions & POST_ONLY && !given.trigger && would_take(b, &given)) reason = XR_POST_ONLY;
  if (reason) {
    refuse(b, reason);
    return;
  }
  const int64_t slot = TAKE(h->of_orders, b->order, id);
  given.leaves = given.quantity;
  given.instructions &= POST_ONLY | PREVENTION;
  if (given.trigger == TRAILING) {
    given.extreme = reference(b, given.source);
    h->trailed[given.source - 1] = 0; /* it has not been looked at for this order */
  }
  b->order[slot] = given;
  tell(b, XR_ACCEPTED, 0, &given);
  if (given.trigger) {
    keep(b, slot);
    h->phase = SETTLING;
  } else {
    enter(b, slot);
  }
}

static int64_t why_no_replacement(const book *b, const order *o, const int64_t *c) {
  if (!within(c[XR_C_QUANTITY], QUANTITY_MAX)) return XR_BAD_QUANTITY;
  if (o->type == LIMIT ? !within(c[XR_C_PRICE], PRICE_MAX) : c[XR_C_PRICE] != 0) return XR_BAD_PRICE;
  if (!is_display(c[XR_C_DISPLAY], c[XR_C_QUANTITY])) return XR_BAD_DISPLAY;
  if (c[XR_C_DISPLAY] && (o->type == MARKET || o->time_in_force == IOC || o->time_in_force == FOK)) return XR_BAD_DISPLAY;
  if (o->minimum > c[XR_C_QUANTITY]) return XR_BAD_MINIMUM;
  if (!is_expire(o->time_in_force, c[XR_C_EXPIRE], b->head->time)) return XR_BAD_EXPIRE;
  if (o->trigger && !within(c[XR_C_TRIGGER_PRICE], PRICE_MAX)) return XR_BAD_TRIGGER_PRICE;
  order moved = *o;
  moved.price = c[XR_C_PRICE];
  return o->instructions & POST_ONLY && !o->trigger && would_take(b, &moved) ? XR_POST_ONLY : 0;
}

/* What an order shows at most at once. */
static int64_t display_of(int64_t display) { return display ? display : INT64_MAX; }

static void execute_replace(book *b, int64_t slot) {
  head *h = b->head;
  const int64_t *c = h->command;
  order *o = &b->order[slot];
  const int64_t reason = why_no_replacement(b, o, c);
  if (reason) {
    refuse(b, reason);
    return;
  }
  h->phase = SETTLING;
  const int64_t filled = o->quantity - o->leaves;
  if (c[XR_C_QUANTITY] <= filled) {
    end(b, slot, XR_CANCELLED, XR_QUANTITY_FILLED);
    return;
  }
  const int stays = c[XR_C_PRICE] == o->price && c[XR_C_QUANTITY] <= o->quantity &&
                    display_of(c[XR_C_DISPLAY]) <= display_of(o->display) &&
                    (!o->trigger || c[XR_C_TRIGGER_PRICE] == o->trigger_price);
  const int64_t leaves = c[XR_C_QUANTITY] - filled;
  const int64_t shown = least(o->shown, least(leaves, display_of(c[XR_C_DISPLAY])));
  if (!stays) {
    unplace(b, slot);
  } else if (o->in[PLACE].level) {
    b->level[o->in[PLACE].level].leaves += leaves - o->leaves;
    b->level[o->in[PLACE].level].shown += shown - o->shown;
  }
  o->quantity = c[XR_C_QUANTITY];
  o->price = c[XR_C_PRICE];
  o->display = c[XR_C_DISPLAY];
  o->leaves = leaves;
  o->shown = shown;
  if (o->trigger) o->trigger_price = c[XR_C_TRIGGER_PRICE];
  if (o->expire != c[XR_C_EXPIRE]) {
    leave(b, OWNERS, OWNER, slot);
    leave(b, EXPIRIES, EXPIRY, slot);
    o->expire = c[XR_C_EXPIRE];
    o->rank = ++h->stamp;
    enlist(b, slot);
  }
  if (stays || o->trigger) {
    if (!stays) keep(b, slot);
    tell(b, XR_REPLACED, 0, o);
    return;
  }
  o->shown = 0;
  tell(b, XR_REPLACED, 0, o);
  /* What had to trade at once has had its time. */
  h->taker = slot;
  h->phase = MATCHING;
}

static void execute(book *b) {
  head *h = b->head;
  const int64_t *c = h->command;
  int64_t slot = 0;
  h->phase = SETTLING;
  if (c[XR_C_INSTRUCTIONS] < 0 || c[XR_C_INSTRUCTIONS] > (MORE | POST_ONLY | PREVENTION)) {
    refuse(b, XR_BAD_INSTRUCTIONS);
    return;
  }
  if (c[XR_C_OPERATION] == XR_REPLACE || c[XR_C_OPERATION] == XR_CANCEL) {
    slot = find(b, c[XR_C_ID]);
    /* Whose order it is, others are not told. */
    if (!slot || b->order[slot].owner != c[XR_C_OWNER]) {
      refuse(b, XR_UNKNOWN_ORDER);
      return;
    }
  }
  switch (c[XR_C_OPERATION]) {
    case XR_NEW: execute_new(b); return;
    case XR_REPLACE: execute_replace(b, slot); return;
    case XR_CANCEL: end(b, slot, XR_CANCELLED, XR_REQUESTED); return;
    case XR_MASS_CANCEL:
      if (c[XR_C_SIDE] < 0 || c[XR_C_SIDE] > SELL) {
        refuse(b, XR_BAD_SIDE);
        return;
      }
      h->cursor_level = c[XR_C_OWNER] ? level_find(b, OWNERS, c[XR_C_OWNER]) : h->ladders[OWNERS].first;
      h->cursor = h->cursor_level ? b->level[h->cursor_level].head : 0;
      h->swept = 0;
      h->phase = SWEEPING;
      return;
    case XR_ADVANCE: return;
    default: refuse(b, XR_BAD_OPERATION);
  }
}

static void sweep(book *b) {
  head *h = b->head;
  const int64_t slot = h->cursor;
  if (!slot) {
    int64_t *e = say(b, XR_MASS_CANCELLED, 0);
    e[XR_E_ID] = h->command[XR_C_ID];
    e[XR_E_OWNER] = h->command[XR_C_OWNER];
    e[XR_E_SIDE] = h->command[XR_C_SIDE];
    e[XR_E_QUANTITY] = h->swept;
    h->phase = SETTLING;
    return;
  }
  h->cursor = b->order[slot].in[OWNER].next;
  if (!h->cursor && !h->command[XR_C_OWNER]) {
    h->cursor_level = b->level[h->cursor_level].next;
    h->cursor = h->cursor_level ? b->level[h->cursor_level].head : 0;
  }
  if (h->command[XR_C_SIDE] && h->command[XR_C_SIDE] != b->order[slot].side) return;
  end(b, slot, XR_CANCELLED, XR_MASS);
  h->swept++;
}

static void expire(book *b) {
  const int64_t due = b->head->ladders[EXPIRIES].first;
  if (due && b->level[due].key <= b->head->time)
    end(b, b->level[due].head, XR_EXPIRED, 0);
  else
    b->head->phase = EXECUTING;
}

static void fill(book *b, const order *o, const order *counter, int64_t price, int64_t quantity, int64_t liquidity) {
  int64_t *e = tell(b, XR_FILLED, 0, o);
  e[XR_E_PRICE] = price;
  e[XR_E_QUANTITY] = quantity;
  e[XR_E_EXECUTION] = b->head->executions;
  e[XR_E_COUNTER] = counter->id;
  e[XR_E_LIQUIDITY] = liquidity;
}

static void trade(book *b, order *taker, int64_t slot) {
  head *h = b->head;
  order *maker = &b->order[slot];
  level *l = &b->level[maker->in[PLACE].level];
  const int64_t quantity = least(taker->leaves, maker->shown);
  h->executions++;
  h->last_price = maker->price;
  h->last_quantity = quantity;
  l->leaves -= quantity;
  l->shown -= quantity;
  maker->leaves -= quantity;
  maker->shown -= quantity;
  taker->leaves -= quantity;
  if (maker->leaves && !maker->shown) {
    /* The next part comes behind all others. */
    unplace(b, slot);
    keep(b, slot);
  }
  fill(b, maker, taker, maker->price, quantity, 1);
  fill(b, taker, maker, maker->price, quantity, 2);
  if (!maker->leaves) end(b, slot, 0, 0);
}

static void match(book *b) {
  head *h = b->head;
  const int64_t slot = h->taker;
  order *taker = &b->order[slot];
  const int64_t best = h->ladders[taker->side == BUY ? ASKS : BIDS].first;
  const int64_t mode = taker->instructions & PREVENTION;
  if (taker->leaves && best && crosses(taker, &b->level[best])) {
    const int64_t resting = b->level[best].head;
    if (!mode || b->order[resting].owner != taker->owner) {
      trade(b, taker, resting);
      return;
    }
    if (mode != CANCEL_AGGRESSING) end(b, resting, XR_CANCELLED, XR_SELF_MATCH);
    if (mode == CANCEL_RESTING) return;
    end(b, slot, XR_CANCELLED, XR_SELF_MATCH);
  } else if (!taker->leaves) {
    end(b, slot, 0, 0);
  } else if (taker->type == MARKET) {
    end(b, slot, XR_CANCELLED, XR_NO_LIQUIDITY);
  } else if (taker->time_in_force == IOC || taker->time_in_force == FOK) {
    end(b, slot, XR_CANCELLED, XR_IMMEDIATE_OR_CANCEL);
  } else {
    keep(b, slot);
  }
  h->taker = 0;
  h->phase = SETTLING;
}

/* Moves the trailing stops whose reference has gone their way. */
static void trail(book *b, int64_t source) {
  const int64_t now = reference(b, source);
  if (!now || now == b->head->trailed[source - 1]) return;
  b->head->trailed[source - 1] = now;
  for (int64_t falling = 0; falling < 2; falling++) {
    const int64_t at = level_find(b, TRAILS, 2 * (source - 1) + falling);
    int64_t slot = at ? b->level[at].head : 0;
    for (int64_t left = at ? b->level[at].count : 0; left; left--) {
      order *o = &b->order[slot];
      const int64_t following = o->in[TRAIL].next;
      if (!o->extreme || (falling ? now > o->extreme : now < o->extreme)) {
        leave(b, stops_of(o), PLACE, slot);
        leave(b, TRAILS, TRAIL, slot);
        o->extreme = now;
        o->priority = ++b->head->stamp;
        place(b, slot);
      }
      slot = following;
    }
  }
}

/* Looks at the references after a command, or after an order that was triggered. */
static void settle(book *b) {
  head *h = b->head;
  h->phase = IDLE;
  if (h->command[XR_C_INSTRUCTIONS] & MORE) return;
  if (h->ladders[TRAILS].root)
    for (int64_t source = 1; source <= 4; source++) trail(b, source);
  for (int64_t k = 0; k < 8; k++) {
    const int64_t first = h->ladders[STOPS + k].first;
    const int64_t now = first ? reference(b, k / 2 + 1) : 0;
    if (!now || (k % 2 ? -now : now) < b->level[first].key) continue;
    h->cursor = b->level[first].head;
    h->phase = FIRING;
    return;
  }
}

static void fire(book *b) {
  head *h = b->head;
  const int64_t slot = h->cursor;
  order *o = &b->order[slot];
  unplace(b, slot);
  o->trigger = o->source = o->trigger_price = o->extreme = 0;
  o->shown = 0;
  tell(b, XR_TRIGGERED, 0, o);
  if (o->instructions & POST_ONLY && would_take(b, o)) {
    end(b, slot, XR_CANCELLED, XR_POST_ONLY);
    h->phase = SETTLING;
    return;
  }
  enter(b, slot);
}

static void take(book *b, const int64_t *command) {
  head *h = b->head;
  memcpy(h->command, command, sizeof h->command);
  if (command[XR_C_TIME] < h->time) {
    refuse(b, XR_BAD_TIME);
    return;
  }
  h->time = command[XR_C_TIME];
  h->phase = EXPIRING;
}

int64_t xr_matching_run(int64_t size, int64_t *words, int64_t count, const int64_t *command, int64_t room, int64_t *event,
                        int64_t *done) {
  if (!is_book(size, words)) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  if (count < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), 0);
  if (room < XR_MATCHING_ROOM) return xr_fault(xr_refuse(XR_TOO_FEW, 4), 0);
  book b = book_at(words, ((head *)words)->capacity);
  b.event = event;
  int64_t taken = 0;
  while (b.made <= room - XR_MATCHING_ROOM && (b.head->phase != IDLE || taken < count)) switch (b.head->phase) {
      case IDLE: take(&b, command + taken++ * XR_COMMAND); break;
      case EXPIRING: expire(&b); break;
      case EXECUTING: execute(&b); break;
      case MATCHING: match(&b); break;
      case SWEEPING: sweep(&b); break;
      case SETTLING: settle(&b); break;
      default: fire(&b);
    }
  done[0] = taken;
  done[1] = b.made;
  done[2] = b.head->phase == IDLE;
  return 0;
}
