/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <math.h>

JsonObject *
fixture_load (const char *name)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("PJ_TEST_FIXTURES"), name, NULL);
  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (json_parser_get_root (parser)));
}

JsonNode *
fixture_at (JsonObject *object, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  JsonNode *node = NULL;
  for (int i = 0; parts[i] != NULL; i++) {
    node = json_object_get_member (object, parts[i]);
    if (node == NULL)
      g_error ("the fixture has no “%s” of “%s”", parts[i], path);
    if (parts[i + 1] != NULL)
      object = json_node_get_object (node);
  }
  return node;
}

static void
flatten (JsonNode *node, GArray *out)
{
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    float value = (float) json_node_get_double (node);
    g_array_append_val (out, value);
    return;
  }
  JsonArray *array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    flatten (json_array_get_element (array, i), out);
}

float *
fixture_floats (JsonObject *object, const char *path, int *n)
{
  GArray *out = g_array_new (FALSE, FALSE, sizeof (float));
  flatten (fixture_at (object, path), out);
  if (n != NULL)
    *n = (int) out->len;
  return (float *) g_array_free (out, FALSE);
}

unsigned
fixture_shape (JsonObject *object, const char *path, gint64 dim[6])
{
  JsonNode *node = fixture_at (object, path);
  unsigned rank = 0;
  while (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    dim[rank++] = json_array_get_length (array);
    node = json_array_get_element (array, 0);
  }
  return rank;
}

int *
fixture_ints (JsonObject *object, const char *path, int *n)
{
  int n_all;
  g_autofree float *values = fixture_floats (object, path, &n_all);
  int *out = g_new (int, n_all);
  for (int i = 0; i < n_all; i++)
    out[i] = (int) lrintf (values[i]);
  if (n != NULL)
    *n = n_all;
  return out;
}

double
fixture_number (JsonObject *object, const char *path)
{
  return json_node_get_double (fixture_at (object, path));
}

void
assert_close (const float *a, const float *b, int n, double tolerance, const char *what)
{
  double scale = 0;
  for (int i = 0; i < n; i++)
    scale = MAX (scale, fabs (b[i]));
  for (int i = 0; i < n; i++)
    if (!(fabs ((double) a[i] - b[i]) <= tolerance * MAX (scale, 1e-30)))
      g_error ("%s: element %d of %d is %.9g, expected %.9g (tolerance %g of %g)", what, i, n, a[i], b[i], tolerance, scale);
}
