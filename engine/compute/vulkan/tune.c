/* SPDX-License-Identifier: MIT */
/* Times variants of kernels on the device.
 *
 * The call is copied into a program of its own whose operands are all of zeros, compiled with one variant forced, and
 * run: once to compile it, then a few times, of which the least counts.  No result is read, so what is in the
 * operands does not matter; the time of these kernels does not depend on it.
 *
 *   file   "tune-<device>.txt" in the user's cache folder, one line per row: best, n, ms of each, what */
#include "compute/vulkan/tune.h"

#include <string.h>

#include "base/fault.h"

#define RUNS 4
#define MARGIN 0.95
#define MAX_FILE_BYTES ((gsize) 1 << 20)
/* Pictures that are enough to tell variants apart: a processor is busy with few, a graphics card wants many where they
 * are small. */
#define MAX_BATCH 8
#define MAX_BATCH_HARDWARE 64
#define BATCH_BYTES ((size_t) 64 << 20)
/* Runs of the call between two looks at the clock: starting work on a graphics card takes as long as a small kernel. */
#define COPIES_HARDWARE 8

static void
row_free (gpointer data)
{
  PjTuneRow *row = data;
  g_free (row->what);
  g_free (row);
}

static char *
file_path (const PjVkDevice *device)
{
  GString *name = g_string_new ("tune-");
  for (unsigned i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (name, "%02x", device->properties.pipelineCacheUUID[i]);
  g_string_append_printf (name, "-%x-%x-%x-%s-%u.txt", device->properties.vendorID, device->properties.deviceID,
                          device->properties.driverVersion, device->caps.texel ? "texel" : "tiled", device->caps.subgroup_size);
  char *path = g_build_filename (g_get_user_cache_dir (), "penjing", name->str, NULL);
  g_string_free (name, TRUE);
  return path;
}

/* A line of the file, NULL if it is none. */
static PjTuneRow *
parse_row (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 2 + PJ_TUNE_MAX_VARIANTS + 1);
  guint n_words = g_strv_length (words);
  guint64 best, n;

  if (n_words < 2 || !g_ascii_string_to_unsigned (words[0], 10, 0, PJ_TUNE_MAX_VARIANTS - 1, &best, NULL)
      || !g_ascii_string_to_unsigned (words[1], 10, 1, PJ_TUNE_MAX_VARIANTS, &n, NULL) || best >= n)
    return NULL;
  g_auto (GStrv) parts = g_strsplit (line, " ", (gint) (2 + n + 1));
  if (g_strv_length (parts) != 2 + n + 1)
    return NULL;
  PjTuneRow *row = g_new0 (PjTuneRow, 1);
  row->best = (unsigned) best;
  row->n_variants = (unsigned) n;
  for (unsigned i = 0; i < n; i++) {
    row->ms[i] = g_ascii_strtod (parts[2 + i], NULL);
    row->variants[i] = "?";
  }
  row->what = g_strdup (parts[2 + n]);
  return row;
}

void
pj_vk_tune_init (PjVkDevice *device)
{
  g_autofree char *path = file_path (device), *text = NULL;
  gsize size = 0;

  device->tuned = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, row_free);
  if (!g_file_get_contents (path, &text, &size, NULL) || size > MAX_FILE_BYTES || !g_utf8_validate (text, (gssize) size, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    PjTuneRow *row = parse_row (*line);
    if (row != NULL)
      g_hash_table_replace (device->tuned, row->what, row);
  }
}

static int
by_what (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(PjTuneRow *const *) a)->what, (*(PjTuneRow *const *) b)->what);
}

static GPtrArray *
sorted_rows (PjVkDevice *device)
{
  GPtrArray *rows = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, device->tuned);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    g_ptr_array_add (rows, row);
  g_ptr_array_sort (rows, by_what);
  return rows;
}

