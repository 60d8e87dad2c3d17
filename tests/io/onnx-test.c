/* SPDX-License-Identifier: MIT */
#include "onnx-test.h"

#include "folder.h"

const OnnxFixture onnx_fixtures[] = {
  { "vgg-opset13", "vgg-opset13", 2 },
  { "vgg-folded-opset11", "vgg-folded-opset11", 2 },
  { "resnet-opset9", "resnet-opset9", 2 },
  { "resnet-opset17", "resnet-opset17", 2 },
  { "resnet-folded-opset16", "resnet-folded-opset16", 2 },
  { "flat-opset10", "flat-opset10", 2 },
  { "flat-opset13", "flat-opset13", 2 },
  { "shared-opset13", "shared-opset13", 2 },
  { "outside", "shared-opset13", 2 },
  { "next-opset13", "next-opset13", 2 },
  { "next-opset17", "next-opset17", 2 },
  { "line-opset13", "line-opset13", 2 },
  { "groups-opset14", "groups-opset14", 2 },
  { "group-norm-opset18", "group-norm-opset18", 2 },
  { "group-norm-opset21", "group-norm-opset21", 2 },
};
const unsigned n_onnx_fixtures = G_N_ELEMENTS (onnx_fixtures);

char *
onnx_path (const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  return g_build_filename (g_getenv ("PJ_TEST_FIXTURES"), "onnx", file, NULL);
}

PjGraph *
onnx_load (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = onnx_path (name, ".onnx");
  PjGraph *graph = pj_onnx_import (path, NULL, &error);
  g_assert_no_error (error);
  return graph;
}

float *
onnx_floats (const char *path, size_t *n)
{
  g_autoptr (GError) error = NULL;
  char *bytes;
  gsize size;
  g_file_get_contents (path, &bytes, &size, &error);
  g_assert_no_error (error);
  *n = size / sizeof (float);
  return (float *) bytes;
}

void
onnx_write_floats (const char *path, const float *data, size_t n)
{
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, (const char *) data, (gssize) (n * sizeof *data), &error);
  g_assert_no_error (error);
}

float *
onnx_run (PjGraph *graph, const float *x, unsigned batch, size_t *n)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  g_autoptr (PjDevice) device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, &error);
  g_assert_no_error (error);
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = batch, .observed = &output, .n_observed = 1 };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  g_assert_true (pj_plan_set_images (plan, x, &error));
  pj_plan_forward (plan, NULL, &error);
  g_assert_no_error (error);
  *n = batch * pj_shape_n_elems (&pj_graph_value (graph, output)->shape);
  float *y = g_new (float, *n);
  g_assert_true (pj_plan_read_value (plan, output, y, &error));
  return y;
}

char *
onnx_new_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("penjing-onnx-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
onnx_remove_folder (char *folder)
{
  folder_remove (folder);
  g_free (folder);
}
