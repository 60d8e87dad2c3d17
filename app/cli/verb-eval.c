/* SPDX-License-Identifier: MIT */
/* eval: accuracy of a network on the test part of a data set. */
#include <math.h>

#include "cli/verbs.h"
#include "model/work-open.h"
#include "model/work-train.h"

static char *data;
static int n_max;
static gboolean per_class, masked;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_max, "Use only the first N test pictures", "N" },
  { "per-class", 0, 0, G_OPTION_ARG_NONE, &per_class, "Also list the accuracy of each class", NULL },
  { "masked", 0, 0, G_OPTION_ARG_NONE, &masked, "Of a session: with the channels that are marked to be cut at zero",
    NULL },
  { NULL }
};

static void
show_classes (Cli *cli, const PjAccuracy *accuracy, const PjDataset *dataset)
{
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "class", ">top-1", NULL });
  for (unsigned i = 0; accuracy->per_class != NULL && i < accuracy->n_classes; i++) {
    /* A class without a test picture has no accuracy. */
    double share = isfinite (accuracy->per_class[i]) ? (double) accuracy->per_class[i] : -1.0;
    g_autofree char *percent = cli_percent (share);
    const char *name = i < pj_dataset_n_classes (dataset) ? pj_dataset_class_name (dataset, i) : "?";
    cli_table_add (table, name, percent, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "class", name);
    json_object_set_double_member (object, "top1", share);
    json_array_add_object_element (list, object);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "classes", list);
}

static void
show (Cli *cli, const PjAccuracy *accuracy, const PjDataset *dataset)
{
  g_autofree char *top1 = cli_percent (accuracy->top1), *top5 = cli_percent (accuracy->top5);
  cli_say (cli, "top-1     %s (standard error %.2f points, %u test pictures of %s)\n", top1,
           100.0 * pj_accuracy_error (accuracy),
           accuracy->n, pj_dataset_name (dataset));
  cli_say (cli, "top-5     %s\nloss      %.5f\nspeed     %.0f images/s on %s\n", top5, accuracy->loss,
           accuracy->images_per_second,
           cli->device->info.id);
  JsonObject *figures = cli_json_accuracy (accuracy);
  g_autoptr (GList) names = json_object_get_members (figures);
  for (GList *name = names; name != NULL; name = name->next)
    json_object_set_member (cli->result, name->data, json_node_copy (json_object_get_member (figures, name->data)));
  json_object_unref (figures);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (n_max < 0)
    return cli_usage (error, "--test must be a number of pictures");
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL;
  if (!cli_open_model (cli, args[0], FALSE, &model, error))
    return FALSE;
  /* The session's own data set is what its network is for. */
  g_autofree char *stored = model.session != NULL ? pj_session_get_meta (model.session, PJ_META_DATA) : NULL;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data != NULL ? data : stored, &where, error);
  PjWork work;
  if (dataset == NULL)
    return FALSE;
  g_clear_pointer (&model.session, pj_session_close);
  if (!cli_work (cli, &model, dataset, where, NULL, &work, error))
    return FALSE;
  PjAccuracy accuracy;
  if (!pj_work_evaluate (&work, (unsigned) n_max, model.groups, masked ? model.plan : NULL, &accuracy, NULL, error))
    return FALSE;
  show (cli, &accuracy, dataset);
  if (per_class)
    show_classes (cli, &accuracy, dataset);
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

const CliVerb cli_verb_eval = {
  .name = "eval",
  .arguments = "MODEL",
  .summary = "Measures top-1, top-5, loss and images per second on the test part of a data set",
  .about = "The pictures are prepared as the network's notes say (penjing.mean, penjing.std), else by the data set's own mean and\n"
           "deviation. The speed counts the device's work alone, without reading pictures.\n\n"
           "Examples:\n"
           "  penjing-cli eval model.onnx --data fashion-mnist\n"
           "  penjing-cli eval model.onnx --data ~/photos --per-class --device cpu\n"
           "  penjing-cli eval sample --test 300 --json",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
