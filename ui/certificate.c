/* SPDX-License-Identifier: MIT */
/* The facts stand one below the other, each with a tooltip that says how it was found.  A fact that is not known
 * has no row.  The badge is there because the card is: a file that differs never gets one. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "certificate.h"
#include "format.h"

struct _PjuCertificate {
  GtkWidget parent;
  GtkWidget *box, *grid;
  char *path;
  int n_rows;
};

G_DEFINE_FINAL_TYPE (PjuCertificate, pju_certificate, GTK_TYPE_WIDGET)

/* The value of a line “key value”. (transfer full) (nullable) */
static char *
find (const char *details, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (details, "\n", -1);
  gsize n = strlen (key);
  for (char **line = lines; *line; line++) {
    if (strncmp (*line, key, n) == 0 && (*line)[n] == ' ')
      return g_strdup (*line + n + 1);
  }
  return NULL;
}

static double
find_number (const char *details, const char *key)
{
  g_autofree char *text = find (details, key);
  return text ? g_ascii_strtod (text, NULL) : NAN;
}

static void
add_row (PjuCertificate *self, const char *name, const char *value, const char *tip)
{
  GtkWidget *left = gtk_label_new (name), *right = gtk_label_new (value);
  gtk_label_set_xalign (GTK_LABEL (left), 0);
  gtk_label_set_yalign (GTK_LABEL (left), 0);
  gtk_widget_add_css_class (left, "dim-label");
  gtk_label_set_xalign (GTK_LABEL (right), 0);
  gtk_label_set_wrap (GTK_LABEL (right), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (right), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (right), TRUE);
  gtk_widget_set_hexpand (right, TRUE);
  gtk_widget_add_css_class (right, "numeric");
  pju_set_tooltip (left, tip);
  pju_set_tooltip (right, tip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (right), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, tip, -1);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (right), GTK_ACCESSIBLE_RELATION_LABELLED_BY, left, NULL, -1);
  gtk_grid_attach (GTK_GRID (self->grid), left, 0, self->n_rows, 1, 1);
  gtk_grid_attach (GTK_GRID (self->grid), right, 1, self->n_rows, 1, 1);
  self->n_rows++;
}

/* "0.9338 of 10000" -> 0.9338, 10000 */
static gboolean
read_accuracy (const char *text, double *share, double *n)
{
  const char *of = text ? strstr (text, " of ") : NULL;
  if (!of)
    return FALSE;
  *share = g_ascii_strtod (text, NULL);
  *n = g_ascii_strtod (of + strlen (" of "), NULL);
  return TRUE;
}

static void
add_outputs (PjuCertificate *self, const char *details)
{
  g_autofree char *difference = find (details, "difference"), *cut = find (details, "cut-difference");
  guint n = (guint) find_number (details, "inputs");
  gboolean pictures = find_number (details, "pictures") > 0;

  if (difference) {
    g_autofree char *of = pictures ? g_strdup_printf (ngettext ("%u test picture", "%u test pictures", n), n)
                                   : g_strdup_printf (ngettext ("%u seeded input", "%u seeded inputs", n), n);
    /* Translators: a difference such as 2.1e-07, and "16 test pictures". */
    g_autofree char *text = g_ascii_strtod (difference, NULL) > 0
      ? g_strdup_printf (_("differ by %s at most, on %s"), difference, of)
      /* Translators: %s is "16 test pictures". */
      : g_strdup_printf (_("compute the same, to the last bit, on %s"), of);
    add_row (self, _("File and screen"), text,
             _("The file was read back and run on the same inputs as the network on screen: the largest difference of an "
               "output, relative to the largest output."));
  }
  if (cut) {
    g_autofree char *text = g_strdup_printf (_("differ by %s at most"), cut);
    add_row (self, _("Masked and cut"), text,
             _("The network with its channels switched off and the one with the channels removed, on the same inputs, "
               "when it was cut: the largest difference of an output, relative to the largest output."));
  }
}

static void
add_count (PjuCertificate *self, const char *details, const char *name, const char *key, const char *base_key,
           const char *tip)
{
  double now = find_number (details, key), before = find_number (details, base_key);
  if (isnan (now))
    return;
  g_autofree char *after_text = pju_format_count (now);
  if (isnan (before)) {
    add_row (self, name, after_text, tip);
    return;
  }
  g_autofree char *before_text = pju_format_count (before), *change = pju_format_change (before, now);
  g_autofree char *text = g_strdup_printf ("%s → %s  %s", before_text, after_text, change);
  add_row (self, name, text, tip);
}

