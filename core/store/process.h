/* process.h: which process holds a lease or a run, and whether it is still there.
 *
 * A process is “PID:START:BOOT”: its number, when it started in ticks since the
 * machine did, and the kernel's random id of that start. A process id that was
 * given out again does not fool it, and neither does a project copied to
 * another machine.
 *
 * For core/store, and for what core/project puts beside the database.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *laurel_process_dup_identity (void) G_GNUC_WARN_UNUSED_RESULT; /* this process */
gint64 laurel_process_get_pid (const char *identity);              /* 0 when it names none */

typedef enum {
  LAUREL_PROCESS_ALIVE,
  LAUREL_PROCESS_GONE,
  LAUREL_PROCESS_ELSEWHERE, /* of another machine, or of this one before it was restarted */
} LaurelProcessState;

LaurelProcessState laurel_process_look_up (const char *identity);

G_END_DECLS
