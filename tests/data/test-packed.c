/* SPDX-License-Identifier: MIT */
/* IDX and CIFAR files, good and bad; the embedded sample; subsets and formats. */
#include <math.h>
#include <string.h>

#include "data/sample.h"
#include "files.h"
#include "graph/graph.h"
#include "net.h"
#include "ops/op.h"

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define CIFAR_RECORD 3073

typedef struct {
  char *folder;
} Place;

static void
set_up (Place *p, gconstpointer data)
{
  p->folder = files_temp ();
}

static void
tear_down (Place *p, gconstpointer data)
{
  files_remove (p->folder);
}

static guint8
first_pixel (PjDataset *set, PjSplit split, unsigned i)
{
  g_autoptr (GError) error = NULL;
  PjFormat format = { 0 };
  pj_dataset_native_size (set, &format.c, &format.h, &format.w);
  g_autofree guint8 *pixels = g_malloc ((gsize) (format.c * format.h * format.w));
  g_assert_true (pj_dataset_pixels (set, split, i, &format, pixels, &error));
  g_assert_no_error (error);
  return pixels[0];
}

/* --- IDX --- */

static void
idx_reads (Place *p, gconstpointer packed)
{
  int c, h, w;
  files_write_idx (p->folder, "train", 12, 5, 7, 100, 3, packed != NULL);
  files_write_idx (p->folder, "t10k", 6, 5, 7, 200, 3, packed == NULL);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 12);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 6);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 3);
  g_assert_cmpstr (pj_dataset_class_name (set, 2), ==, "2");
  pj_dataset_native_size (set, &c, &h, &w);
  g_assert_cmpint (c, ==, 1);
  g_assert_cmpint (h, ==, 5);
  g_assert_cmpint (w, ==, 7);
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TRAIN, 4), ==, 1);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TRAIN, 11), ==, 111);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TEST, 5), ==, 205);
}

/* Content decides: other names, and only a training part. */
static void
idx_other_names (Place *p, gconstpointer data)
{
  guint8 pixels[10 * 4], labels[10];
  for (int i = 0; i < 10; i++) {
    memset (pixels + 4 * i, i, 4);
    labels[i] = (guint8) (i / 5);
  }
  g_autoptr (GByteArray) images = files_idx ((guint32[]) { 10, 2, 2 }, 3, pixels, sizeof pixels);
  g_autoptr (GByteArray) answers = files_idx ((guint32[]) { 10 }, 1, labels, sizeof labels);
  g_autoptr (GByteArray) zipped = files_gzip (images->data, images->len);
  files_write (p->folder, "photos", zipped->data, zipped->len);
  files_write (p->folder, "what", answers->data, answers->len);
  files_write (p->folder, "README.txt", "hello", 5);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  /* Every fifth of each class is the test part. */
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 8);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 2);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TEST, 0), ==, 4);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TEST, 1), ==, 9);
}

static void
idx_prefers_plain_twin (Place *p, gconstpointer data)
{
  files_write_idx (p->folder, "train", 10, 2, 2, 50, 2, TRUE);
  files_write_idx (p->folder, "train", 10, 2, 2, 60, 2, FALSE);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TRAIN, 0), ==, 60);
}

/* Replaces one file by a damaged one and expects the message to name it. */
typedef struct {
  const char *file;
  const guint8 *data;
  gsize size;
  const char *word;
} Damage;

#define BYTES(...) (const guint8[]) { __VA_ARGS__ }, sizeof (guint8[]) { __VA_ARGS__ }

