/* SPDX-License-Identifier: MIT */
/* Whole plans: every mode against the reference interpreter, same bits twice, faults, clocks, memory. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "net.h"
#include "ops/op.h"
#include "reference.h"

#define BATCH 5
#define CLASSES 3
/* Dozens of layers in single precision; a wrong call is off by the size of the values. */
#define TOLERANCE 2e-4

static const int32_t labels[BATCH] = { 0, 2, 1, 1, 0 };
static const PjStep step = { .lr = 0.05f, .momentum = 0.9f, .weight_decay = 0.01f, .norm_momentum = 0.2f };

static PjDevice *
open_device (GError **error)
{
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  return pj_device_open (id ? id : "cpu", error);
}

/* Skips the test where the device does not exist. */
static PjDevice *
need_device (void)
{
  g_autoptr (GError) error = NULL;
  PjDevice *device = open_device (&error);
  if (device == NULL && g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("%s", error->message);
  if (device == NULL)
    g_test_skip (error->message);
  return device;
}

static float
gate_of (int channel)
{
  return 0.5f + 0.2f * (float) (channel % 5);
}

/* --- one plan against the reference --- */

typedef struct {
  PjGraph *graph;
  PjParams *params;
  PjPlan *plan;
  PjPlanOptions options;
  float *images;
  float teacher[BATCH * CLASSES];
} Setup;

static void
set_inputs (Setup *s)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pj_plan_set_images (s->plan, s->images, &error));
  if (s->options.cross_entropy != 0)
    g_assert_true (pj_plan_set_labels (s->plan, labels, &error));
  if (s->options.distill != 0)
    g_assert_true (pj_plan_set_teacher (s->plan, s->teacher, &error));
  for (unsigned i = 0; i < s->options.n_gated; i++) {
    float gate[64];
    for (int c = 0; c < 64; c++)
      gate[c] = gate_of (c);
    g_assert_true (pj_plan_set_gate (s->plan, s->options.gated[i], gate, &error));
  }
}

static float *
read_store (PjParams *params, PjStore store)
{
  size_t n = pj_params_n_elems (params);
  PjBuffer *buffer = pj_params_stores (params)[store];
  if (buffer == NULL)
    return NULL;
  float *data = g_new (float, n);
  g_assert_true (pj_params_device (params)->klass->buffer_read (buffer, 0, data, n * sizeof (float), NULL));
  return data;
}

/* Gives every slot that the host writes the numbers of set_inputs(). */
static void
write_reference (Reference *r, const Setup *s)
{
  const PjProgram *program = pj_plan_program (s->plan);
  const float hyper[PJ_N_HYPER] = { step.lr, step.momentum, step.weight_decay, 0, step.norm_momentum };
  int hyper_slot = -1;

  for (guint i = 0; i < program->calls->len; i++) {
    const PjCall *call = pj_program_call (program, i);
    if (call->kernel == PJ_KERNEL_NORM_TRAIN)
      hyper_slot = call->in[5];
    else if (call->kernel == PJ_KERNEL_SGD)
      hyper_slot = call->in[0];
  }
  for (guint i = 0; i < program->slots->len; i++) {
    const PjSlot *slot = pj_program_slot (program, i);
    if (slot->store != PJ_STORE_ARENA || (slot->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP)) != (PJ_SLOT_HOST | PJ_SLOT_KEEP))
      continue;
    if (slot->value == pj_graph_get_input (s->graph))
      reference_write (r, (int) i, s->images);
    else if (slot->flags & PJ_SLOT_INT32)
      reference_write_ints (r, (int) i, labels);
    else if ((int) i == hyper_slot)
      reference_write (r, (int) i, hyper);
    else if (slot->shape.rank == 2)
      reference_write (r, (int) i, s->teacher);
    else
      for (int c = 0; c < slot->shape.dim[0]; c++)
        r->slots[i][c] = gate_of (c);
  }
}

