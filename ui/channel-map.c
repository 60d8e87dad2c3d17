/* SPDX-License-Identifier: MIT */
/* Two drawings of the same numbers: a cell per channel in channel order, or bars sorted by score.  Colour is
 * the score between the weakest and the strongest of the layer; cut channels are hatched, so that a cut
 * never hangs on colour.  A click or the space bar toggles the channel; arrow keys walk. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "channel-map.h"

struct _PjuChannelMap {
  GtkWidget parent;
  char *name;
  guint n;
  double *scores;
  guint8 *mask, *other;
  guint *order;                /* channels by falling score */
  double low, high;
  PjuChannelMode mode;
  gboolean editable;
  int cursor, hover;
};

G_DEFINE_FINAL_TYPE (PjuChannelMap, pju_channel_map, GTK_TYPE_WIDGET)

enum { TOGGLED, HOVERED, N_SIGNALS };
static guint signals[N_SIGNALS];

typedef struct { guint columns, rows; double cell_w, cell_h; } Grid;

static Grid
grid_for (PjuChannelMap *self, double width, double height)
{
  Grid grid = { 1, 1, width, height };
  if (self->n == 0 || width <= 0)
    return grid;
  if (self->mode == PJU_CHANNELS_SORTED) {
    grid.columns = self->n;
    grid.cell_w = width / self->n;
    return grid;
  }
  double side = self->n <= 64 ? 24 : self->n <= 128 ? 18 : self->n <= 512 ? 12 : 8;
  guint columns = CLAMP (floor (width / side), 1, 64);
  /* Rows of a power of two let the eye find a channel's number. */
  guint power = 1;
  while (power * 2 <= columns)
    power *= 2;
  grid.columns = MIN (power >= 8 ? power : columns, self->n);
  grid.rows = (self->n + grid.columns - 1) / grid.columns;
  grid.cell_w = width / grid.columns;
  grid.cell_h = height > 0 ? height / grid.rows : side;
  return grid;
}

static guint
channel_at_slot (PjuChannelMap *self, guint slot)
{
  return self->mode == PJU_CHANNELS_SORTED ? self->order[slot] : slot;
}

static int
slot_of_channel (PjuChannelMap *self, int channel)
{
  if (self->mode == PJU_CHANNELS_CELLS || channel < 0)
    return channel;
  for (guint i = 0; i < self->n; i++) {
    if (self->order[i] == (guint) channel)
      return i;
  }
  return -1;
}

static gboolean
is_kept (PjuChannelMap *self, guint channel)
{
  return !self->mask || self->mask[channel];
}

static double
relative (PjuChannelMap *self, guint channel)
{
  if (!self->scores || !isfinite (self->scores[channel]))
    return -1;
  return self->high > self->low ? (self->scores[channel] - self->low) / (self->high - self->low) : 0.5;
}

static void
paint_slot (PjuChannelMap *self, cairo_t *cr, const Grid *grid, guint slot, const PjuPalette *palette)
{
  guint channel = channel_at_slot (self, slot);
  double t = relative (self, channel), gap = grid->cell_w > 10 ? 1.5 : grid->cell_w > 4 ? .75 : 0;
  double x = slot % grid->columns * grid->cell_w, y = slot / grid->columns * grid->cell_h;
  double w = grid->cell_w - 2 * gap, h = grid->cell_h - 2 * gap;
  GdkRGBA color, ink;

  pju_palette_scale (palette, t, &color);
  if (self->mode == PJU_CHANNELS_SORTED) {
    double full = h - 4;
    h = 4 + full * MAX (t, 0);
    y += 4 + full - h;
    gap = 0;
  }
  gboolean kept = is_kept (self, channel);
  pju_round_rect (cr, x + gap, y + gap, MAX (w, 1), MAX (h, 1), MIN (grid->cell_w, grid->cell_h) > 14 ? 3 : 0);
  pju_set_color (cr, &color, kept ? 1 : .28);
  cairo_fill (cr);
  if (!kept) {
    ink = palette->fg;
    ink.alpha = .8;
    cairo_set_line_width (cr, 1);
    pju_hatch (cr, x + gap, y + gap, MAX (w, 1), MAX (h, 1), grid->cell_w > 14 ? 5 : 3, &ink);
  }
  if (self->other && (self->other[channel] != 0) != kept) {
    pju_set_color (cr, &palette->error, 1);
    cairo_set_line_width (cr, 2);
    cairo_rectangle (cr, x + gap + 1, y + gap + 1, MAX (w - 2, 1), MAX (h - 2, 1));
    cairo_stroke (cr);
  }
}

