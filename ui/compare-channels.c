/* SPDX-License-Identifier: MIT */
/* Scores of different methods have different units, so a channel's colour is its rank within the layer: one scale for all
 * maps.  Pointing at a channel in one map points at it in all, and a line says what each thinks of it. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "channel-map.h"
#include "compare-channels.h"
#include "compare-columns.h"
#include "format.h"
#include "save.h"

#define N_MAPS 4     /* three rows and the difference of the first two */

struct _PjuCompareChannels {
  GtkBox parent;
  PjuStudio *studio;
  PjmComparison *comparison;
  GPtrArray *rows;
  GtkWidget *layer, *grid, *overlap, *said, *difference;
  GtkWidget *titles[N_MAPS], *maps[N_MAPS], *columns[N_MAPS];
  GArray *groups;
  gboolean filling;
  int hover;
};

G_DEFINE_FINAL_TYPE (PjuCompareChannels, pju_compare_channels, GTK_TYPE_BOX)

static int
chosen_group (PjuCompareChannels *self)
{
  guint i = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->layer));
  return i < self->groups->len ? g_array_index (self->groups, int, i) : -1;
}

/* --- ranks --- */

typedef struct { double score; guint channel; } Scored;

static int
compare_scored (gconstpointer a, gconstpointer b)
{
  const Scored *x = a, *y = b;
  return x->score < y->score ? -1 : x->score > y->score ? 1 : (int) x->channel - (int) y->channel;
}

/* 0 for the least important channel … 1 for the most; NULL without scores. (transfer full) */
static double *
ranks_of (PjmCompareRow *row, int group, guint n)
{
  const double *scores = pjm_compare_row_get_scores (row, group);
  if (!scores || n == 0)
    return NULL;
  g_autofree Scored *sorted = g_new (Scored, n);
  double *ranks = g_new (double, n);
  for (guint i = 0; i < n; i++)
    sorted[i] = (Scored) { scores[i], i };
  qsort (sorted, n, sizeof (Scored), compare_scored);
  for (guint i = 0; i < n; i++)
    ranks[sorted[i].channel] = n > 1 ? (double) i / (n - 1) : 1;
  return ranks;
}

/* --- showing --- */

static PjmCompareRow *
row_at (PjuCompareChannels *self, guint i)
{
  return self->rows && i < self->rows->len ? self->rows->pdata[i] : NULL;
}

static void
show_row (PjuCompareChannels *self, guint i, int group)
{
  PjmCompareRow *row = row_at (self, i), *other = row_at (self, i == 0 ? 1 : 0);
  gtk_widget_set_visible (self->columns[i], row != NULL);
  if (!row)
    return;
  g_autofree char *title = pju_compare_row_title (row);
  guint n = pjm_compare_row_get_n_channels (row, group);
  g_autofree double *ranks = ranks_of (row, group, n);
  const guint8 *mask = pjm_compare_row_get_mask (row, group), *against = other ? pjm_compare_row_get_mask (other, group) : NULL;
  gtk_label_set_text (GTK_LABEL (self->titles[i]), title);
  pju_set_tooltip (self->titles[i], title);
  pju_channel_map_set (PJU_CHANNEL_MAP (self->maps[i]), title, n, ranks, mask, mask ? against : NULL);
}

/* How far apart the first two rank each channel; hatched where both cut, framed where one does. */
static void
show_difference (PjuCompareChannels *self, int group)
{
  PjmCompareRow *a = row_at (self, 0), *b = row_at (self, 1);
  GtkWidget *map = self->maps[N_MAPS - 1];
  gboolean wanted = a && b && gtk_check_button_get_active (GTK_CHECK_BUTTON (self->difference));
  gtk_widget_set_visible (self->columns[N_MAPS - 1], wanted);
  if (!wanted)
    return;
  guint n = pjm_compare_row_get_n_channels (a, group);
  g_autofree double *ra = ranks_of (a, group, n), *rb = ranks_of (b, group, n);
  const guint8 *ma = pjm_compare_row_get_mask (a, group), *mb = pjm_compare_row_get_mask (b, group);
  g_autofree guint8 *either = g_malloc (MAX (n, 1u)), *both = g_malloc (MAX (n, 1u));
  for (guint i = 0; i < n; i++) {
    either[i] = !ma || ma[i] || !mb || mb[i];
    both[i] = (!ma || ma[i]) && (!mb || mb[i]);
    if (ra && rb)
      ra[i] = fabs (ra[i] - rb[i]);
  }
  pju_channel_map_set (PJU_CHANNEL_MAP (map), _("difference"), n, rb ? ra : NULL, either, both);
}

