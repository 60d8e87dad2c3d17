/* SPDX-License-Identifier: MIT */
/* penjing-cli: the engine without a display.  Finds the verb, parses its options, runs it, and says how it
 * ended.  See cli.h. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "compute/prepare.h"
#include "config-cli.h"
#include "start.h"

G_DEFINE_QUARK (cli-error-quark, cli_error)

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STOPPED = 130 };

gboolean
cli_usage (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (CLI_ERROR, CLI_ERROR_USAGE, format, args));
  va_end (args);
  return FALSE;
}

static void
print_help (void)
{
  printf ("Usage: penjing-cli VERB [OPTION …] [ARGUMENT …]\n\n"
          "Makes convolutional networks smaller: scores channels, cuts them, trains what is left, and compares.\n\nVerbs:\n");
  for (const CliVerb *const *verb = cli_verbs; *verb != NULL; verb++)
    printf ("  %-10s %s\n", (*verb)->name, (*verb)->summary);
  printf ("\nA MODEL is an .onnx file, a .penjing session, or the word sample.  DATA is a folder of class folders with\n"
          "pictures or of IDX files, or the word sample or fashion-mnist.  “penjing-cli VERB --help” says more.\n\n"
          "Exit status: 0 done, 1 failed (the reason is on stderr), 2 wrong usage, 130 stopped by Ctrl-C.\n");
}

/* "--ratoi" in "Unknown option --ratoi" -> the option that was meant. */
static const char *
suggest_option (const CliVerb *verb, const GOptionEntry *common, const char *message)
{
  const char *word = strstr (message, "--");
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  if (word == NULL)
    return NULL;
  for (const GOptionEntry *entry = common; entry->long_name != NULL; entry++)
    g_ptr_array_add (known, (gpointer) entry->long_name);
  for (const GOptionEntry *entry = verb->entries; entry != NULL && entry->long_name != NULL; entry++)
    g_ptr_array_add (known, (gpointer) entry->long_name);
  for (const GOptionEntry *entry = verb->more_entries != NULL ? verb->more_entries () : NULL;
       entry != NULL && entry->long_name != NULL; entry++)
    g_ptr_array_add (known, (gpointer) entry->long_name);
  g_ptr_array_add (known, NULL);
  g_autofree char *name = g_strdup (word + 2);
  name[strcspn (name, "= ")] = '\0';
  return cli_suggest (name, (const char *const *) known->pdata);
}

/* “nan” and “inf” are numbers to GLib, and nan is neither below nor above any limit. */
static gboolean
check_numbers (const GOptionEntry *entries, GError **error)
{
  for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++)
    if (entry->arg == G_OPTION_ARG_DOUBLE && !isfinite (*(const double *) entry->arg_data))
      return cli_usage (error, "--%s must be a finite number", entry->long_name);
  return TRUE;
}

/* Fills the options; @argv loses them. */
static gboolean
parse (Cli *cli, const CliVerb *verb, char ***argv, GError **error)
{
  const GOptionEntry common[] = {
    { "device", 0, 0, G_OPTION_ARG_FILENAME, &cli->device_id,
      "auto (the default), cpu or vulkan:N; see “penjing-cli devices”", "ID" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &cli->seed, "Seed of everything random (default 1): same seed, same result",
      "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print the result as one JSON object", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &cli->quiet, "No progress and no remarks on stderr", NULL },
    { NULL }
  };
  g_autofree char *prefix = g_strdup_printf ("penjing-cli %s", verb->name);
  g_autoptr (GOptionContext) context = g_option_context_new (verb->arguments);
  g_set_prgname (prefix);
  g_option_context_set_summary (context, verb->summary);
  g_option_context_set_description (context, verb->about);
  if (verb->entries != NULL)
    g_option_context_add_main_entries (context, verb->entries, NULL);
  if (verb->more_entries != NULL)
    g_option_context_add_main_entries (context, verb->more_entries (), NULL);
  g_option_context_add_main_entries (context, common, NULL);
  if (!g_option_context_parse_strv (context, argv, error)) {
    const char *meant = suggest_option (verb, common, (*error)->message);
    g_autofree char *message = meant != NULL && g_error_matches (*error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
                               ? g_strdup_printf ("%s; did you mean --%s?", (*error)->message, meant)
                               : g_strdup ((*error)->message);
    g_clear_error (error);
    return cli_usage (error, "%s", message);
  }
  int n_args = (int) g_strv_length (*argv) - 1;
  if (n_args < verb->n_min)
    return cli_usage (error, "%s needs %s", verb->name, verb->arguments);
  if (n_args > verb->n_max)
    return cli_usage (error, "%s does not know what to do with “%s”", verb->name, (*argv)[1 + verb->n_max]);
  if (!check_numbers (verb->entries, error)
      || (verb->more_entries != NULL && !check_numbers (verb->more_entries (), error)))
    return FALSE;
  if (cli->seed < 0)
    return cli_usage (error, "--seed must not be negative");
  return TRUE;
}

static void
print_json (Cli *cli)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  json_node_set_object (root, cli->result);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  g_autofree char *text = json_generator_to_data (generator, NULL);
  puts (text);
}

