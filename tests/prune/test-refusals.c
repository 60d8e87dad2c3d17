/* SPDX-License-Identifier: MIT */
/* Every registered method refuses what cannot be done before it begins, and says what to change. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "ops/op.h"

/* A poll means that work has begun. */
static gboolean
begun_cb (gpointer data)
{
  *(gboolean *) data = TRUE;
  return FALSE;
}

static void
assert_refused (Lab *lab, const PjMethod *method, PjPruneSettings *settings, int code, const char *const *words)
{
  g_autoptr (GError) error = NULL;
  gboolean begun = FALSE;
  PjHooks hooks = { .data = &begun, .is_cancelled = begun_cb };
  g_autofree double *values = settings->values == NULL ? pj_method_values (method, NULL, NULL) : NULL;
  if (values != NULL)
    settings->values = values;
  lab->scoring.hooks = &hooks;
  gboolean ok = pj_prune_settings_check (method, &lab->scoring, settings, &error);
  if (values != NULL)
    settings->values = NULL;
  if (ok)
    g_error ("%s takes it: %s", method->name, words[0]);
  g_assert_false (begun);
  g_assert_true (error->domain == PJ_PRUNE_ERROR || error->domain == PJ_DATA_ERROR);
  if (error->domain == PJ_PRUNE_ERROR)
    g_assert_cmpint (error->code, ==, code);
  for (const char *const *word = words; *word != NULL; word++)
    if (strstr (error->message, *word) == NULL)
      g_error ("%s: “%s” lacks “%s”", method->name, error->message, *word);
}

#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* Settings that every method accepts, so that one thing at a time is wrong. */
static void
assert_taken (Lab *lab, const PjMethod *method, PjPruneSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autofree double *values = pj_method_values (method, NULL, NULL);
  settings->values = values;
  if (!pj_prune_settings_check (method, &lab->scoring, settings, &error))
    g_error ("%s: %s", method->name, error->message);
  settings->values = NULL;
}

static void
bad_ratios (void)
{
  static const double bad[] = { 0, -0.5, 1.01, NAN };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 128, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
  int a = pj_groups_find (lab.groups, "a")->id, fc = pj_groups_find (lab.groups, "fc")->id;
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    PjPruneSettings settings = { .ratios = ratios };
    assert_taken (&lab, *m, &settings);
    for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
      ratios[a] = bad[i];
      assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_SETTING, WORDS ("“a”", "use more than 0 and at most 1"));
    }
    ratios[a] = 0.5;
    /* The classifier's outputs are the classes. */
    ratios[fc] = 0.5;
    assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_LOCKED, WORDS ("“fc” cannot be cut", pj_groups_get (lab.groups, (unsigned) fc)->lock_reason));
    ratios[fc] = 1;
    settings.ratios = NULL;
    assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_SETTING, WORDS ("no keep ratios", "say how much"));
  }
}

static void
bad_budgets (void)
{
  static const struct { double target, floor; } bad[] = { { 0, 0 }, { -1, 0 }, { 1.5, 0 }, { NAN, 0 }, { 0.5, -0.1 }, { 0.5, 1.1 } };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 128, FALSE, 1);
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.5 };
    if (!(*m)->gives_scores && !(*m)->allocates) {
      assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_SETTING, WORDS ("cannot share one budget", "give keep ratios instead"));
      continue;
    }
    assert_taken (&lab, *m, &settings);
    for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
      settings.target = bad[i].target;
      settings.floor = bad[i].floor;
      assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_SETTING, WORDS ("is not possible", "more than 0 and at most 1"));
    }
  }
}

static void
bad_pictures (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 128, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
  g_autofree guint8 *pixels = g_malloc0 (20 * 64);
  const int32_t labels[20] = { 0, 1, 2, 3 };
  g_autoptr (PjDataset) other = pj_dataset_new_memory ("others", 20, 1, 8, 8, pixels, labels, 4, 4);
  PjFormat wide = lab.format;
  wide.w = 9;
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    PjPruneSettings settings = { .ratios = ratios };
    const PjScoring good = lab.scoring;
    gboolean looks = ((*m)->needs & (PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS)) != 0;
    lab.scoring.dataset = NULL;
    if (looks)
      assert_refused (&lab, *m, &settings, PJ_PRUNE_ERROR_SETTING, WORDS ((*m)->title, "choose a data folder"));
    else
      assert_taken (&lab, *m, &settings);
    lab.scoring = good;
    lab.scoring.format = &wide;
    if (looks)
      assert_refused (&lab, *m, &settings, 0, WORDS ("1×1×8×8", "1×8×9"));
    lab.scoring = good;
    if ((*m)->needs & PJ_NEEDS_LABELS) {
      lab.scoring.dataset = other;
      assert_refused (&lab, *m, &settings, 0, WORDS ("3 classes", "“others” has 4"));
    }
    lab.scoring = good;
  }
}

