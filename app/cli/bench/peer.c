/* SPDX-License-Identifier: MIT */
/* Other programs that do the same work, each behind a script that speaks one JSON object a line: a greeting
 * {"name": …} or {"missing": reason}, then an answer to every request, {"error": text} if it failed.
 * PENJING_PEERS is the folder of the scripts, PENJING_PEER_PYTHON the interpreter that has PyTorch. */
#include <gio/gio.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "cli/bench/bench.h"
#include "config-cli.h"

struct _BenchPeer {
  GSubprocess *process;
  GDataInputStream *out;        /* what it says */
  char *name;
};

static JsonObject *
parse (const char *text, gssize length, const char *who, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root = json_parser_load_from_data (parser, text, length, NULL) ? json_parser_get_root (parser) : NULL;
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    return json_object_ref (json_node_get_object (root));
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "%s said what is no answer: %.120s", who, text);
  return NULL;
}

static JsonObject *
read_answer (BenchPeer *self, GError **error)
{
  gsize length = 0;
  g_autoptr (GError) reason = NULL;
  g_autofree char *line = g_data_input_stream_read_line (self->out, &length, NULL, &reason);
  if (line != NULL)
    return parse (line, (gssize) length, self->name, error);
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "%s ended early%s%s", self->name, reason ? ": " : "", reason ? reason->message : "");
  return NULL;
}

void
bench_peer_free (BenchPeer *self)
{
  if (self == NULL)
    return;
  if (self->process != NULL) {
    /* The end of its input ends a peer. */
    g_output_stream_close (g_subprocess_get_stdin_pipe (self->process), NULL, NULL);
    g_subprocess_wait (self->process, NULL, NULL);
  }
  g_clear_object (&self->out);
  g_clear_object (&self->process);
  g_free (self->name);
  g_free (self);
}

/* @timed: the peer's allocator keeps what it once had.  glibc's gives tensors back to the system after every step, and
 * where page faults are dear PyTorch then trains at a third of what it can do. */
static BenchPeer *
start (const char *const *arguments, const char *title, gboolean timed, GError **error)
{
  BenchPeer *self = g_new0 (BenchPeer, 1);
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);

  if (timed) {
    g_subprocess_launcher_setenv (launcher, "MALLOC_MMAP_MAX_", "0", FALSE);
    g_subprocess_launcher_setenv (launcher, "MALLOC_TRIM_THRESHOLD_", "1099511627776", FALSE);
  }
  self->name = g_strdup (title);
  self->process = g_subprocess_launcher_spawnv (launcher, arguments, error);
  if (self->process == NULL) {
    bench_peer_free (self);
    return NULL;
  }
  self->out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  g_autoptr (JsonObject) hello = read_answer (self, error);
  if (hello != NULL && json_object_has_member (hello, "missing"))
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "%s", json_object_get_string_member (hello, "missing"));
  if (hello == NULL || json_object_has_member (hello, "missing")) {
    bench_peer_free (self);
    return NULL;
  }
  g_free (self->name);
  self->name = g_strdup (json_object_get_string_member_with_default (hello, "name", title));
  return self;
}

/* Where the scripts are: they belong to the source tree, and a program that was installed without it has none. */
static char *
script (const char *name, GError **error)
{
  const char *folder = g_getenv ("PENJING_PEERS");
  char *path = g_build_filename (folder != NULL ? folder : PJ_PEERS_DIR, name, NULL);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "its script %s is not there; it is in tests/bench of the source tree (PENJING_PEERS names "
               "another folder)", name);
  g_free (path);
  return NULL;
}