void
pju_channel_map_paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuChannelMap *self = data;
  Grid grid = grid_for (self, width, height);

  for (guint i = 0; i < self->n; i++)
    paint_slot (self, cr, &grid, i, palette);
}

static void
paint_frame (PjuChannelMap *self, cairo_t *cr, const Grid *grid, int channel, const GdkRGBA *color, double height)
{
  int slot = slot_of_channel (self, channel);
  if (slot < 0 || slot >= (int) self->n)
    return;
  double x = slot % grid->columns * grid->cell_w, y = slot / grid->columns * grid->cell_h;
  pju_set_color (cr, color, 1);
  cairo_set_line_width (cr, 2);
  pju_round_rect (cr, x + .5, y + .5, MAX (grid->cell_w - 1, 3), grid->cell_h - 1, 3);
  cairo_stroke (cr);
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  PjuChannelMap *self = PJU_CHANNEL_MAP (widget);
  int w = gtk_widget_get_width (widget), h = gtk_widget_get_height (widget);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (-1, -1, w + 2, h + 2));
  Grid grid = grid_for (self, w, h);
  PjuPalette palette;

  pju_palette_from_widget (&palette, widget);
  pju_channel_map_paint (self, cr, w, h, &palette);
  if (self->hover >= 0)
    paint_frame (self, cr, &grid, self->hover, &palette.fg, h);
  if (gtk_widget_has_focus (widget))
    paint_frame (self, cr, &grid, self->cursor, &palette.accent, h);
  cairo_destroy (cr);
}

static GtkSizeRequestMode
request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
         int *minimum_baseline, int *natural_baseline)
{
  PjuChannelMap *self = PJU_CHANNEL_MAP (widget);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 160;
    *natural = 280;
  } else if (self->mode == PJU_CHANNELS_SORTED) {
    *minimum = *natural = 110;
  } else {
    Grid grid = grid_for (self, for_size > 0 ? for_size : 280, 0);
    *minimum = *natural = ceil (grid.rows * MIN (grid.cell_w, 26));
  }
}

static void
describe (PjuChannelMap *self)
{
  guint kept = 0;
  for (guint i = 0; i < self->n; i++)
    kept += is_kept (self, i);
  g_autofree char *label = g_strdup_printf (_("Channel importance of %s"), self->name ? self->name : "");
  g_autofree char *all = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u channel, %u kept", "%u channels, %u kept",
                                                       self->n), self->n, kept);
  g_autofree char *one = NULL;
  if (self->cursor >= 0 && self->cursor < (int) self->n)
    one = g_strdup_printf (is_kept (self, self->cursor) ? _("channel %d is kept") : _("channel %d is cut"), self->cursor);
  g_autofree char *text = one ? g_strdup_printf ("%s; %s", all, one) : g_strdup (all);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}

static int
channel_at (PjuChannelMap *self, double x, double y)
{
  int w = gtk_widget_get_width (GTK_WIDGET (self)), h = gtk_widget_get_height (GTK_WIDGET (self));
  Grid grid = grid_for (self, w, h);
  int column = floor (x / grid.cell_w), row = floor (y / grid.cell_h);
  int slot = row * (int) grid.columns + column;

  if (self->n == 0 || column < 0 || column >= (int) grid.columns || row < 0 || slot >= (int) self->n)
    return -1;
  return channel_at_slot (self, slot);
}