static const Damage damages[] = {
  { TRAIN_IMAGES, NULL, 0, "empty" },
  { TRAIN_LABELS, NULL, 0, "empty" },
  { TRAIN_IMAGES, BYTES (0, 0, 8), "two zero bytes" },
  { TRAIN_IMAGES, BYTES ('h', 'e', 'l', 'l', 'o'), "two zero bytes" },
  { TRAIN_IMAGES, BYTES (0, 0, 13, 3, 0, 0, 0, 1), "0x0d" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 1, 0, 0, 0, 1, 7), "1 dimensions, expected 3" },
  { TRAIN_LABELS, BYTES (0, 0, 8, 3, 0, 0, 0, 1, 7), "3 dimensions, expected 1" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 1, 0, 0), "inside its header" },
  /* 2 × 2 × 2 promised, 7 there; and 9 there. */
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7), "cut short" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9), "longer" },
  /* Sizes that would wrap, or ask for all memory there is. */
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), "dimension 0" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 255, 255, 255, 0, 0, 127, 255, 0, 0, 127, 255, 1), "cut short" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2), "dimension 0 is 0" },
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1), "dimension 1" },
  /* One picture for ten labels. */
  { TRAIN_IMAGES, BYTES (0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9), "1 pictures" },
  { TRAIN_LABELS, BYTES (0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 0, 1, 0, 1, 0, 1, 0, 200), "label 200 of picture 9" },
  /* gzip's first bytes and nothing, or rubbish, behind them. */
  { TRAIN_IMAGES, BYTES (0x1f, 0x8b), "cut short" },
  { TRAIN_IMAGES, BYTES (0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0xff), "damaged" },
};

static void
idx_damage (Place *p, gconstpointer data)
{
  const Damage *damage = data;
  files_write_idx (p->folder, "train", 10, 2, 2, 0, 2, FALSE);
  files_write (p->folder, damage->file, damage->data, damage->size);
  /* A count that differs is told by both names; any other damage by its own. */
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, damage->file, damage->word, NULL);
}

static void
idx_truncated_gzip (Place *p, gconstpointer data)
{
  g_autofree char *contents = NULL, *path = g_build_filename (p->folder, TRAIN_IMAGES ".gz", NULL);
  gsize size;
  files_write_idx (p->folder, "train", 50, 9, 9, 0, 5, TRUE);
  g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
  for (gsize keep = 3; keep < size; keep += 5) {
    files_write (p->folder, TRAIN_IMAGES ".gz", contents, keep);
    assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, TRAIN_IMAGES ".gz", "cut short", NULL);
  }
  contents[size - 6] ^= 0x55;       /* the check sum */
  files_write (p->folder, TRAIN_IMAGES ".gz", contents, size);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, TRAIN_IMAGES ".gz", "damaged", NULL);
}

static void
idx_missing_parts (Place *p, gconstpointer data)
{
  g_autoptr (GByteArray) images = files_idx ((guint32[]) { 1, 1, 1 }, 3, (const guint8 *) "x", 1);
  files_write (p->folder, TRAIN_IMAGES, images->data, images->len);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, TRAIN_IMAGES, "no labels", NULL);
}

static void
idx_only_test (Place *p, gconstpointer data)
{
  files_write_idx (p->folder, "t10k", 6, 2, 2, 0, 3, FALSE);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, "t10k-images", "no training pictures", NULL);
}

static void
idx_two_sets (Place *p, gconstpointer data)
{
  files_write_idx (p->folder, "a-train", 6, 2, 2, 0, 3, FALSE);
  files_write_idx (p->folder, "b-train", 6, 2, 2, 0, 3, FALSE);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, "a-train", "b-train", NULL);
}

static void
idx_test_label_out_of_range (Place *p, gconstpointer data)
{
  files_write_idx (p->folder, "train", 6, 2, 2, 0, 3, FALSE);
  files_write_idx (p->folder, "t10k", 6, 2, 2, 0, 4, FALSE);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "t10k-labels", "label 3", "0 … 2", NULL);
}

static void
idx_sizes_differ (Place *p, gconstpointer data)
{
  files_write_idx (p->folder, "train", 6, 2, 2, 0, 3, FALSE);
  files_write_idx (p->folder, "t10k", 6, 3, 2, 0, 3, FALSE);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "t10k-images", "2×3", "2×2", NULL);
}

/* --- CIFAR --- */

static void
write_cifar (const char *folder, const char *name, unsigned n, gsize n_labels, guint8 first)
{
  gsize record = n_labels + 3072;
  g_autofree guint8 *data = g_malloc (n * record);
  for (unsigned i = 0; i < n; i++) {
    memset (data + i * record, 1, n_labels);
    data[i * record + n_labels - 1] = (guint8) (i % 10);
    for (int ch = 0; ch < 3; ch++)
      memset (data + i * record + n_labels + ch * 1024, first + (int) i + 50 * ch, 1024);
  }
  files_write (folder, name, data, n * record);
}