static void
compare (const float *a, const double *b, size_t n, const char *what)
{
  double scale = 1e-3;
  for (size_t i = 0; i < n; i++)
    scale = MAX (scale, fabs (b[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs (a[i] - b[i]) <= TOLERANCE * scale))
      g_error ("%s: element %zu of %zu is %.9g, the reference has %.9g (largest %g)", what, i, n, a[i], b[i], scale);
}

/* Slot of the program that holds @value of the graph or the output @out of the first call of @kernel on it. */
static int
find_slot (const PjProgram *program, int value)
{
  for (guint i = 0; i < program->slots->len; i++)
    if (pj_program_slot (program, i)->store == PJ_STORE_ARENA && pj_program_slot (program, i)->value == value)
      return (int) i;
  g_assert_not_reached ();
}

static void
compare_stores (const Setup *s, const Reference *r)
{
  for (int store = PJ_STORE_PARAMS; store < PJ_N_STORES; store++) {
    g_autofree float *data = read_store (s->params, store);
    for (unsigned v = 0; data != NULL && v < pj_graph_n_values (s->graph); v++) {
      const PjValue *value = pj_graph_value (s->graph, (int) v);
      gssize at = value->kind == PJ_VALUE_PARAM ? pj_params_offset (s->params, (int) v) : -1;
      if (at >= 0)
        compare (data + at, r->stores[store] + at, pj_shape_n_elems (&value->shape), value->name);
    }
  }
}

static void
compare_results (const Setup *s, const Reference *r)
{
  const PjProgram *program = pj_plan_program (s->plan);
  float logits[BATCH * CLASSES];

  g_assert_true (pj_plan_read_logits (s->plan, logits, NULL));
  compare (logits, r->slots[find_slot (program, pj_graph_get_logits (s->graph))], BATCH * CLASSES, "logits");
  for (unsigned i = 0; i < s->options.n_observed; i++) {
    const PjShape *shape = &pj_graph_value (s->graph, s->options.observed[i])->shape;
    size_t n = BATCH * pj_shape_n_elems (shape);
    g_autofree float *data = g_new (float, n);
    g_assert_true (pj_plan_read_value (s->plan, s->options.observed[i], data, NULL));
    compare (data, r->slots[find_slot (program, s->options.observed[i])], n, "observed value");
  }
  for (guint c = 0, i = 0; c < program->calls->len; c++) {
    const PjCall *call = pj_program_call (program, c);
    if (call->kernel != PJ_KERNEL_CHANNEL_STATS)
      continue;
    size_t n = pj_shape_n_elems (&pj_program_slot (program, call->out[0])->shape);
    g_autofree float *data = g_new (float, n);
    g_assert_true (pj_plan_read_stats (s->plan, s->options.stats[i++], data, NULL));
    compare (data, r->slots[call->out[0]], n, "statistics");
  }
  compare_stores (s, r);
}

static void
run_plan (Setup *s)
{
  g_autoptr (GError) error = NULL;
  if (s->options.mode == PJ_PLAN_TRAIN)
    pj_plan_train (s->plan, &step, &error);
  else if (pj_plan_forward (s->plan, &step, &error) && s->options.mode == PJ_PLAN_SCORE)
    pj_plan_backward (s->plan, &error);
  g_assert_no_error (error);
}

static void
check (PjGraph *graph, PjPlanOptions options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  options.batch = BATCH;
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, &error);
  g_assert_no_error (error);
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  g_autofree float *images = net_noise (BATCH * pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape), 21);
  Setup s = { graph, params, plan, options, images, { 1, 0, -1, 2, 1, 0, -1, -1, 3, 0.5f } };

  set_inputs (&s);
  /* Twice: what the first run leaves behind must not disturb the second. */
  for (int round = 0; round < 2; round++) {
    g_autofree float *p = read_store (params, PJ_STORE_PARAMS), *g = read_store (params, PJ_STORE_GRADS);
    g_autofree float *m = read_store (params, PJ_STORE_MOMENTUM);
    g_autoptr (Reference) r = reference_new (pj_plan_program (plan), (const float *const[]) { NULL, p, g, m }, pj_params_n_elems (params));
    write_reference (r, &s);
    reference_run (r, (1u << PJ_N_SEGMENTS) - 1);
    run_plan (&s);
    compare_results (&s, r);
  }
}

typedef struct {
  const char *name;
  PjGraph *(*net) (void);
  PjPlanOptions options;
  const char *gated[5], *observed[5];
} PlanCase;

