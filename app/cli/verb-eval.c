/* SPDX-License-Identifier: MIT */
/* eval: accuracy of a network on the test part of a data set. */
#include <math.h>

#include "cli/compare-json.h"
#include "cli/verbs.h"
#include "model/work-open.h"
#include "model/work-train.h"

static char *data, *against;
static int n_max;
static gboolean per_class, masked;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_max, "Use only the first N test pictures", "N" },
  { "per-class", 0, 0, G_OPTION_ARG_NONE, &per_class, "Also list the accuracy of each class", NULL },
  { "against", 0, 0, G_OPTION_ARG_FILENAME, &against,
    "Another network or session: also say how each class fares there, and which pictures are taken for something else",
    "MODEL" },
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

/* The network of --against, measured on the same pictures. */
static gboolean
measure_other (Cli *cli, PjDataset *dataset, const char *where, PjAccuracy *other, GError **error)
{
  g_auto (CliModel) model = { 0 };
  PjWork work;
  if (!cli_open_model (cli, against, FALSE, &model, error))
    return FALSE;
  g_clear_pointer (&model.session, pj_session_close);
  return cli_work (cli, &model, dataset, where, NULL, &work, error)
         && pj_work_evaluate (&work, (unsigned) n_max, NULL, NULL, other, NULL, error);
}

static const char *
class_name (const PjDataset *dataset, unsigned label)
{
  return label < pj_dataset_n_classes (dataset) ? pj_dataset_class_name (dataset, label) : "nothing";
}

static void
show_changed (Cli *cli, const PjDataset *dataset, const uint16_t *labels, const PjAccuracy *before, const PjAccuracy *after)
{
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { ">test picture", "is", "was taken for", "is now taken for", NULL });
  for (unsigned i = 0; i < after->n; i++) {
    if (before->answers[i] == after->answers[i])
      continue;
    const char *is = class_name (dataset, labels[i]), *was = class_name (dataset, before->answers[i]);
    const char *now = class_name (dataset, after->answers[i]);
    g_autofree char *number = g_strdup_printf ("%u", i);
    cli_table_add (table, number, is, was, now, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_int_member (object, "picture", i);
    json_object_set_string_member (object, "class", is);
    json_object_set_string_member (object, "before", was);
    json_object_set_string_member (object, "now", now);
    json_array_add_object_element (list, object);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "changed", list);
}

/* How the classes fare here against how they fare in the other network. */
static void
show_against (Cli *cli, const PjDataset *dataset, const PjAccuracy *before, const PjAccuracy *after)
{
  g_autofree uint16_t *labels = g_new (uint16_t, MAX (after->n, 1u));
  g_autofree char *names = pj_dataset_class_list (dataset);
  for (unsigned i = 0; i < after->n; i++)
    labels[i] = (uint16_t) CLAMP (pj_dataset_label (dataset, PJ_SPLIT_TEST, i), 0, PJ_NO_ANSWER);
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "model", against);
  json_object_set_double_member (object, "top1", before->top1);
  cli_changes_json (object, labels, before->answers, after->answers, after->n, after->n_classes, names);
  g_autofree char *top1 = cli_percent (before->top1);
  cli_say (cli, "against   %s, top-1 %s: %" G_GINT64_FORMAT " answers changed, %" G_GINT64_FORMAT " newly wrong, %" G_GINT64_FORMAT
           " newly right\n", against, top1, json_object_get_int_member (object, "answers_changed"),
           json_object_get_int_member (object, "newly_wrong"), json_object_get_int_member (object, "newly_right"));
  json_object_set_object_member (cli->result, "against", object);
  if (per_class) {
    g_autoptr (GArray) changes = pj_class_changes_new (labels, before->answers, after->answers, after->n, after->n_classes);
    CliTable *table = cli_table_new ((const char *[]) { "class", ">pictures", ">before", ">now", ">points", NULL });
    for (guint i = 0; i < changes->len; i++) {
      const PjClassChange *change = &g_array_index (changes, PjClassChange, i);
      g_autofree char *n = g_strdup_printf ("%u", change->n), *base = cli_percent (change->base), *now = cli_percent (change->changed);
      g_autofree char *points = g_strdup_printf ("%+.2f", 100.0 * (change->changed - change->base));
      cli_table_add (table, class_name (dataset, change->label), n, base, now, points, NULL);
    }
    cli_table_print (table, cli);
  }
  show_changed (cli, dataset, labels, before, after);
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
  if (per_class && against == NULL)
    show_classes (cli, &accuracy, dataset);
  gboolean ok = TRUE;
  if (against != NULL) {
    PjAccuracy other = { 0 };
    ok = measure_other (cli, dataset, where, &other, error);
    if (ok)
      show_against (cli, dataset, &other, &accuracy);
    pj_accuracy_clear (&other);
  }
  pj_accuracy_clear (&accuracy);
  return ok;
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
           "  penjing-cli eval thin.onnx --data ~/photos --per-class --against model.onnx\n"
           "  penjing-cli eval sample --test 300 --json",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
