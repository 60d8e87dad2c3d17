/* SPDX-License-Identifier: MIT */
/* Class folders of photos, decoding, orientation and size. */
#include <math.h>
#include <png.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "data/picture.h"
#include "files.h"

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

/* The first picture of @split as c × h × w bytes. */
static guint8 *
pixels_of (PjDataset *set, PjSplit split, unsigned i, int c, int h, int w)
{
  g_autoptr (GError) error = NULL;
  PjFormat format = { c, h, w, { 0 }, { 1, 1, 1 } };
  guint8 *out = g_malloc ((gsize) (c * h * w));
  pj_dataset_pixels (set, split, i, &format, out, &error);
  g_assert_no_error (error);
  return out;
}

/* --- layouts --- */

static void
layout_plain (Place *p, gconstpointer data)
{
  for (int i = 0; i < 10; i++) {
    g_autofree char *a = g_strdup_printf ("b-class/%d.png", i), *b = g_strdup_printf ("A class/deep/er/%d", i);
    files_write_plain (p->folder, a, (guint8) i, 0, 0, 3);
    files_write_plain (p->folder, b, (guint8) (100 + i), 0, 0, 3);
  }
  files_write (p->folder, "b-class/notes.txt", "no picture", 10);
  files_write (p->folder, "b-class/.hidden.jpg", "no picture", 10);
  files_write (p->folder, ".cache/x.jpg", "no picture", 10);
  files_write (p->folder, "README", "hello", 5);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 2);
  g_assert_cmpstr (pj_dataset_class_name (set, 0), ==, "A class");
  g_assert_cmpstr (pj_dataset_class_name (set, 1), ==, "b-class");
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 16);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 4);
  /* Class by class in turn, names in order; the fifth and tenth of each class are the test part. */
  const guint8 train[] = { 100, 0, 101, 1, 102, 2, 103, 3, 105, 5 }, test[] = { 104, 4, 109, 9 };
  for (unsigned i = 0; i < G_N_ELEMENTS (train); i++) {
    g_autofree guint8 *pixels = pixels_of (set, PJ_SPLIT_TRAIN, i, 3, 3, 3);
    g_assert_cmpuint (pixels[0], ==, train[i]);
    g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TRAIN, i), ==, train[i] < 100);
  }
  for (unsigned i = 0; i < 4; i++) {
    g_autofree guint8 *pixels = pixels_of (set, PJ_SPLIT_TEST, i, 3, 3, 3);
    g_assert_cmpuint (pixels[0], ==, test[i]);
  }
}

static void
layout_split (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "train/cat/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "train/dog/1.png", 2, 0, 0, 3);
  files_write_plain (p->folder, "train/eel/1.png", 3, 0, 0, 3);
  files_write_plain (p->folder, "val/dog/1.png", 9, 0, 0, 3);
  files_write_plain (p->folder, "Test/eel/1.png", 4, 0, 0, 3);
  files_write_plain (p->folder, "Test/ant/1.png", 5, 0, 0, 3);
  files_write (p->folder, "classes.tsv", "x", 1);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 4);
  g_assert_cmpstr (pj_dataset_class_name (set, 0), ==, "ant");
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), ==, 3);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 2);
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TEST, 0), ==, 0);
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TEST, 1), ==, 3);
}

/* Without test the validation part is the test part, and need not have all classes. */
static void
layout_validation (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "train/cat/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "train/dog/1.png", 2, 0, 0, 3);
  files_write_plain (p->folder, "val/dog/1.png", 9, 0, 0, 3);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpuint (pj_dataset_n_classes (set), ==, 2);
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TEST), ==, 1);
  g_assert_cmpint (pj_dataset_label (set, PJ_SPLIT_TEST, 0), ==, 1);
}

static void
layout_loop (Place *p, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (p->folder, "a", "self", NULL), *outer = g_build_filename (p->folder, "a", NULL);
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 3);
  g_assert_cmpint (symlink (outer, inner), ==, 0);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  /* Once directly and once through the link that leads back, no more. */
  g_assert_cmpuint (pj_dataset_n (set, PJ_SPLIT_TRAIN), <=, 3);
}

/* --- complaints --- */

