/* SPDX-License-Identifier: MIT */
/* Settings of the methods' own as options of the command line: one per name, from the methods' tables. */
#include "cli/cli.h"

static GPtrArray *settings;      /* "name=value", in the order written; NULL until there is one */

static gboolean
take_cb (const char *option, const char *value, gpointer data, GError **error)
{
  if (settings == NULL)
    settings = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (settings, g_strdup_printf ("%s=%s", option + 2, value));
  return TRUE;
}

char *
cli_method_option_about (const PjMethodOption *option)
{
  return option->zero != NULL ? g_strdup_printf ("%s; 0: %s", option->about, option->zero) : g_strdup (option->about);
}

/* "autopruner: epochs of … (default 3)" */
static char *
describe (const PjMethod *method, const PjMethodOption *option)
{
  g_autofree char *about = cli_method_option_about (option);
  if (option->choices != NULL)
    return g_strdup_printf ("%s: %s (default %s)", method->name, about, option->choices[(int) option->usual]);
  return g_strdup_printf ("%s: %s (default %g)", method->name, about, option->usual);
}

const GOptionEntry *
cli_method_entries (void)
{
  static GArray *entries;
  if (entries != NULL)
    return (const GOptionEntry *) entries->data;
  entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++)
    for (const PjMethodOption *o = (*m)->options; o != NULL && o->name != NULL; o++) {
      if (!g_hash_table_add (seen, (gpointer) o->name))
        continue;
      GOptionEntry entry = {
        o->name, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_CALLBACK, (gpointer) (GCallback) take_cb, describe (*m, o),
        o->choices != NULL ? "WORD" : "X",
      };
      g_array_append_val (entries, entry);
    }
  return (const GOptionEntry *) entries->data;
}

char **
cli_method_settings (void)
{
  guint n = settings != NULL ? settings->len : 0;
  char **copy = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    copy[i] = g_strdup (settings->pdata[i]);
  return copy;
}
