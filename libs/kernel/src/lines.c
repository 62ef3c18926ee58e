/* Lines of text that are all alike: see include/xr/lines.h.

   Eight characters are one integer. Digits become a number in three steps, each over all lines of a block: eight digits are
   four numbers of two, these two of four, these one of eight (D. Lemire, "Number parsing at a gigabyte per second", Software:
   Practice and Experience, 2021, section 3.1). The template is written down once for a block, so that looking whether its
   lines fit is one pass over bytes that lie side by side, whatever the length of a line. */
#include "xr/lines.h"

#include <string.h>

#include "checks.h"

#define BLOCK 32 /* lines that are worked on together */
#define WIDTH_MAX 512
#define GROUPS_MAX 16
#define CHARACTERS_MAX 16
#define DIGITS_MAX 15 /* such an integer is exact in a double, and 2^52 more is still one */
#define KEY_MAX 64
#define LANE 8
#define DIVISOR_MAX 1e22 /* powers of ten are exact up to here */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first of eight characters has to be the lowest byte");

/* Up to eight characters of a group: which of the eight bytes from `at` on are its digits, which stand before the point and move
   over it, how far the last one is from the end, and the weight of the whole. */
typedef struct {
  int64_t at;
  uint64_t digits, before_point, shift, weight;
} lane;

typedef struct {
  int64_t lanes;
  lane of[CHARACTERS_MAX / LANE];
} group;

/* Eight bytes of each line of a block, as what the steps take them for. */
typedef union {
  uint64_t eight[BLOCK];
  uint32_t four[BLOCK * 2];
  uint16_t two[BLOCK * 4];
} eights;

typedef union {
  uint64_t bits[BLOCK];
  double value[BLOCK];
} doubles;