/* Which methods cannot do with one picture, and what they ask for. */
static void
few_pictures (void)
{
  static const struct { const char *method, *word; int code; } needy[] = {
    { "var-l2", "at least 2", PJ_PRUNE_ERROR_UNFIT }, { "thinet", "use at least", PJ_PRUNE_ERROR_UNFIT },
    { "thinet-ls", "use at least", PJ_PRUNE_ERROR_UNFIT }, { "channel-pruning", "use at least", PJ_PRUNE_ERROR_UNFIT },
    { "autopruner", "use more pictures", PJ_PRUNE_ERROR_SETTING }, { "sss", "use more pictures", PJ_PRUNE_ERROR_SETTING },
    { "gdp", "use more pictures", PJ_PRUNE_ERROR_SETTING }, { "gal", "use more pictures", PJ_PRUNE_ERROR_SETTING },
    { "taylor-steps", "use more pictures", PJ_PRUNE_ERROR_SETTING },
  };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 128, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
  unsigned n_refused = 0;
  lab.scoring.n_images = 1;
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    PjPruneSettings settings = { .ratios = ratios };
    guint i = 0;
    while (i < G_N_ELEMENTS (needy) && !g_str_equal (needy[i].method, (*m)->name))
      i++;
    g_autofree double *values = pj_method_values (*m, NULL, NULL);
    settings.values = values;
    g_autoptr (GError) error = NULL;
    gboolean ok = pj_prune_settings_check (*m, &lab.scoring, &settings, &error);
    settings.values = NULL;
    if (i == G_N_ELEMENTS (needy)) {
      g_assert_no_error (error);
      g_assert_true (ok);
      continue;
    }
    assert_refused (&lab, *m, &settings, needy[i].code, WORDS (needy[i].word));
    n_refused++;
  }
  g_assert_cmpuint (n_refused, ==, G_N_ELEMENTS (needy));
}

/* --- what a network lacks --- */

/* Two convolutions with biases and ReLU, without norms; the last one linear. */
static void
init_plain (Lab *lab)
{
  PjGraph *g = pj_graph_new ("plain");
  int y = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8));
  const struct { const char *name; int in, out; } layers[] = { { "p", 1, 6 }, { "q", 6, 6 }, { "r", 6, 6 } };
  for (guint i = 0; i < 3; i++) {
    g_autofree char *w = g_strconcat (layers[i].name, ".w", NULL), *b = g_strconcat (layers[i].name, ".b", NULL);
    g_autofree char *relu = g_strconcat (layers[i].name, ".relu", NULL);
    y = net_conv (g, layers[i].name, y, net_param (g, w, PJ_SHAPE (layers[i].out, layers[i].in, 3, 3), 0, 0.5f, i),
                  net_param (g, b, PJ_SHAPE (layers[i].out), 0, 0.1f, i + 9), 1, 1);
    if (i < 2)
      y = net_unary (g, relu, &pj_op_relu, y);
  }
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, 6), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 7)));
  lab_init_chain (lab, 128, FALSE, 1);
  lab_swap_graph (lab, g);
}

static void
no_norm (void)
{
  g_auto (Lab) lab;
  init_plain (&lab);
  g_autofree double *ratios = lab_ratios (&lab, "p q", 0.5);
  PjPruneSettings local = { .ratios = ratios }, global = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.7 };
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    if (!g_str_equal ((*m)->name, "bn-scale")) {
      assert_taken (&lab, *m, &local);
      continue;
    }
    assert_refused (&lab, *m, &local, PJ_PRUNE_ERROR_UNFIT, WORDS ("“p” has no batch norm", "the same holds for “q”", "use the weight sum"));
    assert_refused (&lab, *m, &global, PJ_PRUNE_ERROR_UNFIT, WORDS ("no batch norm"));
  }
  /* A method that works through a criterion asks it, too. */
  const PjMethod *method = pj_method_find ("equal-loss");
  g_autofree double *values = pj_method_values (method, WORDS ("by=bn-scale"), NULL);
  global.values = values;
  assert_refused (&lab, method, &global, PJ_PRUNE_ERROR_UNFIT, WORDS ("Norm scale", "no batch norm"));
}

static void
no_relu (void)
{
  g_auto (Lab) lab;
  init_plain (&lab);
  g_autofree double *ratios = lab_ratios (&lab, "r", 0.5);
  PjPruneSettings settings = { .ratios = ratios };
  assert_refused (&lab, pj_method_find ("apoz"), &settings, PJ_PRUNE_ERROR_UNFIT, WORDS ("“r”", "ReLU"));
  assert_taken (&lab, pj_method_find ("weight-sum"), &settings);
}

/* Settings of a method's own: names, words and ranges. */
static void
own_settings (void)
{
  unsigned n = 0;
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    g_autoptr (GError) unknown = NULL;
    g_assert_null (pj_method_values (*m, WORDS ("no-such-setting=1"), &unknown));
    g_assert_error (unknown, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
    g_assert_nonnull (strstr (unknown->message, "no-such-setting"));
    for (const PjMethodOption *o = (*m)->options; o != NULL && o->name != NULL; o++) {
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      g_autofree char *word = g_strdup_printf ("%s=nonsense", o->name);
      g_autofree char *high = g_strdup_printf ("%s=%s", o->name, g_ascii_dtostr (number, sizeof number, o->most + 1 + fabs (o->most)));
      const char *const texts[] = { word, high };
      for (guint i = 0; i < 2; i++) {
        g_autoptr (GError) error = NULL;
        const char *const set[] = { texts[i], NULL };
        g_assert_null (pj_method_values (*m, set, &error));
        g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
        g_assert_nonnull (strstr (error->message, o->name));
        n++;
      }
    }
  }
  g_assert_cmpuint (n, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/refusals/ratios", bad_ratios);
  g_test_add_func ("/prune/refusals/budgets", bad_budgets);
  g_test_add_func ("/prune/refusals/pictures", bad_pictures);
  g_test_add_func ("/prune/refusals/few-pictures", few_pictures);
  g_test_add_func ("/prune/refusals/no-norm", no_norm);
  g_test_add_func ("/prune/refusals/no-relu", no_relu);
  g_test_add_func ("/prune/refusals/own-settings", own_settings);
  return g_test_run ();
}