GPtrArray *
pj_device_tuning (PjDevice *device)
{
  PjVkDevice *self = (PjVkDevice *) device;
  return device->klass == &pj_device_vulkan ? sorted_rows (self) : g_ptr_array_new ();
}

void
pj_vk_tune_clear (PjVkDevice *device)
{
  if (device->tuned == NULL)
    return;
  if (device->tuned_changed && !device->lost && !pj_fault (PJ_FAULT_WRITE)) {
    g_autofree char *path = file_path (device), *folder = g_path_get_dirname (path);
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GPtrArray) rows = sorted_rows (device);
    for (guint i = 0; i < rows->len; i++) {
      const PjTuneRow *row = rows->pdata[i];
      char digits[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (text, "%u %u", row->best, row->n_variants);
      for (unsigned v = 0; v < row->n_variants; v++)
        g_string_append_printf (text, " %s", g_ascii_formatd (digits, sizeof digits, "%.6g", row->ms[v]));
      g_string_append_printf (text, " %s\n", row->what);
    }
    if (g_mkdir_with_parents (folder, 0700) == 0)
      g_file_set_contents_full (path, text->str, (gssize) text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
  }
  g_clear_pointer (&device->tuned, g_hash_table_unref);
}

/* --- measuring --- */

static int64_t
max_batch (const PjProgram *program, const PjCall *call, gboolean software)
{
  size_t largest = 1;

  if (software)
    return MAX_BATCH;
  for (int i = 0; i < PJ_CALL_MAX_IN + PJ_CALL_MAX_OUT; i++) {
    int slot = i < PJ_CALL_MAX_IN ? call->in[i] : call->out[i - PJ_CALL_MAX_IN];
    if (slot < 0 || pj_program_slot (program, slot)->store != PJ_STORE_ARENA)
      continue;
    const PjShape *shape = &pj_program_slot (program, slot)->shape;
    largest = MAX (largest, pj_shape_n_elems (shape) / (size_t) MAX (shape->dim[0], 1) * sizeof (float));
  }
  return (int64_t) CLAMP (BATCH_BYTES / largest, MAX_BATCH, MAX_BATCH_HARDWARE);
}

/* Copies the slots of @call, with few pictures, and @call itself; parameters get places one after the other. */
static PjProgram *
call_alone (const PjProgram *program, const PjCall *call, gboolean software, size_t *n_params)
{
  int64_t most = max_batch (program, call, software);
  PjProgram *alone = pj_program_new ();
  PjCall copy = *call;
  int *operands[] = { copy.in, copy.out };

  *n_params = 0;
  for (int side = 0; side < 2; side++)
    for (int i = 0; i < (side == 0 ? PJ_CALL_MAX_IN : PJ_CALL_MAX_OUT); i++) {
      if (operands[side][i] < 0)
        continue;
      const PjSlot *slot = pj_program_slot (program, operands[side][i]);
      PjShape shape = slot->shape;
      gboolean is_param = slot->store != PJ_STORE_ARENA || (slot->flags & PJ_SLOT_KEEP && shape.rank != 4 && side == 0);
      /* Folded weights are plain in the arena, which only their maker can say: here they are parameters. */
      is_param |= side == 0 && i > 0 && (slot->flags & PJ_SLOT_KEEP) != 0;
      if (!is_param)
        shape.dim[0] = MIN (shape.dim[0], most);
      operands[side][i] = pj_program_add_slot (alone, is_param ? PJ_STORE_PARAMS : PJ_STORE_ARENA, is_param ? 0 : PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                               shape, is_param ? *n_params : 0, -1);
      if (is_param)
        *n_params += (pj_shape_n_elems (&shape) + 63) / 64 * 64;
    }
  copy.segment = PJ_SEGMENT_FORWARD;
  copy.node = -1;
  for (int i = 0; i < (software ? 1 : COPIES_HARDWARE); i++)
    g_array_append_val (alone->calls, copy);
  return alone;
}

/* Runs once more and keeps the least of the times. FALSE if it cannot be run. */
static gboolean
time_once (PjExecutable *executable, int copies, double *best)
{
  gint64 before = g_get_monotonic_time ();
  if (!pj_vk_run (executable, 1u << PJ_SEGMENT_FORWARD, NULL))
    return FALSE;
  double ms = (double) (g_get_monotonic_time () - before) / 1e3 / copies;
  *best = *best < 0.0 ? ms : MIN (*best, ms);
  return TRUE;
}

/* The variants take turns, so that what else the machine does meets all of them. */
static void
time_variants (PjVkDevice *device, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], PjTuneRow *row)
{
  PjExecutable *executables[PJ_TUNE_MAX_VARIANTS] = { NULL };

  for (unsigned v = 0; v < row->n_variants; v++) {
    row->ms[v] = -1.0;
    device->forced_variant = (int) v;
    executables[v] = pj_vk_compile (&device->base, program, stores, NULL);
    if (executables[v] != NULL
        && !pj_vk_run (executables[v], (1u << PJ_SEGMENT_PROLOGUE) | (1u << PJ_SEGMENT_FORWARD), NULL))
      g_clear_pointer (&executables[v], pj_vk_executable_free);
  }
  device->forced_variant = -1;
  for (int i = 0; i < RUNS; i++)
    for (unsigned v = 0; v < row->n_variants; v++)
      if (executables[v] != NULL && !time_once (executables[v], (int) program->calls->len, &row->ms[v]))
        g_clear_pointer (&executables[v], pj_vk_executable_free);
  for (unsigned v = 0; v < row->n_variants; v++)
    pj_vk_executable_free (executables[v]);
}