static void
cifar10 (Place *p, gconstpointer data)
{
  const char *names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  PjFormat format = { 3, 32, 32, { 0 }, { 1, 1, 1 } };
  guint8 pixels[3072];
  write_cifar (p->folder, "data_batch_1.bin", 10, 1, 0);
  write_cifar (p->folder, "data_batch_2.bin", 20, 1, 10);
  write_cifar (p->folder, "test_batch.bin", 10, 1, 100);
  files_write (p->folder, "batches.meta.txt", names, strlen (names));
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpstr (pj_dataset_name (set), ==, "CIFAR-10");
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 30);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 10);
  g_assert_cmpstr (pj_dataset_class_name (set, 3), ==, "cat");
  g_assert_true (pj_dataset_pixels (set, PJ_SPLIT_TRAIN, 12, &format, pixels, NULL));
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TRAIN, 12), ==, 2);
  g_assert_cmpuint (pixels[0], ==, 12);
  g_assert_cmpuint (pixels[1024], ==, 62);
  g_assert_cmpuint (pixels[3071], ==, 112);
}

static void
cifar100 (Place *p, gconstpointer data)
{
  write_cifar (p->folder, "train.bin", 20, 2, 0);
  write_cifar (p->folder, "test.bin", 10, 2, 100);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 100);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 20);
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TRAIN, 17), ==, 7);
  g_assert_cmpuint (first_pixel (set, PJ_SPLIT_TEST, 3), ==, 103);
}

static void
cifar_damage (Place *p, gconstpointer data)
{
  guint8 record[CIFAR_RECORD] = { 10 };
  write_cifar (p->folder, "data_batch_1.bin", 10, 1, 0);
  files_write (p->folder, "data_batch_2.bin", record, sizeof record - 1);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "data_batch_2.bin", "cut short", NULL);
  files_write (p->folder, "data_batch_2.bin", record, sizeof record);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "data_batch_2.bin", "label 10 of picture 0", NULL);
  files_write (p->folder, "data_batch_2.bin", NULL, 0);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "data_batch_2.bin", "0 bytes", NULL);
}

/* --- nothing there --- */

static void
nothing (Place *p, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (p->folder, "none", NULL), *file = g_build_filename (p->folder, "notes.txt", NULL);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, p->folder, "class folders", "IDX", "CIFAR", NULL);
  assert_refused (inner, PJ_DATA_ERROR_MISSING, inner, "no folder", NULL);
  files_write (p->folder, "notes.txt", "x", 1);
  files_write (p->folder, "train.bin", "short", 5);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, "no data set", NULL);
  assert_refused (file, PJ_DATA_ERROR_MISSING, "is a file", NULL);
}

/* --- sample, subsets, formats --- */

static void
sample (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDataset) set = pj_dataset_open_sample (&error);
  g_assert_no_error (error);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 2400);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 600);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 10);
  g_assert_cmpstr (pj_dataset_class_name (set, 9), ==, "Ankle boot");
  g_assert_null (pj_dataset_path (set));
  unsigned count[10] = { 0 };
  for (unsigned i = 0; i < 600; i++)
    count[pj_dataset_label (set, PJ_SPLIT_TEST, i)]++;
  for (int k = 0; k < 10; k++)
    g_assert_cmpuint (count[k], ==, 60);
  PjFormat format = { 0 };
  g_assert_true (pj_dataset_default_format (set, &format, &error));
  /* The whole set has 0.2860 and 0.3530. */
  g_assert_cmpfloat_with_epsilon (format.mean[0], 0.286, 0.005);
  g_assert_cmpfloat_with_epsilon (format.std[0], 0.353, 0.005);
  g_assert_null (pj_sample_bytes ("no such file"));
}

static PjDataset *
make_memory (int n, int n_test)
{
  g_autofree guint8 *pixels = g_malloc ((gsize) n * 4);
  g_autofree int32_t *labels = g_new (int32_t, n);
  for (int i = 0; i < n; i++) {
    memset (pixels + 4 * i, i, 4);
    labels[i] = i < n / 2 ? 0 : i % 3;
  }
  return pj_dataset_new_memory ("memory", n, 1, 2, 2, pixels, labels, 3, n_test);
}

