/* SPDX-License-Identifier: MIT */
/* What the session tests share: a folder of their own, and small records. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

#include "session/session.h"

/* A folder that goes away with everything in it. */
typedef struct {
  char *folder;
  char *path;           /* a session file in it, not made yet */
} Place;

static inline void
place_set_up (Place *place, gconstpointer data)
{
  place->folder = g_dir_make_tmp ("penjing-session-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "a.penjing", NULL);
}

static inline void
place_tear_down (Place *place, gconstpointer data)
{
  GDir *dir = g_dir_open (place->folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;) {
    g_autofree char *path = g_build_filename (place->folder, name, NULL);
    g_remove (path);
  }
  g_dir_close (dir);
  g_rmdir (place->folder);
  g_free (place->folder);
  g_free (place->path);
}

static inline PjSession *
session_make (const Place *place)
{
  g_autoptr (GError) error = NULL;
  PjSession *session = pj_session_open (place->path, PJ_SESSION_CREATE, &error);
  g_assert_no_error (error);
  return session;
}

/* A tensor of @n numbers that starts at @first. */
static inline PjBlob *
blob_make (float first, size_t n)
{
  g_autofree float *data = g_new (float, n);
  for (size_t i = 0; i < n; i++)
    data[i] = first + (float) i;
  return pj_blob_new_copy (data, n, NULL);
}

/* Stores a model of one tensor and returns its id. */
static inline int64_t
model_make (PjSession *session, const char *text, PjBlob *blob)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) onnx = g_bytes_new (text, strlen (text));
  pj_session_put_blob (session, blob, &error);
  g_assert_no_error (error);
  int64_t model = pj_session_put_model (session, "net", onnx, (const char *[]) { pj_blob_hash (blob), NULL }, &error);
  g_assert_no_error (error);
  return model;
}

static inline int64_t
step_make (PjSession *session, int64_t model, const char *title)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_MASKED, model, title);
  guint8 keep[4] = { 1, 0, 1, 1 };
  g_ptr_array_add (step->cuts, pj_stored_cut_new ("conv1", 4, 0.75, keep, NULL));
  pj_session_add_step (session, step, &error);
  g_assert_no_error (error);
  return step->id;
}