static const PlanCase cases[] = {
  { "infer/residual", net_residual, { .mode = PJ_PLAN_INFER } },
  { "infer/mixed", net_mixed, { .mode = PJ_PLAN_INFER } },
  { "infer/residual-gated", net_residual, { .mode = PJ_PLAN_INFER }, { "stem.norm", "a1.norm", "add_a", "b1.norm" } },
  { "infer/residual-observed", net_residual, { .mode = PJ_PLAN_INFER }, { NULL }, { "stem.relu", "a2", "proj.norm", "relu_a" } },
  { "infer/mixed-gated", net_mixed, { .mode = PJ_PLAN_INFER }, { "c1", "c2", "b.norm", "f1" }, { "x", "r1", "max" } },
  { "infer/mixed-loss", net_mixed, { .mode = PJ_PLAN_INFER, .cross_entropy = 1, .distill = 0.5f, .distill_temperature = 3 } },
  { "recalibrate/residual", net_residual, { .mode = PJ_PLAN_RECALIBRATE }, { "stem.norm" }, { "relu_b" } },
  { "score/residual", net_residual, { .mode = PJ_PLAN_SCORE, .cross_entropy = 1, .gate_grads = TRUE }, { "stem.norm", "add_a" }, { "add_b" } },
  { "score/mixed", net_mixed, { .mode = PJ_PLAN_SCORE, .cross_entropy = 1 }, { NULL }, { "r2", "avg" } },
  { "train/residual", net_residual, { .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 } },
  { "train/mixed", net_mixed, { .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 } },
  { "train/residual-distilled", net_residual,
    { .mode = PJ_PLAN_TRAIN, .cross_entropy = 0.3f, .distill = 0.7f, .distill_temperature = 2 } },
  { "train/mixed-gated", net_mixed, { .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .gate_grads = TRUE, .distill = 1, .distill_reverse = TRUE },
    { "c1", "c3", "b.norm", "f1" }, { "r3" } },
  { "train/mixed-gated-through", net_mixed, { .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .gate_grads = TRUE, .gate_through = TRUE },
    { "c1", "c3", "b.norm", "f1" }, { "r3" } },
};

/* Indices of named values, ascending. */
static unsigned
find_values (const PjGraph *graph, const char *const *names, int *values)
{
  unsigned n = 0;
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++)
    for (int i = 0; i < 5 && names[i] != NULL; i++)
      if (strcmp (pj_graph_value (graph, (int) v)->name, names[i]) == 0)
        values[n++] = (int) v;
  for (unsigned i = 0; i < 5 && names[i] != NULL; i++)
    g_assert_cmpint (pj_graph_find_value (graph, names[i]), >=, 0);
  return n;
}

static void
matches_reference (gconstpointer data)
{
  const PlanCase *c = data;
  g_autoptr (PjGraph) graph = c->net ();
  PjPlanOptions options = c->options;
  int gated[5], observed[5];
  options.n_gated = find_values (graph, c->gated, gated);
  options.n_observed = options.n_stats = find_values (graph, c->observed, observed);
  options.gated = gated;
  options.observed = options.stats = observed;
  check (graph, options);
}

/* --- determinism --- */

static float *
train_some (PjDevice *device)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, NULL);
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, NULL);
  for (uint64_t i = 0; i < 6; i++) {
    g_autofree float *images = net_noise (BATCH * 72, i);
    g_assert_true (pj_plan_set_images (plan, images, NULL));
    g_assert_true (pj_plan_set_labels (plan, labels, NULL));
    g_assert_true (pj_plan_train (plan, &step, NULL));
  }
  return read_store (params, PJ_STORE_PARAMS);
}

static void
same_bits (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, NULL);
  g_autofree float *a = train_some (device), *b = train_some (device), *start = read_store (params, PJ_STORE_PARAMS);
  size_t size = pj_params_n_elems (params) * sizeof (float);
  g_assert_cmpmem (a, size, b, size);
  g_assert_true (memcmp (a, start, size) != 0);
}

/* A saved state continues with the bits of the run that was not interrupted. */
static void
restore_continues (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = net_mixed ();
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  g_autofree float *images = net_noise (BATCH * 72, 3);
  g_autoptr (GBytes) state = NULL, whole = NULL, resumed = NULL;
  for (int run = 0; run < 2; run++) {
    g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, NULL);
    g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, NULL);
    g_assert_true (pj_plan_set_images (plan, images, NULL));
    g_assert_true (pj_plan_set_labels (plan, labels, NULL));
    if (run == 1)
      g_assert_true (pj_params_restore (params, state, NULL));
    for (int i = run * 3; i < 6; i++) {
      if (i == 3 && run == 0)
        state = pj_params_save (params, NULL);
      g_assert_true (pj_plan_train (plan, &step, NULL));
    }
    *(run == 0 ? &whole : &resumed) = pj_params_save (params, NULL);
  }
  g_assert_true (g_bytes_equal (whole, resumed));
  g_assert_false (g_bytes_equal (whole, state));
}

/* --- faults --- */

