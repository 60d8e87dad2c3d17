/* SPDX-License-Identifier: MIT */
/* Before and after: accuracy, cost and speed of a network along its way, and its export. */
#include "cli/cli.h"

#include "model/work-export.h"
#include "model/work-open.h"
#include "model/work-train.h"

gboolean
cli_measure (Cli *cli, CliModel *model, PjWork *work, unsigned n_max, PjAccuracy *accuracy, GError **error)
{
  work->graph = model->graph;
  work->step = model->step;
  if (!pj_work_evaluate (work, n_max, NULL, NULL, accuracy, NULL, error))
    return FALSE;
  g_free (model->accuracy);
  model->accuracy = pj_work_accuracy_text (accuracy->top1, accuracy->n);
  return TRUE;
}

/* --- stages --- */

typedef struct {
  char *id, *title;
  PjCost cost;
  double top1, error, loss, images_per_second;
  unsigned n;                     /* pictures; 0: nothing was measured */
} Stage;

struct _CliStages {
  GArray *stages;                 /* Stage */
};

static void
stage_clear (gpointer data)
{
  Stage *stage = data;
  g_free (stage->id);
  g_free (stage->title);
}

CliStages *
cli_stages_new (void)
{
  CliStages *self = g_new0 (CliStages, 1);
  self->stages = g_array_new (FALSE, TRUE, sizeof (Stage));
  g_array_set_clear_func (self->stages, stage_clear);
  return self;
}

void
cli_stages_free (CliStages *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->stages);
  g_free (self);
}

void
cli_stages_add (CliStages *self, const char *id, const char *title, const PjGraph *graph, const PjAccuracy *accuracy)
{
  Stage stage = { .id = g_strdup (id), .title = g_strdup (title) };
  if (accuracy != NULL) {
    stage.top1 = accuracy->top1;
    stage.error = pj_accuracy_error (accuracy);
    stage.loss = accuracy->loss;
    stage.images_per_second = accuracy->images_per_second;
    stage.n = accuracy->n;
  }
  pj_graph_cost (graph, &stage.cost);
  g_array_append_val (self->stages, stage);
}

gboolean
cli_stages_has (const CliStages *self, const char *id)
{
  for (guint i = 0; i < self->stages->len; i++)
    if (g_str_equal (g_array_index (self->stages, Stage, i).id, id))
      return TRUE;
  return FALSE;
}

static JsonArray *
to_json (const CliStages *self)
{
  JsonArray *list = json_array_new ();
  for (guint i = 0; i < self->stages->len; i++) {
    const Stage *stage = &g_array_index (self->stages, Stage, i);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "stage", stage->id);
    json_object_set_string_member (object, "title", stage->title);
    json_object_set_int_member (object, "n", stage->n);
    if (stage->n > 0) {
      json_object_set_double_member (object, "top1", stage->top1);
      json_object_set_double_member (object, "standard_error", stage->error);
      json_object_set_double_member (object, "loss", stage->loss);
      json_object_set_double_member (object, "images_per_second", stage->images_per_second);
    }
    cli_json_cost (object, &stage->cost);
    json_array_add_object_element (list, object);
  }
  return list;
}

char *
cli_stages_write (const CliStages *self)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (root, to_json (self));
  return json_to_string (root, FALSE);
}

CliStages *
cli_stages_read (const char *text)
{
  g_autoptr (JsonNode) root = json_from_string (text, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root))
    return NULL;
  CliStages *self = cli_stages_new ();
  JsonArray *list = json_node_get_array (root);
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *object = json_array_get_object_element (list, i);
    Stage stage = {
      .id = g_strdup (json_object_get_string_member (object, "stage")),
      .title = g_strdup (json_object_get_string_member (object, "title")),
      .top1 = json_object_get_double_member_with_default (object, "top1", 0),
      .error = json_object_get_double_member_with_default (object, "standard_error", 0),
      .loss = json_object_get_double_member_with_default (object, "loss", 0),
      .images_per_second = json_object_get_double_member_with_default (object, "images_per_second", 0),
      .n = (unsigned) json_object_get_int_member (object, "n"),
    };
    stage.cost.macs = (uint64_t) json_object_get_int_member (object, "macs");
    stage.cost.learnable = (uint64_t) json_object_get_int_member (object, "params");
    g_array_append_val (self->stages, stage);
  }
  return self;
}

