// From the boot loader (Multiboot 1: 32 bits, no paging) to 64 bits with AVX-512 switched on. The first gigabyte of
// memory stands where it is; interrupts stay off.
asm(R"(
    .section .multiboot, "a"
    .align 4
    .long 0x1badb002, 0, -0x1badb002

    .section .bss
    .align 4096
level4: .skip 4096
level3: .skip 4096
level2: .skip 4096
    .skip 1 << 20
stack_top:

    .section .data
    .align 8
descriptors:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff      # 64-bit code, data
descriptors_at:
    .word 23
    .long descriptors, 0

    .section .text
    .code32
    .globl _start
_start:
    cli
    movl $level3 + 3, level4
    movl $level2 + 3, level3
    movl $level2, %edi
    movl $0x83, %eax                                     # 512 pages of 2 MiB, present, writable
    movl $512, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b
    movl %cr4, %eax
    orl $0x40620, %eax                                   # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
    movl %eax, %cr4
    movl $level4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx                               # EFER.LME
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    andl $~4, %eax                                       # no emulation of the FPU
    orl $0x80000002, %eax                                # paging, monitor coprocessor
    movl %eax, %cr0
    lgdt descriptors_at
    ljmp $8, $long_mode

    .code64
long_mode:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %ecx, %ecx
    xorl %edx, %edx
    movl $0xe7, %eax                                     # x87, SSE, AVX, AVX-512
    xsetbv
    movq $stack_top, %rsp
    xorl %ebp, %ebp
    call run_conformance
2:  hlt
    jmp 2b
)");
