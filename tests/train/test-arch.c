/* SPDX-License-Identifier: MIT */
/* Architectures by name, learning rates over time, and the settings of a training: nothing is trained here. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "fixture.h"
#include "train/arch.h"
#include "train/schedule.h"
#include "train/trainer.h"

/* --- architectures --- */

static PjGraph *
build (const char *name, int c, int side, unsigned classes, uint64_t seed, GError **error)
{
  PjArchOptions options = { .c = c, .h = side, .w = side, .n_classes = classes, .width = 1, .seed = seed };
  const PjArch *arch = pj_arch_find (name);
  g_assert_nonnull (arch);
  return pj_arch_build (arch, &options, error);
}

static void
arch_costs (void)
{
  static const struct { const char *name; int c, side; unsigned classes; uint64_t macs, learnable; } rows[] = {
    { "vgg-mini", 1, 28, 10, 29128448, 288170 },
    /* 9·(1024·1120 + 256·6144 + 64·24576) + 128·81 */
    { "vgg-mini", 3, 32, 81, 38643840, 297905 },
    /* stem 442,368; stages 9,437,184, 8,257,536 + 131,072, 8,257,536 + 131,072; fc 640 */
    { "resnet-mini", 3, 32, 10, 26657408, 175258 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (PjGraph) graph = build (rows[i].name, rows[i].c, rows[i].side, rows[i].classes, 1, &error);
    g_assert_no_error (error);
    PjCost cost = { 0 };
    pj_graph_cost (graph, &cost);
    g_test_message ("%s: %" G_GUINT64_FORMAT " MAC, %" G_GUINT64_FORMAT " parameters", rows[i].name, cost.macs, cost.learnable);
    g_assert_cmpuint (cost.macs, ==, rows[i].macs);
    g_assert_cmpuint (cost.learnable, ==, rows[i].learnable);
    g_assert_cmpuint (pj_graph_n_classes (graph), ==, rows[i].classes);
  }
  g_assert_null (pj_arch_find ("vgg-maxi"));
}

/* The parameter called @name. */
static const float *
data_of (const PjGraph *graph, const char *name, size_t *n)
{
  int value = pj_graph_find_value (graph, name);
  g_assert_cmpint (value, >=, 0);
  const PjBlob *blob = pj_graph_value (graph, value)->data;
  if (n != NULL)
    *n = pj_blob_n_elems (blob);
  return pj_blob_data (blob);
}

static void
arch_init (void)
{
  g_autoptr (PjGraph) a = build ("resnet-mini", 1, 28, 10, 5, NULL), b = build ("resnet-mini", 1, 28, 10, 5, NULL);
  g_autoptr (PjGraph) c = build ("resnet-mini", 1, 28, 10, 6, NULL);
  size_t n;
  double sum = 0, squares = 0;
  const float *w = data_of (a, "stage3.block2.conv2.weight", &n);
  g_assert_cmpuint (n, ==, 64 * 64 * 9);
  g_assert_cmpmem (w, n * 4, data_of (b, "stage3.block2.conv2.weight", NULL), n * 4);
  g_assert_true (memcmp (w, data_of (c, "stage3.block2.conv2.weight", NULL), n * 4) != 0);
  for (size_t i = 0; i < n; i++) {
    sum += w[i];
    squares += (double) w[i] * w[i];
  }
  /* He: variance 2/(64·9); 36,864 values give it to about 1 %. */
  g_assert_cmpfloat_with_epsilon (sum / (double) n, 0, 0.002);
  g_assert_cmpfloat_with_epsilon (squares / (double) n, 2.0 / 576, 0.03 * 2.0 / 576);
  g_assert_cmpint (pj_graph_find_value (a, "stage1.block1.shortcut.weight"), ==, -1);
  g_assert_cmpint (pj_graph_find_value (a, "stage2.block1.shortcut.weight"), >=, 0);
}

static void
arch_refuses (void)
{
  g_autoptr (GError) error = NULL;
  for (const PjArch *arch = pj_archs; arch->name != NULL; arch++) {
    PjArchOptions options;
    pj_arch_options_init (&options, arch);
    options.outline = TRUE;
    options.h = arch->least - 1;
    g_assert_null (pj_arch_build (arch, &options, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, arch->name));
    g_clear_error (&error);
    options.h = options.w = arch->least;
    g_autoptr (PjGraph) least = pj_arch_build (arch, &options, &error);
    g_assert_no_error (error);
    options.n_classes = 1;
    g_assert_null (pj_arch_build (arch, &options, &error));
    g_clear_error (&error);
    options.n_classes = 10;
    options.width = 0;
    g_assert_null (pj_arch_build (arch, &options, &error));
    g_assert_nonnull (strstr (error->message, "0 times"));
    g_clear_error (&error);
    options.width = 1;
    options.outline = FALSE;
    pj_fault_arm (PJ_FAULT_ALLOC, 3);
    g_assert_null (pj_arch_build (arch, &options, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY);
    g_clear_error (&error);
    pj_fault_arm (PJ_FAULT_ALLOC, 0);
  }
}

/* A number behind a name multiplies the widths; other words behind it are names of their own. */
static void
arch_widths (void)
{
  static const struct { const char *name, *row; double width; } good[] = {
    { "resnet50", "resnet50", 1 }, { "resnet50-0.5", "resnet50", 0.5 }, { "resnet20-b", "resnet20-b", 1 },
    { "resnet20-b-2", "resnet20-b", 2 }, { "mobilenetv2-1.0", "mobilenetv2", 1 }, { "vgg-mini", "vgg-mini", 1 },
  };
  static const char *const bad[] = { "resnet50-", "resnet50-0.5x", "-0.5", "resnet50-b", "vgg", "" };
  double width;
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    const PjArch *arch = pj_arch_parse (good[i].name, &width);
    g_assert_nonnull (arch);
    g_assert_cmpstr (arch->name, ==, good[i].row);
    g_assert_cmpfloat (width, ==, good[i].width);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (pj_arch_parse (bad[i], &width));
  PjArchOptions options;
  pj_arch_options_init (&options, pj_arch_find ("resnet-mini"));
  options.width = 0.3;
  g_autoptr (PjGraph) thin = pj_arch_build (pj_arch_find ("resnet-mini"), &options, NULL);
  g_assert_cmpstr (pj_graph_get_name (thin), ==, "resnet-mini-0.3");
  g_assert_cmpint (pj_graph_value (thin, pj_graph_find_value (thin, "stage3.block2.conv2.weight"))->shape.dim[0], ==, 19);
}

/* --- schedules --- */

static void
schedules (void)
{
  g_autoptr (JsonObject) spec = fixture_load ("spec/schedules.json");
  PjTrainOptions o;
  int n;
  unsigned per_epoch = (unsigned) fixture_number (spec, "warmup_cosine/iters_per_epoch");
  g_autofree float *rows = fixture_floats (spec, "warmup_cosine/epoch_iter_lr", &n);
  pj_train_options_init (&o);
  o.lr = (float) fixture_number (spec, "warmup_cosine/lr");
  o.warmup_steps = per_epoch * (unsigned) fixture_number (spec, "warmup_cosine/warmup_epochs");
  unsigned total = per_epoch * (unsigned) fixture_number (spec, "warmup_cosine/epochs");
  for (int i = 0; i < n; i += 3)
    g_assert_cmpfloat_with_epsilon (pj_schedule_lr (&o, (unsigned) rows[i] * per_epoch + (unsigned) rows[i + 1], per_epoch, total),
                                    rows[i + 2], 1e-6 * rows[i + 2] + 1e-12);

  g_autofree float *steps = fixture_floats (spec, "step_every_10/epoch_lr", &n);
  o.lr = (float) fixture_number (spec, "step_every_10/lr");
  o.warmup_steps = 0;
  o.schedule = PJ_SCHEDULE_STEP;
  o.step_epochs = 10;
  o.step_factor = 0.1f;
  for (int i = 0; i < n; i += 2)
    for (unsigned k = 0; k < 7; k += 6)
      g_assert_cmpfloat_with_epsilon (pj_schedule_lr (&o, (unsigned) steps[i] * 7 + k, 7, 210), steps[i + 1], 1e-6 * steps[i + 1]);
  o.schedule = PJ_SCHEDULE_CONSTANT;
  g_assert_cmpfloat (pj_schedule_lr (&o, 200, 7, 210), ==, o.lr);
}

static void
options_checked (void)
{
  PjTrainOptions good;
  pj_train_options_init (&good);
  g_assert_true (pj_train_options_check (&good, NULL));
  for (int i = 0; i < 9; i++) {
    g_autoptr (GError) error = NULL;
    PjTrainOptions o = good;
    const char *words[] = { "epochs", "batch", "learning rate", "learning rate", "momentum", "weight decay", "distillation weight",
                            "distillation temperature", "crop" };
    switch (i) {
    case 0: o.epochs = 0; break;
    case 1: o.batch = 0; break;
    case 2: o.lr = 0; break;
    case 3: o.lr = NAN; break;
    case 4: o.momentum = 1; break;
    case 5: o.weight_decay = -1; break;
    case 6: o.distill = 1.5f; break;
    case 7: o.distill = 0.5f; o.distill_temperature = 0; break;
    case 8: o.crop = -1; break;
    }
    g_assert_false (pj_train_options_check (&o, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, words[i]));
  }
}

static void
options_described (void)
{
  PjTrainOptions o;
  pj_train_options_init (&o);
  g_autofree char *plain = pj_train_describe (&o);
  g_assert_cmpstr (plain, ==, "1 epoch, batch 64, learning rate 0.05 cosine, Nesterov momentum 0.9, weight decay 0.0005, flip, seed 1");
  o = (PjTrainOptions) { .epochs = 3, .max_steps = 7, .batch = 2, .lr = 1, .schedule = PJ_SCHEDULE_STEP, .step_epochs = 2,
                         .step_factor = 0.25f, .warmup_steps = 5, .crop = 4, .distill = 0.5f, .distill_temperature = 2, .seed = 9 };
  g_autofree char *all = pj_train_describe (&o);
  g_assert_cmpstr (all, ==, "3 epochs, at most 7 steps, batch 2, learning rate 1 step (times 0.25 every 2 epochs) after 5 warm-up steps, "
                   "momentum 0, weight decay 0, crop 4, teacher weight 0.5 at temperature 2, seed 9");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/arch/costs", arch_costs);
  g_test_add_func ("/train/arch/initial-weights", arch_init);
  g_test_add_func ("/train/arch/refuses", arch_refuses);
  g_test_add_func ("/train/arch/widths", arch_widths);
  g_test_add_func ("/train/schedule/fixture", schedules);
  g_test_add_func ("/train/options/checked", options_checked);
  g_test_add_func ("/train/options/described", options_described);
  return g_test_run ();
}
