/* SPDX-License-Identifier: MIT */
/* .npy files: numbers come back, every type is read, every lie is refused. */
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "io/npy.h"

/* A file with this header text (padded as it should be) and body. (transfer full): its path */
static char *
make_file (guint8 major, const char *header, gconstpointer body, size_t size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  size_t length = strlen (header);
  const guint8 start[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', major, 0, (guint8) length, (guint8) (length >> 8), 0, 0 };
  g_byte_array_append (bytes, start, major == 1 ? 10 : 12);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) length);
  g_byte_array_append (bytes, body, (guint) size);
  char *path = NULL;
  int fd = g_file_open_tmp ("penjing-XXXXXX.npy", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL));
  return path;
}

static void
test_round_trip (void)
{
  const float numbers[24] = { 1.5f, -2.25f, 3e30f, 0.0f, [23] = 7.0f };
  static const PjShape shapes[] = { { 3, { 2, 3, 4 } }, { 1, { 24 } }, { 4, { 1, 24, 1, 1 } } };
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = make_file (1, "", "", 0);
    PjShape shape;
    g_assert_true (pj_npy_write (path, &shapes[i], numbers, &error));
    g_assert_no_error (error);
    g_autoptr (PjBlob) back = pj_npy_read (path, &shape, &error);
    g_assert_no_error (error);
    g_assert_true (pj_shape_equal (&shape, &shapes[i]));
    g_assert_cmpmem (pj_blob_data (back), sizeof numbers, numbers, sizeof numbers);
    g_unlink (path);
  }
}

static void
assert_reads (const char *descr, gconstpointer body, size_t size, float first, float second)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *header = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (2,), }\n", descr);
  for (guint8 major = 1; major <= 2; major++) {
    g_autofree char *path = make_file (major, header, body, size);
    PjShape shape;
    g_autoptr (PjBlob) blob = pj_npy_read (path, &shape, &error);
    g_assert_no_error (error);
    g_assert_cmpfloat (pj_blob_data (blob)[0], ==, first);
    g_assert_cmpfloat (pj_blob_data (blob)[1], ==, second);
    g_unlink (path);
  }
}

static void
test_types (void)
{
  assert_reads ("<f8", (double[]) { 0.5, -4.0 }, 16, 0.5f, -4.0f);
  assert_reads ("<f2", (guint16[]) { 0x3800, 0xc400 }, 4, 0.5f, -4.0f);
  assert_reads ("<f2", (guint16[]) { 0x0001, 0x7bff }, 4, 0x1p-24f, 65504.0f);
  assert_reads ("|u1", (guint8[]) { 0, 255 }, 2, 0.0f, 255.0f);
  assert_reads ("|b1", (guint8[]) { 0, 1 }, 2, 0.0f, 1.0f);
  assert_reads ("<i2", (gint16[]) { -7, 300 }, 4, -7.0f, 300.0f);
  assert_reads ("<i8", (gint64[]) { -7, 1 << 20 }, 16, -7.0f, 1048576.0f);
}

static void
test_refuses (void)
{
  static const struct { guint8 major; const char *header; size_t size; PjError code; } bad[] = {
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, PJ_ERROR_INVALID },
    { 1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, PJ_ERROR_UNSUPPORTED },
    { 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, PJ_ERROR_UNSUPPORTED },
    { 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", 8, PJ_ERROR_UNSUPPORTED },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }", 8,
      PJ_ERROR_INVALID },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, PJ_ERROR_INVALID },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 2), }", 8, PJ_ERROR_INVALID },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8, PJ_ERROR_INVALID },
    { 1, "{'descr': '<f4', 'shape': (2,), }", 8, PJ_ERROR_INVALID },
    { 1, "{'fortran_order': False, 'shape': (2,), }", 8, PJ_ERROR_INVALID },
    { 1, "", 8, PJ_ERROR_INVALID },
    { 9, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, PJ_ERROR_UNSUPPORTED },
  };
  const guint8 body[8] = { 0 };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = make_file (bad[i].major, bad[i].header, body, bad[i].size);
    PjShape shape;
    g_assert_null (pj_npy_read (path, &shape, &error));
    g_assert_error (error, PJ_ERROR, (int) bad[i].code);
    g_assert_nonnull (strstr (error->message, path));
    g_unlink (path);
  }
}

/* Every length of a good file: all but the whole one are refused. */
static void
test_truncated (void)
{
  g_autofree char *path = make_file (1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678", 8);
  g_autofree char *whole = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &whole, &size, NULL));
  for (gsize n = 0; n < size; n++) {
    PjShape shape;
    g_assert_true (g_file_set_contents (path, whole, (gssize) n, NULL));
    g_assert_null (pj_npy_read (path, &shape, NULL));
  }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/npy/comes-back", test_round_trip);
  g_test_add_func ("/npy/reads-all-types", test_types);
  g_test_add_func ("/npy/refuses-lies", test_refuses);
  g_test_add_func ("/npy/refuses-truncated", test_truncated);
  return g_test_run ();
}
