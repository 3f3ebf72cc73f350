/* SPDX-License-Identifier: MIT */
/* Gives the child the test's own DLLs. */
#include "injection.h"

#include "faulty_nt.h"
#include "image.h"

bool injection_redirects;

unsigned injection_outcome(void)
{
    return injection_redirects ? CHILD_REDIRECTED : CHILD_LOADED_FIRST;
}

static int is_kernel32(const char *library)
{
    return image_names_equal(library, "kernel32.dll");
}

static int is_taken_over(const char *function)
{
    return strcmp(function, "GetTickCount") == 0 || strcmp(function, "GetLogicalDrives") == 0;
}

NTSTATUS injection_make(const struct child *child)
{
    char sample[MAX_PATH], other[MAX_PATH], instead[MAX_PATH];
    struct inject_image image;

    child_module_path("shim-sample.dll", sample);
    child_module_path("shim-other.dll", other);
    child_module_path("shim-instead.dll", instead);
    const struct inject_dll dlls[2] = {{sample, "sample_first"}, {other, NULL}};
    const struct inject_dll takes_over = {instead, NULL};
    NTSTATUS status = inject_open(faulty_nt(), child->process, &image);
    if (!NT_SUCCESS(status))
        return status;
    assert_ptr_equal(image.base, child->base);
    assert_int_equal(image.machine,
                     child->is_64bit ? IMAGE_FILE_MACHINE_AMD64 : IMAGE_FILE_MACHINE_I386);
    const struct inject_plan plain = {.dlls = dlls, .count = 2};
    const struct inject_plan redirecting = {
        .dlls = &takes_over, .count = 1, .is_library = is_kernel32, .is_function = is_taken_over};
    return inject_imports(faulty_nt(), &image, injection_redirects ? &redirecting : &plain);
}
