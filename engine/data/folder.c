/* SPDX-License-Identifier: MIT */
/* Folders of photos.
 *
 *   ROOT/CLASS/…/picture              or          ROOT/SPLIT/CLASS/…/picture
 *
 * SPLIT is a folder named after a part (train, test, val …).  The classes are those of all parts
 * together; a part need not have all of them.  With both test and validation folders, test is the test
 * part and validation is left alone.  What a file is, its first bytes say: hidden files and anything
 * that is no picture are passed over, but a file that calls itself .jpg or .png and is not is an error.
 * Pictures may lie deeper inside a class folder; folders that lead back to themselves are walked once.
 *
 * The pictures of a part are listed class by class in turn (the first of each class, the second of each
 * …), so that the first n of a part are a fair sample of it. */
#include <string.h>

#include "base/error.h"
#include "data/kind.h"

#define MAX_DEPTH 16

typedef struct {
  GPtrArray *paths;       /* (element-type utf8): by item */
} Photos;

/* The pictures of one class of one part. */
typedef struct {
  unsigned label;
  GPtrArray *paths;
} ClassPart;

static void
class_part_clear (gpointer data)
{
  g_ptr_array_unref (((ClassPart *) data)->paths);
}

/* --- finding pictures --- */

static gboolean
claims_to_be_picture (const char *name)
{
  static const char *const endings[] = { ".jpg", ".jpeg", ".png" };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i]))
      return TRUE;
  return FALSE;
}

static gboolean
collect_file (const PjEntry *entry, GPtrArray *paths, GError **error)
{
  if (pj_picture_type (entry->head, entry->n_head) != PJ_PICTURE_NONE) {
    g_ptr_array_add (paths, g_strdup (entry->path));
  } else if (claims_to_be_picture (entry->name)) {
    if (entry->size == 0)
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is empty; remove it or replace it", entry->path);
    else
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is not a JPEG or PNG picture, whatever its name says", entry->path);
    return FALSE;
  }
  return TRUE;
}

/* @visited: folders on the way here and before, "device:inode". */
static gboolean
collect (const char *path, unsigned depth, GHashTable *visited, GPtrArray *paths, GError **error)
{
  g_autoptr (GPtrArray) entries = pj_entries_list (path, error);
  if (entries == NULL)
    return FALSE;
  for (guint i = 0; i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    if (!entry->is_folder) {
      if (!collect_file (entry, paths, error))
        return FALSE;
      continue;
    }
    char *key = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, entry->device, entry->inode);
    if (g_hash_table_add (visited, key) && depth < MAX_DEPTH
        && !collect (entry->path, depth + 1, visited, paths, error))
      return FALSE;
  }
  if (paths->len > PJ_DATA_MAX_PICTURES) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "“%s” holds more than %u pictures", path, PJ_DATA_MAX_PICTURES);
    return FALSE;
  }
  return TRUE;
}

static GPtrArray *
collect_class (const char *path, GError **error)
{
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  if (!collect (path, 0, visited, paths, error))
    return NULL;
  if (paths->len == 0) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED,
                 "the class folder “%s” holds no JPEG or PNG picture; add some or remove the folder", path);
    return NULL;
  }
  return g_steal_pointer (&paths);
}

/* --- the layout --- */

/* The part that the folder called @name is, or -1 for a class.  Only whole names count: a class may well be
 * called "trainer". */
