// SPDX-License-Identifier: MIT
//
// Reset. QEMU's reset vector jumps here on each hart, with its number in a0.

    .section .text.start, "ax"
    .globl _start
_start:
    bnez    a0, park
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, __stack_top
    call    main            // does not return
park:
    wfi
    j       park
