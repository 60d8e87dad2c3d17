/* SPDX-License-Identifier: MIT */
/* Finding onnxruntime-web.  It is not part of this tree: tools/onnxruntime-web.sh fetches it, packages and
 * persons put it into penjing/demo of a data folder. */
#include "io/demo.h"

#include "base/error.h"

#define CODE "ort.wasm.min.mjs"
#define LOADER "ort-wasm-simd-threaded.mjs"
#define WASM "ort-wasm-simd-threaded.wasm"

/* In the order of PjDemoRuntime's members. */
static const char *const names[] = { CODE, LOADER, WASM };

static gboolean
is_there (const char *folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return FALSE;
  }
  return TRUE;
}

/* (transfer full) (nullable) */
static char *
find (GError **error)
{
  const char *named = g_getenv ("PENJING_DEMO_RUNTIME");
  g_autofree char *own = g_build_filename (g_get_user_data_dir (), "penjing", "demo", NULL);
  if (named != NULL && *named != '\0' && is_there (named))
    return g_strdup (named);
  if (is_there (own))
    return g_steal_pointer (&own);
  for (const char *const *data = g_get_system_data_dirs (); *data != NULL; data++) {
    g_autofree char *folder = g_build_filename (*data, "penjing", "demo", NULL);
    if (is_there (folder))
      return g_steal_pointer (&folder);
  }
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
               "a demo needs onnxruntime-web, which is not installed: run tools/onnxruntime-web.sh of the source "
               "tree, or put " CODE ", " LOADER " and " WASM " of the npm package onnxruntime-web into “%s”", own);
  return NULL;
}

static GBytes *
load (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  return file != NULL ? g_mapped_file_get_bytes (file) : NULL;
}

gboolean
pj_demo_runtime_load (PjDemoRuntime *self, GError **error)
{
  *self = (PjDemoRuntime) { 0 };
  g_autofree char *folder = find (error);
  if (folder == NULL)
    return FALSE;
  GBytes **files[] = { &self->code, &self->loader, &self->wasm };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    *files[i] = load (folder, names[i], error);
    if (*files[i] == NULL) {
      pj_demo_runtime_clear (self);
      return FALSE;
    }
  }
  return TRUE;
}

void
pj_demo_runtime_clear (PjDemoRuntime *self)
{
  g_clear_pointer (&self->code, g_bytes_unref);
  g_clear_pointer (&self->loader, g_bytes_unref);
  g_clear_pointer (&self->wasm, g_bytes_unref);
}

gboolean
pj_demo_check (GError **error)
{
  g_autofree char *folder = find (error);
  return folder != NULL;
}
