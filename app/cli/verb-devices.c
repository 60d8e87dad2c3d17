/* SPDX-License-Identifier: MIT */
/* devices: what can be used, and which one “auto” takes. */
#include "cli/verbs.h"

/* The same rule as pj_device_open ("auto"): the first Vulkan device that is real hardware, else the CPU. */
static const PjDeviceInfo *
choose (const GPtrArray *devices, const char **why)
{
  gboolean software = FALSE;
  for (guint i = 0; i < devices->len; i++) {
    const PjDeviceInfo *info = devices->pdata[i];
    gboolean vulkan = g_str_has_prefix (info->id, "vulkan:");
    if (vulkan && !info->is_software) {
      *why = "it is the first graphics processor";
      return info;
    }
    software = software || vulkan;
  }
  *why = software ? "the Vulkan driver here runs on the processor, which the CPU device does faster"
                  : "there is no Vulkan device";
  return devices->len > 0 ? devices->pdata[0] : NULL;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_autofree char *no_vulkan = NULL;
  const char *why = NULL;
  g_autoptr (GPtrArray) devices = pj_devices_list (&no_vulkan);
  const PjDeviceInfo *chosen = choose (devices, &why);
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "id", "name", "driver", ">memory", "", NULL });
  for (guint i = 0; i < devices->len; i++) {
    const PjDeviceInfo *info = devices->pdata[i];
    g_autofree char *memory = info->memory_bytes > 0 ? cli_bytes (info->memory_bytes) : g_strdup ("?");
    cli_table_add (table, info->id, info->name, info->driver, memory, info == chosen ? "← auto" :
                   info->is_software ? "software" : "", NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "id", info->id);
    json_object_set_string_member (object, "name", info->name);
    json_object_set_string_member (object, "driver", info->driver);
    json_object_set_int_member (object, "memory_bytes", (gint64) info->memory_bytes);
    json_object_set_boolean_member (object, "software", info->is_software);
    json_array_add_object_element (list, object);
  }
  cli_table_print (table, cli);
  if (no_vulkan != NULL)
    cli_say (cli, "\nNo Vulkan device: %s\n", no_vulkan);
  if (chosen != NULL)
    cli_say (cli, "\n“auto” takes %s: %s.\n", chosen->id, why);
  json_object_set_array_member (cli->result, "devices", list);
  json_object_set_string_member (cli->result, "auto", chosen != NULL ? chosen->id : "");
  json_object_set_string_member (cli->result, "why", why);
  if (no_vulkan != NULL)
    json_object_set_string_member (cli->result, "no_vulkan", no_vulkan);
  return TRUE;
}

const CliVerb cli_verb_devices = {
  .name = "devices",
  .arguments = "",
  .summary = "Lists what can compute here, and which one is chosen",
  .about = "A Vulkan device that is software (it runs on the processor) is never chosen by itself.  A graphics card whose driver "
           "has cooperative matrices is listed a second time as vulkan:N:half: convolutions and products round their operands "
           "to float16 and add in float32, which is faster and changes results in the third digit.\n\n"
           "Examples:\n"
           "  penjing-cli devices\n"
           "  penjing-cli devices --json",
  .run = run,
};