static void
show_overlap (PjuCompareChannels *self)
{
  PjmCompareRow *a = row_at (self, 0), *b = row_at (self, 1);
  guint at[2] = { 0, 0 }, n = self->comparison ? g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) : 0;
  if (!a || !b) {
    gtk_label_set_text (GTK_LABEL (self->overlap), _("Two rows are needed to compare their channels."));
    return;
  }
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    at[0] = row == a ? i : at[0];
    at[1] = row == b ? i : at[1];
  }
  double share = pjm_comparison_overlap (self->comparison, at[0], at[1]);
  g_autofree char *percent = pju_format_percent (isnan (share) ? -1 : share, 0);
  g_autofree char *text = g_strdup_printf (_("They agree on %s of the channels that either keeps."), percent);
  gtk_label_set_text (GTK_LABEL (self->overlap), text);
}

/* What each row thinks of the channel that is pointed at. */
static void
say (PjuCompareChannels *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int group = chosen_group (self);
  if (self->hover < 0) {
    gtk_label_set_text (GTK_LABEL (self->said),
      _("Hatched channels are cut; a frame marks a channel on which the rows differ. Dark is the least important of the layer, "
        "yellow the most, by rank: the same scale for all."));
    return;
  }
  g_string_append_printf (text, _("Channel %d"), self->hover);
  for (guint i = 0; self->rows && i < self->rows->len; i++) {
    PjmCompareRow *row = self->rows->pdata[i];
    guint n = pjm_compare_row_get_n_channels (row, group);
    if (self->hover >= (int) n)
      continue;
    g_autofree double *ranks = ranks_of (row, group, n);
    g_autofree char *title = pju_compare_row_title (row);
    const guint8 *mask = pjm_compare_row_get_mask (row, group);
    const char *fate = !mask || mask[self->hover] ? _("kept") : _("cut");
    if (ranks)
      /* Translators: method, place among all, number of channels, kept or cut */
      g_string_append_printf (text, _("; %s: place %u of %u, %s"), title, n - (guint) lround (ranks[self->hover] * (n - 1)), n, fate);
    else
      g_string_append_printf (text, "; %s: %s", title, fate);
  }
  gtk_label_set_text (GTK_LABEL (self->said), text->str);
}

static void
show (PjuCompareChannels *self)
{
  int group = chosen_group (self);
  for (guint i = 0; i < N_MAPS - 1; i++)
    show_row (self, i, group);
  show_difference (self, group);
  show_overlap (self);
  say (self);
}

static void
hovered_cb (PjuChannelMap *map, int channel, PjuCompareChannels *self)
{
  self->hover = channel;
  for (guint i = 0; i < N_MAPS; i++)
    pju_channel_map_set_hover (PJU_CHANNEL_MAP (self->maps[i]), channel);
  say (self);
}

static void
layer_cb (PjuCompareChannels *self)
{
  if (!self->filling)
    show (self);
}

/* The layers of the network that was compared, which may have been cut since. */
static void
fill_layers (PjuCompareChannels *self)
{
  guint n = self->comparison ? pjm_comparison_get_n_layers (self->comparison) : 0;
  if (n == self->groups->len && n > 0)
    return;
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_array_set_size (self->groups, 0);
  for (guint i = 0; i < n; i++) {
    int group;
    gtk_string_list_append (names, pjm_comparison_get_layer (self->comparison, i, &group));
    g_array_append_val (self->groups, group);
  }
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->layer), G_LIST_MODEL (names));
  self->filling = FALSE;
}

void
pju_compare_channels_show (PjuCompareChannels *self, PjmComparison *comparison, GPtrArray *rows)
{
  if (g_set_object (&self->comparison, comparison))
    g_array_set_size (self->groups, 0);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  self->rows = rows ? g_ptr_array_ref (rows) : NULL;
  fill_layers (self);
  show (self);
}

/* --- saving --- */