static void
set_hover (PjuChannelMap *self, int channel)
{
  if (self->hover == channel)
    return;
  self->hover = channel;
  g_signal_emit (self, signals[HOVERED], 0, channel);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
motion_cb (GtkEventControllerMotion *motion, double x, double y, PjuChannelMap *self)
{
  set_hover (self, channel_at (self, x, y));
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuChannelMap *self)
{
  set_hover (self, -1);
}

static void
click_cb (GtkGestureClick *click, int n_press, double x, double y, PjuChannelMap *self)
{
  int channel = channel_at (self, x, y);
  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (channel < 0)
    return;
  self->cursor = channel;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (self->editable)
    g_signal_emit (self, signals[TOGGLED], 0, (guint) channel);
}

static gboolean
walk (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuChannelMap *self = PJU_CHANNEL_MAP (widget);
  int dx, dy, slot = slot_of_channel (self, self->cursor);
  Grid grid = grid_for (self, gtk_widget_get_width (widget), gtk_widget_get_height (widget));

  g_variant_get (arguments, "(ii)", &dx, &dy);
  int next = slot + dx + dy * (int) grid.columns;
  if (next < 0 || next >= (int) self->n)
    return GDK_EVENT_PROPAGATE;
  self->cursor = channel_at_slot (self, next);
  describe (self);
  g_signal_emit (self, signals[HOVERED], 0, self->cursor);
  gtk_widget_queue_draw (widget);
  return GDK_EVENT_STOP;
}

static gboolean
toggle (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuChannelMap *self = PJU_CHANNEL_MAP (widget);
  if (!self->editable || self->cursor < 0 || self->cursor >= (int) self->n)
    return GDK_EVENT_PROPAGATE;
  g_signal_emit (self, signals[TOGGLED], 0, (guint) self->cursor);
  return GDK_EVENT_STOP;
}

static int
by_score (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *scores = data;
  double sa = scores[*(const guint *) a], sb = scores[*(const guint *) b];
  return sa > sb ? -1 : sa < sb ? 1 : (int) *(const guint *) a - (int) *(const guint *) b;
}

static void
sort_channels (PjuChannelMap *self)
{
  self->low = INFINITY;
  self->high = -INFINITY;
  g_free (self->order);
  self->order = g_new (guint, MAX (self->n, 1));
  for (guint i = 0; i < self->n; i++) {
    self->order[i] = i;
    if (self->scores && isfinite (self->scores[i])) {
      self->low = MIN (self->low, self->scores[i]);
      self->high = MAX (self->high, self->scores[i]);
    }
  }
  if (self->scores)
    g_qsort_with_data (self->order, self->n, sizeof (guint), by_score, self->scores);
}

void
pju_channel_map_set (PjuChannelMap *self, const char *name, guint n, const double *scores, const guint8 *mask,
                     const guint8 *other)
{
  gboolean resize = n != self->n;
  if (resize || g_strcmp0 (name, self->name) != 0) {
    self->cursor = 0;
    self->hover = -1;
  }
  g_free (self->name);
  g_free (self->scores);
  g_free (self->mask);
  g_free (self->other);
  self->name = g_strdup (name);
  self->n = n;
  self->scores = scores ? g_memdup2 (scores, n * sizeof (double)) : NULL;
  self->mask = mask ? g_memdup2 (mask, n) : NULL;
  self->other = other ? g_memdup2 (other, n) : NULL;
  sort_channels (self);
  describe (self);
  if (resize)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
pju_channel_map_set_hover (PjuChannelMap *self, int channel)
{
  if (self->hover == channel)
    return;
  self->hover = channel;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
pju_channel_map_set_mode (PjuChannelMap *self, PjuChannelMode mode)
{
  self->mode = mode;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
finalize (GObject *object)
{
  PjuChannelMap *self = PJU_CHANNEL_MAP (object);
  g_free (self->name);
  g_free (self->scores);
  g_free (self->mask);
  g_free (self->other);
  g_free (self->order);
  G_OBJECT_CLASS (pju_channel_map_parent_class)->finalize (object);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PJU_CHANNEL_MAP (object)->editable = g_value_get_boolean (value);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_boolean (value, PJU_CHANNEL_MAP (object)->editable);
}

static void
pju_channel_map_class_init (PjuChannelMapClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = finalize;
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  g_object_class_install_property (object_class, 1,
    g_param_spec_boolean ("editable", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = request_mode;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "channelmap");
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, 0, walk, "(ii)", -1, 0);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, 0, walk, "(ii)", 1, 0);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Up, 0, walk, "(ii)", 0, -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Down, 0, walk, "(ii)", 0, 1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_space, 0, toggle, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, 0, toggle, NULL);
  signals[TOGGLED] = g_signal_new ("toggled", PJU_TYPE_CHANNEL_MAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[HOVERED] = g_signal_new ("hovered", PJU_TYPE_CHANNEL_MAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
pju_channel_map_init (PjuChannelMap *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  self->hover = -1;
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect (click, "pressed", G_CALLBACK (click_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
}

GtkWidget *
pju_channel_map_new (gboolean editable)
{
  return g_object_new (PJU_TYPE_CHANNEL_MAP, "editable", editable, NULL);
}
