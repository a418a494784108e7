/* train_actions.h: what the Train menu does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/window.h"

G_BEGIN_DECLS

/* win.sample, win.evaluate, win.pretrain, win.train-sft, win.train-reward, win.train-ppo, win.train-dpo,
 * win.train-rloo */
void laurel_train_actions_install (GtkWidgetClass *window_class);
/* They need a project, and a person who may see models. */
void laurel_train_actions_update (LaurelWindow *window);

G_END_DECLS
