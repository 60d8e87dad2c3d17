/* SPDX-License-Identifier: MIT */
#include "cli/compare-json.h"

#include <math.h>

#include "cli/cli.h"

void
cli_changes_json (JsonObject *result, const uint16_t *labels, const uint16_t *before, const uint16_t *after, unsigned n,
                  unsigned n_classes, const char *classes)
{
  g_auto (GStrv) names = g_strsplit (classes != NULL ? classes : "", "\n", -1);
  g_autoptr (GArray) changes = pj_class_changes_new (labels, before, after, n, n_classes);
  JsonArray *list = json_array_new ();
  unsigned changed = 0, lost = 0, won = 0;
  for (guint i = 0; i < changes->len; i++) {
    const PjClassChange *change = &g_array_index (changes, PjClassChange, i);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "class", change->label < g_strv_length (names) ? names[change->label] : "?");
    json_object_set_int_member (object, "pictures", change->n);
    json_object_set_double_member (object, "top1_before", change->base);
    json_object_set_double_member (object, "top1", change->changed);
    json_array_add_object_element (list, object);
  }
  for (unsigned i = 0; i < n; i++) {
    changed += before[i] != after[i];
    lost += before[i] == labels[i] && after[i] != labels[i];
    won += before[i] != labels[i] && after[i] == labels[i];
  }
  json_object_set_array_member (result, "classes", list);
  json_object_set_int_member (result, "answers_changed", changed);
  json_object_set_int_member (result, "newly_wrong", lost);
  json_object_set_int_member (result, "newly_right", won);
}

static JsonObject *
row_json (const PjCompareRow *row)
{
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "method", row->method);
  json_object_set_double_member (object, "keep", row->ratio);
  json_object_set_int_member (object, "seed", (gint64) row->seed);
  if (row->refusal != NULL) {
    json_object_set_string_member (object, "refusal", row->refusal);
    return object;
  }
  json_object_set_string_member (object, "start", pj_compare_start_title (row->method, row->start));
  cli_json_cost (object, &row->cost);
  json_object_set_double_member (object, "cut", row->cut);
  json_object_set_double_member (object, "recalibrated", row->recalibrated);
  json_object_set_double_member (object, "tuned", row->tuned);
  json_object_set_double_member (object, "images_per_second", row->images_per_second);
  return object;
}

static void
set_spread (JsonObject *object, const char *name, const PjSpread *spread)
{
  g_autofree char *of_spread = g_strdup_printf ("%s_spread", name);
  json_object_set_double_member (object, name, spread->mean);
  if (spread->n > 1)
    json_object_set_double_member (object, of_spread, spread->spread);
}

static JsonObject *
verdict_json (const PjComparison *comparison, const PjVerdict *verdict, gboolean on_front)
{
  JsonObject *object = json_object_new ();
  const PjCompareRow *row = verdict->rows->pdata[0];
  json_object_set_string_member (object, "method", verdict->method);
  json_object_set_double_member (object, "keep", verdict->ratio);
  json_object_set_int_member (object, "seeds", verdict->rows->len);
  if (verdict->refusal != NULL) {
    json_object_set_string_member (object, "refusal", verdict->refusal);
    return object;
  }
  json_object_set_string_member (object, "start", pj_compare_start_title (verdict->method, verdict->start));
  cli_json_cost (object, &verdict->cost);
  set_spread (object, "cut", &verdict->cut);
  set_spread (object, "recalibrated", &verdict->recalibrated);
  set_spread (object, "tuned", &verdict->tuned);
  json_object_set_boolean_member (object, "on_front", on_front);
  if (row->answers != NULL && comparison->answers != NULL && comparison->labels != NULL)
    cli_changes_json (object, comparison->labels, comparison->answers, row->answers, comparison->n_test,
                      comparison->n_classes, comparison->classes);
  return object;
}

