/* SPDX-License-Identifier: MIT */
/* Size arithmetic that cannot wrap.  Every size that comes from a file goes through here and a named
 * ceiling before it reaches an allocator. */
#pragma once

#include <glib.h>
#include <stddef.h>

/* @result = @a * @b; FALSE and @result untouched when the product does not fit a size_t. */
static inline gboolean
pj_size_mul (size_t a, size_t b, size_t *result)
{
  size_t r;
  if (__builtin_mul_overflow (a, b, &r))
    return FALSE;
  *result = r;
  return TRUE;
}

/* @result = @a + @b; FALSE and @result untouched when the sum does not fit a size_t. */
static inline gboolean
pj_size_add (size_t a, size_t b, size_t *result)
{
  size_t r;
  if (__builtin_add_overflow (a, b, &r))
    return FALSE;
  *result = r;
  return TRUE;
}

/* @size rounded up to a multiple of @align, a power of two. */
static inline size_t
pj_size_align (size_t size, size_t align)
{
  return (size + align - 1) & ~(align - 1);
}
