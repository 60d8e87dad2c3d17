/* SPDX-License-Identifier: MIT */
/* Keep ratios as texts: "0.5", "conv3=0.25". */
#include <string.h>

#include "model/work-prune.h"

gboolean
pj_work_read_ratio (const char *text, double *ratio)
{
  char *end;
  *ratio = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && *ratio > 0.0 && *ratio <= 1.0;
}

GArray *
pj_work_ratio_list (char **texts, GError **error)
{
  g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));
  for (char **text = texts; text != NULL && *text != NULL; text++) {
    double ratio;
    if (!pj_work_read_ratio (*text, &ratio)) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "“%s” is no keep ratio: write a number above 0 and at most 1", *text);
      return NULL;
    }
    g_array_append_val (ratios, ratio);
  }
  return g_steal_pointer (&ratios);
}

static gboolean
apply_keep (const PjGroups *groups, const char *text, double *ratios, GError **error)
{
  const char *equals = strrchr (text, '=');
  double ratio;
  if (!pj_work_read_ratio (equals != NULL ? equals + 1 : text, &ratio)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "“%s” is no keep ratio: write a number above 0 and at most 1, as in 0.5 or conv3=0.25", text);
    return FALSE;
  }
  if (equals == NULL) {
    for (unsigned i = 0; i < pj_groups_n (groups); i++)
      ratios[i] = pj_groups_get (groups, i)->lock_reason != NULL ? 1.0 : ratio;
    return TRUE;
  }
  g_autofree char *name = g_strndup (text, (gsize) (equals - text));
  const PjGroup *group = pj_groups_find (groups, name);
  if (group == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "the network has no group “%s”; penjing-cli info lists its groups", name);
    return FALSE;
  }
  if (group->lock_reason != NULL && ratio < 1.0) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_LOCKED, "group “%s” cannot be cut: %s", name,
                 group->lock_reason);
    return FALSE;
  }
  ratios[group->id] = ratio;
  return TRUE;
}

double *
pj_work_ratios (const PjGroups *groups, const char *const *keep, GError **error)
{
  unsigned n = pj_groups_n (groups);
  g_autofree double *ratios = g_new (double, MAX (1, n));
  for (unsigned i = 0; i < n; i++)
    ratios[i] = 1.0;
  for (; keep != NULL && *keep != NULL; keep++) {
    if (!apply_keep (groups, *keep, ratios, error))
      return NULL;
  }
  return g_steal_pointer (&ratios);
}

char **
pj_work_keep (const PjGroups *groups, const double *ratios)
{
  g_autoptr (GPtrArray) keep = g_ptr_array_new ();
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    const PjGroup *group = pj_groups_get (groups, i);
    if (ratios[group->id] < 1.0)
      g_ptr_array_add (keep, g_strdup_printf ("%s=%s", group->name,
                                              g_ascii_dtostr (number, sizeof number, ratios[group->id])));
  }
  g_ptr_array_add (keep, NULL);
  return (char **) g_ptr_array_steal (keep, NULL);
}
