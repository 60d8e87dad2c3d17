/* SPDX-License-Identifier: MIT */
/* infer: runs a network on numbers from a file. */
#include "base/alloc.h"
#include "base/error.h"
#include "cli/verbs.h"
#include "io/npy.h"
#include "model/work-infer.h"

static char *input, *output;
static int batch = 64;

static const GOptionEntry entries[] = {
  { "input", 0, 0, G_OPTION_ARG_FILENAME, &input, "Images, N×C×H×W (or C×H×W for one), already normalised", "X.npy" },
  { "output", 0, 0, G_OPTION_ARG_FILENAME, &output, "Where the outputs go, float32", "Y.npy" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Images per run (default 64)", "N" },
  { NULL }
};

/* The number of images in @given, or 0 with @error set if it does not fit what the network takes. */
static size_t
count_images (const PjShape *given, const PjShape *wanted, GError **error)
{
  gboolean one = given->rank + 1 == wanted->rank;
  gboolean fits = one || given->rank == wanted->rank;
  for (unsigned i = 1; fits && i < wanted->rank; i++)
    fits = given->dim[one ? i - 1 : i] == wanted->dim[i];
  if (fits && (one || given->dim[0] > 0))
    return one ? 1 : (size_t) given->dim[0];
  g_autofree char *is = pj_shape_to_string (given), *takes = pj_shape_to_string (wanted);
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "“%s” holds %s numbers, the network takes N images of %s", input, is,
               takes + (g_str_has_prefix (takes, "1×") ? sizeof "1×" - 1 : 0));
  return 0;
}

static gboolean
infer (Cli *cli, const CliModel *model, const PjBlob *images, size_t n, GError **error)
{
  PjDevice *device = cli_device (cli, error);
  float *results = device != NULL ? pj_alloc (n * pj_work_output_elems (model->graph) * sizeof (float), "outputs",
                                              error) : NULL;
  if (results == NULL)
    return FALSE;
  PjShape shape = pj_graph_value (model->graph, pj_graph_get_output (model->graph))->shape;
  shape.dim[0] = (int64_t) n;
  gint64 before = g_get_monotonic_time ();
  gboolean ok = pj_work_infer (device, model->graph, (unsigned) MIN ((size_t) batch, n), pj_blob_data (images), n,
                               results, &cli->hooks, error)
                && pj_npy_write (output, &shape, results, error);
  double seconds = (double) (g_get_monotonic_time () - before) / G_USEC_PER_SEC;
  if (ok) {
    g_autofree char *text = pj_shape_to_string (&shape);
    cli_say (cli, "%zu images, %.2f s on %s: %s numbers in %s\n", n, seconds, device->info.id, text, output);
    json_object_set_int_member (cli->result, "n", (gint64) n);
    json_object_set_double_member (cli->result, "seconds", seconds);
    json_object_set_array_member (cli->result, "shape", cli_json_shape (&shape));
    json_object_set_string_member (cli->result, "output", output);
  }
  pj_free (results);
  return ok;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (input == NULL || output == NULL)
    return cli_usage (error, "infer needs --input and --output");
  if (batch < 1 || batch > 65536)
    return cli_usage (error, "--batch must be from 1 to 65536");
  g_auto (CliModel) model = { 0 };
  PjShape shape;
  if (!cli_check_out (output, error) || !cli_open_model (cli, args[0], FALSE, &model, error))
    return FALSE;
  g_autoptr (PjBlob) images = pj_npy_read (input, &shape, error);
  if (images == NULL)
    return FALSE;
  size_t n = count_images (&shape, &pj_graph_value (model.graph, pj_graph_get_input (model.graph))->shape, error);
  return n > 0 && infer (cli, &model, images, n, error);
}

const CliVerb cli_verb_infer = {
  .name = "infer",
  .arguments = "MODEL",
  .summary = "Runs a network on numbers from an .npy file and saves its outputs",
  .about = "The numbers go in as they are. Use “eval” to measure accuracy on pictures.\n\n"
           "Examples:\n"
           "  penjing-cli infer model.onnx --input x.npy --output y.npy\n"
           "  penjing-cli infer model.onnx --input x.npy --output y.npy --device vulkan:0",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
