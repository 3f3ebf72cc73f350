/* SPDX-License-Identifier: MIT */
/* The name under which Windows programs include the Process Snapshotting API: pss.h. */
#include "pss.h"
