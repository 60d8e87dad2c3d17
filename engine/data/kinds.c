/* SPDX-License-Identifier: MIT */
/* The registry of data sets and the way from a folder to one of them. */
#include "base/error.h"
#include "data/kind.h"

const PjDataKind *const pj_data_kinds[] = { &pj_data_idx, &pj_data_cifar, &pj_data_folder, NULL };

static void
unknown_error (const char *path, GPtrArray *entries, GError **error)
{
  unsigned pictures = 0;
  g_autoptr (GString) what = g_string_new (NULL);

  for (guint i = 0; i < entries->len; i++)
    pictures += pj_picture_type (pj_entry (entries, i)->head, pj_entry (entries, i)->n_head) != PJ_PICTURE_NONE;
  if (pictures > 0) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING,
                 "“%s” holds %u pictures but no class folders; put the pictures of each class into a folder of their own",
                 path, pictures);
    return;
  }
  for (unsigned k = 0; pj_data_kinds[k] != NULL; k++)
    g_string_append_printf (what, "%s%s", k == 0 ? "" : pj_data_kinds[k + 1] ? ", " : " or ", pj_data_kinds[k]->what);
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "“%s” holds no data set; expected %s", path, what->str);
}

PjDataset *
pj_dataset_open (const char *path, GError **error)
{
  g_autoptr (GPtrArray) entries = pj_entries_list (path, error);
  const PjDataKind *kind = NULL;

  if (entries == NULL)
    return NULL;
  for (unsigned k = 0; kind == NULL && pj_data_kinds[k] != NULL; k++)
    if (pj_data_kinds[k]->detect (entries))
      kind = pj_data_kinds[k];
  if (kind == NULL) {
    unknown_error (path, entries, error);
    return NULL;
  }
  g_autofree char *full = g_canonicalize_filename (path, NULL);
  g_autofree char *name = g_path_get_basename (full);
  g_autoptr (PjSource) source = pj_source_new (kind, name, full);
  if (!kind->open (source, entries, error))
    return NULL;
  return pj_source_finish (g_steal_pointer (&source), error);
}
