/* SPDX-License-Identifier: MIT */
/* What a batch holds follows from (seed, epoch, position), whatever the threads do. */
#include <string.h>

#include "files.h"
#include "data/loader.h"

/* Large enough that a batch takes a while: threads must really overlap. */
#define SIDE 32
#define N 103
#define BATCH 8

static PjDataset *
make_set (void)
{
  guint8 pixels[N * SIDE * SIDE];
  int32_t labels[N];
  for (int i = 0; i < N; i++) {
    labels[i] = i % 4;
    for (int k = 0; k < SIDE * SIDE; k++)
      pixels[i * SIDE * SIDE + k] = (guint8) (1 + (i * 7 + k * 3) % 255);
  }
  return pj_dataset_new_memory ("loader", N, 1, SIDE, SIDE, pixels, labels, 4, 0);
}

static PjLoaderOptions
make_options (unsigned n_threads)
{
  return (PjLoaderOptions) {
    .split = PJ_SPLIT_TRAIN, .format = { 1, SIDE, SIDE, { .5f }, { .25f } }, .batch = BATCH, .shuffle = TRUE, .crop = 2,
    .flip = TRUE, .seed = 3, .n_threads = n_threads,
  };
}

static PjLoader *
make_loader (PjDataset *set, const PjLoaderOptions *options)
{
  g_autoptr (GError) error = NULL;
  PjLoader *loader = pj_loader_new (set, options, &error);
  g_assert_no_error (error);
  return loader;
}

/* All of one epoch from batch @first on. */
static GByteArray *
run_epoch (PjLoader *loader, unsigned epoch, unsigned first)
{
  g_autoptr (GError) error = NULL;
  GByteArray *all = g_byte_array_new ();
  const PjBatch *batch;
  pj_loader_start (loader, epoch, first);
  while ((batch = pj_loader_next (loader, &error)) != NULL) {
    g_byte_array_append (all, (const guint8 *) batch->images, BATCH * SIDE * SIDE * sizeof (float));
    g_byte_array_append (all, (const guint8 *) batch->labels, BATCH * sizeof (int32_t));
    g_byte_array_append (all, (const guint8 *) batch->indices, BATCH * sizeof (uint32_t));
  }
  g_assert_no_error (error);
  return all;
}

static void
assert_same (const GByteArray *a, const GByteArray *b)
{
  g_assert_cmpmem (a->data, a->len, b->data, b->len);
}

static void
independent_of_threads (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions one = make_options (1), many = make_options (5);
  g_autoptr (PjLoader) a = make_loader (set, &one), b = make_loader (set, &many);
  for (unsigned epoch = 0; epoch < 20; epoch++) {
    g_autoptr (GByteArray) x = run_epoch (a, epoch, 0), y = run_epoch (b, epoch, 0);
    assert_same (x, y);
  }
}

static void
starts_anywhere (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (3);
  g_autoptr (PjLoader) loader = make_loader (set, &options);
  g_autoptr (GByteArray) whole = run_epoch (loader, 4, 0);
  gsize batch = whole->len / pj_loader_n_batches (loader);
  for (unsigned first = 0; first <= pj_loader_n_batches (loader); first++) {
    /* Also right after a start that was given up. */
    pj_loader_start (loader, first, 0);
    pj_loader_next (loader, NULL);
    g_autoptr (GByteArray) rest = run_epoch (loader, 4, first);
    g_assert_cmpmem (rest->data, rest->len, whole->data + first * batch, whole->len - first * batch);
  }
}

static void
epochs_and_seeds_differ (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (2), other = make_options (2);
  other.seed = 4;
  g_autoptr (PjLoader) a = make_loader (set, &options), b = make_loader (set, &other);
  g_autoptr (GByteArray) x = run_epoch (a, 0, 0), y = run_epoch (a, 1, 0), z = run_epoch (b, 0, 0);
  g_assert_true (memcmp (x->data, y->data, x->len) != 0);
  g_assert_true (memcmp (x->data, z->data, x->len) != 0);
  /* In the same order, too, each epoch moves and mirrors anew. */
  options.shuffle = FALSE;
  g_autoptr (PjLoader) c = make_loader (set, &options);
  g_autoptr (GByteArray) u = run_epoch (c, 0, 0), v = run_epoch (c, 1, 0);
  g_assert_true (memcmp (u->data, v->data, u->len) != 0);
}

/* An epoch shows each picture once; training drops the short rest, evaluation fills it up. */
static void
covers_everything (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (2);
  unsigned seen[N] = { 0 }, n = 0, last = 0, n_train = pj_dataset_n (set, PJ_SPLIT_TRAIN);
  const PjBatch *batch;
  g_autoptr (PjLoader) shuffled = make_loader (set, &options);
  g_assert_cmpuint (pj_loader_n_batches (shuffled), ==, n_train / BATCH);
  pj_loader_start (shuffled, 0, 0);
  while ((batch = pj_loader_next (shuffled, NULL)) != NULL)
    for (unsigned i = 0; i < batch->n; i++, n++) {
      g_assert_cmpuint (seen[batch->indices[i]]++, ==, 0);
      g_assert_cmpint (batch->labels[i], ==, pj_dataset_label (set, PJ_SPLIT_TRAIN, batch->indices[i]));
    }
  g_assert_cmpuint (n, ==, n_train / BATCH * BATCH);

  options.shuffle = FALSE;
  options.crop = 0;
  options.flip = FALSE;
  g_autoptr (PjLoader) plain = make_loader (set, &options);
  g_assert_cmpuint (pj_loader_n_batches (plain), ==, (n_train + BATCH - 1) / BATCH);
  pj_loader_start (plain, 0, 0);
  n = 0;
  while ((batch = pj_loader_next (plain, NULL)) != NULL) {
    for (unsigned i = 0; i < batch->n; i++)
      g_assert_cmpuint (batch->indices[i], ==, n++);
    last = batch->n;
    for (unsigned i = batch->n; i < BATCH; i++)
      g_assert_cmpmem (batch->images + i * SIDE * SIDE, SIDE * SIDE * 4, batch->images, SIDE * SIDE * 4);
  }
  g_assert_cmpuint (n, ==, n_train);
  g_assert_cmpuint (last, ==, n_train % BATCH);
  g_assert_null (pj_loader_next (plain, NULL));
}