static void
add_accuracy (PjuCertificate *self, const char *details)
{
  g_autofree char *base = find (details, "base-accuracy"), *final = find (details, "accuracy");
  double before, after, n_before, n_after;
  gboolean has_base = read_accuracy (base, &before, &n_before), has_final = read_accuracy (final, &after, &n_after);
  if (!has_base && !has_final)
    return;
  g_autofree char *old = has_base ? pju_format_percent (before, 2) : g_strdup ("?");
  g_autofree char *new = has_final ? pju_format_percent (after, 2) : g_strdup (_("not measured yet"));
  g_autofree char *both = has_base ? g_strdup_printf ("%s → %s", old, new) : g_strdup (new);
  guint n = (guint) (has_final ? n_after : n_before);
  g_autofree char *text = g_strdup_printf (ngettext ("%s of %u test picture", "%s of %u test pictures", n), both, n);
  add_row (self, _("Accuracy"), text, _("Share of the test pictures that got the right answer, before the first cut and now."));
}

static void
add_origin (PjuCertificate *self, const char *details)
{
  g_autofree char *method = find (details, "method"), *seed = find (details, "seed"), *hash = find (details, "sha256");
  g_autofree char *shape = find (details, "shape"), *classes = find (details, "classes");
  if (shape && classes) {
    g_autofree char *text = g_strdup_printf (_("%s in, %s numbers out"), shape, classes);
    add_row (self, _("Shapes"), text, _("The size of one picture, and how many numbers come out of it."));
  }
  if (method) {
    const char *title = pjm_setting_choice_title (method);
    g_autofree char *text = seed ? g_strdup_printf (_("%s, seed %s"), title, seed) : g_strdup (title);
    add_row (self, _("Chosen by"), text, _("What chose the channels, and the number that its randomness started from."));
  }
  if (hash)
    add_row (self, "SHA-256", hash, _("Checksum of the network’s file: the same file has the same number."));
}

static void
open_cb (PjuCertificate *self)
{
  g_autofree char *page = g_build_filename (self->path, "index.html", NULL);
  gboolean is_demo = g_file_test (page, G_FILE_TEST_IS_REGULAR);
  g_autofree char *folder = is_demo ? g_strdup (page) : g_path_get_dirname (self->path);
  g_autofree char *uri = g_filename_to_uri (folder, NULL, NULL);
  if (uri)
    gtk_show_uri (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), uri, GDK_CURRENT_TIME);
}

static GtkWidget *
make_head (PjuCertificate *self, const char *title, const char *details)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *label = gtk_label_new (title);
  GtkWidget *badge = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4), *word = gtk_label_new (_("Certified"));
  g_autofree char *format = find (details, "format");
  gboolean is_demo = g_strcmp0 (format, "demo") == 0;
  GtkWidget *open = gtk_button_new_with_label (is_demo ? _("Open Demo") : _("Show Folder"));

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, "heading");
  gtk_box_append (GTK_BOX (badge), gtk_image_new_from_icon_name ("object-select-symbolic"));
  gtk_box_append (GTK_BOX (badge), word);
  gtk_widget_add_css_class (badge, "certified");
  gtk_widget_set_valign (badge, GTK_ALIGN_CENTER);
  pju_set_tooltip (badge, _("The file was read back and computes what the network on screen does."));
  gtk_widget_set_valign (open, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (open, "clicked", G_CALLBACK (open_cb), self);
  gtk_box_append (GTK_BOX (head), label);
  gtk_box_append (GTK_BOX (head), badge);
  gtk_box_append (GTK_BOX (head), open);
  return head;
}

GtkWidget *
pju_certificate_new (const char *title, const char *details)
{
  PjuCertificate *self = g_object_new (PJU_TYPE_CERTIFICATE, NULL);
  double size = find_number (details, "bytes");

  self->path = find (details, "path");
  gtk_box_append (GTK_BOX (self->box), make_head (self, title, details));
  gtk_box_append (GTK_BOX (self->box), self->grid);
  if (self->path)
    add_row (self, _("Place"), self->path, _("Where it was written."));
  if (!isnan (size)) {
    g_autofree char *count = pju_format_count (size), *text = g_strconcat (count, "B", NULL);
    add_row (self, _("Size"), text, _("Of the file, or of all files of the folder."));
  }
  add_outputs (self, details);
  add_count (self, details, _("Multiply-accumulates"), "macs", "base-macs",
             _("Of one picture, before the first cut and now; counted from the layers, not measured."));
  add_count (self, details, _("Parameters"), "parameters", "base-parameters",
             _("Numbers that training learned, before the first cut and now."));
  add_accuracy (self, details);
  add_origin (self, details);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}

static void
dispose (GObject *object)
{
  PjuCertificate *self = PJU_CERTIFICATE (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_certificate_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  g_free (PJU_CERTIFICATE (object)->path);
  G_OBJECT_CLASS (pju_certificate_parent_class)->finalize (object);
}

static void
pju_certificate_class_init (PjuCertificateClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  G_OBJECT_CLASS (klass)->finalize = finalize;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "certificate");
}

static void
pju_certificate_init (PjuCertificate *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  self->grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (self->grid), 18);
  gtk_grid_set_row_spacing (GTK_GRID (self->grid), 4);
}