static void
refuses_empty_class (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write (p->folder, "b/notes.txt", "x", 1);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "class folder", "/b”", NULL);
}

static void
refuses_one_class (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, "1 class folder;", NULL);
}

static void
refuses_loose_pictures (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "2.png", 1, 0, 0, 3);
  assert_refused (p->folder, PJ_DATA_ERROR_MISSING, "2 pictures", "class folders", NULL);
}

static void
refuses_impostor (Place *p, gconstpointer data)
{
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 3);
  files_write (p->folder, "b/2.jpg", "GIF89a not a jpeg", 17);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "b/2.jpg", "not a JPEG or PNG", NULL);
  files_write (p->folder, "b/2.jpg", NULL, 0);
  assert_refused (p->folder, PJ_DATA_ERROR_DAMAGED, "b/2.jpg", "empty", NULL);
}

/* Reads training picture 0 of a set whose first picture is a/1; it must fail naming it. */
static void
assert_unreadable (const char *folder, const char *word)
{
  g_autoptr (PjDataset) set = assert_opens (folder);
  PjFormat format = { 1, 4, 4, { 0 }, { 1, 1, 1 } };
  guint8 out[16];
  int failures = 0;
  for (unsigned i = 0; i < pj_dataset_n (set, PJ_SPLIT_TRAIN); i++) {
    g_autoptr (GError) error = NULL;
    if (pj_dataset_pixels (set, PJ_SPLIT_TRAIN, i, &format, out, &error))
      continue;
    g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED);
    g_assert_nonnull (strstr (error->message, "b/2"));
    if (strstr (error->message, word) == NULL)
      g_error ("“%s” is not in “%s”", word, error->message);
    failures++;
  }
  g_assert_cmpint (failures, ==, 1);
}

static void
truncated (Place *p, gconstpointer is_jpeg)
{
  const char *name = is_jpeg != NULL ? "b/2.jpg" : "b/2.png";
  g_autofree char *path = g_build_filename (p->folder, name, NULL), *contents = NULL;
  guint8 pixels[40 * 40 * 3];
  gsize size;
  for (gsize i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8) (i * i * 31);
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 3);
  if (is_jpeg != NULL)
    files_write_jpeg (p->folder, name, pixels, 3, 40, 40, 0);
  else
    files_write_png (p->folder, name, pixels, PNG_FORMAT_RGB, 40, 40);
  g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
  for (gsize keep = 10; keep < size - 20; keep += size / 23) {
    files_write (p->folder, name, contents, keep);
    assert_unreadable (p->folder, "damaged");
  }
}

/* A PNG header that promises 30,000 × 30,000 pixels, and one of 2^31 − 1. */
static void
absurd_size (Place *p, gconstpointer data)
{
  g_autofree char *path = g_build_filename (p->folder, "b/2.png", NULL), *contents = NULL;
  gsize size;
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/2.png", 1, 0, 0, 3);
  g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
  const guint32 sides[] = { 30000, 0x7fffffff };
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    guint32 big = GUINT32_TO_BE (sides[i]);
    memcpy (contents + 16, &big, 4);
    memcpy (contents + 20, &big, 4);
    /* The check sum of the header chunk must fit, or libpng stops before the size matters. */
    guint32 crc = 0xffffffff;
    for (int k = 12; k < 29; k++) {
      crc ^= (guint8) contents[k];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    crc = GUINT32_TO_BE (~crc);
    memcpy (contents + 29, &crc, 4);
    files_write (p->folder, "b/2.png", contents, size);
    assert_unreadable (p->folder, i == 0 ? "30000×30000" : "");
  }
}

static void
file_removed (Place *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjFormat format = { 3, 4, 4, { 0 }, { 1, 1, 1 } };
  guint8 out[48];
  g_autofree char *path = g_build_filename (p->folder, "b/1.png", NULL);
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 3);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 3);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_false (pj_dataset_pixels (set, PJ_SPLIT_TRAIN, 1, &format, out, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "b/1.png"));
}

