/* The memory of an order book: orders in slots, price levels in crit-bit trees, first-in-first-out lists in levels.

   Everything is a word of 64 bits in one array and refers to others by index from 1, so that a book can be copied and has no
   alignment of its own. A ladder is an ordered set of levels: a crit-bit tree (Morrison 1968, PATRICIA) finds a key in at most 64
   steps whatever the keys are, with no balancing and nothing random; its leaves are chained in order, so that the best level and
   the next one cost nothing. Stops, expiries, owners and trailing stops are ladders as prices are. */
#ifndef XR_MATCHING_BOOK_H
#define XR_MATCHING_BOOK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "checks.h"
#include "xr/matching.h"

#define MAGIC INT64_C(0x78724D6174636831)
#define KEY_BIAS (UINT64_C(1) << 63) /* order of signed keys as order of their bits */

enum { BIDS, ASKS, STOPS, EXPIRIES = STOPS + 8, OWNERS, TRAILS, LADDERS };
enum { PLACE, EXPIRY, OWNER, TRAIL, LINKS }; /* the lists that an order may be in */
enum { IDLE, EXPIRING, EXECUTING, MATCHING, SWEEPING, SETTLING, FIRING };

typedef struct {
  int64_t level, next, previous;
} link;

typedef struct {
  int64_t id, owner, side, type, time_in_force, quantity, price, display, minimum, expire, trigger, source, trigger_price,
      instructions, leaves, shown, extreme, priority, rank; /* XR_ORDER words, as the interface gives them */
  link in[LINKS];
} order;

typedef struct {
  int64_t key, head, tail, next, previous, parent, leaves, shown, count;
} level;

typedef struct {
  int64_t bit, child[2], parent; /* children: a branch above zero, a level below */
} branch;

typedef struct {
  int64_t root, first;
} ladder;

typedef struct {
  int64_t given, free; /* slots ever given; the first of the chain of those that came back */
} pool;

typedef struct {
  int64_t magic, capacity, slots, time, sequence, executions, last_price, last_quantity, stamp, orders;
  int64_t phase, taker, cursor, cursor_level, swept;
  int64_t trailed[4]; /* the references at which trailing stops were last looked at, doubled */
  int64_t command[XR_COMMAND];
  pool of_orders, of_levels, of_branches;
  ladder ladders[LADDERS];
} head;

typedef struct {
  head *head;
  int64_t *slot; /* hash of identifiers: orders by open addressing */
  order *order;
  level *level;
  branch *branch;
  int64_t *event;
  int64_t made;
} book;

#define WORDS(type) ((int64_t)(sizeof(type) / sizeof(int64_t)))

static inline int64_t slots_of(int64_t capacity) {
  int64_t slots = 2;
  while (slots < 2 * capacity) slots *= 2;
  return slots;
}

/* One more order than rests: the one that is being matched. */
static inline int64_t levels_of(int64_t capacity) { return 3 * (capacity + 1) + 8; }

static inline int64_t words_of(int64_t capacity) {
  return WORDS(head) + slots_of(capacity) + (capacity + 2) * WORDS(order) +
         (levels_of(capacity) + 1) * (WORDS(level) + WORDS(branch));
}

static inline book book_at(int64_t *words, int64_t capacity) {
  book b = {.head = (head *)words};
  b.slot = words + WORDS(head);
  b.order = (order *)(b.slot + slots_of(capacity));
  b.level = (level *)(b.order + capacity + 2);
  b.branch = (branch *)(b.level + levels_of(capacity) + 1);
  return b;
}

/* A slot of a pool; what comes back is given first, while it is in the caches. `chain` is a word of a free slot. */
#define TAKE(pool_, array, chain)                                         \
  ((pool_).free ? (pool_).free : ++(pool_).given);                        \
  if ((pool_).free) (pool_).free = (array)[(pool_).free].chain

#define GIVE(pool_, array, chain, index)  \
  do {                                    \
    (array)[index].chain = (pool_).free;  \
    (pool_).free = (index);               \
  } while (0)

static inline void set_parent(book *b, int64_t node, int64_t parent) {
  if (node > 0)
    b->branch[node].parent = parent;
  else
    b->level[-node].parent = parent;
}

static inline uint64_t bits_of(int64_t key) { return (uint64_t)key ^ KEY_BIAS; }

/* The level of a key, or 0. */
static inline int64_t level_find(const book *b, int which, int64_t key) {
  int64_t at = b->head->ladders[which].root;
  const uint64_t bits = bits_of(key);
  while (at > 0) at = b->branch[at].child[bits >> b->branch[at].bit & 1];
  return at && b->level[-at].key == key ? -at : 0;
}

static inline int64_t level_new(book *b, int64_t key) {
  const int64_t made = TAKE(b->head->of_levels, b->level, next);
  b->level[made] = (level){.key = key};
  return made;
}

