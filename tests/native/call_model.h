/* SPDX-License-Identifier: MIT */
/* Calls of the API in any order, each compared with a model of what it has to answer. */
#ifndef PSS_CALL_MODEL_H
#define PSS_CALL_MODEL_H

#include "fake_kernel.h"

/**
 * Begins with no snapshots and no markers. Needs fake_init.
 *
 * \param bytes  [in] What is written here as a snapshot when a step says so; until call_model_end.
 * \return 1: the bytes are a block that has to be accepted · 0: they are not.
 */
int call_model_begin(const void *bytes, size_t size);

/**
 * Makes one call, and ends the program when it does something else than the model says.
 *
 * \param what  [in] Which call.
 * \param a, b  [in] With what; values that were freed, and ones that were never any, too.
 * \param how   [in] With which class, length or position.
 */
void call_model_step(uint8_t what, uint8_t a, uint8_t b, uint8_t how);

/** Frees what is left, and ends the program when the library has kept something. */
void call_model_end(void);

#endif