/* Each large allocation fails once; whatever was built is given back (the sanitizers watch). */
static void
no_memory (Place *p, gconstpointer data)
{
  gboolean opened = FALSE;
  files_write_plain (p->folder, "a/1.png", 1, 0, 0, 9);
  files_write_plain (p->folder, "b/1.png", 1, 0, 0, 9);
  for (unsigned nth = 1; !opened; nth++) {
    g_autoptr (GError) error = NULL;
    PjFormat format = { 3, 4, 4, { 0 }, { 1, 1, 1 } };
    guint8 out[48];
    pj_fault_arm (PJ_FAULT_ALLOC, nth);
    g_autoptr (PjDataset) set = pj_dataset_open (p->folder, &error);
    gboolean ok = set != NULL && pj_dataset_pixels (set, PJ_SPLIT_TRAIN, 0, &format, out, &error);
    opened = !pj_fault_fired (PJ_FAULT_ALLOC);
    pj_fault_arm (PJ_FAULT_ALLOC, 0);
    g_assert_true (ok == opened);
    if (!ok)
      g_assert_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY);
    g_assert_cmpuint (nth, <, 50);
  }
}

/* --- decoding --- */

/* Opens a set with the picture that was written as a/x and returns it at its own size. */
static guint8 *
read_back (const char *folder, int c, int h, int w)
{
  files_write_plain (folder, "b/1.png", 1, 0, 0, 3);
  g_autoptr (PjDataset) set = assert_opens (folder);
  return pixels_of (set, PJ_SPLIT_TRAIN, 0, c, h, w);
}

static void
assert_near (const guint8 *a, const int *b, int n, int tolerance)
{
  for (int i = 0; i < n; i++)
    if (ABS (a[i] - b[i]) > tolerance)
      g_error ("byte %d is %d, expected %d ± %d", i, a[i], b[i], tolerance);
}

static void
png_grey (Place *p, gconstpointer data)
{
  const guint8 pixels[] = { 0, 50, 100, 150, 200, 250 };
  int c, h, w;
  files_write_png (p->folder, "a/x", pixels, PNG_FORMAT_GRAY, 2, 3);
  g_autofree guint8 *out = read_back (p->folder, 3, 2, 3);
  g_autoptr (PjDataset) set = assert_opens (p->folder);
  pj_dataset_native_size (set, &c, &h, &w);
  g_assert_cmpint (c, ==, 1);
  g_assert_cmpint (h, ==, 2);
  g_assert_cmpint (w, ==, 3);
  for (int ch = 0; ch < 3; ch++)
    g_assert_cmpmem (out + 6 * ch, 6, pixels, 6);
}

static void
png_alpha_palette_16 (Place *p, gconstpointer data)
{
  /* Half transparent black, opaque colour, nothing: white shows through. */
  const guint8 rgba[] = { 0, 0, 0, 128, 10, 20, 30, 255, 90, 90, 90, 0 };
  files_write_png (p->folder, "a/x", rgba, PNG_FORMAT_RGBA, 1, 3);
  g_autofree guint8 *alpha = read_back (p->folder, 3, 1, 3);
  g_assert_cmpuint (alpha[0], >, 100);
  g_assert_cmpuint (alpha[0], <, 220);
  assert_near (alpha + 1, (int[]) { 10, 255 }, 2, 1);
  assert_near (alpha + 4, (int[]) { 20, 255 }, 2, 1);

  const guint8 indices[] = { 0, 10, 100 };
  files_write_png (p->folder, "a/x", indices, PNG_FORMAT_RGB_COLORMAP, 1, 3);
  g_autofree guint8 *palette = read_back (p->folder, 3, 1, 3);
  assert_near (palette, (int[]) { 0, 10, 100, 0, 20, 200, 255, 245, 155 }, 9, 1);

  /* Linear light, 16 bits: 0, a half, all. */
  const guint16 deep[] = { 0, 32768, 65535 };
  files_write_png (p->folder, "a/x", deep, PNG_FORMAT_LINEAR_Y, 1, 3);
  g_autofree guint8 *linear = read_back (p->folder, 1, 1, 3);
  assert_near (linear, (int[]) { 0, 187, 255 }, 3, 2);
}

