/* SPDX-License-Identifier: MIT */
/* Titles of what a person marked: stored in English with kind and values, read in the person's language. */
#include <glib/gi18n-lib.h>
#include <locale.h>

#include "model/step-mark-private.h"

static gboolean chinese;

static PjStepRecord *
new_step (const PjmMark *mark)
{
  PjStepRecord *record = pj_step_record_new (PJ_STEP_MASKED, 1, "");
  pjm_mark_write (mark, record);
  return record;
}

static void
assert_title (const PjStepRecord *record, const char *wanted)
{
  g_autofree char *title = pjm_mark_title (record);
  g_assert_cmpstr (title, ==, wanted);
}

static void
assert_mark (PjmMark mark, const char *english, const char *in_chinese)
{
  g_autoptr (PjStepRecord) record = new_step (&mark);
  g_assert_cmpstr (record->title, ==, english);
  assert_title (record, chinese ? in_chinese : english);
}

static void
test_marks (void)
{
  assert_mark ((PjmMark) { PJM_MARK_KEEP_LAYER, { "50", "conv3" } }, "Keep 50 % of conv3", "conv3 保留 50%");
  assert_mark ((PjmMark) { PJM_MARK_KEEP_ALL, { "25" } }, "Keep 25 % of every layer", "每层保留 25%");
  assert_mark ((PjmMark) { PJM_MARK_KEEP_GROUPS, { "30", "4" } }, "Keep 30 % of 4 groups", "4 组保留 30%");
  assert_mark ((PjmMark) { PJM_MARK_CHOOSE, { "weight-sum" } }, "Choose by Weight sum", "按 权重和 选择");
  assert_mark ((PjmMark) { PJM_MARK_REMOVE_CHANNEL, { "7", "a % b\nc" } }, "Remove channel 7 of a % b\nc", "去掉 a % b\nc 的通道 7");
  assert_mark ((PjmMark) { PJM_MARK_AGAIN }, "Keep what was marked", "保留已标记的通道");
}

/* Sessions of older versions have the title alone; what is not one of theirs stays as it is. */
static void
test_old (void)
{
  g_autoptr (PjStepRecord) old = pj_step_record_new (PJ_STEP_MASKED, 1, "Keep 50 % of every layer");
  assert_title (old, chinese ? "每层保留 50%" : "Keep 50 % of every layer");
  g_autoptr (PjStepRecord) channel = pj_step_record_new (PJ_STEP_MASKED, 1, "Remove channel 3 of conv1");
  assert_title (channel, chinese ? "去掉 conv1 的通道 3" : "Remove channel 3 of conv1");
  g_autoptr (PjStepRecord) other = pj_step_record_new (PJ_STEP_MASKED, 1, "By hand");
  assert_title (other, NULL);
  g_autoptr (PjStepRecord) job = pj_step_record_new (PJ_STEP_MASKED, 1, "Choose by ThiNet");
  job->job = 3;
  assert_title (job, NULL);
  /* Settings of a newer version, or damaged ones. */
  g_autoptr (PjStepRecord) newer = pj_step_record_new (PJ_STEP_MASKED, 1, "Keep 50 % of conv1");
  newer->settings = g_strdup ("mark keep-some\nvalue 1\n");
  assert_title (newer, chinese ? "conv1 保留 50%" : "Keep 50 % of conv1");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  bindtextdomain (GETTEXT_PACKAGE, g_getenv ("TEST_LOCALES"));
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  g_test_init (&argc, &argv, NULL);
  chinese = g_strcmp0 (g_getenv ("LANGUAGE"), "zh_CN") == 0;
  g_test_add_func ("/app/step-mark/marks", test_marks);
  g_test_add_func ("/app/step-mark/old", test_old);
  return g_test_run ();
}
