/* Lines of text that are all alike: the same length, digits and other characters at the same places. */
#ifndef XR_LINES_H
#define XR_LINES_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the first lines that fit a template, up to the first that does not: groups of digits as integers or as quotients, and
   where a part of the line is another than in the line before.

   count      lines
   width      bytes of a line with its end, 8 to 512
   text       count times width: the lines, one after the other
   expected   width: the character that each line has at a place; not looked at where it has a digit
   digit      width: 1 where each line has a digit, 0 elsewhere
   groups     groups of digits, at most 16
   begin      groups, 0 to width - 1: the first place of each
   end        groups: the place behind its last one. A group has 1 to 16 characters, at least one and at most 15 of them
              digits, and at most one that is none, a decimal point, over which it is read; XR_INCONSISTENT where it has more,
              or no digit
   quotients  how many of the groups, the last ones, are divided; the others are integers
   divisor    quotients, 1 to 1e22: by what; 10 to the power of the digits behind the point makes the number that is written
   key_begin  0 to width: where the part of a line begins whose changes are wanted
   key_end    key_begin to width: behind its last character, at most 64; key_begin if none are wanted
   whole      out, groups - quotients rows of count: the digits of a group as an integer
   quotient   out, quotients rows of count: the same divided, rounded once
   change     out, room for count: the first line, and each whose part is another than in the line before; none without a part
   found      out, 2: how many lines fit, and how many of `change` there are. Of other elements of the outputs nothing is said. */
int64_t xr_lines_read(int64_t count, int64_t width, const uint8_t *text, const uint8_t *expected, const uint8_t *digit,
                      int64_t groups, const int64_t *begin, const int64_t *end, int64_t quotients, const double *divisor,
                      int64_t key_begin, int64_t key_end, int64_t *whole, double *quotient, int64_t *change, int64_t *found);

#ifdef __cplusplus
}
#endif
#endif