/* All maps in a row, each under its title, by the painter of the screen. */
static void
paint_all (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuCompareChannels *self = data;
  guint n = 0, at = 0;
  for (guint i = 0; i < N_MAPS; i++)
    n += gtk_widget_get_visible (self->columns[i]);
  double each = (width - 24 - 24 * (MAX (n, 1u) - 1)) / MAX (n, 1u);
  cairo_select_font_face (cr, "Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
  cairo_set_font_size (cr, 13);
  for (guint i = 0; i < N_MAPS; i++) {
    if (!gtk_widget_get_visible (self->columns[i]))
      continue;
    cairo_save (cr);
    cairo_translate (cr, 12 + at++ * (each + 24), 12);
    pju_set_color (cr, &palette->fg, 1);
    cairo_move_to (cr, 0, 13);
    cairo_show_text (cr, gtk_label_get_text (GTK_LABEL (self->titles[i])));
    cairo_translate (cr, 0, 26);
    pju_channel_map_paint (self->maps[i], cr, each, height - 50, palette);
    cairo_restore (cr);
  }
}

static char *
to_csv (PjuCompareChannels *self)
{
  GString *out = g_string_new ("layer,method,ratio,channel,score,kept\n");
  int group = chosen_group (self);
  const char *layer = group >= 0 ? gtk_string_object_get_string (gtk_drop_down_get_selected_item (GTK_DROP_DOWN (self->layer))) : "";
  for (guint i = 0; self->rows && i < self->rows->len; i++) {
    PjmCompareRow *row = self->rows->pdata[i];
    g_autofree char *method = pju_get_string (row, "method");
    const double *scores = pjm_compare_row_get_scores (row, group);
    const guint8 *mask = pjm_compare_row_get_mask (row, group);
    for (guint c = 0; c < pjm_compare_row_get_n_channels (row, group); c++) {
      char ratio[G_ASCII_DTOSTR_BUF_SIZE], score[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (out, "\"%s\",%s,%s,%u,%s,%d\n", layer, method,
                              g_ascii_formatd (ratio, sizeof ratio, "%.4g", pju_get_double (row, "ratio")), c,
                              scores ? g_ascii_formatd (score, sizeof score, "%.9g", scores[c]) : "", !mask || mask[c]);
    }
  }
  return g_string_free (out, FALSE);
}

static void
save_cb (PjuCompareChannels *self)
{
  pju_plot_save (self->studio, GTK_WIDGET (self), "channels.svg", paint_all, g_object_ref (self), g_object_unref, 860, 320,
                 to_csv (self));
}

/* --- the widget --- */

static void
dispose (GObject *object)
{
  PjuCompareChannels *self = PJU_COMPARE_CHANNELS (object);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->groups, g_array_unref);
  G_OBJECT_CLASS (pju_compare_channels_parent_class)->dispose (object);
}

static void
pju_compare_channels_class_init (PjuCompareChannelsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
}

static GtkWidget *
make_text (const char *text, gboolean dim)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  if (dim)
    gtk_widget_add_css_class (label, "dim-label");
  return label;
}

static void
add_maps (PjuCompareChannels *self)
{
  for (guint i = 0; i < N_MAPS; i++) {
    self->columns[i] = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
    self->titles[i] = gtk_label_new (i == N_MAPS - 1 ? _("Difference in rank of the first two") : NULL);
    gtk_label_set_xalign (GTK_LABEL (self->titles[i]), 0);
    gtk_label_set_wrap (GTK_LABEL (self->titles[i]), TRUE);
    self->maps[i] = pju_channel_map_new (FALSE);
    gtk_widget_set_hexpand (self->columns[i], TRUE);
    gtk_widget_set_valign (self->columns[i], GTK_ALIGN_START);
    g_signal_connect_object (self->maps[i], "hovered", G_CALLBACK (hovered_cb), self, 0);
    gtk_box_append (GTK_BOX (self->columns[i]), self->titles[i]);
    gtk_box_append (GTK_BOX (self->columns[i]), self->maps[i]);
    gtk_box_append (GTK_BOX (self->grid), self->columns[i]);
  }
}

static void
pju_compare_channels_init (PjuCompareChannels *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);

  self->groups = g_array_new (FALSE, FALSE, sizeof (int));
  self->hover = -1;
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 12);
  gtk_widget_add_css_class (GTK_WIDGET (self), "card");
  gtk_widget_add_css_class (GTK_WIDGET (self), "padded");
  self->layer = gtk_drop_down_new (NULL, NULL);
  pju_set_tooltip (self->layer, _("Layer whose channels are shown"));
  pju_set_label (self->layer, _("Layer whose channels are shown"));
  g_signal_connect_swapped (self->layer, "notify::selected", G_CALLBACK (layer_cb), self);
  self->difference = gtk_check_button_new_with_label (_("Difference"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self->difference), TRUE);
  pju_set_tooltip (self->difference, _("Also show how far apart the first two rank each channel"));
  g_signal_connect_swapped (self->difference, "toggled", G_CALLBACK (layer_cb), self);
  gtk_box_append (GTK_BOX (head), pju_heading_new (_("Kept channels")));
  gtk_box_append (GTK_BOX (head), self->difference);
  gtk_box_append (GTK_BOX (head), self->layer);
  gtk_box_append (GTK_BOX (head), pju_save_button_new (_("Save the channel maps"), G_CALLBACK (save_cb), self));
  self->overlap = make_text (NULL, FALSE);
  pju_set_tooltip (self->overlap, _("Channels kept by both rows among those kept by either, over all layers"));
  self->grid = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 20);
  gtk_box_set_homogeneous (GTK_BOX (self->grid), TRUE);
  self->said = make_text (NULL, TRUE);
  gtk_box_append (GTK_BOX (self), head);
  gtk_box_append (GTK_BOX (self), self->overlap);
  gtk_box_append (GTK_BOX (self), self->grid);
  gtk_box_append (GTK_BOX (self), self->said);
  add_maps (self);
}

GtkWidget *
pju_compare_channels_new (PjuStudio *studio)
{
  PjuCompareChannels *self = g_object_new (PJU_TYPE_COMPARE_CHANNELS, NULL);
  self->studio = g_object_ref (studio);
  return GTK_WIDGET (self);
}
