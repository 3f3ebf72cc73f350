/* SPDX-License-Identifier: MIT */
/* The exception handler of a guarded call; its frame is in assembly, as C has no __try here. */
#include "nt/guard.h"

/* Where the frame goes on after an exception, with its code as the result. */
void __cdecl pss_guard_return(void);

EXCEPTION_DISPOSITION __cdecl pss_guard_handle(EXCEPTION_RECORD *record, void *frame,
                                               CONTEXT *context, void *dispatcher);

#ifdef __x86_64__

static void unwind(void *frame, EXCEPTION_RECORD *record, NTSTATUS code)
{
    RtlUnwind(frame, (void *)(uintptr_t)pss_guard_return, record, (void *)(intptr_t)code);
}

__asm__(".text\n"
        ".globl pss_guard_call, pss_guard_return\n"
        ".seh_proc pss_guard_call\n"
        "pss_guard_call:\n"
        "    pushq %rbp\n"
        "    .seh_pushreg %rbp\n"
        "    movq %rsp, %rbp\n"
        "    .seh_setframe %rbp, 0\n"
        "    subq $32, %rsp\n"
        "    .seh_stackalloc 32\n"
        "    .seh_handler pss_guard_handle, @except\n"
        "    .seh_endprologue\n"
        "    movq %rcx, %rax\n"
        "    movq %rdx, %rcx\n"
        "    call *%rax\n"
        "    xorl %eax, %eax\n"
        "pss_guard_return:\n"
        "    addq $32, %rsp\n"
        "    popq %rbp\n"
        "    ret\n"
        ".seh_endproc\n");

#else

/* RtlUnwind of x86 keeps no register, and comes back to where it is told. */
__attribute__((noreturn)) void __cdecl pss_guard_unwind(void *frame, EXCEPTION_RECORD *record,
                                                        NTSTATUS code);

static void unwind(void *frame, EXCEPTION_RECORD *record, NTSTATUS code)
{
    pss_guard_unwind(frame, record, code);
}

/* The registration lies 20 bytes below the frame's base. */
__asm__(".text\n"
        ".globl _pss_guard_call, _pss_guard_return, _pss_guard_unwind\n"
        "_pss_guard_call:\n"
        "    pushl %ebp\n"
        "    movl %esp, %ebp\n"
        "    pushl %ebx\n"
        "    pushl %esi\n"
        "    pushl %edi\n"
        "    pushl $_pss_guard_handle\n"
        "    pushl %fs:0\n"
        "    movl %esp, %fs:0\n"
        "    pushl 12(%ebp)\n"
        "    call *8(%ebp)\n"
        "    xorl %eax, %eax\n"
        "_pss_guard_return:\n"
        "    movl -20(%ebp), %ecx\n"
        "    movl %ecx, %fs:0\n"
        "    leal -12(%ebp), %esp\n"
        "    popl %edi\n"
        "    popl %esi\n"
        "    popl %ebx\n"
        "    popl %ebp\n"
        "    ret\n"
        "_pss_guard_unwind:\n"
        "    movl 4(%esp), %eax\n"
        "    movl 8(%esp), %edx\n"
        "    pushl 12(%esp)\n"
        "    pushl %eax\n"
        "    pushl $0\n"
        "    pushl %edx\n"
        "    pushl $1f\n"
        "    pushl %eax\n"
        "    call _RtlUnwind@16\n"
        "1:  popl %ecx\n"
        "    popl %eax\n"
        "    leal 20(%ecx), %ebp\n"
        "    jmp _pss_guard_return\n");

#endif

EXCEPTION_DISPOSITION __cdecl pss_guard_handle(EXCEPTION_RECORD *record, void *frame,
                                               CONTEXT *context, void *dispatcher)
{
    /* source: winnt.h of the Windows SDK, EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND */
    static const DWORD unwinding = 6;
    NTSTATUS code = (NTSTATUS)record->ExceptionCode;

    (void)context;
    (void)dispatcher;
    if (!(record->ExceptionFlags & unwinding))
        unwind(frame, record, code ? code : STATUS_UNSUCCESSFUL);
    return ExceptionContinueSearch;
}