static void
jpeg_kinds (Place *p, gconstpointer data)
{
  guint8 grey[64], rgb[192], cmyk[256];
  memset (grey, 77, sizeof grey);
  for (int i = 0; i < 64; i++) {
    rgb[3 * i] = 200;
    rgb[3 * i + 1] = 100;
    rgb[3 * i + 2] = 50;
    /* Adobe's sense, 255 = no ink: 200·204/255 = 160 … */
    cmyk[4 * i] = 200;
    cmyk[4 * i + 1] = 100;
    cmyk[4 * i + 2] = 50;
    cmyk[4 * i + 3] = 204;
  }
  files_write_jpeg (p->folder, "a/x", grey, 1, 8, 8, 0);
  g_autofree guint8 *a = read_back (p->folder, 1, 8, 8);
  assert_near (a, (int[]) { 77 }, 1, 2);
  files_write_jpeg (p->folder, "a/x", rgb, 3, 8, 8, 0);
  g_autofree guint8 *b = read_back (p->folder, 3, 8, 8);
  assert_near (b, (int[]) { 200 }, 1, 3);
  assert_near (b + 64, (int[]) { 100 }, 1, 3);
  assert_near (b + 128, (int[]) { 50 }, 1, 3);
  g_autofree guint8 *luma = read_back (p->folder, 1, 8, 8);
  assert_near (luma, (int[]) { 124 }, 1, 3);
  files_write_jpeg (p->folder, "a/x", cmyk, 4, 8, 8, 0);
  g_autofree guint8 *d = read_back (p->folder, 3, 8, 8);
  assert_near (d, (int[]) { 160 }, 1, 3);
  assert_near (d + 64, (int[]) { 80 }, 1, 3);
  assert_near (d + 128, (int[]) { 40 }, 1, 3);
}

/* A picture 8 high and 16 wide, dark but for one bright corner block, seen by each orientation. */
static void
jpeg_orientation (Place *p, gconstpointer data)
{
  /* Where the top left corner of the file ends up: bottom?, right?; the sides swap from 5 on. */
  static const struct { int bottom, right; } corner[] = {
    { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 0 }, { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 0 },
  };
  guint8 grey[8 * 16] = { 0 };
  for (int y = 0; y < 4; y++)
    memset (grey + 16 * y, 255, 4);
  for (int o = 1; o <= 8; o++) {
    int c, h = o >= 5 ? 16 : 8, w = o >= 5 ? 8 : 16, native_h, native_w;
    files_write_jpeg (p->folder, "a/x", grey, 1, 8, 16, o);
    g_autofree guint8 *out = read_back (p->folder, 1, h, w);
    g_autoptr (PjDataset) set = assert_opens (p->folder);
    pj_dataset_native_size (set, &c, &native_h, &native_w);
    g_assert_cmpint (native_h, ==, h);
    g_assert_cmpint (native_w, ==, w);
    for (int bottom = 0; bottom < 2; bottom++)
      for (int right = 0; right < 2; right++) {
        guint8 pixel = out[(bottom ? h - 2 : 1) * w + (right ? w - 2 : 1)];
        gboolean bright = corner[o - 1].bottom == bottom && corner[o - 1].right == right;
        g_assert_true (bright ? pixel > 200 : pixel < 50);
      }
  }
}

/* Large photos are decoded at a fraction; the result is what the full picture would give, nearly. */
static void
jpeg_fraction (Place *p, gconstpointer data)
{
  g_autofree guint8 *grey = g_malloc (256 * 256);
  for (int i = 0; i < 256 * 256; i++)
    grey[i] = (guint8) (i % 256);
  files_write_jpeg (p->folder, "a/x", grey, 1, 256, 256, 0);
  g_autofree guint8 *out = read_back (p->folder, 1, 8, 8);
  for (int x = 0; x < 8; x++)
    assert_near (out + 8 + x, (int[]) { 32 * x + 16 }, 1, x == 0 || x == 7 ? 8 : 3);
}

static void
exif_hostile (void)
{
  guint8 bytes[64] = { 0xff, 0xd8, 0xff, 0xe1, 0, 40, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0xff, 0xff, 0xff, 0xff };
  for (size_t size = 0; size < sizeof bytes; size++)
    g_assert_cmpint (pj_exif_orientation (bytes, size), ==, 1);
  bytes[4] = 0xff;                                     /* a segment longer than the file */
  g_assert_cmpint (pj_exif_orientation (bytes, sizeof bytes), ==, 1);
}

/* --- size --- */

