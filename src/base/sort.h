/* SPDX-License-Identifier: MIT */
/* Sorts fixed-size records in place, in bounded time whatever their order. */
#ifndef PSS_SORT_H
#define PSS_SORT_H

#include <stddef.h>
#include <stdint.h>

/** Less than, equal to or greater than 0, as \p left comes before, with or after \p right. */
typedef int pss_compare(const void *left, const void *right);

/**
 * Sorts ascending. Sorted input costs one pass, any other n log n.
 *
 * \param records  [in,out] \p count records of \p size bytes; \p size is a multiple of 4.
 */
void pss_sort(void *records, uint32_t count, uint32_t size, pss_compare *compare);

#endif
