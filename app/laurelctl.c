/* laurelctl.c: all of Laurel without a window.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include <locale.h>
#include <stdio.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

static const LaurelCtlNoun *const nouns[] = {
  &laurel_ctl_project, &laurel_ctl_tokenizer, &laurel_ctl_corpus, &laurel_ctl_model,
  &laurel_ctl_prompt,  &laurel_ctl_sample,    &laurel_ctl_ranking, &laurel_ctl_train,
  &laurel_ctl_evaluate, &laurel_ctl_run,      &laurel_ctl_loop,   &laurel_ctl_bench,
  NULL
};

static int
perform (LaurelCtl *ctl, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean ok = laurel_ctl_parse (ctl, nouns, argc, argv, &text, &error);

  if (ok && text != NULL) {
    fputs (text, stdout);
    return DONE;
  }
  if (ok)
    ok = ctl->verb->run (ctl, &error);
  if (ok && fflush (stdout) == 0)
    return DONE;
  laurel_ctl_print_error (
      error != NULL ? error->message
                    : "Could not write the output: standard output is closed or full; look at it");
  return error != NULL && error->domain == LAUREL_CTL_USAGE ? WRONG_USAGE : FAILED;
}

int
main (int argc, char **argv)
{
  LaurelCtl ctl = { 0 };
  int code;

  laurel_engine_prepare (argc, argv);
  /* Words in the user's language, numbers always as programs read them. */
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  code = perform (&ctl, argc, argv);
  laurel_ctl_clear (&ctl);
  return code;
}
