/* SPDX-License-Identifier: MIT */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"

struct _PjFileWriter {
  char *path, *shown, *temporary;
  int fd;
};

static gboolean
fail (const PjFileWriter *self, int why, GError **error)
{
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” cannot be written: %s", self->shown, g_strerror (why));
  return FALSE;
}

/* A link is followed, so that it stays a link. */
static char *
target_of (const char *path)
{
  char *real = realpath (path, NULL);
  char *target = g_strdup (real != NULL ? real : path);
  free (real);
  return target;
}

PjFileWriter *
pj_file_writer_new (const char *path, GError **error)
{
  g_autoptr (PjFileWriter) self = g_new0 (PjFileWriter, 1);
  struct stat st;

  self->fd = -1;
  self->shown = g_filename_display_name (path);
  self->path = target_of (path);
  if (stat (self->path, &st) == 0 && !S_ISREG (st.st_mode)) {
    fail (self, S_ISDIR (st.st_mode) ? EISDIR : EINVAL, error);
    return NULL;
  }
  g_autofree char *name = g_strdup_printf ("%s.XXXXXX", self->path);
  self->fd = pj_fault (PJ_FAULT_WRITE) ? (errno = ENOSPC, -1) : g_mkstemp_full (name, O_RDWR | O_CLOEXEC, 0666);
  if (self->fd < 0) {
    fail (self, errno, error);
    return NULL;
  }
  self->temporary = g_steal_pointer (&name);
  return g_steal_pointer (&self);
}

gboolean
pj_file_writer_append (PjFileWriter *self, gconstpointer data, size_t size_bytes, GError **error)
{
  const char *at = data;
  while (size_bytes > 0) {
    ssize_t n = pj_fault (PJ_FAULT_WRITE) ? (errno = ENOSPC, -1) : write (self->fd, at, MIN (size_bytes, (size_t) 1 << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (self, errno, error);
    at += n;
    size_bytes -= (size_t) n;
  }
  return TRUE;
}

/* The rename itself must reach the disk too; folders that cannot be synced (network shares) are left be. */
static void
sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

gboolean
pj_file_writer_finish (PjFileWriter *self, GError **error)
{
  if (pj_fault (PJ_FAULT_WRITE) ? (errno = EIO, TRUE) : fsync (self->fd) != 0)
    return fail (self, errno, error);
  int fd = self->fd;
  self->fd = -1;
  if (close (fd) != 0)
    return fail (self, errno, error);
  if (pj_fault (PJ_FAULT_WRITE) ? (errno = EIO, TRUE) : rename (self->temporary, self->path) != 0)
    return fail (self, errno, error);
  g_clear_pointer (&self->temporary, g_free);
  sync_folder (self->path);
  return TRUE;
}

void
pj_file_writer_free (PjFileWriter *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary != NULL)
    g_unlink (self->temporary);
  g_free (self->temporary);
  g_free (self->shown);
  g_free (self->path);
  g_free (self);
}

/* --- reading --- */

static gboolean
not_opened (const char *path, const char *why, GError **error)
{
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” cannot be opened: %s", path, why);
  return FALSE;
}

GMappedFile *
pj_file_map (const char *path, GError **error)
{
  g_autoptr (GError) inner = NULL;
  GMappedFile *mapped = NULL;
  struct stat st;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    not_opened (path, g_strerror (errno), error);
    return NULL;
  }
  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    not_opened (path, "it is not a plain file", error);
  else if ((mapped = g_mapped_file_new_from_fd (fd, FALSE, &inner)) == NULL)
    not_opened (path, inner->message, error);
  close (fd);
  return mapped;
}
