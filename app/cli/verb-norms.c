/* SPDX-License-Identifier: MIT */
/* norms: batch norms that an exporter folded away come back. */
#include "cli/verbs.h"
#include "io/onnx.h"
#include "model/work-open.h"
#include "model/work-train.h"

static char *data, *out;
static int n_images;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Pictures to measure on (default: sample)", "DATA" },
  { "images", 0, 0, G_OPTION_ARG_INT, &n_images, "Measure on N training pictures (default: 512)", "N" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "The network with its norms", "FILE" },
  { NULL }
};

static void
show (Cli *cli, const PjNormsBack *back)
{
  if (back->n_norms == 0)
    cli_say (cli, "no norm is missing: every convolution has one, or none that could be folded again\n");
  else
    cli_say (cli, "norms       %u, measured on %u pictures\noutputs     differ by %.1e of the largest\n", back->n_norms,
             back->n_images, back->difference);
  json_object_set_int_member (cli->result, "norms", back->n_norms);
  json_object_set_int_member (cli->result, "images", back->n_images);
  json_object_set_double_member (cli->result, "difference", back->difference);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (n_images < 0)
    return cli_usage (error, "--images must be a number of pictures");
  g_auto (CliModel) model = { 0 };
  if (!cli_check_out (out, error) || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  if (out == NULL && model.session == NULL)
    return cli_usage (error, "norms needs --out for a network that is not in a session");
  g_autofree char *where = NULL, *stored = model.session != NULL ? pj_session_get_meta (model.session, PJ_META_DATA) : NULL;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data != NULL ? data : stored, &where, error);
  PjWork work;
  PjNormsBack back;
  g_auto (PjWorkDone) done = { 0 };
  if (dataset == NULL || !cli_work (cli, &model, dataset, where, out, &work, error))
    return FALSE;
  g_autoptr (PjGraph) graph = pj_work_bring_norms_back (&work, (unsigned) n_images, (uint64_t) cli->seed, &back, &done, error);
  if (graph == NULL || (out != NULL && !pj_onnx_export (graph, NULL, out, error)))
    return FALSE;
  show (cli, &back);
  return TRUE;
}

const CliVerb cli_verb_norms = {
  .name = "norms",
  .arguments = "MODEL",
  .summary = "Puts back the batch norms that an exporter folded away",
  .about = "Most exporters fold batch norms into the convolutions. Without them, norm scales cannot be scored, norms cannot be\n"
           "measured again after a cut, and fine-tuning is harder. This puts a norm behind every convolution that has none,\n"
           "with the mean and variance of what the convolution makes of training pictures, and scaled so that the outputs\n"
           "stay as they are. “export” and --out of “prune” fold these norms away again; a session keeps them.\n\n"
           "Examples:\n"
           "  penjing-cli norms folded.onnx --data ~/photos --out model.onnx\n"
           "  penjing-cli prune model.onnx --data ~/photos --method thinet --keep 0.5 --finetune 2 --out small.onnx\n"
           "  penjing-cli norms work.penjing --images 2000",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
