/* SPDX-License-Identifier: MIT */
/* Settings of jobs as text: everything comes back, strange text is refused or ignored. */
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "base/error.h"
#include "model/work-compare.h"
#include "model/work-prune.h"
#include "model/work-settings.h"
#include "model/work-train.h"

typedef struct {
  unsigned count;
  int whole;
  uint64_t large;
  float single;
  double real;
  gboolean flag;
  char *text;
  char **list;
} Thing;

static const PjField fields[] = {
  { "count", PJ_FIELD_UINT, G_STRUCT_OFFSET (Thing, count) },
  { "whole", PJ_FIELD_INT, G_STRUCT_OFFSET (Thing, whole) },
  { "large", PJ_FIELD_UINT64, G_STRUCT_OFFSET (Thing, large) },
  { "single", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (Thing, single) },
  { "real", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (Thing, real) },
  { "flag", PJ_FIELD_BOOL, G_STRUCT_OFFSET (Thing, flag) },
  { "text", PJ_FIELD_TEXT, G_STRUCT_OFFSET (Thing, text) },
  { "list", PJ_FIELD_LIST, G_STRUCT_OFFSET (Thing, list) },
  { NULL }
};

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  const char *items[] = { "conv1=0.5", "", "two\nlines \\ and 盆景", NULL };
  Thing thing = { 7, -3, G_MAXUINT64, 0.1f, 1.0 / 3.0, TRUE, g_strdup ("a\\nb\n  c"), g_strdupv ((char **) items) },
                back = { 0 };
  g_autofree char *text = pj_fields_write (fields, &thing);
  g_assert_true (pj_fields_read (fields, &back, text, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (back.count, ==, 7);
  g_assert_cmpint (back.whole, ==, -3);
  g_assert_cmpuint (back.large, ==, G_MAXUINT64);
  g_assert_true (back.single == 0.1f && back.real == 1.0 / 3.0 && back.flag);
  g_assert_cmpstr (back.text, ==, thing.text);
  g_assert_cmpuint (g_strv_length (back.list), ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpstr (back.list[i], ==, items[i]);
  g_autofree char *one = pj_settings_get (text, "text");
  g_assert_cmpstr (one, ==, thing.text);
  g_assert_null (pj_settings_get (text, "tex"));
  pj_fields_clear (fields, &thing);
  pj_fields_clear (fields, &back);
  g_assert_null (back.list);
}

static void
test_refuses (void)
{
  static const char *const bad[] = { "count -1", "count 5000000000", "whole x", "real nan", "real 1e999", "flag maybe",
                                     "single 1,5" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    Thing thing = { 0 };
    g_assert_false (pj_fields_read (fields, &thing, bad[i], &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    pj_fields_clear (fields, &thing);
  }
}

static void
test_ignores_what_it_does_not_know (void)
{
  Thing thing = { .count = 5 };
  g_assert_true (pj_fields_read (fields, &thing, "future yes\n\ncounter 9\nwhole 4", NULL));
  g_assert_cmpuint (thing.count, ==, 5);
  g_assert_cmpint (thing.whole, ==, 4);
  g_assert_true (pj_fields_read (fields, &thing, NULL, NULL));
}

static void
test_jobs (void)
{
  g_auto (PjWorkTrain) train, train_back;
  pj_work_train_init (&train);
  pj_work_train_init (&train_back);
  train.options.epochs = 9;
  train.options.lr = 0.0123f;
  train.options.schedule = PJ_SCHEDULE_STEP;
  train.teacher = g_strdup ("/a b/teacher.onnx");
  g_autofree char *text = pj_work_train_write (&train);
  g_assert_true (pj_work_train_read (&train_back, text, NULL));
  g_assert_cmpmem (&train.options, sizeof train.options, &train_back.options, sizeof train_back.options);
  g_assert_cmpstr (train_back.teacher, ==, train.teacher);
  g_assert_false (pj_work_train_read (&train_back, "schedule 77", NULL));

  g_auto (PjWorkCompare) compare, compare_back;
  pj_work_compare_init (&compare);
  pj_work_compare_init (&compare_back);
  compare.methods = g_strsplit ("apoz,thinet", ",", -1);
  compare.ratios = g_strsplit ("0.5,0.25", ",", -1);
  g_autofree char *table = pj_work_compare_write (&compare);
  g_assert_true (pj_work_compare_read (&compare_back, table, NULL));
  g_assert_true (g_strv_equal ((const char *const *) compare.methods, (const char *const *) compare_back.methods));
  g_assert_true (g_strv_equal ((const char *const *) compare.ratios, (const char *const *) compare_back.ratios));

  g_auto (PjWorkChoose) choose, choose_back;
  pj_work_choose_init (&choose);
  pj_work_choose_init (&choose_back);
  choose.keep = g_strsplit ("0.5,conv=1=0.25", ",", -1);
  choose.macs = 0.1;
  g_autofree char *choice = pj_work_choose_write (&choose);
  g_assert_true (pj_work_choose_read (&choose_back, choice, NULL));
  g_assert_cmpstr (choose_back.keep[1], ==, "conv=1=0.25");
  g_assert_true (choose_back.macs == 0.1);
}

/* All of a text is the number, here as at the command line. */
static void
test_ratios (void)
{
  static const char *const bad[] = { "0.5x", "", " ", "0", "1.01", "-0.5", "nan", "half" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) good = pj_work_ratio_list ((char *[]) { "0.5", "1", "1e-3", NULL }, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (good->len, ==, 3);
  g_assert_true (g_array_index (good, double, 0) == 0.5 && g_array_index (good, double, 2) == 1e-3);
  g_autoptr (GArray) none = pj_work_ratio_list (NULL, &error);
  g_assert_true (none != NULL && none->len == 0);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_null (pj_work_ratio_list ((char *[]) { "0.5", (char *) bad[i], NULL }, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
    g_autofree char *quoted = g_strdup_printf ("“%s”", bad[i]);
    g_assert_nonnull (strstr (error->message, quoted));
    g_clear_error (&error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/work/settings/everything-comes-back", test_round_trip);
  g_test_add_func ("/work/settings/refuses-other-types", test_refuses);
  g_test_add_func ("/work/settings/ignores-what-it-does-not-know", test_ignores_what_it_does_not_know);
  g_test_add_func ("/work/settings/ratios", test_ratios);
  g_test_add_func ("/work/settings/of-each-job-come-back", test_jobs);
  return g_test_run ();
}
