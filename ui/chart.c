/* SPDX-License-Identifier: MIT */
/* A chart's series: filling, copying, writing as a table.  The drawing is chart-paint.c. */
#include <math.h>

#include "chart-private.h"

static void
series_free (gpointer data)
{
  PjuSeries *self = data;
  g_free (self->name);
  g_array_unref (self->points);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
  g_clear_pointer (&self->errors, g_array_unref);
  g_free (self);
}

PjuChart *
pju_chart_new (const char *title, const char *x_title, const char *y_title)
{
  PjuChart *self = g_new0 (PjuChart, 1);
  self->title = g_strdup (title);
  self->x_title = g_strdup (x_title);
  self->y_title = g_strdup (y_title);
  self->series = g_ptr_array_new_with_free_func (series_free);
  self->x_min = self->x_max = self->rule = self->hover_x = self->hover_y = NAN;
  return self;
}

void
pju_chart_free (PjuChart *self)
{
  if (!self)
    return;
  g_free (self->title);
  g_free (self->x_title);
  g_free (self->y_title);
  g_free (self->rule_name);
  g_ptr_array_unref (self->series);
  g_free (self);
}

PjuSeries *
pju_chart_series (PjuChart *self, const char *name)
{
  for (guint i = 0; i < self->series->len; i++) {
    PjuSeries *series = self->series->pdata[i];
    if (g_str_equal (series->name, name))
      return series;
  }
  PjuSeries *series = g_new0 (PjuSeries, 1);
  series->name = g_strdup (name);
  series->color = self->series->len;
  series->points = g_array_new (FALSE, FALSE, sizeof (double));
  g_ptr_array_add (self->series, series);
  return series;
}

void
pju_chart_clear (PjuChart *self)
{
  g_ptr_array_set_size (self->series, 0);
}

void
pju_series_add (PjuSeries *self, double x, double y, const char *label)
{
  double point[2] = { x, y };
  g_array_append_vals (self->points, point, 2);
  if (label) {
    if (!self->labels)
      self->labels = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (self->labels, g_strdup (label));
  }
}

void
pju_series_set_error (PjuSeries *self, double error)
{
  if (!self->errors)
    self->errors = g_array_new (FALSE, TRUE, sizeof (double));
  /* Zeros for the points before. */
  g_array_set_size (self->errors, self->points->len / 2);
  g_array_index (self->errors, double, self->errors->len - 1) = error;
}

double
pju_series_get_error (const PjuSeries *self, guint point)
{
  return self->errors && point < self->errors->len ? g_array_index (self->errors, double, point) : 0;
}

PjuChart *
pju_chart_copy (PjuChart *self)
{
  PjuChart *copy = pju_chart_new (self->title, self->x_title, self->y_title);
  copy->x_unit = self->x_unit;
  copy->y_unit = self->y_unit;
  copy->x_min = self->x_min;
  copy->x_max = self->x_max;
  copy->y_from_zero = self->y_from_zero;
  copy->rule = self->rule;
  copy->rule_name = g_strdup (self->rule_name);
  for (guint i = 0; i < self->series->len; i++) {
    PjuSeries *from = self->series->pdata[i], *to = pju_chart_series (copy, from->name);
    to->color = from->color;
    to->scatter = from->scatter;
    to->smooth = from->smooth;
    to->front = from->front;
    if (from->errors)
      to->errors = g_array_copy (from->errors);
    g_array_append_vals (to->points, from->points->data, from->points->len);
    for (guint l = 0; from->labels && l < from->labels->len; l++) {
      if (!to->labels)
        to->labels = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (to->labels, g_strdup (from->labels->pdata[l]));
    }
  }
  return copy;
}

static gboolean
has_errors (PjuChart *self)
{
  for (guint s = 0; s < self->series->len; s++)
    if (((PjuSeries *) self->series->pdata[s])->errors)
      return TRUE;
  return FALSE;
}

char *
pju_chart_to_csv (PjuChart *self)
{
  gboolean errors = has_errors (self);
  GString *out = g_string_new (errors ? "series,x,y,error\n" : "series,x,y\n");
  for (guint s = 0; s < self->series->len; s++) {
    PjuSeries *series = self->series->pdata[s];
    const double *p = (const double *) series->points->data;
    for (guint i = 0; i < series->points->len / 2; i++) {
      char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE], error[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (out, "\"%s\",%s,%s", series->name, g_ascii_formatd (x, sizeof x, "%.9g", p[2 * i]),
                              g_ascii_formatd (y, sizeof y, "%.9g", p[2 * i + 1]));
      if (errors)
        g_string_append_printf (out, ",%s", g_ascii_formatd (error, sizeof error, "%.9g", pju_series_get_error (series, i)));
      g_string_append_c (out, '\n');
    }
  }
  return g_string_free (out, FALSE);
}
