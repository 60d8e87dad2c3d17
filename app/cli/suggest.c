/* SPDX-License-Identifier: MIT */
/* Which known word a mistyped one was meant to be. */
#include "cli/cli.h"

#include <string.h>

/* Edits (insert, remove, replace, swap neighbours) from @a to @b: three rows of the table are enough. */
static size_t
distance (const char *a, const char *b)
{
  size_t n = strlen (b);
  g_autofree size_t *before = g_new (size_t, n + 1), *last = g_new (size_t, n + 1), *now = g_new (size_t, n + 1);
  for (size_t j = 0; j <= n; j++)
    last[j] = j;
  for (size_t i = 1; a[i - 1] != '\0'; i++) {
    now[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
      now[j] = MIN (replaced, MIN (last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = MIN (now[j], before[j - 2] + 1);
    }
    size_t *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[n];
}

const char *
cli_suggest (const char *word, const char *const *known)
{
  const char *best = NULL;
  /* Two slips, and never as many as a third of the word or more: "foo" suggests nothing. */
  size_t least = MIN (2, strlen (word) / 3 + 1) + 1;
  if (strlen (word) > 64)
    return NULL;
  for (; *known != NULL; known++) {
    size_t d = distance (word, *known);
    if (d < least) {
      least = d;
      best = *known;
    }
  }
  return best;
}
