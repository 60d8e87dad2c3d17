/* SPDX-License-Identifier: MIT */
/* export: a file for other programs, checked. */
#include "cli/verbs.h"
#include "model/work-export.h"
#include "model/work-open.h"

static char *format, *out, *data, *original;
static gboolean list;

static const GOptionEntry entries[] = {
  { "format", 0, 0, G_OPTION_ARG_FILENAME, &format, "See --list (default: onnx)", "NAME" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "The file, or the folder of a demo", "FILE" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data,
    "Compare on test pictures of this data set, and show some in a demo (default: seeded inputs)", "DATA" },
  { "original", 0, 0, G_OPTION_ARG_FILENAME, &original,
    "The network before pruning, for a demo (default: of the session MODEL, what it had before the first cut)", "BASE" },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list, "List the formats", NULL },
  { NULL }
};

static gboolean
show_list (Cli *cli)
{
  JsonArray *names = json_array_new ();
  for (const PjExporter *e = pj_exporters; e->name != NULL; e++) {
    gboolean is_folder = (e->flags & PJ_EXPORTER_FOLDER) != 0;
    cli_say (cli, "%s: %s (%s%s)\n    %s\n", e->name, e->title, is_folder ? "a folder" : ".", e->extension, e->about);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", e->name);
    json_object_set_string_member (object, "title", e->title);
    json_object_set_string_member (object, "about", e->about);
    json_object_set_string_member (object, "extension", e->extension);
    json_object_set_boolean_member (object, "folder", is_folder);
    json_array_add_object_element (names, object);
  }
  json_object_set_array_member (cli->result, "formats", names);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (list)
    return show_list (cli);
  if (args[0] == NULL || out == NULL)
    return cli_usage (error, "export needs MODEL and --out");
  if (format != NULL && pj_exporter_find (format) == NULL)
    return cli_usage (error, "there is no export format “%s”; --list lists them", format);
  g_auto (CliModel) model = { 0 }, base = { 0 };
  g_autofree char *where = NULL;
  if (!cli_open_model (cli, args[0], FALSE, &model, error)
      || !cli_check_export (format, out, original != NULL || model.session != NULL, data != NULL, error)
      || (original != NULL && !cli_open_model (cli, original, FALSE, &base, error)))
    return FALSE;
  json_object_set_string_member (cli->result, "model", model.name);
  model.original = base.graph != NULL ? pj_graph_ref (base.graph) : NULL;
  g_autoptr (PjDataset) dataset = data != NULL ? cli_open_data (cli, data, &where, error) : NULL;
  if (data != NULL && dataset == NULL)
    return FALSE;
  if (model.session != NULL) {
    g_autoptr (PjStepRecord) step = pj_session_get_step (model.session, model.step, error);
    if (step == NULL)
      return FALSE;
    model.accuracy = pj_work_known_accuracy (model.session, step->model);
    if (model.original == NULL)
      model.original = pj_work_find_original (model.session, model.step, error);
    if (model.original == NULL)
      return FALSE;
    /* Exporting changes nothing in the session. */
    g_clear_pointer (&model.session, pj_session_close);
  }
  PjWork work;
  return cli_work (cli, &model, dataset, where, NULL, &work, error)
         && cli_export (cli, &model, &work, format != NULL ? format : "onnx", out, "out", error);
}

const CliVerb cli_verb_export = {
  .name = "export",
  .arguments = "MODEL",
  .summary = "Writes a network to a file, reads it back and checks that it computes the same",
  .about = "The file carries notes: shapes, MACs, a hash of the weights, and of a pruned network how it was made and what it\n"
           "scored.  Of a session, the network at its current step is exported; “sessions FILE export” takes any other.\n\n"
           "Examples:\n"
           "  penjing-cli export work.penjing --out small.onnx\n"
           "  penjing-cli export small.onnx --format demo --original big.onnx --data fashion-mnist --out demo\n"
           "  penjing-cli export model.onnx --format onnx-opencv --out opencv.onnx --data fashion-mnist\n"
           "  penjing-cli export --list",
  .entries = entries,
  .n_min = 0,
  .n_max = 1,
  .run = run,
};