static JsonArray *
matrix_json (const PjGroups *groups, const GPtrArray *choices,
             double (*measure) (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b))
{
  JsonArray *matrix = json_array_new ();
  for (guint i = 0; i < choices->len; i++) {
    JsonArray *line = json_array_new ();
    for (guint k = 0; k < choices->len; k++) {
      double value = measure (groups, choices->pdata[i], choices->pdata[k]);
      if (isnan (value))
        json_array_add_null_element (line);
      else
        json_array_add_double_element (line, value);
    }
    json_array_add_array_element (matrix, line);
  }
  return matrix;
}

static void
add_layers (JsonArray *list, const PjGroups *groups, const GPtrArray *choices, double ratio)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    int winner = pj_verdicts_layer_winner (choices, ratio, (int) g, NULL);
    if (winner < 0)
      continue;
    JsonObject *layer = json_object_new (), *kl = json_object_new ();
    json_object_set_double_member (layer, "keep", ratio);
    json_object_set_string_member (layer, "layer", pj_groups_get (groups, g)->name);
    json_object_set_string_member (layer, "winner", ((PjVerdict *) choices->pdata[winner])->method);
    for (guint i = 0; i < choices->len; i++) {
      double value = pj_verdict_layer_kl (choices->pdata[i], (int) g);
      if (value >= 0)
        json_object_set_double_member (kl, ((PjVerdict *) choices->pdata[i])->method, value);
    }
    json_object_set_object_member (layer, "kl", kl);
    json_array_add_object_element (list, layer);
  }
}

static void
add_agreement (JsonObject *result, const PjGroups *groups, const GPtrArray *verdicts)
{
  JsonArray *list = json_array_new (), *layers = json_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_double_hash, g_double_equal);
  for (guint i = 0; i < verdicts->len; i++) {
    PjVerdict *verdict = verdicts->pdata[i];
    if (!g_hash_table_add (seen, &verdict->ratio))
      continue;
    g_autoptr (GPtrArray) choices = pj_verdicts_choices (verdicts, verdict->ratio);
    JsonObject *object = json_object_new ();
    JsonArray *methods = json_array_new ();
    for (guint k = 0; k < choices->len; k++)
      json_array_add_string_element (methods, ((PjVerdict *) choices->pdata[k])->method);
    json_object_set_double_member (object, "keep", verdict->ratio);
    json_object_set_array_member (object, "methods", methods);
    json_object_set_array_member (object, "overlap", matrix_json (groups, choices, pj_verdict_overlap));
    json_object_set_array_member (object, "rank_correlation", matrix_json (groups, choices, pj_verdict_correlation));
    json_array_add_object_element (list, object);
    add_layers (layers, groups, choices, verdict->ratio);
  }
  json_object_set_array_member (result, "agreement", list);
  json_object_set_array_member (result, "layers", layers);
}

void
cli_comparison_json (JsonObject *result, const PjGroups *groups, const PjComparison *comparison, const GPtrArray *verdicts)
{
  g_autofree gboolean *on_front = g_new0 (gboolean, MAX (verdicts->len, 1u));
  JsonObject *base = json_object_new ();
  JsonArray *rows = json_array_new (), *means = json_array_new ();
  cli_json_cost (base, &comparison->base_cost);
  json_object_set_double_member (base, "accuracy", comparison->base_accuracy);
  json_object_set_double_member (base, "images_per_second", comparison->base_images_per_second);
  json_object_set_object_member (result, "base", base);
  json_object_set_int_member (result, "n_test", comparison->n_test);
  for (guint i = 0; i < comparison->rows->len; i++)
    json_array_add_object_element (rows, row_json (comparison->rows->pdata[i]));
  json_object_set_array_member (result, "rows", rows);
  pj_verdicts_front (verdicts, on_front);
  for (guint i = 0; i < verdicts->len; i++)
    json_array_add_object_element (means, verdict_json (comparison, verdicts->pdata[i], on_front[i]));
  json_object_set_array_member (result, "means", means);
  add_agreement (result, groups, verdicts);
}
