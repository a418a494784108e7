/* process.c: processes told apart by their number, start and boot.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The start time of a live process, in ticks; 0 when it is gone or a zombie. */
static guint64
read_start (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  const char *after_name;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  after_name = strrchr (text, ')'); /* the name may hold blanks and brackets */
  if (after_name == NULL)
    return 0;
  fields = g_strsplit (g_strstrip ((char *) after_name + 1), " ", -1);
  /* The state is the first field after the name, the start the twentieth. */
  if (g_strv_length (fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X')
    return 0;
  return g_ascii_strtoull (fields[19], NULL, 10);
}

static char *
read_boot (void)
{
  char *boot = NULL;

  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
    return g_strdup ("unknown");
  return g_strstrip (boot);
}

char *
laurel_process_dup_identity (void)
{
  gint64 pid = getpid ();
  g_autofree char *boot = read_boot ();

  return g_strdup_printf ("%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT ":%s", pid, read_start (pid),
                          boot);
}

gint64
laurel_process_get_pid (const char *identity)
{
  return identity != NULL ? g_ascii_strtoll (identity, NULL, 10) : 0;
}

LaurelProcessState
laurel_process_look_up (const char *identity)
{
  g_auto (GStrv) parts = g_strsplit (identity, ":", 3);
  g_autofree char *boot = NULL;
  gint64 pid;

  if (g_strv_length (parts) != 3)
    return LAUREL_PROCESS_GONE;
  boot = read_boot ();
  if (!g_str_equal (parts[2], boot))
    return LAUREL_PROCESS_ELSEWHERE;
  pid = g_ascii_strtoll (parts[0], NULL, 10);
  if (pid <= 0 || (kill ((pid_t) pid, 0) != 0 && errno == ESRCH))
    return LAUREL_PROCESS_GONE;
  return read_start (pid) == g_ascii_strtoull (parts[1], NULL, 10) ? LAUREL_PROCESS_ALIVE
                                                                   : LAUREL_PROCESS_GONE;
}
