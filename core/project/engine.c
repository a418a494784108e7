/* engine.c: how the engine's threads wait, decided before the first of them is made.
 *
 * OpenMP's threads spin for a while after each parallel region unless
 * OMP_WAIT_POLICY says otherwise, and spinning threads are what makes a key
 * press wait. The library reads the variable when it is loaded, before main(),
 * so the program starts itself again, once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/project.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Says that this process is the second start. */
#define GUARD "LAUREL_ENGINE_PREPARED"

void
laurel_engine_prepare (int argc, char **argv)
{
  if (getenv (GUARD) != NULL) {
    g_autofree char *name = argc > 0 ? g_path_get_basename (argv[0]) : NULL;

    /* Else process lists would call the second start “exe”. */
    if (name != NULL)
      (void) prctl (PR_SET_NAME, name);
    return;
  }
  if (getenv ("OMP_WAIT_POLICY") != NULL)
    return;
  if (setenv (GUARD, "1", TRUE) != 0 || setenv ("OMP_WAIT_POLICY", "passive", TRUE) != 0)
    return;
  /* Returns only when it fails; then the program goes on with spinning threads, which is slower and
   * not wrong. */
  (void) execv ("/proc/self/exe", argv);
}
