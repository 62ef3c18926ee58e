"""The fuzz harness for the order book: an input is a capacity and commands, whose words are small or anything.

What has to hold: no access outside of the book's memory, no undefined operation; events are numbered without gaps; the
best bid is below the best offer; a book that takes its commands one by one with the least room for events, and one that
was loaded from the state of another, know the same in the end.
"""

from __future__ import annotations

BODY = r"""
#include <string.h>

static int64_t word(int64_t ordinary) {
  static const int64_t special[] = {0, -1, 1LL << 40, (1LL << 40) + 1, 1LL << 62, INT64_MAX, INT64_MIN, 1000};
  const uint8_t kind = next();
  return kind >= 0xF8 ? special[kind & 7] : kind % ordinary;
}

static void one(int64_t *c, int64_t time) {
  const int64_t of[16] = {6, 12, 4, 3, 3, 7, 12, 8, 4, 4, 0, 4, 5, 8, 16, 0};
  const uint8_t wild = next();
  for (int i = 0; i < 15; i++) c[i] = of[i] ? word(of[i]) : 0;
  c[15] = time;
  if (wild >= 0xF0) return; /* as it comes; else such that most is accepted */
  if (wild & 1) c[0] = 1;
  if (c[3] < 1) c[3] = 1;
  if (c[4] == 1 && c[0] == 1) c[7] = 0; else c[4] = 2;
  if (c[7] < 1 && c[4] == 2) c[7] = 3;
  if (c[5] != 3 && c[5] != 4 && c[5] != 6) c[5] = 1;
  if (c[5] == 6) c[10] = time + 1 + next() % 8;
  if (!(wild & 2)) c[9] = 0;
  if (!(wild & 4)) c[8] = 0;
  if (!(wild & 8)) c[11] = 0;
  if (!c[11] && c[0] == 1) c[12] = c[13] = 0;
  if (c[11] && !c[12]) c[12] = 1;
  if (c[11] && c[13] < 1) c[13] = 1;
}

static void check(int64_t fault) { if (fault) abort(); }

static int64_t *begun(int64_t capacity, int64_t *size) {
  check(xr_matching_words(capacity, size));
  int64_t *book = calloc((size_t)*size, 8);
  check(xr_matching_begin(capacity, *size, book));
  return book;
}

/* All commands with so much room; returns how many events there were. */
static int64_t carried(int64_t size, int64_t *book, int64_t count, const int64_t *command, int64_t room,
                       int64_t before) {
  int64_t *event = malloc((size_t)(room * XR_EVENT) * 8);
  int64_t done[3] = {0, 0, 0}, taken = 0, events = before;
  while (taken < count || !done[2]) {
    check(xr_matching_run(size, book, count - taken, command + taken * XR_COMMAND, room, event, done));
    taken += done[0];
    for (int64_t i = 0; i < done[1]; i++) if (event[i * XR_EVENT] != ++events) abort();
  }
  free(event);
  return events;
}

static int less(const void *a, const void *b, int at) {
  const int64_t x = ((const int64_t *)a)[at], y = ((const int64_t *)b)[at];
  return (x > y) - (x < y);
}
static int by_priority(const void *a, const void *b) { return less(a, b, 17); }

static void same(int64_t size, const int64_t *book, int64_t other_size, const int64_t *other) {
  int64_t facts[2][XR_FACTS];
  check(xr_matching_facts(size, book, facts[0]));
  check(xr_matching_facts(other_size, other, facts[1]));
  if (memcmp(facts[0], facts[1], sizeof facts[0])) abort();
  const int64_t count = facts[0][7];
  int64_t *orders[2];
  for (int i = 0; i < 2; i++) {
    orders[i] = malloc((size_t)(count * XR_ORDER) * 8 + 1);
    check(xr_matching_orders(i ? other_size : size, i ? other : book, count, orders[i]));
    qsort(orders[i], (size_t)count, XR_ORDER * 8, by_priority);
  }
  if (memcmp(orders[0], orders[1], (size_t)(count * XR_ORDER) * 8)) abort();
  free(orders[0]);
  free(orders[1]);
}

static int64_t *loaded(int64_t size, const int64_t *book, int64_t capacity, int64_t *other_size) {
  int64_t facts[XR_FACTS];
  check(xr_matching_facts(size, book, facts));
  const int64_t count = facts[7];
  int64_t *orders = malloc((size_t)(count * XR_ORDER) * 8 + 1), *rank = malloc((size_t)count * 8 + 1);
  check(xr_matching_orders(size, book, count, orders));
  qsort(orders, (size_t)count, XR_ORDER * 8, by_priority);
  for (int64_t i = 0; i < count; i++) {
    int64_t place = 0;
    for (int64_t k = 0; k < count; k++) place += orders[k * XR_ORDER + 18] < orders[i * XR_ORDER + 18];
    rank[place] = i;
  }
  int64_t *other = begun(capacity, other_size);
  check(xr_matching_load(*other_size, other, facts, count, orders, rank));
  free(orders);
  free(rank);
  return other;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  (void)number; (void)numbers; (void)codes;
  bytes = data;
  left = length;
  const int64_t capacity = 1 + next() % 24;
  int64_t size, again_size, time = 0, count = 0;
  int64_t *book = begun(capacity, &size), *again = begun(capacity, &again_size);
  int64_t *command = malloc(200 * XR_COMMAND * 8);
  for (; left && count < 200; count++) one(command + count * XR_COMMAND, time += next() % 3);
  const int64_t half = count / 2, rest = count - half;
  int64_t *exact = malloc((size_t)(count * XR_COMMAND) * 8 + 1);
  memcpy(exact, command, (size_t)(count * XR_COMMAND) * 8);
  free(command);
  const int64_t events = carried(size, book, half, exact, 64, 0);
  int64_t moved_size, *moved = loaded(size, book, capacity, &moved_size);
  carried(size, book, rest, exact + half * XR_COMMAND, 64, events);
  carried(moved_size, moved, rest, exact + half * XR_COMMAND, 64, events);
  carried(again_size, again, count, exact, XR_MATCHING_ROOM, 0);
  same(size, book, again_size, again);
  same(size, book, moved_size, moved);
  int64_t price[2], quantity, orders, levels[2];
  for (int side = 0; side < 2; side++)
    check(xr_matching_depth(size, book, side + 1, 1, price + side, &quantity, &orders, levels + side));
  if (levels[0] && levels[1] && price[0] >= price[1]) abort();
  free(book); free(again); free(moved); free(exact);
  return 0;
}
"""


def harness(head: str) -> str:
    """The C text after `head`, which reads bytes of the input."""
    return head + BODY