/* Everything from opening the device to a trained step. */
static gboolean
work (PjGraph *graph, GError **error)
{
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  g_autofree float *images = net_noise (BATCH * 72, 5);
  g_autoptr (PjDevice) device = open_device (error);
  if (device == NULL)
    return FALSE;
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, error);
  if (params == NULL)
    return FALSE;
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, error);
  if (plan == NULL || !pj_plan_set_images (plan, images, error) || !pj_plan_set_labels (plan, labels, error)
      || !pj_plan_train (plan, &step, error))
    return FALSE;
  g_autoptr (PjGraph) trained = pj_params_download (params, graph, error);
  return trained != NULL;
}

static void
faults (gconstpointer data)
{
  PjFault kind = (PjFault) GPOINTER_TO_INT (data);
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = net_residual ();
  for (unsigned n = 1; ; n++) {
    g_autoptr (GError) error = NULL;
    g_assert_cmpuint (n, <, 1000);
    pj_fault_arm (kind, n);
    gboolean ok = work (graph, &error);
    gboolean fired = pj_fault_fired (kind);
    pj_fault_arm (kind, 0);
    if (!fired) {
      /* The n-th call does not exist: the work has to succeed. */
      g_assert_no_error (error);
      g_assert_cmpuint (n, >, 1);
      break;
    }
    if (ok)   /* a fault that was met by trying something else */
      g_assert_null (error);
    else
      g_assert_true (error != NULL && strlen (error->message) > 10);
  }
  g_autoptr (GError) error = NULL;
  g_assert_true (work (graph, &error));
}

static void
out_of_memory_names_a_batch (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, NULL);
  g_autoptr (GError) error = NULL;
  PjPlanOptions options = { .batch = 8 };
  /* A device may have a second kind of memory to try, or room in what it has: take the first failure that
   * it cannot mend. */
  gboolean fired = TRUE;
  for (unsigned n = 1; error == NULL && fired; n++) {
    pj_fault_arm (PJ_FAULT_DEVICE_ALLOC, n);
    g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
    fired = pj_fault_fired (PJ_FAULT_DEVICE_ALLOC);
  }
  pj_fault_arm (PJ_FAULT_DEVICE_ALLOC, 0);
  if (error == NULL && !g_str_equal (device->klass->kind, "cpu")) {
    g_test_skip ("a plan of this size needs no new memory on this device");
    return;
  }
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "a batch of 8 does not fit; a batch of 4 does"));
}

/* Eight tebibytes: refused by arithmetic, before anything is allocated. */
static void
larger_than_the_machine (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = pj_graph_new ("huge");
  PjPoolParams p = { .kernel = { 1, 1 }, .stride = { 1, 1 } };
  int x = pj_graph_add_input (graph, "x", PJ_SHAPE (1, 1, 1 << 20, 1 << 20));
  pj_graph_set_output (graph, pj_graph_add_node (graph, "pool", &pj_op_avg_pool, &p, &x, 1, NULL));
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, NULL);
  g_autoptr (GError) error = NULL;
  PjPlanOptions options = { .batch = 2 };
  g_assert_null (pj_plan_new (graph, params, &options, &error));
  g_test_message ("%s", error->message);
  /* Either there is not that much memory, or the device cannot count that far. */
  g_assert_true (strstr (error->message, "not even one picture fits") || strstr (error->message, "too large"));
}

/* Two convolutions with one weight but two biases: their gradients cannot be told apart by one flag. */
static void
half_shared_parameters (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) g = pj_graph_new ("half-shared");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 3, 3)), w = net_param (g, "w", PJ_SHAPE (2, 2, 3, 3), 0, 1, 1);
  x = net_conv (g, "c1", x, w, net_param (g, "b1", PJ_SHAPE (2), 0, 1, 1), 1, 1);
  x = net_conv (g, "c2", x, w, net_param (g, "b2", PJ_SHAPE (2), 0, 1, 1), 1, 1);
  pj_graph_set_output (g, net_unary (g, "flat", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x)));
  g_autoptr (PjParams) params = pj_params_new (device, g, TRUE, NULL);
  g_autoptr (GError) error = NULL;
  PjPlanOptions options = { .batch = 2, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  g_assert_null (pj_plan_new (g, params, &options, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "c1"));
  options.mode = PJ_PLAN_INFER;
  g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, NULL);
  g_assert_nonnull (plan);
}

/* --- clocks --- */