static int
part_of_folder (const char *name)
{
  static const struct { const char *name; PjSplit split; } parts[] = {
    { "train", PJ_SPLIT_TRAIN }, { "training", PJ_SPLIT_TRAIN }, { "test", PJ_SPLIT_TEST }, { "testing", PJ_SPLIT_TEST },
    { "val", PJ_SPLIT_TEST }, { "valid", PJ_SPLIT_TEST }, { "validation", PJ_SPLIT_TEST },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (g_ascii_strcasecmp (name, parts[i].name) == 0)
      return (int) parts[i].split;
  return -1;
}

/* The folders of the two parts, if the root has them: a training folder, and test before validation. */
static gboolean
find_parts (GPtrArray *entries, const PjEntry *parts[2])
{
  for (guint i = 0; i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    int part = entry->is_folder ? part_of_folder (entry->name) : -1;
    gboolean is_test = g_ascii_strncasecmp (entry->name, "test", 4) == 0;
    if (part >= 0 && (parts[part] == NULL || is_test))
      parts[part] = entry;
  }
  return parts[PJ_SPLIT_TRAIN] != NULL;
}

/* A folder with pictures in sub-folders; one is enough to say what the folder means. */
static gboolean
holds_pictures (const char *path, unsigned depth)
{
  g_autoptr (GPtrArray) entries = pj_entries_list (path, NULL);
  for (guint i = 0; entries != NULL && i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    if (entry->is_folder ? depth < 3 && holds_pictures (entry->path, depth + 1)
                         : claims_to_be_picture (entry->name) || pj_picture_type (entry->head, entry->n_head) != PJ_PICTURE_NONE)
      return TRUE;
  }
  return FALSE;
}

static gboolean
detect (GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    if (pj_entry (entries, i)->is_folder && holds_pictures (pj_entry (entries, i)->path, 0))
      return TRUE;
  return FALSE;
}

/* Adds the class folders among @entries to @names, each name once. */
static void
add_class_names (GPtrArray *entries, GPtrArray *names)
{
  for (guint i = 0; i < entries->len; i++)
    if (pj_entry (entries, i)->is_folder
        && !g_ptr_array_find_with_equal_func (names, pj_entry (entries, i)->name, g_str_equal, NULL))
      g_ptr_array_add (names, g_strdup (pj_entry (entries, i)->name));
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Collects the class folders among @entries into @classes. */
static gboolean
add_part (GPtrArray *entries, GPtrArray *names, GArray *classes, GError **error)
{
  for (guint i = 0; i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    guint label = 0;
    if (!entry->is_folder)
      continue;
    g_ptr_array_find_with_equal_func (names, entry->name, g_str_equal, &label);
    ClassPart part = { label, collect_class (entry->path, error) };
    if (part.paths == NULL)
      return FALSE;
    g_array_append_val (classes, part);
  }
  return TRUE;
}

/* Lists the pictures of one part, class by class in turn. */
static void
add_items (PjSource *source, GArray *classes, PjSplit split)
{
  Photos *photos = source->data;
  gboolean more = TRUE;
  for (guint round = 0; more; round++) {
    more = FALSE;
    for (guint k = 0; k < classes->len; k++) {
      const ClassPart *part = &g_array_index (classes, ClassPart, k);
      if (round >= part->paths->len)
        continue;
      g_ptr_array_add (photos->paths, g_strdup (part->paths->pdata[round]));
      pj_source_add (source, (int32_t) part->label, split);
      more = TRUE;
    }
  }
}

static gboolean
measure_first (PjSource *source, GError **error)
{
  const char *path = ((Photos *) source->data)->paths->pdata[0];
  g_auto (PjBytes) bytes = { NULL, 0 };
  return pj_bytes_read (path, PJ_PICTURE_MAX_FILE, &bytes, error)
         && pj_picture_measure (bytes.data, bytes.size, path, &source->c, &source->h, &source->w, error);
}

/* @parts: entries by split; the test part may be missing. */
static gboolean
list_parts (PjSource *source, GPtrArray *parts[2], GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (int s = 0; s < 2; s++)
    if (parts[s] != NULL)
      add_class_names (parts[s], names);
  g_ptr_array_sort (names, compare_strings);
  if (names->len < 2 || names->len > PJ_DATA_MAX_CLASSES) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING,
                 "“%s” has %u class folder%s; a data set needs 2 to %u", source->path, names->len, names->len == 1 ? "" : "s",
                 PJ_DATA_MAX_CLASSES);
    return FALSE;
  }
  for (guint k = 0; k < names->len; k++)
    pj_source_add_class (source, names->pdata[k]);
  for (int s = 0; s < 2; s++) {
    g_autoptr (GArray) classes = g_array_new (FALSE, FALSE, sizeof (ClassPart));
    g_array_set_clear_func (classes, class_part_clear);
    if (parts[s] != NULL && !add_part (parts[s], names, classes, error))
      return FALSE;
    add_items (source, classes, (PjSplit) s);
  }
  return measure_first (source, error);
}

static gboolean
folder_open (PjSource *source, GPtrArray *entries, GError **error)
{
  const PjEntry *found[2] = { NULL };
  GPtrArray *parts[2] = { NULL };
  Photos *photos = source->data = g_new (Photos, 1);
  gboolean ok = TRUE;

  photos->paths = g_ptr_array_new_with_free_func (g_free);
  if (!find_parts (entries, found)) {
    parts[PJ_SPLIT_TRAIN] = entries;
    return list_parts (source, parts, error);
  }
  for (int s = 0; ok && s < 2; s++)
    if (found[s] != NULL) {
      parts[s] = pj_entries_list (found[s]->path, error);
      ok = parts[s] != NULL;
    }
  ok = ok && list_parts (source, parts, error);
  for (int s = 0; s < 2; s++)
    if (parts[s] != NULL)
      g_ptr_array_unref (parts[s]);
  return ok;
}

static gboolean
folder_read (const PjSource *source, uint32_t item, const PjFormat *wanted, PjPicture *picture, GError **error)
{
  const char *path = ((const Photos *) source->data)->paths->pdata[item];
  g_auto (PjBytes) bytes = { NULL, 0 };
  return pj_bytes_read (path, PJ_PICTURE_MAX_FILE, &bytes, error)
         && pj_picture_decode (bytes.data, bytes.size, path, wanted, picture, error);
}

static void
folder_close (gpointer data)
{
  Photos *photos = data;
  if (photos == NULL)
    return;
  g_ptr_array_unref (photos->paths);
  g_free (photos);
}

const PjDataKind pj_data_folder = {
  .name = "folder",
  .what = "class folders of JPEG or PNG pictures (with or without train and test folders above them)",
  .is_decoded = TRUE,
  .detect = detect,
  .open = folder_open,
  .read = folder_read,
  .close = folder_close,
};
