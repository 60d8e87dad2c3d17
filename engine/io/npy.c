/* SPDX-License-Identifier: MIT */
/* NumPy's .npy files: see npy.h.  Every size is checked against the bytes that are there. */
#include "io/npy.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "io/file.h"

#define MAGIC "\x93NUMPY"

/* --- numbers --- */

static float
half_to_float (const guint8 *bytes)
{
  unsigned bits = bytes[0] | (unsigned) bytes[1] << 8;
  int exponent = (int) (bits >> 10 & 31);
  double fraction = (double) (bits & 1023) / 1024.0;
  double size = exponent == 0 ? ldexp (fraction, -14)
                : exponent == 31 ? (fraction > 0.0 ? (double) NAN : (double) INFINITY)
                : ldexp (1.0 + fraction, exponent - 15);
  return (float) (bits & 0x8000 ? -size : size);
}

#define CONVERTER(name, type) \
  static float name (const guint8 *bytes) { type x; memcpy (&x, bytes, sizeof x); return (float) x; }
CONVERTER (f4, float)
CONVERTER (f8, double)
CONVERTER (u1, guint8)
CONVERTER (u2, guint16)
CONVERTER (u4, guint32)
CONVERTER (i1, gint8)
CONVERTER (i2, gint16)
CONVERTER (i4, gint32)
CONVERTER (i8, gint64)

/* The two letters after the byte order. */
static const struct {
  const char *name;
  size_t size;
  float (*convert) (const guint8 *bytes);
} types[] = {
  { "f4", 4, f4 }, { "f8", 8, f8 }, { "f2", 2, half_to_float }, { "b1", 1, u1 }, { "u1", 1, u1 }, { "u2", 2, u2 },
  { "u4", 4, u4 }, { "i1", 1, i1 }, { "i2", 2, i2 }, { "i4", 4, i4 }, { "i8", 8, i8 },
};

/* --- the header --- */

typedef struct {
  const char *path;
  const guint8 *data;
  size_t size, at;            /* @at: first number */
  char *header;
  int type;
} Reader;

static gboolean
refuse (const Reader *self, PjError code, GError **error, const char *what)
{
  g_set_error (error, PJ_ERROR, code, "“%s”: %s", self->path, what);
  return FALSE;
}

static gboolean
read_frame (Reader *self, GError **error)
{
  if (self->size < 12 || memcmp (self->data, MAGIC, 6) != 0)
    return refuse (self, PJ_ERROR_INVALID, error, "this is not an .npy file");
  gboolean wide = self->data[6] >= 2;
  size_t length = self->data[8] | (size_t) self->data[9] << 8;
  if (wide)
    length |= (size_t) self->data[10] << 16 | (size_t) self->data[11] << 24;
  size_t start = wide ? 12 : 10;
  if (self->data[6] < 1 || self->data[6] > 3)
    return refuse (self, PJ_ERROR_UNSUPPORTED, error, "its version of the .npy format is not known");
  if (length > PJ_NPY_MAX_HEADER || length > self->size - start)
    return refuse (self, PJ_ERROR_INVALID, error, "the header is longer than the file or than anybody writes");
  self->header = g_strndup ((const char *) self->data + start, length);
  self->at = start + length;
  return TRUE;
}

/* The text behind @key in the header, or NULL. */
static const char *
find_key (const Reader *self, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s'", key);
  const char *found = strstr (self->header, quoted);
  if (found == NULL)
    return NULL;
  found += strlen (quoted);
  found += strspn (found, " ");
  if (*found != ':')
    return NULL;
  found++;
  return found + strspn (found, " ");
}

static gboolean
read_type (Reader *self, GError **error)
{
  const char *descr = find_key (self, "descr");
  if (descr == NULL || descr[0] != '\'')
    return refuse (self, PJ_ERROR_INVALID, error, "the header does not say which type the numbers have");
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    gboolean order = descr[1] == '<' || (types[i].size == 1 && (descr[1] == '|' || descr[1] == '>'));
    if (order && strncmp (descr + 2, types[i].name, 2) == 0 && descr[4] == '\'') {
      self->type = (int) i;
      return TRUE;
    }
  }
  g_autofree char *type = g_strndup (descr + 1, strcspn (descr + 1, "'"));
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
               "“%s” holds numbers of type %.20s; save it as float32 (a.astype ('f4'))",
               self->path, type);
  return FALSE;
}

