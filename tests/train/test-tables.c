/* SPDX-License-Identifier: MIT */
/* Published tables: every row of the fixture, made from our own networks and cuts, in all conventions. */
#include "fixture.h"
#include "train/arch.h"
#include "train/tables.h"

static void
rows (void)
{
  g_autoptr (JsonObject) counts = fixture_load ("spec/counts.json");
  JsonArray *expected = json_object_get_array_member (counts, "rows");
  guint n = 0;

  for (const PjTableRow *row = pj_table_rows; row->name != NULL; row++, n++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (PjGraph) graph = pj_table_row_make (row, &error);
    g_assert_no_error (error);
    JsonObject *wanted = json_array_get_object_element (expected, n);
    PjCost cost;
    pj_graph_cost (graph, &cost);
    g_assert_cmpstr (row->name, ==, json_object_get_string_member (wanted, "name"));
    for (int c = 0; c < PJ_N_CONVENTIONS; c++) {
      uint64_t count = pj_convention_count (c, &cost);
      g_test_message ("%s: %" G_GUINT64_FORMAT " %s", row->name, count, pj_convention_name (c));
      g_assert_cmpuint (count, ==, (uint64_t) json_object_get_int_member (wanted, pj_convention_name (c)));
    }
    JsonArray *claims = json_object_get_array_member (wanted, "seed");
    guint n_claims = 0;
    for (const PjClaim *claim = row->claims; claim->printed != NULL; claim++, n_claims++) {
      JsonObject *printed = json_array_get_object_element (claims, n_claims);
      g_assert_cmpstr (pj_convention_name (claim->convention), ==, json_object_get_string_member (printed, "key"));
      g_assert_cmpfloat (g_ascii_strtod (claim->printed, NULL), ==, json_object_get_double_member (printed, "printed"));
      g_assert_cmpfloat (claim->unit == 'G' ? 1e9 : 1e6, ==, json_object_get_double_member (printed, "scale"));
      g_assert_cmpint (pj_claim_agrees (claim, pj_convention_count (claim->convention, &cost)), ==,
                       json_object_get_boolean_member (printed, "agrees"));
      /* What differs is explained. */
      g_assert_true (json_object_get_boolean_member (printed, "agrees") || row->note != NULL);
    }
    g_assert_cmpuint (n_claims, ==, json_array_get_length (claims));
  }
  g_assert_cmpuint (n, ==, json_array_get_length (expected));
}

/* Printed values were rounded once or twice: 207.92497 became 207.925 and then 207.93. */
static void
rounding (void)
{
  static const struct { const char *printed; char unit; uint64_t count; gboolean agrees; } cases[] = {
    { "207.92", 'M', 207924970, TRUE }, { "207.93", 'M', 207924970, TRUE }, { "207.94", 'M', 207924970, FALSE },
    { "96.02", 'M', 96014712, FALSE }, { "96.01", 'M', 96014712, TRUE }, { "4.09", 'G', 4089210816, TRUE },
    { "4.1", 'G', 4089210816, TRUE }, { "4", 'G', 4089210816, TRUE }, { "5", 'G', 4089210816, FALSE },
    { "7.72", 'G', 7716052736, TRUE }, { "0.00", 'M', 4999, TRUE }, { "0.01", 'M', 4999, FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    PjClaim claim = { PJ_COUNT_MACS, cases[i].printed, cases[i].unit };
    g_test_message ("%s%c of %" G_GUINT64_FORMAT, cases[i].printed, cases[i].unit, cases[i].count);
    g_assert_cmpint (pj_claim_agrees (&claim, cases[i].count), ==, cases[i].agrees);
  }
}

/* Ratios and days as printed; two ratios were formed from numbers that were not rounded yet. */
static void
columns (void)
{
  g_autoptr (JsonObject) counts = fixture_load ("spec/counts.json");
  JsonArray *expected = json_object_get_array_member (counts, "speedups");
  guint n = 0, n_differ = 0;
  for (const PjSpeedupRow *row = pj_speedup_rows; row->name != NULL; row++, n++) {
    JsonObject *wanted = json_array_get_object_element (expected, n);
    double printed = g_ascii_strtod (row->printed, NULL);
    g_assert_cmpstr (row->name, ==, json_object_get_string_member (wanted, "name"));
    g_assert_cmpfloat (row->flops, ==, json_object_get_double_member (wanted, "flops"));
    g_assert_cmpfloat (row->baseline, ==, json_object_get_double_member (wanted, "baseline"));
    g_assert_cmpfloat (pj_speedup_ratio (row), ==, json_object_get_double_member (wanted, "ratio"));
    g_assert_cmpfloat (printed, ==, json_object_get_double_member (wanted, "printed"));
    n_differ += pj_speedup_ratio (row) != printed;
  }
  g_assert_cmpuint (n, ==, json_array_get_length (expected));
  g_assert_cmpuint (n_differ, ==, 2);

  expected = json_object_get_array_member (counts, "training_days");
  n = 0;
  for (const PjDaysRow *row = pj_days_rows; row->name != NULL; row++, n++) {
    JsonObject *wanted = json_array_get_object_element (expected, n);
    g_assert_cmpstr (row->name, ==, json_object_get_string_member (wanted, "name"));
    g_assert_cmpfloat (pj_days (row), ==, json_object_get_double_member (wanted, "days"));
    g_assert_cmpfloat (g_ascii_strtod (row->printed, NULL), ==, json_object_get_double_member (wanted, "printed"));
  }
  g_assert_cmpuint (n, ==, json_array_get_length (expected));
}

/* Widths of MobileNets. */
static void
divisible (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/rounding.json");
  int n;
  g_autofree float *cases = fixture_floats (o, "divisible_by_8/cases_v_n", &n);
  g_assert_cmpint (n, >, 0);
  for (int i = 0; i < n; i += 2)
    g_assert_cmpint (pj_arch_divisible ((double) cases[i]), ==, (int) cases[i + 1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/tables/rows", rows);
  g_test_add_func ("/train/tables/rounding", rounding);
  g_test_add_func ("/train/tables/columns", columns);
  g_test_add_func ("/train/tables/divisible", divisible);
  return g_test_run ();
}
