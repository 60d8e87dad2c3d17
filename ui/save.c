/* SPDX-License-Identifier: MIT */
/* File choosers and writers for pictures and tables.  A picture is painted with the paper palette, so that
 * what was saved in the dark style can be printed. */
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <glib/gi18n-lib.h>

#include "save.h"

typedef struct {
  PjuStudio *studio;
  PjuPainter painter;
  gpointer data;
  GDestroyNotify destroy;
  double width, height;
  char *text;
} Request;

static void
request_free (Request *self)
{
  if (self->destroy)
    self->destroy (self->data);
  g_object_unref (self->studio);
  g_free (self->text);
  g_free (self);
}

/* Into memory: only a picture that is whole takes the place of a file that is there. */
static cairo_status_t
keep (void *bytes, const unsigned char *data, unsigned length)
{
  g_byte_array_append (bytes, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static void
paint (cairo_surface_t *surface, PjuPainter painter, gpointer data, double width, double height, double scale)
{
  PjuPalette palette;
  cairo_t *cr = cairo_create (surface);

  pju_palette_for_paper (&palette);
  cairo_scale (cr, scale, scale);
  pju_set_color (cr, &palette.canvas, 1);
  cairo_paint (cr);
  painter (data, cr, width, height, &palette);
  cairo_destroy (cr);
}

gboolean
pju_picture_write (const char *path, PjuPainter painter, gpointer data, double width, double height,
                   GError **error)
{
  gboolean svg = g_str_has_suffix (path, ".svg"), pdf = g_str_has_suffix (path, ".pdf");
  double scale = svg || pdf ? 1 : 2;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  cairo_surface_t *surface = svg   ? cairo_svg_surface_create_for_stream (keep, bytes, width, height)
                             : pdf ? cairo_pdf_surface_create_for_stream (keep, bytes, width, height)
                                   : cairo_image_surface_create (CAIRO_FORMAT_RGB24, width * scale, height * scale);

  paint (surface, painter, data, width, height, scale);
  cairo_status_t status = cairo_surface_status (surface);
  if (status == CAIRO_STATUS_SUCCESS && !svg && !pdf)
    status = cairo_surface_write_to_png_stream (surface, keep, bytes);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    return g_file_set_contents (path, (const char *) bytes->data, bytes->len, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path, cairo_status_to_string (status));
  return FALSE;
}

static void
response_cb (GtkNativeDialog *dialog, int response, Request *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);
    g_autoptr (GError) error = NULL;
    gboolean ok;

    if (!path) {
      ok = FALSE;
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, _("The place is not a local folder."));
    } else if (self->text && (!self->painter || g_str_has_suffix (path, ".csv"))) {
      ok = g_file_set_contents (path, self->text, -1, &error);
    } else {
      ok = pju_picture_write (path, self->painter, self->data, self->width, self->height, &error);
    }
    if (ok) {
      g_autofree char *name = g_path_get_basename (path);
      g_autofree char *text = g_strdup_printf (_("Saved “%s”"), name);
      pju_studio_say (self->studio, text);
    } else {
      pju_studio_complain (self->studio, _("The file could not be saved"), error->message);
    }
  }
  gtk_native_dialog_destroy (dialog);
  request_free (self);
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooser *chooser, const char *title, const char *pattern)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  gtk_file_filter_set_name (filter, title);
  gtk_file_filter_add_pattern (filter, pattern);
  gtk_file_chooser_add_filter (chooser, filter);
}

static void
ask (GtkWidget *parent, const char *title, const char *name, Request *request)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
    title, GTK_WINDOW (gtk_widget_get_root (parent)), GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  if (!request->painter) {
    add_filter (GTK_FILE_CHOOSER (dialog), _("Tables (CSV)"), "*.csv");
  } else {
    g_autoptr (GtkFileFilter) all = gtk_file_filter_new ();
    gtk_file_filter_set_name (all, request->text ? _("Pictures (SVG, PNG, PDF) and tables (CSV)") : _("Pictures (SVG, PNG, PDF)"));
    if (request->text)
      gtk_file_filter_add_pattern (all, "*.csv");
    gtk_file_filter_add_pattern (all, "*.svg");
    gtk_file_filter_add_pattern (all, "*.png");
    gtk_file_filter_add_pattern (all, "*.pdf");
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), all);
  }
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), request);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
pju_picture_save (PjuStudio *studio, GtkWidget *parent, const char *name, PjuPainter painter, gpointer data,
                  GDestroyNotify destroy, double width, double height)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request) { .studio = g_object_ref (studio), .painter = painter, .data = data, .destroy = destroy,
                         .width = width, .height = height };
  ask (parent, _("Save Picture"), name, request);
}

void
pju_plot_save (PjuStudio *studio, GtkWidget *parent, const char *name, PjuPainter painter, gpointer data,
               GDestroyNotify destroy, double width, double height, char *csv)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request) { .studio = g_object_ref (studio), .painter = painter, .data = data, .destroy = destroy,
                         .width = width, .height = height, .text = csv };
  ask (parent, _("Save Plot"), name, request);
}

void
pju_text_save (PjuStudio *studio, GtkWidget *parent, const char *name, char *text)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request) { .studio = g_object_ref (studio), .text = text };
  ask (parent, _("Save Table"), name, request);
}

void
pju_text_copy (PjuStudio *studio, GtkWidget *parent, const char *text)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (parent), text);
  pju_studio_say (studio, _("Table copied"));
}
