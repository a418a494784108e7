/* engine.c: how the engine's threads wait, decided before the first of them is made.
 *
 * OpenMP's threads meet at a barrier every few microseconds while text is sampled: sleeping there
 * costs three quarters of the speed of a small model. Spinning on after the work is done makes a
 * key press wait. So they spin for about a tenth of a millisecond and then sleep. The library reads
 * the variable when it is loaded, before main(), so the program starts itself again, once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/project.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Says that this process is the second start. */
#define GUARD "LAUREL_ENGINE_PREPARED"
/* Turns of libgomp's waiting loop, one pause instruction each. */
#define SPINS "10000"

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
  if (getenv ("OMP_WAIT_POLICY") != NULL || getenv ("GOMP_SPINCOUNT") != NULL)
    return;
  if (setenv (GUARD, "1", TRUE) != 0 || setenv ("GOMP_SPINCOUNT", SPINS, TRUE) != 0)
    return;
  /* Returns only when it fails; then the program goes on with spinning threads, which is slower and
   * not wrong. */
  (void) execv ("/proc/self/exe", argv);
}
