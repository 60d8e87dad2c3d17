/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/blob.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/hooks.h"
#include "base/rng.h"
#include "compute/arena.h"

/* Known answers of Philox-4x32-10 for counter and key 0, as its authors publish them. */
static void
rng_known (void)
{
  static const uint32_t known[] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
  PjRng rng;
  pj_rng_init (&rng, 0, 0);
  for (int i = 0; i < 4; i++)
    g_assert_cmphex (pj_rng_u32 (&rng), ==, known[i]);
}

static void
rng_distributions (void)
{
  PjRng rng;
  double sum = 0, squares = 0;
  int counts[7] = { 0 };
  pj_rng_init (&rng, 42, PJ_STREAM (PJ_STREAM_INIT, 3, 0));
  for (int i = 0; i < 70000; i++) {
    double z = pj_rng_normal (&rng);
    sum += z;
    squares += z * z;
    counts[pj_rng_below (&rng, 7)]++;
    double u = pj_rng_uniform (&rng);
    g_assert_true (u >= 0 && u < 1);
  }
  g_assert_cmpfloat (fabs (sum / 70000), <, 0.02);
  g_assert_cmpfloat (fabs (squares / 70000 - 1), <, 0.03);
  for (int i = 0; i < 7; i++)
    g_assert_cmpint (ABS (counts[i] - 10000), <, 400);
}

static void
rng_streams (void)
{
  PjRng a, b;
  uint32_t order[100], again[100];
  guint8 seen[100] = { 0 };
  pj_rng_init (&a, 1, PJ_STREAM (PJ_STREAM_SHUFFLE, 0, 0));
  pj_rng_init (&b, 1, PJ_STREAM (PJ_STREAM_SHUFFLE, 1, 0));
  g_assert_cmphex (pj_rng_u32 (&a), !=, pj_rng_u32 (&b));
  for (int round = 0; round < 2; round++) {
    uint32_t *to = round ? again : order;
    pj_rng_init (&a, 9, 5);
    for (uint32_t i = 0; i < 100; i++)
      to[i] = i;
    pj_rng_shuffle (&a, to, 100);
  }
  g_assert_cmpmem (order, sizeof order, again, sizeof again);
  for (int i = 0; i < 100; i++)
    seen[order[i]]++;
  for (int i = 0; i < 100; i++)
    g_assert_cmpint (seen[i], ==, 1);
}

static void
checked (void)
{
  size_t r = 7;
  g_assert_false (pj_size_mul (SIZE_MAX / 2, 3, &r));
  g_assert_false (pj_size_add (SIZE_MAX, 1, &r));
  g_assert_cmpuint (r, ==, 7);
  g_assert_true (pj_size_mul (6, 7, &r));
  g_assert_cmpuint (r, ==, 42);
  g_assert_cmpuint (pj_size_align (65, 64), ==, 128);
}

static void
faults (void)
{
  g_autoptr (GError) error = NULL;
  pj_fault_arm (PJ_FAULT_ALLOC, 2);
  void *first = pj_alloc (100, "a test", NULL);
  g_assert_nonnull (first);
  g_assert_cmpuint ((guintptr) first % PJ_ALIGN, ==, 0);
  g_assert_null (pj_alloc (3 << 20, "a test", &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY);
  g_assert_nonnull (strstr (error->message, "3.0 MiB"));
  g_assert_true (pj_fault_fired (PJ_FAULT_ALLOC));
  void *third = pj_alloc (100, NULL, NULL);
  g_assert_nonnull (third);
  pj_free (first);
  pj_free (third);
}

/* Blocks of every kind start with zeros, even where one that was full of something else was freed. */
static void
zeros (void)
{
  static const size_t sizes[] = { 0, 1, 100, 1 << 20, (4 << 20) - 1, 4 << 20, (6 << 20) + 12345, 32 << 20 };
  for (int round = 0; round < 2; round++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      guint8 *block = pj_alloc (sizes[i], "a test", NULL), all = 0;
      g_assert_nonnull (block);
      g_assert_cmpuint ((guintptr) block % PJ_ALIGN, ==, 0);
      for (size_t k = 0; k < sizes[i]; k++)
        all |= block[k];
      g_assert_cmpuint (all, ==, 0);
      memset (block, 0xa5, sizes[i]);
      pj_free (block);
    }
  g_assert_null (pj_alloc (G_MAXSIZE, "a test", NULL));
  g_assert_null (pj_alloc (G_MAXSIZE / 2, "a test", NULL));
  pj_free (NULL);
}

static void
blob (void)
{
  const float data[] = { 1, 2, 3 }, other[] = { 1, 2, 4 };
  g_autoptr (PjBlob) a = pj_blob_new_copy (data, 3, NULL);
  g_autoptr (PjBlob) b = pj_blob_new_copy (data, 3, NULL);
  g_autoptr (PjBlob) c = pj_blob_new_copy (other, 3, NULL);
  g_assert_cmpstr (pj_blob_hash (a), ==, pj_blob_hash (b));
  g_assert_cmpstr (pj_blob_hash (a), !=, pj_blob_hash (c));
  g_assert_cmpuint (strlen (pj_blob_hash (a)), ==, 64);
}

static void
keep_progress (gpointer data, const char *stage, double fraction)
{
  g_free (*(char **) data);
  *(char **) data = g_strdup_printf ("%s %.3f", stage, fraction);
}

static void
hooks_span (void)
{
  g_autofree char *seen = NULL;
  PjHooks parent = { .data = &seen, .progress = keep_progress };
  PjHooksSpan span;
  pj_hooks_span_init (&span, &parent, 0.5, 0.75, "part: ");
  pj_hooks_progress (&span.hooks, 0.5, "step %d", 3);
  g_assert_cmpstr (seen, ==, "part: step 3 0.625");
  g_assert_true (pj_hooks_go_on (NULL, NULL));
}

/* Blocks that live at the same time never share a byte, and memory is reused otherwise. */
static void
arena (void)
{
  PjRng rng;
  PjArenaBlock blocks[60];
  size_t sum = 0;
  pj_rng_init (&rng, 3, 3);
  for (int i = 0; i < 60; i++) {
    int first = (int) pj_rng_below (&rng, 40);
    blocks[i] = (PjArenaBlock) { 1 + pj_rng_below (&rng, 5000), first, first + (int) pj_rng_below (&rng, 6), 0 };
    sum += blocks[i].size_bytes;
  }
  size_t total = pj_arena_assign (blocks, 60, 64);
  g_assert_cmpuint (total, <, sum / 3);
  for (int i = 0; i < 60; i++) {
    g_assert_cmpuint (blocks[i].offset % 64, ==, 0);
    g_assert_cmpuint (blocks[i].offset + blocks[i].size_bytes, <=, total);
    for (int k = 0; k < i; k++)
      if (blocks[i].first <= blocks[k].last && blocks[k].first <= blocks[i].last)
        g_assert_true (blocks[i].offset + blocks[i].size_bytes <= blocks[k].offset
                       || blocks[k].offset + blocks[k].size_bytes <= blocks[i].offset);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/rng/known-answers", rng_known);
  g_test_add_func ("/base/rng/distributions", rng_distributions);
  g_test_add_func ("/base/rng/streams", rng_streams);
  g_test_add_func ("/base/checked", checked);
  g_test_add_func ("/base/faults", faults);
  g_test_add_func ("/base/zeros", zeros);
  g_test_add_func ("/base/blob", blob);
  g_test_add_func ("/base/hooks/span", hooks_span);
  g_test_add_func ("/compute/arena", arena);
  return g_test_run ();
}
