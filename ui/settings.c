/* SPDX-License-Identifier: MIT */
/* A key file, read once and written back after every change: small enough that there is no reason to
 * wait, and a crash loses nothing.  A file that cannot be written is no reason to bother anybody. */
#include <glib/gstdio.h>

#include "settings.h"

#define GROUP "studio"
#define MAX_RECENT 8

static char *
file_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "penjing", "studio.ini", NULL);
}

static GKeyFile *
file (void)
{
  static GKeyFile *file;
  if (!file) {
    g_autofree char *path = file_path ();
    file = g_key_file_new ();
    g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
  }
  return file;
}

static void
save (void)
{
  g_autofree char *path = file_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  if (g_mkdir_with_parents (folder, 0700) == 0 && !g_key_file_save_to_file (file (), path, &error))
    g_debug ("%s: %s", path, error->message);
}

char *
pju_settings_get_string (const char *key, const char *fallback)
{
  char *value = g_key_file_get_string (file (), GROUP, key, NULL);
  return value ? value : g_strdup (fallback);
}

void
pju_settings_set_string (const char *key, const char *value)
{
  g_key_file_set_string (file (), GROUP, key, value);
  save ();
}

int
pju_settings_get_int (const char *key, int fallback)
{
  g_autoptr (GError) error = NULL;
  int value = g_key_file_get_integer (file (), GROUP, key, &error);
  return error ? fallback : value;
}

void
pju_settings_set_int (const char *key, int value)
{
  g_key_file_set_integer (file (), GROUP, key, value);
  save ();
}

char **
pju_settings_get_recent (void)
{
  g_auto (GStrv) stored = g_key_file_get_string_list (file (), GROUP, "recent", NULL, NULL);
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();

  for (guint i = 0; stored && stored[i]; i++) {
    if (g_file_test (stored[i], G_FILE_TEST_EXISTS))
      g_strv_builder_add (found, stored[i]);
  }
  return g_strv_builder_end (found);
}

void
pju_settings_add_recent (const char *path)
{
  g_auto (GStrv) old = pju_settings_get_recent ();
  const char *list[MAX_RECENT];
  guint n = 0;

  list[n++] = path;
  for (guint i = 0; old[i] && n < MAX_RECENT; i++) {
    if (g_strcmp0 (old[i], path) != 0)
      list[n++] = old[i];
  }
  g_key_file_set_string_list (file (), GROUP, "recent", list, n);
  save ();
}
