/* SPDX-License-Identifier: MIT */
/* Devices, networks and sessions that the options name. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "io/onnx.h"
#include "model/work-export.h"
#include "model/work-open.h"

PjDevice *
cli_device (Cli *cli, GError **error)
{
  if (cli->device == NULL)
    cli->device = pj_device_open (cli->device_id != NULL ? cli->device_id : "auto", error);
  if (cli->device != NULL && cli->device->hooks == NULL)
    cli->device->hooks = &cli->hooks;
  if (cli->device != NULL)
    json_object_set_string_member (cli->result, "device", cli->device->info.id);
  return cli->device;
}

void
cli_model_clear (CliModel *self)
{
  g_clear_pointer (&self->plan, pj_cut_plan_unref);
  g_clear_pointer (&self->groups, pj_groups_unref);
  g_clear_pointer (&self->graph, pj_graph_unref);
  g_clear_pointer (&self->session, pj_session_close);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->accuracy, g_free);
  g_clear_pointer (&self->original, pj_graph_unref);
}

static gboolean
open_session_model (const char *path, gboolean writable, CliModel *model, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  model->session = pj_session_open (path, writable ? 0 : PJ_SESSION_READ_ONLY, error);
  if (model->session == NULL || !pj_work_open_step (model->session, 0, &place, error))
    return FALSE;
  if (writable && pj_session_is_read_only (model->session)) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "session “%s” is open in another process or cannot be written; close it there, or work on a copy",
                 path);
    return FALSE;
  }
  model->step = place.step->id;
  model->graph = g_steal_pointer (&place.graph);
  model->groups = g_steal_pointer (&place.groups);
  model->plan = g_steal_pointer (&place.plan);
  return TRUE;
}

gboolean
cli_open_model (Cli *cli, const char *path, gboolean writable, CliModel *model, GError **error)
{
  memset (model, 0, sizeof *model);
  PjFileKind kind = PJ_FILE_ONNX;
  gboolean sample = strcmp (path, "sample") == 0 && access (path, F_OK) < 0;
  if (!sample && !pj_work_detect (path, &kind, error))
    return FALSE;
  if (kind == PJ_FILE_DATA) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "“%s” is a folder; a network is an .onnx file or a .penjing session", path);
    return FALSE;
  }
  if (kind == PJ_FILE_SESSION) {
    if (!open_session_model (path, writable, model, error)) {
      cli_model_clear (model);
      return FALSE;
    }
  } else {
    g_auto (PjOnnxReport) report = { 0 };
    model->graph = sample ? pj_work_open_sample (error) : pj_onnx_import (path, &report, error);
    if (model->graph == NULL)
      return FALSE;
    for (guint i = 0; report.remarks != NULL && i < report.remarks->len; i++)
      cli_note (cli, "%s: %s", path, (const char *) report.remarks->pdata[i]);
    model->groups = pj_groups_new (model->graph);
    model->plan = pj_cut_plan_new ();
  }
  model->name = g_strdup (pj_graph_get_name (model->graph));
  json_object_set_string_member (cli->result, "model", model->name);
  return TRUE;
}

void
cli_model_advance (CliModel *self, PjGraph *graph, int64_t step)
{
  g_clear_pointer (&self->plan, pj_cut_plan_unref);
  g_clear_pointer (&self->groups, pj_groups_unref);
  g_clear_pointer (&self->graph, pj_graph_unref);
  self->graph = graph;
  self->groups = pj_groups_new (graph);
  self->plan = pj_cut_plan_new ();
  g_clear_pointer (&self->accuracy, g_free);
  if (step != 0)
    self->step = step;
}

char *
cli_data_folder (const char *name, GError **error)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "penjing", name, NULL);
  if (g_mkdir_with_parents (folder, 0755) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot make the folder “%s”: %s", folder, g_strerror (errno));
    return NULL;
  }
  return g_steal_pointer (&folder);
}

/* "dir/small.onnx" -> "dir/small.penjing". (transfer full) */
static char *
session_beside (const char *out)
{
  g_autofree char *base = g_path_get_basename (out), *folder = g_path_get_dirname (out);
  char *dot = strrchr (base, '.');
  if (dot != NULL && dot != base)
    *dot = '\0';
  g_autofree char *name = g_strconcat (base, ".penjing", NULL);
  return g_build_filename (folder, name, NULL);
}