static void
fit (const guint8 *grey, int h, int w, int to_h, int to_w, guint8 *out)
{
  g_autoptr (GError) error = NULL;
  PjPicture picture = { 1, h, w, grey, (ptrdiff_t) h * w, w, 1, NULL };
  PjFormat format = { 1, to_h, to_w, { 0 }, { 1 } };
  pj_picture_fit (&picture, &format, out, &error);
  g_assert_no_error (error);
}

static void
fit_by_hand (void)
{
  guint8 out[16];
  /* Twice as large: thirds of the way between the neighbours, edges repeated. */
  fit ((const guint8[]) { 0, 100, 0, 100 }, 2, 2, 4, 4, out);
  assert_near (out, (int[]) { 0, 25, 75, 100 }, 4, 0);
  /* Half: weights 1/8, 3/8, 3/8, 1/8; at the border 3/7, 3/7, 1/7. */
  const guint8 row[] = { 0, 80, 160, 240, 240, 240, 240, 240 };
  guint8 block[64];
  for (int y = 0; y < 8; y++)
    memcpy (block + 8 * y, row, 8);
  fit (block, 8, 8, 4, 4, out);
  assert_near (out, (int[]) { (80 * 3 + 160) / 7, (80 + 160 * 3 + 240 * 4) / 8, 240, 240 }, 4, 1);
  /* Twice as wide as high: the middle stays. */
  const guint8 wide[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  fit (wide, 2, 4, 2, 2, out);
  assert_near (out, (int[]) { 2, 3, 6, 7 }, 4, 0);
  /* One pixel fills any size; a line is no problem. */
  fit ((const guint8[]) { 9 }, 1, 1, 4, 4, out);
  assert_near (out, (int[]) { 9, 9, 9, 9 }, 4, 0);
  guint8 line[1000];
  memset (line, 7, sizeof line);
  fit (line, 1, 1000, 4, 4, out);
  assert_near (out, (int[]) { 7, 7, 7, 7 }, 4, 0);
}

/* A fine stripe pattern becomes even grey when shrunk, instead of whatever column is hit. */
static void
fit_does_not_alias (void)
{
  guint8 stripes[64 * 64], out[7 * 7];
  for (int i = 0; i < 64 * 64; i++)
    stripes[i] = i % 2 ? 200 : 0;
  fit (stripes, 64, 64, 7, 7, out);
  for (int i = 0; i < 49; i++)
    assert_near (out + i, (int[]) { 100 }, 1, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define PLACE(path, data, func) g_test_add (path, Place, data, set_up, func, tear_down)
  PLACE ("/data/folder/classes", NULL, layout_plain);
  PLACE ("/data/folder/splits", NULL, layout_split);
  PLACE ("/data/folder/validation", NULL, layout_validation);
  PLACE ("/data/folder/loop", NULL, layout_loop);
  PLACE ("/data/folder/empty-class", NULL, refuses_empty_class);
  PLACE ("/data/folder/one-class", NULL, refuses_one_class);
  PLACE ("/data/folder/loose-pictures", NULL, refuses_loose_pictures);
  PLACE ("/data/folder/impostor", NULL, refuses_impostor);
  PLACE ("/data/folder/truncated-jpeg", "jpeg", truncated);
  PLACE ("/data/folder/truncated-png", NULL, truncated);
  PLACE ("/data/folder/absurd-size", NULL, absurd_size);
  PLACE ("/data/folder/removed-file", NULL, file_removed);
  PLACE ("/data/folder/no-memory", NULL, no_memory);
  PLACE ("/data/picture/png-grey", NULL, png_grey);
  PLACE ("/data/picture/png-alpha-palette-16", NULL, png_alpha_palette_16);
  PLACE ("/data/picture/jpeg-kinds", NULL, jpeg_kinds);
  PLACE ("/data/picture/jpeg-orientation", NULL, jpeg_orientation);
  PLACE ("/data/picture/jpeg-fraction", NULL, jpeg_fraction);
  g_test_add_func ("/data/picture/exif-hostile", exif_hostile);
  g_test_add_func ("/data/picture/fit-by-hand", fit_by_hand);
  g_test_add_func ("/data/picture/fit-does-not-alias", fit_does_not_alias);
  return g_test_run ();
}
