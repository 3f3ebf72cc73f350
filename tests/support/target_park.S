/* SPDX-License-Identifier: MIT */
/* The parked loop of target_park.h, for x64 and x86. */
    .text
#ifdef __x86_64__
    .globl target_park
    .globl target_park_first
    .globl target_park_last
target_park:
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $168, %rsp
    movdqu %xmm6, 0(%rsp)
    movdqu %xmm7, 16(%rsp)
    movdqu %xmm8, 32(%rsp)
    movdqu %xmm9, 48(%rsp)
    movdqu %xmm10, 64(%rsp)
    movdqu %xmm11, 80(%rsp)
    movdqu %xmm12, 96(%rsp)
    movdqu %xmm13, 112(%rsp)
    movdqu %xmm14, 128(%rsp)
    movdqu %xmm15, 144(%rsp)
    movq %rcx, %rax
    cmpl $0, 8(%rax)
    je 1f
    vmovdqu 144(%rax), %ymm0
    vmovdqu 176(%rax), %ymm1
    vmovdqu 208(%rax), %ymm2
    vmovdqu 240(%rax), %ymm3
    vmovdqu 272(%rax), %ymm4
    vmovdqu 304(%rax), %ymm5
    vmovdqu 336(%rax), %ymm6
    vmovdqu 368(%rax), %ymm7
    vmovdqu 400(%rax), %ymm8
    vmovdqu 432(%rax), %ymm9
    vmovdqu 464(%rax), %ymm10
    vmovdqu 496(%rax), %ymm11
    vmovdqu 528(%rax), %ymm12
    vmovdqu 560(%rax), %ymm13
    vmovdqu 592(%rax), %ymm14
    vmovdqu 624(%rax), %ymm15
    jmp 2f
1:
    movdqu 144(%rax), %xmm0
    movdqu 176(%rax), %xmm1
    movdqu 208(%rax), %xmm2
    movdqu 240(%rax), %xmm3
    movdqu 272(%rax), %xmm4
    movdqu 304(%rax), %xmm5
    movdqu 336(%rax), %xmm6
    movdqu 368(%rax), %xmm7
    movdqu 400(%rax), %xmm8
    movdqu 432(%rax), %xmm9
    movdqu 464(%rax), %xmm10
    movdqu 496(%rax), %xmm11
    movdqu 528(%rax), %xmm12
    movdqu 560(%rax), %xmm13
    movdqu 592(%rax), %xmm14
    movdqu 624(%rax), %xmm15
2:
    movq 16(%rax), %rcx
    movq 24(%rax), %rdx
    movq 32(%rax), %rbx
    movq 40(%rax), %rbp
    movq 48(%rax), %rsi
    movq 56(%rax), %rdi
    movq 64(%rax), %r8
    movq 72(%rax), %r9
    movq 80(%rax), %r10
    movq 88(%rax), %r11
    movq 96(%rax), %r12
    movq 104(%rax), %r13
    movq 112(%rax), %r14
    movq 120(%rax), %r15
target_park_first:
    movl $1, 0(%rax)
3:
    pause
    cmpl $0, 4(%rax)
target_park_last:
    je 3b
    cmpl $0, 8(%rax)
    je 4f
    vzeroupper
4:
    movdqu 0(%rsp), %xmm6
    movdqu 16(%rsp), %xmm7
    movdqu 32(%rsp), %xmm8
    movdqu 48(%rsp), %xmm9
    movdqu 64(%rsp), %xmm10
    movdqu 80(%rsp), %xmm11
    movdqu 96(%rsp), %xmm12
    movdqu 112(%rsp), %xmm13
    movdqu 128(%rsp), %xmm14
    movdqu 144(%rsp), %xmm15
    addq $168, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    ret
#else
    .globl _target_park
    .globl _target_park_first
    .globl _target_park_last
_target_park:
    movl 4(%esp), %eax
    pushl %ebx
    pushl %ebp
    pushl %esi
    pushl %edi
    cmpl $0, 8(%eax)
    je 1f
    vmovdqu 144(%eax), %ymm0
    vmovdqu 176(%eax), %ymm1
    vmovdqu 208(%eax), %ymm2
    vmovdqu 240(%eax), %ymm3
    vmovdqu 272(%eax), %ymm4
    vmovdqu 304(%eax), %ymm5
    vmovdqu 336(%eax), %ymm6
    vmovdqu 368(%eax), %ymm7
    jmp 2f
1:
    movdqu 144(%eax), %xmm0
    movdqu 176(%eax), %xmm1
    movdqu 208(%eax), %xmm2
    movdqu 240(%eax), %xmm3
    movdqu 272(%eax), %xmm4
    movdqu 304(%eax), %xmm5
    movdqu 336(%eax), %xmm6
    movdqu 368(%eax), %xmm7
2:
    movl 16(%eax), %ecx
    movl 24(%eax), %edx
    movl 32(%eax), %ebx
    movl 40(%eax), %ebp
    movl 48(%eax), %esi
    movl 56(%eax), %edi
_target_park_first:
    movl $1, 0(%eax)
3:
    pause
    cmpl $0, 4(%eax)
_target_park_last:
    je 3b
    cmpl $0, 8(%eax)
    je 4f
    vzeroupper
4:
    popl %edi
    popl %esi
    popl %ebp
    popl %ebx
    ret
#endif