/* Each augmented picture is the plain one, moved and perhaps mirrored, with zeros around it. */
static void
augments (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (1);
  g_autoptr (PjLoader) loader = make_loader (set, &options);
  unsigned mirrored = 0, moved = 0, n = 0;
  const PjBatch *batch;
  pj_loader_start (loader, 0, 0);
  while ((batch = pj_loader_next (loader, NULL)) != NULL)
    for (unsigned i = 0; i < batch->n; i++, n++) {
      float plain[SIDE * SIDE];
      const float *image = batch->images + i * SIDE * SIDE;
      unsigned matches = 0;
      g_assert_true (pj_dataset_image (set, PJ_SPLIT_TRAIN, batch->indices[i], &options.format, plain, NULL));
      for (int flip = 0; flip < 2; flip++)
        for (int dy = -2; dy <= 2; dy++)
          for (int dx = -2; dx <= 2; dx++) {
            gboolean same = TRUE;
            for (int y = 0; y < SIDE; y++)
              for (int x = 0; x < SIDE; x++) {
                gboolean inside = y + dy >= 0 && y + dy < SIDE && x + dx >= 0 && x + dx < SIDE;
                int from = flip ? SIDE - 1 - (x + dx) : x + dx;
                float wanted = inside ? plain[(y + dy) * SIDE + from] : 0;
                same = same && image[y * SIDE + x] == wanted;
              }
            if (same) {
              matches++;
              mirrored += (unsigned) flip;
              moved += dy != 0 || dx != 0;
            }
          }
      g_assert_cmpuint (matches, ==, 1);
    }
  /* Of about 80 pictures half are mirrored and 24 of 25 moved. */
  g_assert_cmpuint (mirrored, >, n / 4);
  g_assert_cmpuint (mirrored, <, 3 * n / 4);
  g_assert_cmpuint (moved, >, 3 * n / 4);
}

static void
reports_bad_picture (void)
{
  g_autoptr (GError) error = NULL, again = NULL;
  char *folder = files_temp ();
  const guint8 broken[] = { 0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F' };
  for (int i = 0; i < 9; i++) {
    g_autofree char *a = g_strdup_printf ("a/%d.png", i), *b = g_strdup_printf ("b/%d.png", i);
    files_write_plain (folder, a, 9, 9, 9, SIDE);
    files_write_plain (folder, b, 9, 9, 9, SIDE);
  }
  files_write (folder, "b/5.png", broken, sizeof broken);
  g_autoptr (PjDataset) set = assert_opens (folder);
  PjLoaderOptions options = make_options (3);
  options.batch = 2;
  options.shuffle = FALSE;
  g_autoptr (PjLoader) loader = make_loader (set, &options);
  pj_loader_start (loader, 0, 0);
  unsigned n = 0;
  while (pj_loader_next (loader, &error) != NULL)
    n++;
  g_assert_cmpuint (n, <, pj_loader_n_batches (loader));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED);
  g_assert_nonnull (strstr (error->message, "b/5.png"));
  g_assert_null (pj_loader_next (loader, &again));
  g_assert_nonnull (again);
  files_remove (folder);
}

static void
refuses (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (1);
  g_autoptr (GError) error = NULL;
  options.batch = 1000;
  g_assert_null (pj_loader_new (set, &options, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "fewer than one batch of 1000"));
}

/* Threads are stopped while they fill batches, and started over; ThreadSanitizer looks on. */
static void
stops_any_time (void)
{
  g_autoptr (PjDataset) set = make_set ();
  PjLoaderOptions options = make_options (4);
  for (unsigned i = 0; i < 40; i++) {
    g_autoptr (PjLoader) loader = make_loader (set, &options);
    for (unsigned k = 0; k < i % 4; k++) {
      pj_loader_start (loader, k, k);
      for (unsigned b = 0; b < i % 5; b++)
        g_assert_nonnull (pj_loader_next (loader, NULL));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/loader/independent-of-threads", independent_of_threads);
  g_test_add_func ("/data/loader/starts-anywhere", starts_anywhere);
  g_test_add_func ("/data/loader/epochs-and-seeds-differ", epochs_and_seeds_differ);
  g_test_add_func ("/data/loader/covers-everything", covers_everything);
  g_test_add_func ("/data/loader/augments", augments);
  g_test_add_func ("/data/loader/reports-bad-picture", reports_bad_picture);
  g_test_add_func ("/data/loader/refuses", refuses);
  g_test_add_func ("/data/loader/stops-any-time", stops_any_time);
  return g_test_run ();
}
