/* SPDX-License-Identifier: MIT */
/* GTK 4 without libadwaita does not know the desktop's colour scheme, so we ask the settings portal:
 *
 *   org.freedesktop.appearance color-scheme   1 dark, 2 light, 0 no preference
 *   org.freedesktop.appearance contrast       1 high
 *
 * and keep listening.  Without a portal the light style is used.  The high-contrast theme is GTK's own,
 * with our sheet's colours replaced. */
#include "style.h"

static struct {
  PjuStyleChoice choice;
  guint32 scheme, contrast;
  GDBusProxy *portal;
  GtkCssProvider *colors, *sheet;
  gboolean dark_loaded, contrast_loaded, loaded;
} style;

static void
apply (void)
{
  gboolean dark = style.choice == PJU_STYLE_DARK || (style.choice == PJU_STYLE_SYSTEM && style.scheme == 1);
  gboolean contrast = style.contrast == 1;
  GtkSettings *settings = gtk_settings_get_default ();

  if (!settings || (style.loaded && style.dark_loaded == dark && style.contrast_loaded == contrast))
    return;
  style.loaded = TRUE;
  style.dark_loaded = dark;
  style.contrast_loaded = contrast;
  g_object_set (settings, "gtk-application-prefer-dark-theme", dark, NULL);
  if (contrast)
    g_object_set (settings, "gtk-theme-name", "HighContrast", NULL);
  else
    gtk_settings_reset_property (settings, "gtk-theme-name");
  gtk_css_provider_load_from_resource (style.colors,
    contrast ? (dark ? "/io/github/penjing/Penjing/css/contrast-dark.css" : "/io/github/penjing/Penjing/css/contrast.css")
             : (dark ? "/io/github/penjing/Penjing/css/dark.css" : "/io/github/penjing/Penjing/css/light.css"));
  gtk_css_provider_load_from_resource (style.sheet, "/io/github/penjing/Penjing/css/style.css");
}

static void
take (const char *key, GVariant *value)
{
  /* The older Read call wraps the value twice. */
  g_autoptr (GVariant) inner = g_variant_ref (value);
  while (g_variant_is_of_type (inner, G_VARIANT_TYPE_VARIANT)) {
    GVariant *unwrapped = g_variant_get_variant (inner);
    g_variant_unref (inner);
    inner = unwrapped;
  }
  if (!g_variant_is_of_type (inner, G_VARIANT_TYPE_UINT32))
    return;
  if (g_strcmp0 (key, "color-scheme") == 0)
    style.scheme = g_variant_get_uint32 (inner);
  else if (g_strcmp0 (key, "contrast") == 0)
    style.contrast = g_variant_get_uint32 (inner);
  apply ();
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer key)
{
  g_autoptr (GVariant) reply = g_dbus_proxy_call_finish (G_DBUS_PROXY (source), result, NULL);
  if (reply && g_variant_is_of_type (reply, G_VARIANT_TYPE ("(v)"))) {
    g_autoptr (GVariant) value = NULL;
    g_variant_get (reply, "(v)", &value);
    take (key, value);
  }
}

static void
signal_cb (GDBusProxy *proxy, const char *sender, const char *name, GVariant *arguments, gpointer data)
{
  if (g_strcmp0 (name, "SettingChanged") != 0 || !g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(ssv)")))
    return;
  const char *space, *key;
  g_autoptr (GVariant) value = NULL;
  g_variant_get (arguments, "(&s&sv)", &space, &key, &value);
  if (g_strcmp0 (space, "org.freedesktop.appearance") == 0)
    take (key, value);
}

static void
portal_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  static const char *const keys[] = { "color-scheme", "contrast" };
  style.portal = g_dbus_proxy_new_for_bus_finish (result, NULL);
  if (!style.portal)
    return;
  g_signal_connect (style.portal, "g-signal", G_CALLBACK (signal_cb), NULL);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_dbus_proxy_call (style.portal, "Read", g_variant_new ("(ss)", "org.freedesktop.appearance", keys[i]),
                       G_DBUS_CALL_FLAGS_NONE, 1000, NULL, read_cb, (gpointer) keys[i]);
}

void
pju_style_init (void)
{
  GdkDisplay *display = gdk_display_get_default ();
  if (style.colors || !display)
    return;
  style.colors = gtk_css_provider_new ();
  style.sheet = gtk_css_provider_new ();
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (style.colors),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (style.sheet),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
  apply ();
  g_dbus_proxy_new_for_bus (G_BUS_TYPE_SESSION,
                            G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION | G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, NULL,
                            "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop",
                            "org.freedesktop.portal.Settings", NULL, portal_cb, NULL);
}

void
pju_style_set (PjuStyleChoice choice)
{
  style.choice = choice;
  if (style.colors)
    apply ();
}

PjuStyleChoice
pju_style_parse (const char *name)
{
  return g_strcmp0 (name, "dark") == 0 ? PJU_STYLE_DARK
         : g_strcmp0 (name, "light") == 0 ? PJU_STYLE_LIGHT : PJU_STYLE_SYSTEM;
}

const char *
pju_style_name (PjuStyleChoice choice)
{
  static const char *const names[] = { "system", "light", "dark" };
  return names[choice];
}

gboolean
pju_style_animates (void)
{
  gboolean animates = TRUE;
  GtkSettings *settings = gtk_settings_get_default ();
  if (settings)
    g_object_get (settings, "gtk-enable-animations", &animates, NULL);
  return animates;
}
