/* SPDX-License-Identifier: MIT */
/* Data expansion: the specification's pictures, and an expanded set as a data set. */
#include <string.h>

#include "data/expand.h"
#include "data/loader.h"
#include "fixture.h"

static guint8 *
bytes_at (JsonObject *o, const char *path)
{
  int n;
  g_autofree int *numbers = fixture_ints (o, path, &n);
  guint8 *bytes = g_malloc ((gsize) n);
  for (int i = 0; i < n; i++)
    bytes[i] = (guint8) numbers[i];
  return bytes;
}

static void
fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  g_autofree guint8 *image = bytes_at (o, "expand/image"), *shuffled = bytes_at (o, "expand/shuffled");
  g_autofree guint8 *erased = bytes_at (o, "expand/erase_rows_1_2_cols_0_1");
  guint8 out[16];
  int n;
  g_autofree int *order = fixture_ints (o, "expand/dest_from_source_row_major", &n);
  g_assert_cmpint (n, ==, 4);
  const int k = (int) fixture_number (o, "expand/k");
  g_assert_true (pj_expand_shuffle (image, 1, 4, 4, k, (const uint32_t *) order, out, NULL));
  g_assert_cmpmem (out, 16, shuffled, 16);
  pj_expand_erase (image, 1, 4, 4, 1, 0, 2, 2);
  g_assert_cmpmem (image, 16, erased, 16);
  g_assert_cmpint (PJ_EXPAND_VARIANTS, ==, (int) fixture_number (o, "expand/set_size/variants"));
  g_assert_cmpint (PJ_EXPAND_VARIANTS * (int) fixture_number (o, "expand/set_size/originals"), ==,
                   (int) fixture_number (o, "expand/set_size/total"));
}

/* Sizes that the grid does not divide: the tiles are those of 99 x 66 pixels, back at 101 x 67. */
static void
uneven_sizes (void)
{
  enum { H = 101, W = 67, K = 3 };
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  int n;
  g_autofree int *resized = fixture_ints (o, "expand/sizes/resized", &n);
  g_assert_true (H == fixture_number (o, "expand/sizes/h") && W == fixture_number (o, "expand/sizes/w") && K == fixture_number (o, "expand/sizes/k"));
  g_assert_true (K * (H / K) == resized[0] && K * (W / K) == resized[1]);
  g_autofree guint8 *in = g_malloc (H * W), *out = g_malloc (H * W);
  uint32_t order[9] = { 8, 1, 2, 3, 4, 5, 6, 7, 0 };
  /* Grey levels by tile of the larger picture. */
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++)
      in[y * W + x] = (guint8) (20 * (3 * MIN (y * K / H, 2) + MIN (x * K / W, 2)));
  g_assert_true (pj_expand_shuffle (in, 1, H, W, K, order, out, NULL));
  for (int d = 0; d < 9; d++) {
    int y = (2 * (d / 3) + 1) * H / 6, x = (2 * (d % 3) + 1) * W / 6;
    g_assert_cmpint (out[y * W + x], ==, 20 * (int) order[d]);
  }
  /* Fewer pixels than tiles in a row: left as it is. */
  const guint8 tiny[3] = { 1, 2, 3 };
  guint8 same[3];
  g_assert_true (pj_expand_shuffle (tiny, 1, 1, 3, 3, order, same, NULL));
  g_assert_cmpmem (same, 3, tiny, 3);
}

static void
rotation (void)
{
  const guint8 in[9] = { 10, 20, 30, 40, 50, 60, 70, 80, 90 };
  const guint8 quarter[9] = { 30, 60, 90, 20, 50, 80, 10, 40, 70 }, half[9] = { 90, 80, 70, 60, 50, 40, 30, 20, 10 };
  guint8 out[9], flat[100], turned[100];
  pj_expand_rotate (in, 1, 3, 3, 0, out);
  g_assert_cmpmem (out, 9, in, 9);
  pj_expand_rotate (in, 1, 3, 3, 90, out);
  g_assert_cmpmem (out, 9, quarter, 9);
  pj_expand_rotate (in, 1, 3, 3, 180, out);
  g_assert_cmpmem (out, 9, half, 9);
  /* Corners come from outside and are black, the middle does not change. */
  memset (flat, 200, sizeof flat);
  pj_expand_rotate (flat, 1, 10, 10, 45, turned);
  g_assert_cmpint (turned[0], ==, 0);
  g_assert_cmpint (turned[99], ==, 0);
  g_assert_cmpint (turned[55], ==, 200);
}

