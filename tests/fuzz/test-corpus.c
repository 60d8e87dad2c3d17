/* SPDX-License-Identifier: MIT */
/* The fuzz target on the committed files, whole, cut short and with seeded damage: what ./test can do without a
 * fuzzer.  Files that once made it fail are among them. */
#include <glib.h>

#include "base/rng.h"
#include "fuzz-onnx.h"

#define N_ROUNDS 40

static void
test_file (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize size;
  PjRng rng;

  g_file_get_contents (data, &bytes, &size, &error);
  g_assert_no_error (error);
  LLVMFuzzerTestOneInput ((const uint8_t *) bytes, size);
  pj_rng_init (&rng, 3, size);
  for (int round = 0; round < N_ROUNDS && size > 0; round++) {
    /* Of its own size, so that a read past the end is seen by the address sanitizer. */
    gsize n = round % 4 == 0 ? pj_rng_below (&rng, (uint32_t) size) : size;
    g_autofree uint8_t *copy = g_memdup2 (bytes, MAX (n, 1));
    for (int i = 0; n > 0 && i < round % 5; i++)
      copy[pj_rng_below (&rng, (uint32_t) n)] = (uint8_t) pj_rng_u32 (&rng);
    LLVMFuzzerTestOneInput (copy, n);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *name, *folder = g_getenv ("PJ_TEST_CORPUS");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *test = g_strconcat ("/fuzz/onnx/", name, NULL);
    g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
    g_test_add_data_func (test, paths->pdata[paths->len - 1], test_file);
  }
  g_assert_cmpuint (paths->len, >, 20);
  return g_test_run ();
}