static void
subset (void)
{
  g_autoptr (PjDataset) set = make_memory (120, 30);
  g_autoptr (PjDataset) small = pj_dataset_subset (set, 12, 0, 5), again = pj_dataset_subset (set, 12, 0, 5);
  g_autoptr (PjDataset) larger = pj_dataset_subset (set, 24, 9, 5), other = pj_dataset_subset (set, 12, 0, 6);
  unsigned count[3] = { 0 }, same = 0;

  g_assert_cmpuint (pj_dataset_n (small, PJ_SPLIT_TRAIN), ==, 12);
  g_assert_cmpuint (pj_dataset_n (small, PJ_SPLIT_TEST), ==, 30);
  g_assert_cmpuint (pj_dataset_n (larger, PJ_SPLIT_TEST), ==, 9);
  for (unsigned i = 0; i < 12; i++) {
    count[pj_dataset_label (small, PJ_SPLIT_TRAIN, i)]++;
    guint8 pixel = first_pixel (small, PJ_SPLIT_TRAIN, i);
    g_assert_cmpuint (pixel, ==, first_pixel (again, PJ_SPLIT_TRAIN, i));
    g_assert_cmpuint (pixel, ==, first_pixel (larger, PJ_SPLIT_TRAIN, i));
    same += pixel == first_pixel (other, PJ_SPLIT_TRAIN, i);
  }
  for (int k = 0; k < 3; k++)
    g_assert_cmpuint (count[k], ==, 4);
  g_assert_cmpuint (same, <, 12);
}

static void
format_measures (void)
{
  /* Bytes 0 … 9 in the training part: mean 4.5, population deviation √8.25. */
  g_autoptr (PjDataset) set = make_memory (12, 2);
  PjFormat format = { 0 };
  float image[4];
  g_assert_true (pj_dataset_default_format (set, &format, NULL));
  g_assert_cmpfloat_with_epsilon (format.mean[0], 4.5 / 255, 1e-7);
  g_assert_cmpfloat_with_epsilon (format.std[0], sqrt (8.25) / 255, 1e-7);
  g_assert_true (pj_dataset_image (set, PJ_SPLIT_TEST, 0, &format, image, NULL));
  g_assert_cmpfloat_with_epsilon (image[3], (10 - 4.5) / sqrt (8.25), 1e-5);
}

static PjGraph *
make_graph (int c, int h, int w, int classes)
{
  PjGraph *g = pj_graph_new ("small");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, c, h, w));
  int y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "w", PJ_SHAPE (classes, c), 0, 1, 1), -1));
  return g;
}

