/* SPDX-License-Identifier: MIT */
/* Choosing, its last part: what removed channels add that never changes moves into the layers that read them. */
#include <glib/gi18n-lib.h>

#include "base/error.h"
#include "graph/constants.h"
#include "model/work-prune.h"

const PjWorkConstantsRow pj_work_constants_rows[PJ_N_CONSTANTS] = {
  { "none", N_("Goes with them"), N_("What a removed channel added is lost, also the part that is the same for every picture.") },
  { "exact", N_("Kept where it is exact"),
    N_("The part that is the same for every picture moves into the next bias where no padding meets it.") },
  { "all", N_("Kept everywhere"),
    N_("The part that is the same for every picture moves into the next bias; at padded edges it is a little too much.") },
};

gboolean
pj_work_constants_known (const char *word)
{
  for (guint i = 0; i < PJ_N_CONSTANTS; i++)
    if (g_strcmp0 (word, pj_work_constants_rows[i].name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_wanted (const PjWorkChoose *settings)
{
  return settings->constants != NULL && g_strcmp0 (settings->constants, "none") != 0;
}

gboolean
pj_work_constants_check (const PjMethod *method, const PjWorkChoose *settings, GError **error)
{
  if (settings->constants != NULL && !pj_work_constants_known (settings->constants)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "constants are treated as none, exact or all, not “%s”",
                 settings->constants);
    return FALSE;
  }
  if (is_wanted (settings) && !method->gives_scores) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s changes the weights itself; constants can be moved only with a method that leaves them as they are",
                 method->title);
    return FALSE;
  }
  return TRUE;
}

/* "; of the removed channels 3 are constant …". (transfer full) */
static char *
describe (const PjConstants *found, gboolean all)
{
  unsigned n = found->n_exact + found->n_padded + found->n_left;
  GString *text = g_string_new (NULL);
  g_string_printf (text, "; removed channels that never change and are not 0: %u", n);
  if (found->n_exact > 0)
    g_string_append_printf (text, ", %u moved into the next bias", found->n_exact);
  if (found->n_padded > 0)
    g_string_append_printf (text, all ? ", %u moved though padding meets them: borders of maps differ"
                            : ", %u left because padding meets them (“all” moves them, borders of maps then differ)",
                            found->n_padded);
  if (found->n_left > 0)
    g_string_append_printf (text, ", %u left because no bias or norm behind them can take them", found->n_left);
  return g_string_free (text, FALSE);
}

gboolean
pj_work_constants_fold (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjCutPlan *plan,
                        char **detail, GError **error)
{
  PjConstants found;
  gboolean all = g_strcmp0 (settings->constants, "all") == 0;
  if (!is_wanted (settings))
    return TRUE;
  if (!pj_constants_fold (work->graph, groups, plan, all, &found, error))
    return FALSE;
  g_autofree char *added = describe (&found, all), *before = g_steal_pointer (detail);
  *detail = g_strconcat (before, added, NULL);
  return TRUE;
}
