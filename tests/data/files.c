/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "folder.h"

char *
files_temp (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("penjing-data-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
files_remove (char *folder)
{
  folder_remove (folder);
  g_free (folder);
}

void
files_write (const char *folder, const char *name, gconstpointer data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_file_set_contents (path, data ? data : "", (gssize) size, &error);
  g_assert_no_error (error);
}

GByteArray *
files_gzip (gconstpointer data, gsize size)
{
  GByteArray *out = g_byte_array_sized_new ((guint) size + 1024);
  z_stream z = { .next_in = (Bytef *) data, .avail_in = (uInt) size };
  g_byte_array_set_size (out, (guint) compressBound (size) + 64);
  g_assert_cmpint (deflateInit2 (&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
  z.next_out = out->data;
  z.avail_out = out->len;
  g_assert_cmpint (deflate (&z, Z_FINISH), ==, Z_STREAM_END);
  g_byte_array_set_size (out, out->len - z.avail_out);
  deflateEnd (&z);
  return out;
}

GByteArray *
files_idx (const guint32 *dim, unsigned rank, const guint8 *data, gsize n)
{
  GByteArray *out = g_byte_array_new ();
  guint8 magic[4] = { 0, 0, 8, (guint8) rank };
  g_byte_array_append (out, magic, 4);
  for (unsigned d = 0; d < rank; d++) {
    guint32 big = GUINT32_TO_BE (dim[d]);
    g_byte_array_append (out, (const guint8 *) &big, 4);
  }
  return g_byte_array_append (out, data, (guint) n);
}

static void
write_array (const char *folder, const char *prefix, const char *suffix, GByteArray *array, gboolean packed)
{
  g_autofree char *name = g_strdup_printf ("%s-%s%s", prefix, suffix, packed ? ".gz" : "");
  g_autoptr (GByteArray) zipped = packed ? files_gzip (array->data, array->len) : g_byte_array_ref (array);
  files_write (folder, name, zipped->data, zipped->len);
}

void
files_write_idx (const char *folder, const char *prefix, unsigned n, unsigned h, unsigned w, guint8 first,
                 unsigned n_classes, gboolean packed)
{
  g_autofree guint8 *pixels = g_malloc (n * h * w), *labels = g_malloc (n);
  for (unsigned i = 0; i < n; i++) {
    memset (pixels + i * h * w, first + (int) i, h * w);
    labels[i] = (guint8) (i % n_classes);
  }
  guint32 dim[] = { n, h, w };
  g_autoptr (GByteArray) images = files_idx (dim, 3, pixels, n * h * w), answers = files_idx (dim, 1, labels, n);
  write_array (folder, prefix, "images-idx3-ubyte", images, packed);
  write_array (folder, prefix, "labels-idx1-ubyte", answers, packed);
}

/* The smallest EXIF segment: one directory with the orientation. */
static void
insert_orientation (GByteArray *jpeg, int orientation)
{
  guint8 exif[] = {
    0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
    0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (guint8) orientation, 0, 0, 0, 0, 0, 0,
  };
  g_autofree guint8 *rest = g_memdup2 (jpeg->data + 2, jpeg->len - 2);
  guint n = jpeg->len - 2;
  g_byte_array_set_size (jpeg, 2);
  g_byte_array_append (jpeg, exif, sizeof exif);
  g_byte_array_append (jpeg, rest, n);
}

void
files_write_jpeg (const char *folder, const char *name, const guint8 *pixels, int c, int h, int w, int orientation)
{
  tjhandle handle = tjInitCompress ();
  unsigned char *out = NULL;
  unsigned long size = 0;
  int format = c == 1 ? TJPF_GRAY : c == 3 ? TJPF_RGB : TJPF_CMYK;
  g_assert_cmpint (tjCompress2 (handle, pixels, w, 0, h, format, &out, &size, c == 1 ? TJSAMP_GRAY : TJSAMP_444, 100, 0), ==, 0);
  g_autoptr (GByteArray) jpeg = g_byte_array_append (g_byte_array_new (), out, (guint) size);
  if (orientation > 0)
    insert_orientation (jpeg, orientation);
  files_write (folder, name, jpeg->data, jpeg->len);
  tjFree (out);
  tjDestroy (handle);
}

void
files_write_png (const char *folder, const char *name, gconstpointer pixels, guint32 png_format, int h, int w)
{
  png_image image = { .version = PNG_IMAGE_VERSION, .format = png_format, .width = (unsigned) w, .height = (unsigned) h };
  /* The palette of colour-mapped files: index i is (i, 2·i, 255 − i). */
  guint8 map[256 * 3];
  for (int i = 0; i < 256; i++) {
    map[3 * i] = (guint8) i;
    map[3 * i + 1] = (guint8) (2 * i);
    map[3 * i + 2] = (guint8) (255 - i);
  }
  image.colormap_entries = 256;
  png_alloc_size_t size = 0;
  g_assert_true (png_image_write_get_memory_size (image, size, 0, pixels, 0, map));
  g_autofree guint8 *out = g_malloc (size);
  g_assert_true (png_image_write_to_memory (&image, out, &size, 0, pixels, 0, map));
  files_write (folder, name, out, size);
}

void
files_write_plain (const char *folder, const char *name, guint8 r, guint8 g, guint8 b, int size)
{
  g_autofree guint8 *pixels = g_malloc (3 * (gsize) size * (gsize) size);
  for (int i = 0; i < size * size; i++) {
    pixels[3 * i] = r;
    pixels[3 * i + 1] = g;
    pixels[3 * i + 2] = b;
  }
  files_write_png (folder, name, pixels, PNG_FORMAT_RGB, size, size);
}

void
assert_refused (const char *folder, int code, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDataset) set = pj_dataset_open (folder, &error);
  const char *word;
  va_list words;

  g_assert_null (set);
  g_assert_error (error, PJ_DATA_ERROR, code);
  va_start (words, code);
  while ((word = va_arg (words, const char *)) != NULL)
    if (strstr (error->message, word) == NULL)
      g_error ("“%s” is not in “%s”", word, error->message);
  va_end (words);
}

PjDataset *
assert_opens (const char *folder)
{
  g_autoptr (GError) error = NULL;
  PjDataset *set = pj_dataset_open (folder, &error);
  g_assert_no_error (error);
  return set;
}