static void
format_for_model (void)
{
  g_autoptr (PjDataset) set = make_memory (12, 2);
  g_autoptr (PjGraph) right = make_graph (3, 4, 5, 3), wrong = make_graph (1, 2, 2, 7), odd = make_graph (2, 2, 2, 3);
  g_autoptr (GError) error = NULL;
  PjFormat format, noted = { 3, 4, 5, { .1f, .2f, 1.0f / 3 }, { .5f, 2, 3 } };

  g_assert_true (pj_dataset_format_for (set, right, TRUE, &format, NULL));
  g_assert_cmpint (format.c, ==, 3);
  g_assert_cmpint (format.w, ==, 5);
  g_assert_cmpfloat_with_epsilon (format.mean[2], 4.5 / 255, 1e-6);
  pj_format_note (&noted, right);
  g_assert_true (pj_dataset_format_for (set, right, TRUE, &format, NULL));
  g_assert_cmpmem (&format, sizeof format, &noted, sizeof noted);
  g_assert_false (pj_dataset_format_for (set, wrong, TRUE, &format, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "7 classes"));
  g_assert_nonnull (strstr (error->message, "has 3"));
  g_clear_error (&error);
  g_assert_true (pj_dataset_format_for (set, wrong, FALSE, &format, NULL));
  g_assert_false (pj_dataset_format_for (set, odd, TRUE, &format, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_clear_error (&error);
  pj_graph_set_meta (right, "penjing.std", "1,0,1");
  g_assert_false (pj_dataset_format_for (set, right, TRUE, &format, &error));
  g_assert_nonnull (strstr (error->message, "1,0,1"));
}

/* Blue, green, red: planes change places, and mean and deviation of a plane are those of what lies in it. */
static void
channel_order (void)
{
  guint8 pixels[6][12], rgb[12], bgr[12];
  int32_t labels[6] = { 0, 1, 0, 1, 0, 1 };
  for (guint i = 0; i < 6; i++)
    for (guint k = 0; k < 12; k++)
      pixels[i][k] = (guint8) (100 * (k / 4) + 10 * i + k % 4);
  g_autoptr (PjDataset) set = pj_dataset_new_memory ("colours", 6, 3, 2, 2, pixels[0], labels, 2, 2);
  g_autoptr (PjGraph) graph = make_graph (3, 2, 2, 2);
  g_autoptr (GError) error = NULL;
  PjFormat plain, turned;
  float a[12], b[12];

  g_assert_true (pj_dataset_format_for (set, graph, TRUE, &plain, NULL));
  g_assert_false (plain.bgr);
  pj_graph_set_meta (graph, "penjing.order", "bgr");
  g_assert_true (pj_dataset_format_for (set, graph, TRUE, &turned, NULL));
  g_assert_true (turned.bgr);
  g_assert_true (pj_dataset_pixels (set, PJ_SPLIT_TEST, 1, &plain, rgb, NULL));
  g_assert_true (pj_dataset_pixels (set, PJ_SPLIT_TEST, 1, &turned, bgr, NULL));
  g_assert_true (pj_dataset_image (set, PJ_SPLIT_TEST, 1, &plain, a, NULL));
  g_assert_true (pj_dataset_image (set, PJ_SPLIT_TEST, 1, &turned, b, NULL));
  for (guint c = 0; c < 3; c++) {
    g_assert_cmpfloat (turned.mean[c], ==, plain.mean[2 - c]);
    g_assert_cmpfloat (turned.std[c], ==, plain.std[2 - c]);
    g_assert_cmpmem (bgr + 4 * c, 4, rgb + 4 * (2 - c), 4);
    g_assert_cmpmem (b + 4 * c, 4 * sizeof (float), a + 4 * (2 - c), 4 * sizeof (float));
  }
  g_assert_cmpuint (rgb[0], ==, pixels[5][0]);

  /* A network keeps the order among its notes; one that is neither is refused by name. */
  g_autoptr (PjGraph) noted = make_graph (3, 2, 2, 2);
  PjFormat again;
  pj_format_note (&turned, noted);
  g_assert_true (pj_dataset_format_for (set, noted, TRUE, &again, NULL));
  g_assert_cmpmem (&again, sizeof again, &turned, sizeof turned);
  pj_graph_set_meta (noted, "penjing.order", "grb");
  g_assert_false (pj_dataset_format_for (set, noted, TRUE, &again, &error));
  g_assert_nonnull (strstr (error->message, "grb"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define PLACE(path, data, func) g_test_add (path, Place, data, set_up, func, tear_down)
  PLACE ("/data/idx/reads-plain", NULL, idx_reads);
  PLACE ("/data/idx/reads-gzip", "gz", idx_reads);
  PLACE ("/data/idx/detects-content", NULL, idx_other_names);
  PLACE ("/data/idx/prefers-plain-twin", NULL, idx_prefers_plain_twin);
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *path = g_strdup_printf ("/data/idx/damage/%zu", i);
    PLACE (path, &damages[i], idx_damage);
  }
  PLACE ("/data/idx/truncated-gzip", NULL, idx_truncated_gzip);
  PLACE ("/data/idx/missing-labels", NULL, idx_missing_parts);
  PLACE ("/data/idx/only-test", NULL, idx_only_test);
  PLACE ("/data/idx/two-sets", NULL, idx_two_sets);
  PLACE ("/data/idx/test-label-out-of-range", NULL, idx_test_label_out_of_range);
  PLACE ("/data/idx/sizes-differ", NULL, idx_sizes_differ);
  PLACE ("/data/cifar/ten", NULL, cifar10);
  PLACE ("/data/cifar/hundred", NULL, cifar100);
  PLACE ("/data/cifar/damage", NULL, cifar_damage);
  PLACE ("/data/open/nothing", NULL, nothing);
  g_test_add_func ("/data/sample/opens", sample);
  g_test_add_func ("/data/subset/balanced-and-nested", subset);
  g_test_add_func ("/data/format/measures", format_measures);
  g_test_add_func ("/data/format/for-model", format_for_model);
  g_test_add_func ("/data/format/channel-order", channel_order);
  return g_test_run ();
}
