/* SPDX-License-Identifier: MIT */
#include "data/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/dataset.h"

/* zlib: 15 bits of window, +16 expects the gzip header and checks its sum. */
#define GZIP_WINDOW (15 + 16)
#define FIRST_GROWTH ((size_t) 64 << 10)

void
pj_bytes_clear (PjBytes *self)
{
  pj_free (self->data);
  *self = (PjBytes) { NULL, 0 };
}

static gboolean
io_error (const char *path, const char *what, GError **error)
{
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” cannot be %s: %s", path, what, g_strerror (errno));
  return FALSE;
}

/* Fills @out, whose size is that of the file when it was opened. */
static gboolean
read_all (int fd, const char *path, PjBytes *out, GError **error)
{
  size_t done = 0;
  while (done < out->size) {
    ssize_t n = read (fd, out->data + done, out->size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return io_error (path, "read", error);
    if (n == 0) {
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” became shorter while it was read", path);
      return FALSE;
    }
    done += (size_t) n;
  }
  return TRUE;
}

static gboolean
read_open (int fd, const char *path, size_t max, PjBytes *out, GError **error)
{
  struct stat info;
  if (fstat (fd, &info) != 0)
    return io_error (path, "read", error);
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” is not a regular file", path);
    return FALSE;
  }
  if ((uint64_t) info.st_size > max) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” has %" G_GINT64_FORMAT " bytes; at most %zu are read",
                 path, (gint64) info.st_size, max);
    return FALSE;
  }
  out->size = (size_t) info.st_size;
  out->data = pj_alloc (out->size, path, error);
  return out->data != NULL && read_all (fd, path, out, error);
}

gboolean
pj_bytes_read (const char *path, size_t max, PjBytes *out, GError **error)
{
  /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  *out = (PjBytes) { NULL, 0 };
  if (fd < 0)
    return io_error (path, "opened", error);
  gboolean ok = read_open (fd, path, max, out, error);
  close (fd);
  if (!ok)
    pj_bytes_clear (out);
  return ok;
}

gboolean
pj_bytes_is_gzip (const guint8 *data, size_t size)
{
  return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* Doubles the memory of @out, which holds @used bytes. */
static gboolean
grow (PjBytes *out, size_t used, size_t max, const char *name, GError **error)
{
  size_t size = MIN (MAX (out->size * 2, FIRST_GROWTH), max);
  if (size == out->size) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” unpacks to more than %zu bytes", name, max);
    return FALSE;
  }
  guint8 *data = pj_alloc (size, name, error);
  if (data == NULL)
    return FALSE;
  if (used > 0)
    memcpy (data, out->data, used);
  pj_free (out->data);
  *out = (PjBytes) { data, size };
  return TRUE;
}

static gboolean
gzip_error (const char *name, const z_stream *z, int status, GError **error)
{
  if (status == Z_MEM_ERROR)
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for unpacking “%s”", name);
  else if (status == Z_BUF_ERROR)
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is cut short: its gzip stream has no end", name);
  else
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is damaged: %s", name, z->msg ? z->msg : "bad gzip stream");
  return FALSE;
}

/* Inflates until the end of the stream; a file may hold several members, one after the other. */
static gboolean
inflate_all (z_stream *z, const char *name, size_t max, PjBytes *out, size_t *used, GError **error)
{
  for (;;) {
    if (*used == out->size && !grow (out, *used, max, name, error))
      return FALSE;
    uInt room = (uInt) MIN (out->size - *used, (size_t) 1 << 30);
    z->next_out = out->data + *used;
    z->avail_out = room;
    int status = inflate (z, Z_NO_FLUSH);
    *used += room - z->avail_out;
    if (status == Z_STREAM_END) {
      if (!pj_bytes_is_gzip (z->next_in, z->avail_in))
        return TRUE;
      if (inflateReset (z) == Z_OK)
        continue;
    }
    /* Z_BUF_ERROR with room left means that the input is used up. */
    if (status != Z_OK && !(status == Z_BUF_ERROR && z->avail_out == 0))
      return gzip_error (name, z, status, error);
  }
}

gboolean
pj_bytes_gunzip (const guint8 *data, size_t size, const char *name, size_t max, PjBytes *out, GError **error)
{
  z_stream z = { .next_in = (Bytef *) data, .avail_in = (uInt) MIN (size, G_MAXUINT) };
  size_t used = 0;
  int status = inflateInit2 (&z, GZIP_WINDOW);

  *out = (PjBytes) { NULL, 0 };
  if (status != Z_OK)
    return gzip_error (name, &z, status, error);
  gboolean ok = inflate_all (&z, name, max, out, &used, error);
  inflateEnd (&z);
  if (!ok)
    pj_bytes_clear (out);
  out->size = ok ? used : 0;
  return ok;
}

size_t
pj_bytes_peek (const char *path, guint8 *out, size_t n)
{
  guint8 head[512];
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t got = fd >= 0 ? read (fd, head, sizeof head) : 0;

  if (fd >= 0)
    close (fd);
  if (got <= 0)
    return 0;
  if (!pj_bytes_is_gzip (head, (size_t) got)) {
    n = MIN (n, (size_t) got);
    memcpy (out, head, n);
    return n;
  }
  z_stream z = { .next_in = head, .avail_in = (uInt) got, .next_out = out, .avail_out = (uInt) n };
  if (inflateInit2 (&z, GZIP_WINDOW) != Z_OK)
    return 0;
  inflate (&z, Z_SYNC_FLUSH);
  inflateEnd (&z);
  return n - z.avail_out;
}