/* The bytes of `from` to `to` - 1 of eight. */
static uint64_t bytes_of(int64_t from, int64_t to, uint64_t byte) {
  uint64_t mask = 0;
  for (int64_t i = from; i < to; i++) mask |= byte << (8 * i);
  return mask;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* How a group is read; its refusal if it cannot be. */
static xr_refusal group_of(group *made, int64_t width, const uint8_t *digit, int64_t begin, int64_t end) {
  if (begin < 0 || begin >= width) return xr_refuse(XR_OUT_OF_RANGE, 6);
  if (end <= begin || end > width || end - begin > CHARACTERS_MAX) return xr_refuse(XR_OUT_OF_RANGE, 7);
  int64_t digits = 0, point = -1;
  for (int64_t i = begin; i < end; i++) {
    if (digit[i])
      digits++;
    else if (point < 0)
      point = i;
    else
      return xr_refuse(XR_INCONSISTENT, 6);
  }
  if (!digits) return xr_refuse(XR_INCONSISTENT, 6);
  if (digits > DIGITS_MAX) return xr_refuse(XR_OUT_OF_RANGE, 7);
  made->lanes = 0;
  uint64_t weight = 1;
  for (int64_t last = end; last > begin; last -= LANE) {
    const int64_t first = larger(begin, last - LANE), at = larger(last - LANE, 0);
    lane *next = &made->of[made->lanes++];
    *next = (lane){.at = at, .digits = bytes_of(first - at, last - at, 0x0F), .weight = weight};
    next->shift = (uint64_t)(8 * (at + LANE - last));
    if (point >= first && point < last) {
      next->digits &= ~bytes_of(point - at, point - at + 1, 0xFF);
      next->before_point = bytes_of(0, point - at, 0xFF);
    }
    for (int64_t i = first; i < last; i++) weight *= digit[i] ? 10 : 1;
  }
  return 0;
}

/* The eight characters at `at` of each line; nothing in lines that a block has not. */
static inline void load(eights *to, int64_t lines, int64_t width, const uint8_t *text) {
  if (lines == BLOCK)
    for (int64_t i = 0; i < BLOCK; i++) memcpy(&to->eight[i], text + i * width, LANE);
  else {
    memset(to, 0, sizeof *to);
    for (int64_t i = 0; i < lines; i++) memcpy(&to->eight[i], text + i * width, LANE);
  }
}

/* The digits of a lane as a number, for a block. */
static inline void number_of(eights *x, const lane *from) {
  const uint64_t digits = from->digits, before = from->before_point, shift = from->shift;
  for (int i = 0; i < BLOCK; i++) {
    const uint64_t kept = x->eight[i] & digits;
    x->eight[i] = ((kept & ~before) | (kept & before) << 8) << shift;
  }
  for (int i = 0; i < BLOCK * 4; i++) x->two[i] = (uint16_t)((x->two[i] & 0xFF) * 10 + (x->two[i] >> 8));
  for (int i = 0; i < BLOCK * 2; i++) x->four[i] = (x->four[i] & 0xFFFF) * 100 + (x->four[i] >> 16);
  for (int i = 0; i < BLOCK; i++) x->eight[i] = (x->eight[i] & 0xFFFFFFFF) * 10000 + (x->eight[i] >> 32);
}

/* A group as integers, for a block. */
static inline void integers(eights *total, const group *from, int64_t lines, int64_t width, const uint8_t *text) {
  load(total, lines, width, text + from->of[0].at);
  number_of(total, &from->of[0]);
  if (from->lanes == 1) return;
  eights high;
  load(&high, lines, width, text + from->of[1].at);
  number_of(&high, &from->of[1]);
  for (int i = 0; i < BLOCK; i++) total->eight[i] += high.eight[i] * from->of[1].weight;
}

/* Integers below 2^52 divided. As the lowest bits of a double of 2^52 and more they are that much too large. */
static inline void divided(doubles *to, const eights *from, double divisor) {
  for (int i = 0; i < BLOCK; i++) to->bits[i] = from->eight[i] | UINT64_C(0x4330000000000000);
  for (int i = 0; i < BLOCK; i++) to->value[i] = (to->value[i] - 0x1p52) / divisor;
}

/* Whether bytes are as the template has them. A difference is 0 where a character is as expected, and 0 to 9 where a digit is:
   with `slack` added, any other one reaches the highest bit, which it has itself where the sum does not fit. */
static inline int fits(int64_t bytes, const uint8_t *text, const uint8_t *expected, const uint8_t *slack) {
  uint8_t wrong = 0;
#pragma omp simd reduction(| : wrong)
  for (int64_t i = 0; i < bytes; i++) {
    const uint8_t difference = text[i] ^ expected[i];
    wrong |= difference | (uint8_t)(difference + slack[i]);
  }
  return wrong < 0x80;
}

/* Which lines of a block have another key than the line before; the text reaches back to that, unless `lines_before` is 0. */
static int64_t changes(int64_t lines, int64_t lines_before, int64_t width, const uint8_t *text, int64_t lanes,
                       const lane *key, int64_t *change) {
  eights differs = {{0}};
  const int64_t first = lines_before ? 0 : 1;
  for (int64_t k = 0; k < lanes; k++) {
    eights here, before = {{0}};
    load(&here, lines, width, text + key[k].at);
    for (int64_t i = 1; i < BLOCK; i++) before.eight[i] = here.eight[i - 1];
    if (lines_before) memcpy(&before.eight[0], text + key[k].at - width, LANE);
    for (int64_t i = 0; i < BLOCK; i++) differs.eight[i] |= (here.eight[i] ^ before.eight[i]) & key[k].digits;
  }
  uint64_t any = !lines_before;
  for (int64_t i = 0; i < BLOCK; i++) any |= i < lines ? differs.eight[i] : 0;
  if (!any) return 0;
  int64_t made = 0;
  if (first) change[made++] = 0;
  for (int64_t i = first; i < lines; i++)
    if (differs.eight[i]) change[made++] = lines_before + i;
  return made;
}

int64_t xr_lines_read(int64_t count, int64_t width, const uint8_t *text, const uint8_t *expected, const uint8_t *digit,
                      int64_t groups, const int64_t *begin, const int64_t *end, int64_t quotients, const double *divisor,
                      int64_t key_begin, int64_t key_end, int64_t *whole, double *quotient, int64_t *change, int64_t *found) {
  if (count < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (width < LANE || width > WIDTH_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  for (int64_t i = 0; i < width; i++)
    if (digit[i] > 1) return xr_fault(xr_refuse(XR_NOT_A_CODE, 4), i);
  if (groups < 0 || groups > GROUPS_MAX) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), 0);
  if (quotients < 0 || quotients > groups) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 8), 0);
  group read[GROUPS_MAX];
  for (int64_t g = 0; g < groups; g++) {
    const xr_refusal refused = group_of(&read[g], width, digit, begin[g], end[g]);
    if (refused) return xr_fault(refused, g);
  }
  for (int64_t q = 0; q < quotients; q++)
    if (!(divisor[q] >= 1.0 && divisor[q] <= DIVISOR_MAX)) return xr_fault(xr_refuse_number(divisor[q], 9), q);
  if (key_begin < 0 || key_begin > width) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 10), 0);
  if (key_end < key_begin || key_end > width || key_end - key_begin > KEY_MAX)
    return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 11), 0);

  lane key[KEY_MAX / LANE];
  int64_t keys = 0;
  for (int64_t from = key_begin; from < key_end; from += LANE) {
    const int64_t at = smaller(from, width - LANE);
    key[keys++] = (lane){.at = at, .digits = bytes_of(from - at, smaller(from + LANE, key_end) - at, 0xFF)};
  }
  uint8_t same[BLOCK * WIDTH_MAX], slack[BLOCK * WIDTH_MAX];
  for (int64_t i = 0; i < width; i++) {
    same[i] = digit[i] ? '0' : expected[i];
    slack[i] = digit[i] ? 0x80 - 10 : 0x80 - 1;
  }
  for (int64_t line = 1; line < smaller(BLOCK, count); line++) {
    memcpy(same + line * width, same, (size_t)width);
    memcpy(slack + line * width, slack, (size_t)width);
  }

  int64_t made = 0, done = 0;
  for (int bad = 0; done < count && !bad;) {
    const uint8_t *at = text + done * width;
    int64_t lines = smaller(BLOCK, count - done);
    if (!fits(lines * width, at, same, slack)) {
      bad = 1;
      lines = 0;
      while (fits(width, at + lines * width, same, slack)) lines++;
    }
    for (int64_t g = 0; g < groups; g++) {
      eights number;
      integers(&number, &read[g], lines, width, at);
      const int64_t q = g - (groups - quotients);
      if (q < 0)
        memcpy(whole + g * count + done, &number, (size_t)lines * 8);
      else {
        doubles value;
        divided(&value, &number, divisor[q]);
        memcpy(quotient + q * count + done, &value, (size_t)lines * 8);
      }
    }
    if (keys && lines) made += changes(lines, done, width, at, keys, key, change + made);
    done += lines;
  }
  found[0] = done;
  found[1] = made;
  return 0;
}