static gboolean
read_shape (Reader *self, PjShape *shape, GError **error)
{
  const char *order = find_key (self, "fortran_order"), *text = find_key (self, "shape");
  if (order == NULL || text == NULL || *text != '(')
    return refuse (self, PJ_ERROR_INVALID, error, "the header does not say which shape the numbers have");
  if (!g_str_has_prefix (order, "False"))
    return refuse (self, PJ_ERROR_UNSUPPORTED, error,
                   "the numbers are in column-major order; save numpy.ascontiguousarray (a)");
  memset (shape, 0, sizeof *shape);
  size_t n = 1;
  for (text++; *text != ')'; text += strspn (text, ", ")) {
    char *end;
    guint64 dim = g_ascii_strtoull (text, &end, 10);
    if (end == text || !g_ascii_isdigit (*text) || shape->rank == PJ_MAX_RANK)
      return refuse (self, PJ_ERROR_INVALID, error, "its shape cannot be read, or has more than 6 axes");
    if (dim > PJ_NPY_MAX_ELEMS || !pj_size_mul (n, (size_t) dim, &n) || n > PJ_NPY_MAX_ELEMS)
      return refuse (self, PJ_ERROR_INVALID, error, "it claims more numbers than can be read");
    shape->dim[shape->rank++] = (int64_t) dim;
    text = end;
  }
  if (n > (self->size - self->at) / types[self->type].size)
    return refuse (self, PJ_ERROR_INVALID, error, "it is shorter than its shape says");
  return TRUE;
}

/* --- reading and writing --- */

static PjBlob *
read_numbers (const Reader *self, const PjShape *shape, GError **error)
{
  size_t n = pj_shape_n_elems (shape), size = types[self->type].size;
  float *numbers = pj_alloc (n * sizeof (float), "numbers of an .npy file", error);
  if (numbers == NULL)
    return NULL;
  for (size_t i = 0; i < n; i++)
    numbers[i] = types[self->type].convert (self->data + self->at + i * size);
  return pj_blob_new_take (numbers, n);
}

PjBlob *
pj_npy_read (const char *path, PjShape *shape, GError **error)
{
  g_autoptr (GMappedFile) file = pj_file_map (path, error);
  if (file == NULL)
    return NULL;
  Reader self = { path, (const guint8 *) g_mapped_file_get_contents (file), g_mapped_file_get_length (file) };
  PjBlob *blob = NULL;
  if (read_frame (&self, error) && read_type (&self, error) && read_shape (&self, shape, error))
    blob = read_numbers (&self, shape, error);
  g_free (self.header);
  return blob;
}

gboolean
pj_npy_write (const char *path, const PjShape *shape, const float *data, GError **error)
{
  g_autoptr (GString) header = g_string_new ("{'descr': '<f4', 'fortran_order': False, 'shape': (");
  for (unsigned i = 0; i < shape->rank; i++)
    g_string_append_printf (header, "%" G_GINT64_FORMAT "%s", shape->dim[i], i + 1 < shape->rank ? ", "
                            : shape->rank == 1 ? "," : "");
  g_string_append (header, "), }");
  /* Numbers begin at a multiple of 64 and the header ends with a newline. */
  while ((10 + header->len + 1) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  const guint8 frame[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (guint8) (header->len & 255),
                             (guint8) (header->len >> 8) };
  g_autoptr (PjFileWriter) writer = pj_file_writer_new (path, error);
  return writer != NULL && pj_file_writer_append (writer, frame, sizeof frame, error)
         && pj_file_writer_append (writer, header->str, header->len, error)
         && pj_file_writer_append (writer, data, pj_shape_n_elems (shape) * sizeof (float), error)
         && pj_file_writer_finish (writer, error);
}
