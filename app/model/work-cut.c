/* SPDX-License-Identifier: MIT */
/* Cutting, checked: the smaller network computes what the masked one did, and says where it came from. */
#include "base/alloc.h"
#include "base/error.h"
#include "model/work-infer.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-prune.h"
#include "prune/method.h"
#include "train/fresh.h"

/* Inputs that the masked and the cut network are compared on. */
#define N_INPUTS 4

void
pj_work_note_origin (const PjWork *work, PjGraph *cut, const char *method, uint64_t seed, const char *base_accuracy)
{
  g_autofree char *known = NULL;
  if (base_accuracy == NULL && work->session != NULL && work->step != 0) {
    g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, NULL);
    base_accuracy = known = step != NULL ? pj_work_known_accuracy (work->session, step->model) : NULL;
  }
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, seed);
  pj_graph_set_meta (cut, PJ_NOTE_CRITERION, method != NULL ? method : "by hand");
  pj_graph_set_meta (cut, PJ_NOTE_SEED, number);
  pj_graph_set_meta (cut, PJ_NOTE_ACCURACY, NULL);
  /* The base of a network that is cut for the second time is the one before the first cut. */
  if (pj_graph_get_meta (cut, PJ_NOTE_BASE_MACS) != NULL)
    return;
  PjCost cost;
  pj_graph_cost (work->graph, &cost);
  g_autofree char *macs = g_strdup_printf ("%" G_GUINT64_FORMAT, cost.macs);
  g_autofree char *params = g_strdup_printf ("%" G_GUINT64_FORMAT, cost.learnable);
  pj_graph_set_meta (cut, PJ_NOTE_BASE_MACS, macs);
  pj_graph_set_meta (cut, PJ_NOTE_BASE_PARAMS, params);
  pj_graph_set_meta (cut, PJ_NOTE_BASE_ACCURACY, base_accuracy);
}

/* Largest difference between the masked and the cut network; -1 if they cannot be run here. */
static gboolean
compare_with_masked (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan, PjGraph *cut,
                     double *difference, GError **error)
{
  PjCost cost;
  size_t n = pj_work_output_elems (cut);
  gboolean are_pictures;
  pj_graph_cost (cut, &cost);
  *difference = -1.0;
  if (work->device == NULL || cost.unknown_nodes > 0)
    return TRUE;
  float *inputs = pj_work_probe_inputs (work->graph, work->dataset, N_INPUTS, &are_pictures, error);
  float *masked = inputs != NULL ? pj_alloc (2 * N_INPUTS * n * sizeof (float), "outputs to compare", error) : NULL;
  gboolean ok = masked != NULL
                && pj_work_infer_masked (work->device, work->graph, groups, plan, N_INPUTS, inputs, N_INPUTS, masked,
                                         work->hooks, error)
                && pj_work_infer (work->device, cut, N_INPUTS, inputs, N_INPUTS, masked + N_INPUTS * n, work->hooks,
                                  error);
  if (ok)
    *difference = pj_work_difference (masked, masked + N_INPUTS * n, N_INPUTS * n);
  pj_free (inputs);
  pj_free (masked);
  return ok;
}

/* Of a network that was cut more than once the note keeps the largest difference. */
static void
note_difference (PjGraph *cut, double difference)
{
  const char *before = pj_graph_get_meta (cut, PJ_NOTE_CUT_DIFFERENCE);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (difference >= 0.0 && (before == NULL || g_ascii_strtod (before, NULL) < difference))
    pj_graph_set_meta (cut, PJ_NOTE_CUT_DIFFERENCE, g_ascii_formatd (text, sizeof text, "%.2e", difference));
}

PjGraph *
pj_work_make_cut (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan, const char *method,
                  uint64_t seed, const char *base_accuracy, GError **error)
{
  double difference;
  g_autoptr (PjGraph) cut = pj_cut (work->graph, groups, plan, error);
  if (cut == NULL || !compare_with_masked (work, groups, plan, cut, &difference, error))
    return NULL;
  if (difference > PJ_WORK_CUT_TOLERANCE) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "the cut network would not compute what the masked one does: outputs differ by %.3g of the largest "
                 "one, at most %g is rounding; nothing was cut", difference, PJ_WORK_CUT_TOLERANCE);
    return NULL;
  }
  const PjMethod *known = method != NULL ? pj_method_find (method) : NULL;
  if (known != NULL && known->fresh != PJ_FRESH_NO) {
    PjGraph *fresh = pj_graph_fresh (cut, seed, error);
    pj_graph_unref (cut);
    cut = fresh;
    if (cut == NULL)
      return NULL;
  }
  pj_work_note_origin (work, cut, method, seed, base_accuracy);
  /* New weights have nothing to do with the masked network. */
  note_difference (cut, known != NULL && known->fresh != PJ_FRESH_NO ? -1.0 : difference);
  return g_steal_pointer (&cut);
}