static void
measure (PjVkDevice *device, const PjProgram *program, const PjCall *call, PjTuneRow *row)
{
  size_t n_params = 0;
  PjProgram *alone = call_alone (program, call, device->caps.software, &n_params);
  PjBuffer *stores[PJ_N_STORES] = { NULL };

  stores[PJ_STORE_PARAMS] = pj_device_vulkan.buffer_new (&device->base, MAX (n_params, 64) * sizeof (float), NULL);
  if (stores[PJ_STORE_PARAMS] != NULL)
    time_variants (device, alone, stores, row);
  /* The first keeps its place unless another is clearly faster: noise must not choose. */
  for (unsigned v = 1; v < row->n_variants; v++)
    if (row->ms[v] >= 0.0 && (row->ms[row->best] < 0.0 || row->ms[v] < MARGIN * row->ms[row->best]))
      row->best = v;
  if (stores[PJ_STORE_PARAMS] != NULL)
    pj_device_vulkan.buffer_free (stores[PJ_STORE_PARAMS]);
  pj_program_free (alone);
}

unsigned
pj_vk_tune_choose (PjVkDevice *device, const PjProgram *program, const PjCall *call, const char *what,
                   const char *const *variants, unsigned n_variants)
{
  g_assert (n_variants >= 1 && n_variants <= PJ_TUNE_MAX_VARIANTS);
  if (device->forced_variant >= 0)
    return MIN ((unsigned) device->forced_variant, n_variants - 1);
  if (n_variants == 1 || g_strcmp0 (g_getenv ("PENJING_VULKAN_TUNE"), "0") == 0)
    return 0;
  PjTuneRow *row = g_hash_table_lookup (device->tuned, what);
  if (row == NULL || row->n_variants != n_variants) {
    row = g_new0 (PjTuneRow, 1);
    row->what = g_strdup (what);
    row->n_variants = n_variants;
    pj_hooks_progress (device->base.hooks, -1.0, "measuring variants of kernels: %u so far", ++device->n_measured);
    measure (device, program, call, row);
    g_hash_table_replace (device->tuned, row->what, row);
    device->tuned_changed = TRUE;
  }
  for (unsigned v = 0; v < n_variants; v++)
    row->variants[v] = variants[v];
  return row->best;
}
