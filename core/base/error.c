/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"

G_DEFINE_QUARK (laurel-error-quark, laurel_error)
