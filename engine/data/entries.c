/* SPDX-License-Identifier: MIT */
/* What lies in a folder, in an order that does not depend on the file system. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "data/kind.h"

static void
entry_free (gpointer data)
{
  PjEntry *entry = data;
  g_free (entry->name);
  g_free (entry->path);
  g_free (entry);
}

static void
read_head (PjEntry *entry)
{
  int fd = open (entry->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return;
  ssize_t n = read (fd, entry->head, sizeof entry->head);
  entry->n_head = n > 0 ? (unsigned) n : 0;
  close (fd);
}

/* NULL for what is neither a folder nor a regular file. */
static PjEntry *
entry_new (const char *folder, const char *name)
{
  struct stat info;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (stat (path, &info) != 0 || !(S_ISDIR (info.st_mode) || S_ISREG (info.st_mode)))
    return NULL;
  PjEntry *entry = g_new0 (PjEntry, 1);
  entry->name = g_strdup (name);
  entry->path = g_steal_pointer (&path);
  entry->is_folder = S_ISDIR (info.st_mode);
  entry->size = (uint64_t) info.st_size;
  entry->device = info.st_dev;
  entry->inode = info.st_ino;
  if (!entry->is_folder)
    read_head (entry);
  return entry;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(PjEntry *const *) a)->name, (*(PjEntry *const *) b)->name);
}

GPtrArray *
pj_entries_list (const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &reason);
  const char *name;

  if (dir == NULL) {
    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "“%s” is a file; choose the folder that holds the data set", path);
    else if (!g_file_test (path, G_FILE_TEST_EXISTS))
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "there is no folder “%s”", path);
    else
      g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” cannot be listed: %s", path, reason->message);
    return NULL;
  }
  GPtrArray *entries = g_ptr_array_new_with_free_func (entry_free);
  while ((name = g_dir_read_name (dir)) != NULL) {
    PjEntry *entry = name[0] == '.' ? NULL : entry_new (path, name);
    if (entry != NULL)
      g_ptr_array_add (entries, entry);
  }
  g_ptr_array_sort (entries, compare_names);
  return entries;
}

PjSplit
pj_split_of_name (const char *name, gboolean *says)
{
  static const char *const test[] = { "t10k", "test", "val", "eval" };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  PjSplit split = PJ_SPLIT_TRAIN;
  gboolean found = strstr (lower, "train") != NULL;

  for (guint i = 0; !found && i < G_N_ELEMENTS (test); i++)
    if (strstr (lower, test[i]) != NULL) {
      found = TRUE;
      split = PJ_SPLIT_TEST;
    }
  if (says != NULL)
    *says = found;
  return split;
}
