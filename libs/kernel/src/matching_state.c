/* A book's memory, what can be read of it, and how it comes back: see include/xr/matching.h. */
#include "matching_book.h"
#include "matching_rules.h"
#include "xr/matching.h"

#define STAMP_MAX (INT64_C(1) << 62)

int64_t xr_matching_words(int64_t capacity, int64_t *words) {
  if (!within(capacity, XR_MATCHING_ORDERS)) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  *words = words_of(capacity);
  return 0;
}

int64_t xr_matching_begin(int64_t capacity, int64_t size, int64_t *words) {
  if (!within(capacity, XR_MATCHING_ORDERS)) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (size < words_of(capacity)) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  head *h = (head *)words;
  h->magic = MAGIC;
  h->capacity = capacity;
  h->slots = slots_of(capacity);
  h->time = INT64_MIN;
  return 0;
}

int64_t xr_matching_depth(int64_t size, const int64_t *words, int64_t side, int64_t levels, int64_t *price,
                          int64_t *quantity, int64_t *orders, int64_t *made) {
  if (!is_book(size, words)) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  if (side != BUY && side != SELL) return xr_fault(xr_refuse(XR_NOT_A_CODE, 2), 0);
  if (levels < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
  const head *h = (const head *)words;
  const book b = book_at((int64_t *)words, h->capacity);
  int64_t count = 0;
  for (int64_t at = h->ladders[side == BUY ? BIDS : ASKS].first; at && count < levels; at = b.level[at].next) {
    price[count] = side == BUY ? -b.level[at].key : b.level[at].key;
    quantity[count] = b.level[at].shown;
    orders[count++] = b.level[at].count;
  }
  *made = count;
  return 0;
}

int64_t xr_matching_facts(int64_t size, const int64_t *words, int64_t *facts) {
  if (!is_book(size, words)) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  const head *h = (const head *)words;
  const int64_t all[XR_FACTS] = {h->capacity,   h->time,          h->sequence, h->executions,
                                 h->last_price, h->last_quantity, h->stamp,    h->orders};
  memcpy(facts, all, sizeof all);
  return 0;
}

int64_t xr_matching_orders(int64_t size, const int64_t *words, int64_t room, int64_t *out) {
  if (!is_book(size, words)) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  const head *h = (const head *)words;
  if (h->phase != IDLE) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  if (room < h->orders) return xr_fault(xr_refuse(XR_TOO_FEW, 2), 0);
  const book b = book_at((int64_t *)words, h->capacity);
  int64_t count = 0;
  for (int64_t at = h->ladders[OWNERS].first; at; at = b.level[at].next)
    for (int64_t slot = b.level[at].head; slot; slot = b.order[slot].in[OWNER].next)
      memcpy(out + count++ * XR_ORDER, &b.order[slot], sizeof(int64_t) * XR_ORDER);
  return 0;
}

/* Whether an order can rest or wait in a book of these facts. */
static int can_be_kept(const order *o, const int64_t *facts) {
  /* An order whose trigger has come may be one that a new order could not be. */
  if (why_no_order(o, facts[1]) || o->instructions & MORE) return 0;
  if (!o->trigger && !rests(o)) return 0;
  if (o->leaves < 1 || o->leaves > o->quantity || (o->trigger && o->leaves != o->quantity)) return 0;
  if (o->shown < 1 || o->shown > shown_of(o) || (!o->display && o->shown != o->leaves)) return 0;
  if (o->extreme < 0 || o->extreme > 2 * PRICE_MAX || (o->extreme && o->trigger != TRAILING)) return 0;
  return within(o->priority, facts[6]) && within(o->rank, facts[6]);
}

int64_t xr_matching_load(int64_t size, int64_t *words, const int64_t *facts, int64_t count, const int64_t *orders,
                         const int64_t *by_rank) {
  if (!is_book(size, words)) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  head *h = (head *)words;
  if (h->phase != IDLE || h->orders || h->sequence || h->of_orders.given) return xr_fault(xr_refuse(XR_INCONSISTENT, 1), 0);
  for (int64_t i = 2; i < 7; i++)
    if (facts[i] < 0 || facts[i] > STAMP_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), i);
  if (facts[4] > PRICE_MAX || facts[5] > QUANTITY_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 2), 4);
  if (count < 0 || count > h->capacity) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
  book b = book_at(words, h->capacity);
  for (int64_t i = 0; i < count; i++) {
    order o = {0};
    memcpy(&o, orders + i * XR_ORDER, sizeof(int64_t) * XR_ORDER);
    if (!can_be_kept(&o, facts)) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 4), i);
    if (i && o.priority <= orders[(i - 1) * XR_ORDER + 17]) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 4), i);
    if (find(&b, o.id)) return xr_fault(xr_refuse(XR_INCONSISTENT, 4), i);
    const int64_t slot = ++h->of_orders.given;
    b.order[slot] = o;
    place(&b, slot);
    remember(&b, slot);
    h->orders++;
  }
  const int64_t bid = h->ladders[BIDS].first, ask = h->ladders[ASKS].first;
  if (bid && ask && -b.level[bid].key >= b.level[ask].key) return xr_fault(xr_refuse(XR_INCONSISTENT, 4), 0);
  int64_t before = 0;
  for (int64_t i = 0; i < count; i++) {
    if (by_rank[i] < 0 || by_rank[i] >= count) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), i);
    const int64_t slot = by_rank[i] + 1;
    if (b.order[slot].rank <= before) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 5), i);
    before = b.order[slot].rank;
    enlist(&b, slot);
  }
  h->time = facts[1];
  h->sequence = facts[2];
  h->executions = facts[3];
  h->last_price = facts[4];
  h->last_quantity = facts[5];
  h->stamp = facts[6];
  return 0;
}
