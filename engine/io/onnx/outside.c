/* SPDX-License-Identifier: MIT */
/* Tensors that are stored outside the file: beside it, or in a store that finds them by hash.
 *
 * A location is a path that somebody else wrote.  It must stay below the folder of the model: the kernel
 * resolves it with RESOLVE_BENEATH and without links, so that neither "..", nor a link, nor a change
 * between check and use leads elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/onnx/import.h"

static gboolean
refuse (const PjOnnxTensor *tensor, PjOnnxError code, GError **error, const char *why)
{
  g_set_error (error, PJ_ONNX_ERROR, code, "tensor “%s” is stored outside, in “%s”: %s", tensor->name ? tensor->name : "",
               tensor->location, why);
  return FALSE;
}

static gboolean
is_plain (const char *location)
{
  g_auto (GStrv) parts = g_strsplit (location, "/", -1);
  if (*location == '\0' || g_path_is_absolute (location))
    return FALSE;
  for (int i = 0; parts[i] != NULL; i++)
    if (strcmp (parts[i], "..") == 0)
      return FALSE;
  return TRUE;
}

static int
open_beneath (const char *folder, const char *location)
{
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  struct open_how how = { .flags = (uint64_t) flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
  int at = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (at < 0)
    return -1;
  int fd = (int) syscall (SYS_openat2, at, location, &how, sizeof how);
  /* Kernels before 5.6, and sandboxes that filter the call: no links in the last part, ".." is out already. */
  if (fd < 0 && (errno == ENOSYS || errno == EPERM))
    fd = openat (at, location, flags | O_NOFOLLOW);
  int why = errno;
  close (at);
  errno = why;
  return fd;
}

static gboolean
read_all (int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
  for (size_t at = 0; at < size;) {
    ssize_t n = pread (fd, bytes + at, MIN (size - at, (size_t) 1 << 30), (off_t) (offset + at));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    at += (size_t) n;
  }
  return TRUE;
}

/* Sizes are settled against the file before any memory is taken. */
static uint8_t *
read_part (const PjOnnxTensor *tensor, int fd, size_t size, GError **error)
{
  struct stat st;
  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode)) {
    refuse (tensor, PJ_ONNX_ERROR_UNSUPPORTED, error, "that is not a plain file");
    return NULL;
  }
  uint64_t there = (uint64_t) st.st_size;
  if ((tensor->length != 0 && tensor->length != size) || tensor->offset > there || size > there - tensor->offset) {
    refuse (tensor, PJ_ONNX_ERROR_DAMAGED, error, "the part it names does not fit its shape or that file");
    return NULL;
  }
  uint8_t *bytes = pj_alloc (size, "a tensor of the file", error);
  if (bytes != NULL && !read_all (fd, bytes, size, tensor->offset)) {
    refuse (tensor, PJ_ONNX_ERROR_DAMAGED, error, "that file could not be read to the end");
    g_clear_pointer (&bytes, pj_free);
  }
  return bytes;
}

static PjBlob *
read_beside (PjOnnxImport *import, const PjOnnxTensor *tensor, GError **error)
{
  size_t size;
  if (import->folder == NULL || !is_plain (tensor->location)) {
    refuse (tensor, PJ_ONNX_ERROR_UNSUPPORTED, error, "only files in the folder of the model are read");
    return NULL;
  }
  if (!pj_onnx_tensor_size (tensor, &size)) {
    refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "its size does not fit 64 bits");
    return NULL;
  }
  int fd = open_beneath (import->folder, tensor->location);
  if (fd < 0) {
    refuse (tensor, PJ_ONNX_ERROR_UNSUPPORTED, error,
            errno == ELOOP ? "that is a link; copy the file into the folder of the model" : g_strerror (errno));
    return NULL;
  }
  uint8_t *bytes = read_part (tensor, fd, size, error);
  close (fd);
  /* The usual case: the bytes are the numbers. */
  if (bytes != NULL && tensor->type == PJ_ONNX_FLOAT && G_BYTE_ORDER == G_LITTLE_ENDIAN)
    return pj_blob_new_take ((float *) (void *) bytes, tensor->n_elems);
  PjBlob *blob = bytes ? pj_onnx_tensor_floats_from (tensor, (PjSpan) { bytes, size }, error) : NULL;
  pj_free (bytes);
  return blob;
}

PjBlob *
pj_onnx_outside_read (PjOnnxImport *import, const PjOnnxTensor *tensor, GError **error)
{
  if (!g_str_has_prefix (tensor->location, PJ_ONNX_BLOB_PREFIX))
    return read_beside (import, tensor, error);
  if (import->source == NULL) {
    refuse (tensor, PJ_ONNX_ERROR_UNSUPPORTED, error, "these bytes belong to a session, which alone can read them");
    return NULL;
  }
  PjBlob *blob = import->source (tensor->location + strlen (PJ_ONNX_BLOB_PREFIX), import->source_data, error);
  if (blob != NULL && pj_blob_n_elems (blob) != tensor->n_elems) {
    refuse (tensor, PJ_ONNX_ERROR_DAMAGED, error, "what is there does not fit its shape");
    g_clear_pointer (&blob, pj_blob_unref);
  }
  return blob;
}