static void
crop (void)
{
  guint8 in[2 * 16], out[2 * 16];
  for (int i = 0; i < 32; i++)
    in[i] = (guint8) (i % 4 >= 2 ? 100 + i / 16 * 50 : 0);
  /* The right half of both channels, at full size. */
  pj_expand_crop (in, 2, 4, 4, 0, 2, 4, 2, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpint (out[i], ==, i % 4 == 0 ? out[i] : 100 + i / 16 * 50);
  pj_expand_crop (in, 2, 4, 4, 0, 0, 4, 4, out);
  g_assert_cmpmem (out, 32, in, 32);
}

/* --- data sets --- */

#define SIDE 12
#define N 7

static PjDataset *
make_set (void)
{
  guint8 pixels[(N + 2) * SIDE * SIDE];
  int32_t labels[N + 2];
  for (int i = 0; i < N + 2; i++) {
    labels[i] = i % 3;
    for (int k = 0; k < SIDE * SIDE; k++)
      pixels[i * SIDE * SIDE + k] = (guint8) (1 + (i * 31 + k * 7) % 255);
  }
  return pj_dataset_new_memory ("expand", N + 2, 1, SIDE, SIDE, pixels, labels, 3, 2);
}

static void
get (PjDataset *set, PjSplit split, unsigned i, guint8 *out)
{
  const PjFormat format = { 1, SIDE, SIDE, { 0 }, { 1 } };
  g_assert_true (pj_dataset_pixels (set, split, i, &format, out, NULL));
}

static void
expanded_set (void)
{
  enum { SIZE = SIDE * SIDE };
  g_autoptr (PjDataset) set = make_set ();
  g_autoptr (PjDataset) a = pj_dataset_expand (set, PJ_EXPAND_ERASE, 5), b = pj_dataset_expand (set, PJ_EXPAND_ERASE, 5);
  g_autoptr (PjDataset) c = pj_dataset_expand (set, PJ_EXPAND_ERASE, 6), none = pj_dataset_expand (set, PJ_EXPAND_NO, 5);
  g_autoptr (PjDataset) crops = pj_dataset_expand (set, PJ_EXPAND_CROP, 5);
  guint8 x[SIZE], y[SIZE], original[SIZE];
  unsigned n_other_seed = 0;
  g_assert_true (none == set);
  g_assert_cmpuint (pj_dataset_n (a, PJ_SPLIT_TRAIN), ==, 6 * N);
  g_assert_cmpuint (pj_dataset_n (a, PJ_SPLIT_TEST), ==, 2);
  for (unsigned i = 0; i < 6 * N; i++) {
    unsigned sum = 0, sum_original = 0, black = 0;
    g_assert_cmpint (pj_dataset_label (a, PJ_SPLIT_TRAIN, i), ==, pj_dataset_label (set, PJ_SPLIT_TRAIN, i / 6));
    get (a, PJ_SPLIT_TRAIN, i, x);
    get (b, PJ_SPLIT_TRAIN, i, y);
    g_assert_cmpmem (x, SIZE, y, SIZE);
    get (c, PJ_SPLIT_TRAIN, i, y);
    n_other_seed += memcmp (x, y, SIZE) != 0;
    get (set, PJ_SPLIT_TRAIN, i / 6, original);
    g_assert_true ((memcmp (x, original, SIZE) == 0) == (i % 6 == 0));
    for (int k = 0; k < SIZE; k++) {
      sum += x[k];
      sum_original += original[k];
      black += x[k] == 0;
    }
    /* 2, 3 and 4 divide the side: shuffling moves pixels and changes none. */
    if (i % 6 >= 1 && i % 6 <= 3)
      g_assert_cmpuint (sum, ==, sum_original);
    if (i % 6 == 4)
      g_assert_true (black >= 4 && black <= SIZE / 4);
    get (crops, PJ_SPLIT_TRAIN, i, y);
    g_assert_true ((memcmp (x, y, SIZE) != 0) == (i % 6 == 4));
  }
  g_assert_cmpuint (n_other_seed, >, 4 * N);
  g_assert_cmpuint (n_other_seed, <=, 5 * N);
  get (a, PJ_SPLIT_TEST, 1, x);
  get (set, PJ_SPLIT_TEST, 1, y);
  g_assert_cmpmem (x, SIZE, y, SIZE);
  /* Scores are measured on originals. */
  g_autoptr (PjDataset) subset = pj_dataset_subset (a, 3, 0, 1), plain = pj_dataset_subset (set, 3, 0, 1);
  g_assert_cmpuint (pj_dataset_n (subset, PJ_SPLIT_TRAIN), ==, 3);
  for (unsigned i = 0; i < 3; i++) {
    get (subset, PJ_SPLIT_TRAIN, i, x);
    get (plain, PJ_SPLIT_TRAIN, i, y);
    g_assert_cmpmem (x, SIZE, y, SIZE);
  }
}

/* Indices of a batch are places in the expanded part: what soft labels are kept by. */
static void
batches (void)
{
  g_autoptr (PjDataset) set = make_set ();
  g_autoptr (PjDataset) expanded = pj_dataset_expand (set, PJ_EXPAND_ERASE, 5);
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = { 1, SIDE, SIDE, { 0 }, { 1 } }, .batch = 6, .shuffle = TRUE, .seed = 3, .n_threads = 2,
  };
  g_autoptr (PjLoader) loader = pj_loader_new (expanded, &options, NULL);
  unsigned seen[6 * N] = { 0 };
  const PjBatch *batch;
  pj_loader_start (loader, 0, 0);
  while ((batch = pj_loader_next (loader, NULL)) != NULL)
    for (unsigned i = 0; i < batch->n; i++) {
      guint8 pixels[SIDE * SIDE];
      seen[batch->indices[i]]++;
      get (expanded, PJ_SPLIT_TRAIN, batch->indices[i], pixels);
      for (int k = 0; k < SIDE * SIDE; k++)
        g_assert_cmpfloat_with_epsilon (batch->images[i * SIDE * SIDE + (unsigned) k], pixels[k] / 255.0f, 1e-6);
    }
  for (int i = 0; i < 6 * N; i++)
    g_assert_cmpuint (seen[i], ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/expand/fixture", fixture);
  g_test_add_func ("/data/expand/uneven-sizes", uneven_sizes);
  g_test_add_func ("/data/expand/rotation", rotation);
  g_test_add_func ("/data/expand/crop", crop);
  g_test_add_func ("/data/expand/set", expanded_set);
  g_test_add_func ("/data/expand/batches", batches);
  return g_test_run ();
}