/* The cells of a stage as a person reads them. @cell: 7 strings (transfer full) */
static void
make_cells (const CliStages *self, guint i, char *cell[7])
{
  const Stage *stage = &g_array_index (self->stages, Stage, i), *first = &g_array_index (self->stages, Stage, 0);
  gboolean measured = stage->n > 0;
  cell[0] = g_strdup (stage->title);
  cell[1] = measured ? cli_percent (stage->top1) : g_strdup ("–");
  cell[2] = measured ? g_strdup_printf ("%.2f", 100.0 * stage->error) : g_strdup ("–");
  cell[3] = cli_count ((double) stage->cost.macs);
  cell[4] = g_strdup_printf ("%.0f %%", 100.0 * (double) stage->cost.macs / (double) MAX (1, first->cost.macs));
  cell[5] = cli_count ((double) stage->cost.learnable);
  cell[6] = measured ? g_strdup_printf ("%.0f", stage->images_per_second) : g_strdup ("–");
}

void
cli_stages_show (const CliStages *self, Cli *cli)
{
  CliTable *table = cli_table_new ((const char *[]) { "", ">top-1", ">±", ">MACs", ">", ">parameters", ">images/s",
                                                      NULL });
  for (guint i = 0; i < self->stages->len; i++) {
    char *cell[7];
    make_cells (self, i, cell);
    cli_table_add (table, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6], NULL);
    for (guint c = 0; c < G_N_ELEMENTS (cell); c++)
      g_free (cell[c]);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "stages", to_json (self));
}

char *
cli_stages_html (const CliStages *self)
{
  GString *out = g_string_new ("<h2>Before and after</h2>\n<div class=\"wide\"><table><thead><tr><th></th><th>top-1</th><th>±</th><th>MACs</th>"
                               "<th>of all</th><th>parameters</th><th>images/s</th></tr></thead><tbody>\n");
  for (guint i = 0; i < self->stages->len; i++) {
    char *cell[7];
    make_cells (self, i, cell);
    g_string_append (out, "<tr>");
    for (guint c = 0; c < G_N_ELEMENTS (cell); c++) {
      g_autofree char *escaped = g_markup_escape_text (cell[c], -1);
      g_string_append_printf (out, "<td>%s</td>", escaped);
      g_free (cell[c]);
    }
    g_string_append (out, "</tr>\n");
  }
  g_string_append (out, "</tbody></table></div>\n");
  return g_string_free (out, FALSE);
}

gboolean
cli_export (Cli *cli, const CliModel *model, const PjWork *work, const char *format, const char *path,
            const char *member,
            GError **error)
{
  g_auto (PjCertificate) certificate = { 0 };
  PjWork mine = *work;
  mine.graph = model->graph;
  mine.step = model->step;
  PjWorkExport what = { .format = format, .path = path, .accuracy = model->accuracy, .original = model->original };
  if (!pj_work_export (&mine, &what, &certificate, NULL, error))
    return FALSE;
  cli_say (cli, "  %s\n", path);
  cli_say (cli, "      %s\n", certificate.text);
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "path", path);
  json_object_set_string_member (object, "format", format);
  json_object_set_string_member (object, "sha256", certificate.hash);
  json_object_set_int_member (object, "bytes", (gint64) certificate.size_bytes);
  json_object_set_double_member (object, "difference", certificate.difference);
  if (certificate.cut_difference >= 0.0)
    json_object_set_double_member (object, "cut_difference", certificate.cut_difference);
  json_object_set_int_member (object, "inputs", certificate.n_inputs);
  json_object_set_boolean_member (object, "test_pictures", certificate.real_inputs);
  cli_json_cost (object, &certificate.cost);
  json_object_set_object_member (cli->result, member, object);
  return TRUE;
}