/* Two training steps; what they leave in all stores is appended to @into. */
static size_t
train_with (PjDevice *device, PjGraph *graph, PjRecompute recompute, GByteArray *into)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, &error);
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .recompute = recompute };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  const PjShape *shape = &pj_graph_value (graph, pj_graph_get_input (graph))->shape;
  g_autofree float *images = net_noise (BATCH * pj_shape_n_elems (shape), 5);

  for (int i = 0; i < 2; i++) {
    g_assert_true (pj_plan_set_images (plan, images, NULL) && pj_plan_set_labels (plan, labels, NULL));
    g_assert_true (pj_plan_train (plan, &step, NULL));
  }
  for (int store = PJ_STORE_PARAMS; store < PJ_N_STORES; store++) {
    g_autofree float *data = read_store (params, store);
    g_byte_array_append (into, (const guint8 *) data, (guint) (pj_params_n_elems (params) * sizeof (float)));
  }
  guint again = 0;
  for (guint c = 0; c < pj_plan_program (plan)->calls->len; c++)
    again += pj_program_call (pj_plan_program (plan), c)->again != FALSE;
  g_assert_true ((again > 0) == (recompute != PJ_RECOMPUTE_NOTHING));
  return pj_plan_memory_bytes (plan);
}

/* Activations that are computed again give the same weights, gradients and running statistics, to the bit. */
static void
recompute (gconstpointer data)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = ((PjGraph *(*) (void)) data) ();
  g_autoptr (GByteArray) kept = g_byte_array_new (), norms = g_byte_array_new (), blocks = g_byte_array_new ();
  train_with (device, graph, PJ_RECOMPUTE_NOTHING, kept);
  train_with (device, graph, PJ_RECOMPUTE_NORMS, norms);
  train_with (device, graph, PJ_RECOMPUTE_BLOCKS, blocks);
  g_assert_cmpmem (kept->data, kept->len, norms->data, norms->len);
  g_assert_cmpmem (kept->data, kept->len, blocks->data, blocks->len);
}

/* A chain of 12 blocks: memory for a block instead of all. */
static void
recompute_saves (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = pj_graph_new ("chain");
  int y = pj_graph_add_input (graph, "x", PJ_SHAPE (1, 2, 16, 16));
  for (int i = 0; i < 12; i++) {
    g_autofree char *name = g_strdup_printf ("block%d", i);
    y = net_block (graph, name, y, 16, 3, 1, TRUE);
  }
  pj_graph_set_output (graph, net_classifier (graph, y));
  g_autoptr (GByteArray) unused = g_byte_array_new ();
  size_t all = train_with (device, graph, PJ_RECOMPUTE_NOTHING, unused);
  size_t norms = train_with (device, graph, PJ_RECOMPUTE_NORMS, unused);
  size_t blocks = train_with (device, graph, PJ_RECOMPUTE_BLOCKS, unused);
  g_test_message ("%zu bytes, norms again %zu, blocks again %zu", all, norms, blocks);
  g_assert_cmpuint (norms, <, all);
  g_assert_cmpuint (blocks, <, norms);
}

static void
profile (void)
{
  g_autoptr (PjDevice) device = need_device ();
  if (device == NULL)
    return;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, NULL);
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, NULL);
  guint n = pj_plan_program (plan)->calls->len;
  g_autofree double *ms = g_new (double, n);
  g_autoptr (GError) error = NULL;
  double sum = 0;
  if (!pj_plan_profile (plan, ms, &error)) {
    g_assert_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED);
    return;
  }
  for (guint i = 0; i < n; i++) {
    g_assert_cmpfloat (ms[i], >=, 0);
    sum += ms[i];
  }
  g_assert_cmpfloat (sum, >, 0);
  g_assert_cmpuint (pj_plan_memory_bytes (plan), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/plan/matches-reference/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], matches_reference);
  }
  g_test_add_func ("/plan/same-bits", same_bits);
  g_test_add_func ("/plan/restore-continues", restore_continues);
  g_test_add_data_func ("/plan/faults/host-memory", GINT_TO_POINTER (PJ_FAULT_ALLOC), faults);
  g_test_add_data_func ("/plan/faults/device-memory", GINT_TO_POINTER (PJ_FAULT_DEVICE_ALLOC), faults);
  g_test_add_data_func ("/plan/faults/device-lost", GINT_TO_POINTER (PJ_FAULT_DEVICE_RUN), faults);
  g_test_add_func ("/plan/memory/names-a-batch", out_of_memory_names_a_batch);
  g_test_add_func ("/plan/memory/larger-than-the-machine", larger_than_the_machine);
  g_test_add_func ("/plan/half-shared-parameters", half_shared_parameters);
  g_test_add_data_func ("/plan/recompute/residual", net_residual, recompute);
  g_test_add_func ("/plan/recompute/saves-memory", recompute_saves);
  g_test_add_func ("/plan/profile", profile);
  return g_test_run ();
}