/* Says how it ended and gives the exit status. */
static int
conclude (Cli *cli, gboolean ok, const GError *error)
{
  cli_progress_end ();
  if (cli->json && (ok || cli->partial))
    print_json (cli);
  if (ok) {
    if (fflush (stdout) == 0)
      return EXIT_OK;
    fprintf (stderr, "penjing-cli: the result could not be written to the standard output\n");
    return EXIT_FAILED;
  }
  if (g_error_matches (error, PJ_ERROR, PJ_ERROR_CANCELLED)) {
    fprintf (stderr, "%s\n", cli->resume_hint != NULL ? cli->resume_hint : "Stopped.");
    return EXIT_STOPPED;
  }
  fprintf (stderr, "penjing-cli: %s\n", error->message);
  if (error->domain != CLI_ERROR)
    return EXIT_FAILED;
  if (cli->verb != NULL)
    fprintf (stderr, "See “penjing-cli %s --help”.\n", cli->verb->name);
  else
    fprintf (stderr, "See “penjing-cli --help”.\n");
  return EXIT_USAGE;
}

static gboolean
run (Cli *cli, int argc, char **argv, GError **error)
{
  if (argc < 2)
    return cli_usage (error, "say what to do: penjing-cli VERB …");
  cli->verb = cli_verb_find (argv[1]);
  if (cli->verb == NULL) {
    g_autoptr (GPtrArray) names = g_ptr_array_new ();
    for (const CliVerb *const *verb = cli_verbs; *verb != NULL; verb++)
      g_ptr_array_add (names, (gpointer) (*verb)->name);
    g_ptr_array_add (names, NULL);
    const char *meant = cli_suggest (argv[1], (const char *const *) names->pdata);
    return meant != NULL ? cli_usage (error, "there is no verb “%s”; did you mean %s?", argv[1], meant)
                         : cli_usage (error, "there is no verb “%s”", argv[1]);
  }
  g_auto (GStrv) args = g_strdupv (argv + 1);
  if (!parse (cli, cli->verb, &args, error))
    return FALSE;
  cli_progress_begin (cli);
  json_object_set_string_member (cli->result, "verb", cli->verb->name);
  return cli->verb->run (cli, args + 1, error);
}

int
main (int argc, char **argv)
{
  pj_devices_prepare ();
  pj_start (argv);
  setlocale (LC_ALL, "");
  /* Numbers are written and read the same way everywhere. */
  setlocale (LC_NUMERIC, "C");
  g_set_prgname ("penjing-cli");
  if (argc > 1 && (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0)) {
    print_help ();
    return EXIT_OK;
  }
  if (argc > 1 && strcmp (argv[1], "--version") == 0) {
    puts ("penjing-cli " PJ_VERSION);
    return EXIT_OK;
  }
  Cli cli = { .seed = 1, .result = json_object_new () };
  g_autoptr (GError) error = NULL;
  gboolean ok = run (&cli, argc, argv, &error);
  int status = conclude (&cli, ok, error);
  pj_device_free (cli.device);
  json_object_unref (cli.result);
  g_free (cli.device_id);
  g_free (cli.resume_hint);
  return status;
}
