/* SPDX-License-Identifier: MIT */
#include "method-color.h"

#include "palette.h"

guint
pju_method_color (PjmProject *project, const char *method)
{
  guint n, rank = 0;
  const PjmChoice *methods = pjm_project_get_methods (project, &n);

  if (g_strcmp0 (method, "random") == 0)
    return PJU_N_SERIES - 1;
  for (int own = 1; own >= 0; own--) {
    for (guint i = 0; i < n; i++) {
      if (methods[i].is_criterion == own || g_str_equal (methods[i].name, "random"))
        continue;
      if (g_strcmp0 (methods[i].name, method) == 0)
        return rank;
      rank++;
      if (rank % PJU_N_SERIES == PJU_N_SERIES - 1)
        rank++;
    }
  }
  return rank;
}