/* The level of a key, made if there is none. */
static inline int64_t level_of(book *b, int which, int64_t key) {
  ladder *l = &b->head->ladders[which];
  const uint64_t bits = bits_of(key);
  if (!l->root) {
    const int64_t made = level_new(b, key);
    l->root = -made;
    l->first = made;
    return made;
  }
  int64_t at = l->root;
  while (at > 0) at = b->branch[at].child[bits >> b->branch[at].bit & 1];
  const uint64_t differs = bits ^ bits_of(b->level[-at].key);
  if (!differs) return -at;
  const int64_t bit = 63 - __builtin_clzll(differs);
  const int64_t side = (int64_t)(bits >> bit & 1);
  int64_t parent = 0;
  for (at = l->root; at > 0 && b->branch[at].bit > bit; at = b->branch[at].child[bits >> b->branch[at].bit & 1]) parent = at;
  const int64_t made = level_new(b, key);
  const int64_t fork = TAKE(b->head->of_branches, b->branch, parent);
  b->branch[fork] = (branch){.bit = bit, .parent = parent};
  b->branch[fork].child[side] = -made;
  b->branch[fork].child[!side] = at;
  if (parent)
    b->branch[parent].child[bits >> b->branch[parent].bit & 1] = fork;
  else
    l->root = fork;
  set_parent(b, at, fork);
  b->level[made].parent = fork;
  /* All of the other side's keys lie on one side of the new one: its neighbour is the nearest of them. */
  while (at > 0) at = b->branch[at].child[side];
  const int64_t near = -at;
  const int64_t previous = side ? near : b->level[near].previous, next = side ? b->level[near].next : near;
  b->level[made].previous = previous;
  b->level[made].next = next;
  if (previous)
    b->level[previous].next = made;
  else
    l->first = made;
  if (next) b->level[next].previous = made;
  return made;
}

static inline void level_drop(book *b, int which, int64_t gone) {
  ladder *l = &b->head->ladders[which];
  const level *leaf = &b->level[gone];
  if (leaf->previous)
    b->level[leaf->previous].next = leaf->next;
  else
    l->first = leaf->next;
  if (leaf->next) b->level[leaf->next].previous = leaf->previous;
  const int64_t fork = leaf->parent;
  if (fork) {
    const int64_t other = b->branch[fork].child[b->branch[fork].child[0] == -gone];
    const int64_t above = b->branch[fork].parent;
    if (above)
      b->branch[above].child[b->branch[above].child[1] == fork] = other;
    else
      l->root = other;
    set_parent(b, other, above);
    GIVE(b->head->of_branches, b->branch, parent, fork);
  } else {
    l->root = 0;
  }
  GIVE(b->head->of_levels, b->level, next, gone);
}

/* Puts an order behind all others of a level. */
static inline void join(book *b, int64_t which, int list, int64_t key, int64_t slot) {
  const int64_t at = level_of(b, (int)which, key);
  level *l = &b->level[at];
  order *o = &b->order[slot];
  o->in[list] = (link){at, 0, l->tail};
  if (l->tail)
    b->order[l->tail].in[list].next = slot;
  else
    l->head = slot;
  l->tail = slot;
  l->count++;
  if (list == PLACE) {
    l->leaves += o->leaves;
    l->shown += o->shown;
  }
}

static inline void leave(book *b, int64_t which, int list, int64_t slot) {
  order *o = &b->order[slot];
  const link was = o->in[list];
  if (!was.level) return;
  level *l = &b->level[was.level];
  if (was.previous)
    b->order[was.previous].in[list].next = was.next;
  else
    l->head = was.next;
  if (was.next)
    b->order[was.next].in[list].previous = was.previous;
  else
    l->tail = was.previous;
  if (list == PLACE) {
    l->leaves -= o->leaves;
    l->shown -= o->shown;
  }
  o->in[list].level = 0;
  if (!--l->count) level_drop(b, (int)which, was.level);
}

/* Fibonacci hashing: ids that follow each other lie apart. */
static inline int64_t home_of(const book *b, int64_t id) {
  return (int64_t)((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> 20 & (uint64_t)(b->head->slots - 1));
}

static inline int64_t find(const book *b, int64_t id) {
  const int64_t mask = b->head->slots - 1;
  for (int64_t at = home_of(b, id);; at = (at + 1) & mask) {
    const int64_t slot = b->slot[at];
    if (!slot || b->order[slot].id == id) return slot;
  }
}

static inline void remember(book *b, int64_t slot) {
  const int64_t mask = b->head->slots - 1;
  int64_t at = home_of(b, b->order[slot].id);
  while (b->slot[at]) at = (at + 1) & mask;
  b->slot[at] = slot;
}

/* Knuth, volume 3, section 6.4, algorithm R: what stands behind the gap moves up, so that no mark has to stay. */
static inline void forget(book *b, int64_t slot) {
  const int64_t mask = b->head->slots - 1;
  int64_t gap = home_of(b, b->order[slot].id);
  while (b->slot[gap] != slot) gap = (gap + 1) & mask;
  for (int64_t at = (gap + 1) & mask; b->slot[at]; at = (at + 1) & mask) {
    const int64_t home = home_of(b, b->order[b->slot[at]].id);
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    b->slot[gap] = b->slot[at];
    gap = at;
  }
  b->slot[gap] = 0;
}

#endif