static char *
choose_session (const char *wanted, const char *out, const char *origin, GError **error)
{
  if (wanted != NULL)
    return g_strdup (wanted);
  if (out != NULL)
    return session_beside (out);
  g_autofree char *folder = cli_data_folder ("sessions", error);
  if (folder == NULL)
    return NULL;
  g_autofree char *base = g_path_get_basename (origin), *path = g_build_filename (folder, base, NULL);
  return session_beside (path);
}

gboolean
cli_keep_session (Cli *cli, CliModel *model, const char *wanted, const char *out, const char *origin, GError **error)
{
  if (model->session == NULL && g_strcmp0 (wanted, "none") != 0) {
    g_autofree char *path = choose_session (wanted, out, origin, error);
    if (path == NULL)
      return FALSE;
    model->session = pj_session_open (path, PJ_SESSION_CREATE, error);
    if (model->session == NULL)
      return FALSE;
    if (pj_session_is_read_only (model->session)) {
      g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                   "session “%s” is open in another process or cannot be "
                   "written; close it there, or name another one with --session", path);
      return FALSE;
    }
    if (!pj_work_import (model->session, model->graph, origin, &model->step, error))
      return FALSE;
  }
  if (model->session == NULL)
    return TRUE;
  json_object_set_string_member (cli->result, "session", pj_session_path (model->session));
  g_autofree char *quoted = g_shell_quote (pj_session_path (model->session));
  g_free (cli->resume_hint);
  cli->resume_hint = g_strdup_printf ("Stopped. To go on: penjing-cli sessions %s resume", quoted);
  return TRUE;
}

gboolean
cli_work (Cli *cli, const CliModel *model, PjDataset *dataset, const char *data, const char *out, PjWork *work,
          GError **error)
{
  PjDevice *device = cli_device (cli, error);
  *work = (PjWork) {
    .device = device, .session = model->session, .step = model->step, .graph = model->graph,
    .dataset = dataset, .data = data, .out = out, .hooks = &cli->hooks,
  };
  if (device == NULL)
    return FALSE;
  return model->session == NULL || data == NULL || pj_session_set_meta (model->session, PJ_META_DATA, data, error);
}

PjDataset *
cli_open_data (Cli *cli, const char *where, char **absolute, GError **error)
{
  PjDataset *dataset = pj_work_open_data (where, error);
  if (dataset == NULL)
    return NULL;
  json_object_set_string_member (cli->result, "data", pj_dataset_name (dataset));
  /* "sample" and "fashion-mnist" are names, anything else a place; a choice of pictures stays behind it. */
  const char *query = where != NULL ? strrchr (where, '?') : NULL;
  g_autofree char *place = query != NULL ? g_strndup (where, (gsize) (query - where)) : g_strdup (where);
  if (where != NULL && g_file_test (where, G_FILE_TEST_IS_DIR))
    *absolute = g_canonicalize_filename (where, NULL);
  else if (place != NULL && g_file_test (place, G_FILE_TEST_IS_DIR)) {
    g_autofree char *folder = g_canonicalize_filename (place, NULL);
    *absolute = g_strconcat (folder, query, NULL);
  } else
    *absolute = g_strdup (where != NULL ? where : "sample");
  return dataset;
}

static gboolean
check_place (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  /* Only making a file shows that one can be made: access() says yes to root even where nothing can be written. */
  g_autofree char *trial = g_build_filename (folder, ".penjing-XXXXXX", NULL);
  int fd = g_mkstemp (trial);
  if (fd >= 0) {
    close (fd);
    unlink (trial);
    return TRUE;
  }
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot write “%s”: folder “%s”: %s", path, folder, g_strerror (errno));
  return FALSE;
}

gboolean
cli_check_out (const char *path, GError **error)
{
  if (path == NULL)
    return TRUE;
  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot write “%s”: it is a folder", path);
    return FALSE;
  }
  return check_place (path, error);
}

gboolean
cli_check_export (const char *format, const char *path, gboolean has_original, gboolean has_data, GError **error)
{
  const PjExporter *exporter = pj_exporter_find (format != NULL ? format : "onnx");
  if (!pj_work_export_check (format != NULL ? format : "onnx", has_original, has_data, error))
    return FALSE;
  if ((exporter->flags & PJ_EXPORTER_FOLDER) == 0)
    return cli_check_out (path, error);
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot make the folder “%s”: it is a file", path);
    return FALSE;
  }
  /* "demo/" lies beside "demo", not in it. */
  g_autofree char *folder = g_canonicalize_filename (path, NULL);
  return check_place (folder, error);
}
