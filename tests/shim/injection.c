/* SPDX-License-Identifier: MIT */
/* Gives the child the test's own DLLs. */
#include "injection.h"

#include "faulty_nt.h"

NTSTATUS injection_make(const struct child *child)
{
    char sample[MAX_PATH], other[MAX_PATH];
    struct inject_image image;

    child_module_path("shim-sample.dll", sample);
    child_module_path("shim-other.dll", other);
    const struct inject_dll dlls[2] = {{sample, "sample_first"}, {other, NULL}};
    NTSTATUS status = inject_open(faulty_nt(), child->process, &image);
    if (!NT_SUCCESS(status))
        return status;
    assert_ptr_equal(image.base, child->base);
    assert_int_equal(image.machine,
                     child->is_64bit ? IMAGE_FILE_MACHINE_AMD64 : IMAGE_FILE_MACHINE_I386);
    return inject_imports(faulty_nt(), &image, dlls, 2);
}