static BenchPeer *
start_torch (gboolean timed, GError **error)
{
  g_autofree char *path = script ("peer-torch.py", error);
  /* Debian's own interpreter first: it is the one that the package belongs to. */
  const char *python = g_getenv ("PENJING_PEER_PYTHON");
  if (python == NULL)
    python = g_file_test ("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE) ? "/usr/bin/python3" : "python3";
  const char *arguments[] = { python, path, "serve", NULL };
  return path != NULL ? start (arguments, "PyTorch", timed, error) : NULL;
}

BenchPeer *
bench_torch_alone (Bench *bench, GError **error)
{
  return start_torch (FALSE, error);
}

static BenchPeer *
ort_alone (Bench *bench, GError **error)
{
  g_autofree char *path = script ("peer-onnxruntime.js", error);
  const char *modules = g_getenv ("PENJING_ORT_MODULES");
  const char *arguments[] = { "node", path, modules != NULL ? modules : PJ_ORT_MODULES_DIR, NULL };
  return path != NULL ? start (arguments, "onnxruntime", TRUE, error) : NULL;
}

BenchPeer *
bench_torch (Bench *bench, const char **why)
{
  if (bench->torch == NULL && bench->no_torch == NULL) {
    g_autoptr (GError) error = NULL;
    bench->torch = start_torch (TRUE, &error);
    if (bench->torch == NULL)
      bench->no_torch = g_strdup_printf ("PyTorch cannot be run: %s", error->message);
  }
  *why = bench->no_torch;
  return bench->torch;
}

BenchPeer *
bench_ort (Bench *bench, const char **why)
{
  if (bench->ort == NULL && bench->no_ort == NULL) {
    g_autoptr (GError) error = NULL;
    bench->ort = ort_alone (bench, &error);
    if (bench->ort == NULL)
      bench->no_ort = g_strdup_printf ("onnxruntime-node cannot be run: %s", error->message);
  }
  *why = bench->no_ort;
  return bench->ort;
}

const char *
bench_peer_name (const BenchPeer *self)
{
  return self->name;
}

/* To write to a peer that has ended is an error here, not the end of this program. */
static gboolean
write_line (GOutputStream *in, const char *text, GError **error)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
  sigaction (SIGPIPE, &ignore, &before);
  gboolean ok = g_output_stream_write_all (in, line, strlen (line), NULL, NULL, error) && g_output_stream_flush (in, NULL, error);
  sigaction (SIGPIPE, &before, NULL);
  return ok;
}

static JsonObject *
ask (BenchPeer *self, const char *request, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (!write_line (g_subprocess_get_stdin_pipe (self->process), request, &reason)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "%s does not listen any more: %s", self->name, reason->message);
    return NULL;
  }
  JsonObject *answer = read_answer (self, error);
  if (answer == NULL || !json_object_has_member (answer, "error"))
    return answer;
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "%s: %s", self->name, json_object_get_string_member (answer, "error"));
  json_object_unref (answer);
  return NULL;
}

JsonObject *
bench_peer_ask (BenchPeer *self, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *request = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return ask (self, request, error);
}

double
bench_peer_ms (BenchPeer *self, const char *request, GError **error)
{
  g_autoptr (JsonObject) answer = ask (self, request, error);
  return answer != NULL ? json_object_get_double_member_with_default (answer, "ms", -1.0) : -1.0;
}

JsonObject *
bench_own (Bench *bench, const char *const *arguments, const char *const *environment, GError **error)
{
  g_autoptr (GPtrArray) line = g_ptr_array_new ();
  g_autoptr (GError) reason = NULL;
  g_autofree char *out = NULL, *own = g_file_read_link ("/proc/self/exe", error);

  if (own == NULL)
    return NULL;
  g_ptr_array_add (line, own);
  for (int i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (line, (gpointer) arguments[i]);
  g_ptr_array_add (line, "--json");
  g_ptr_array_add (line, "--quiet");
  g_ptr_array_add (line, NULL);
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  for (int i = 0; environment != NULL && environment[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (environment[i], "=", 2);
    g_subprocess_launcher_setenv (launcher, pair[0], pair[1], TRUE);
  }
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, (const char *const *) line->pdata, &reason);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &out, NULL, &reason)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "another process of this program: %s", reason->message);
    return NULL;
  }
  if (!g_subprocess_get_successful (process)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "another process of this program failed: penjing-cli %s %s", arguments[0],
                 arguments[1]);
    return NULL;
  }
  return parse (out, -1, "another process of this program", error);
}
