/* SPDX-License-Identifier: MIT */
/* Structs as "key value" lines: see work-settings.h. */
#include "model/work-settings.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define AT(object, field, type) (*(type *) ((char *) (object) + (field)->offset))

static void
append_value (GString *out, const char *key, const char *value)
{
  g_string_append_printf (out, "%s ", key);
  for (const char *c = value; *c != '\0'; c++) {
    if (*c == '\\' || *c == '\n')
      g_string_append_c (out, '\\');
    g_string_append_c (out, *c == '\n' ? 'n' : *c);
  }
  g_string_append_c (out, '\n');
}

/* (transfer full): the value without its escapes. */
static char *
unescape (const char *value)
{
  GString *text = g_string_new (NULL);
  for (const char *c = value; *c != '\0'; c++) {
    if (*c == '\\' && c[1] != '\0')
      g_string_append_c (text, *++c == 'n' ? '\n' : *c);
    else
      g_string_append_c (text, *c);
  }
  return g_string_free (text, FALSE);
}

static void
append_number (GString *out, const char *key, double number, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  append_value (out, key, g_ascii_formatd (text, sizeof text, format, number));
}

static void
append_field (GString *out, const PjField *field, gconstpointer object)
{
  char text[32];
  switch (field->type) {
  case PJ_FIELD_UINT:
    g_snprintf (text, sizeof text, "%u", AT (object, field, unsigned));
    append_value (out, field->key, text);
    break;
  case PJ_FIELD_INT:
    g_snprintf (text, sizeof text, "%d", AT (object, field, int));
    append_value (out, field->key, text);
    break;
  case PJ_FIELD_UINT64:
    g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, AT (object, field, uint64_t));
    append_value (out, field->key, text);
    break;
  case PJ_FIELD_FLOAT:
    append_number (out, field->key, (double) AT (object, field, float), "%.9g");
    break;
  case PJ_FIELD_DOUBLE:
    append_number (out, field->key, AT (object, field, double), "%.17g");
    break;
  case PJ_FIELD_BOOL:
    append_value (out, field->key, AT (object, field, gboolean) ? "yes" : "no");
    break;
  case PJ_FIELD_TEXT:
    if (AT (object, field, char *) != NULL)
      append_value (out, field->key, AT (object, field, char *));
    break;
  case PJ_FIELD_LIST:
    for (char **item = AT (object, field, char **); item != NULL && *item != NULL; item++)
      append_value (out, field->key, *item);
    break;
  }
}

char *
pj_fields_write (const PjField *fields, gconstpointer object)
{
  GString *out = g_string_new (NULL);
  for (const PjField *field = fields; field->key != NULL; field++)
    append_field (out, field, object);
  return g_string_free (out, FALSE);
}

static gboolean
read_real (const char *value, double *number)
{
  char *end;
  *number = g_ascii_strtod (value, &end);
  return end != value && *end == '\0' && isfinite (*number);
}

/* FALSE if @value is not of the field's type. */
static gboolean
read_field (const PjField *field, gpointer object, const char *value, gboolean first)
{
  guint64 whole;
  gint64 with_sign;
  double number;
  switch (field->type) {
  case PJ_FIELD_UINT:
    if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT, &whole, NULL))
      return FALSE;
    AT (object, field, unsigned) = (unsigned) whole;
    return TRUE;
  case PJ_FIELD_INT:
    if (!g_ascii_string_to_signed (value, 10, G_MININT, G_MAXINT, &with_sign, NULL))
      return FALSE;
    AT (object, field, int) = (int) with_sign;
    return TRUE;
  case PJ_FIELD_UINT64:
    if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &whole, NULL))
      return FALSE;
    AT (object, field, uint64_t) = whole;
    return TRUE;
  case PJ_FIELD_FLOAT:
    if (!read_real (value, &number))
      return FALSE;
    AT (object, field, float) = (float) number;
    return TRUE;
  case PJ_FIELD_DOUBLE:
    return read_real (value, &AT (object, field, double));
  case PJ_FIELD_BOOL:
    AT (object, field, gboolean) = strcmp (value, "yes") == 0;
    return strcmp (value, "yes") == 0 || strcmp (value, "no") == 0;
  case PJ_FIELD_TEXT:
    g_free (AT (object, field, char *));
    AT (object, field, char *) = g_strdup (value);
    return TRUE;
  case PJ_FIELD_LIST: {
    char ***list = &AT (object, field, char **);
    if (first)
      g_clear_pointer (list, g_strfreev);
    guint n = *list != NULL ? g_strv_length (*list) : 0;
    *list = g_renew (char *, *list, n + 2);
    (*list)[n] = g_strdup (value);
    (*list)[n + 1] = NULL;
    return TRUE;
  }
  }
  return FALSE;
}

/* Value of @line if its key is @key, else NULL. */
static const char *
value_of (const char *line, const char *key)
{
  size_t length = strlen (key);
  return strncmp (line, key, length) == 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

gboolean
pj_fields_read (const PjField *fields, gpointer object, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (const PjField *field = fields; field->key != NULL; field++) {
    gboolean first = TRUE;
    for (char **line = lines; *line != NULL; line++) {
      const char *escaped = value_of (*line, field->key);
      if (escaped == NULL)
        continue;
      g_autofree char *value = unescape (escaped);
      if (!read_field (field, object, value, first)) {
        g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "setting “%s” of the job is “%s”, which it cannot be",
                     field->key, value);
        return FALSE;
      }
      first = FALSE;
    }
  }
  return TRUE;
}

void
pj_fields_clear (const PjField *fields, gpointer object)
{
  for (const PjField *field = fields; field->key != NULL; field++) {
    if (field->type == PJ_FIELD_TEXT)
      g_clear_pointer (&AT (object, field, char *), g_free);
    else if (field->type == PJ_FIELD_LIST)
      g_clear_pointer (&AT (object, field, char **), g_strfreev);
  }
}

char *
pj_settings_get (const char *text, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    const char *value = value_of (*line, key);
    if (value != NULL)
      return unescape (value);
  }
  return NULL;
}
