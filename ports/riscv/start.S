// SPDX-License-Identifier: MIT
//
// Reset and trap entry, machine mode. QEMU's reset vector jumps to _start on
// every hart with a0 = hart id and a1 = address of the device tree.
//
// Trap stack protocol: outside a trap mscratch holds the top of the trap
// stack; inside a trap it holds 0, so a second trap is seen at once and never
// runs on a stack that the first one may have broken.

#include "board.h"

#define FRAME (56 * 8)          // x0..x31, then 20 caller-saved f registers and fcsr
#define F(n) ((32 + (n)) * 8)(sp)

    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    bnez    a0, park            // every hart starts at once; only hart 0 is ours
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, __stack_top
    la      tp, __tls_start     // picolibc keeps errno in thread-local storage
    mv      s1, a1

    li      t0, 0x2000          // mstatus.FS: floating point on
    csrs    mstatus, t0
    csrw    fcsr, zero

    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:
    la      t0, trap_entry
    csrw    mtvec, t0
    la      t0, __trap_stack_top
    csrw    mscratch, t0

    // A locked PMP entry without permissions makes the page below the stack
    // fault in machine mode too: an overflow ends in the register dump.
    la      t0, __stack_guard
    srli    t0, t0, 2
    ori     t0, t0, 0x1ff       // NAPOT, 4096 bytes
    csrw    pmpaddr0, t0
    li      t0, 0x98            // L | NAPOT
    csrw    pmpcfg0, t0

    mv      a0, s1
    call    main_run            // does not return

park:
    wfi
    j       park

    .balign 4
trap_entry:
    csrrw   sp, mscratch, sp
    beqz    sp, 9f
    addi    sp, sp, -FRAME
    sd      ra,  1*8(sp)
    sd      t0,  5*8(sp)
    sd      t1,  6*8(sp)
    sd      t2,  7*8(sp)
    sd      a0, 10*8(sp)
    sd      a1, 11*8(sp)
    sd      a2, 12*8(sp)
    sd      a3, 13*8(sp)
    sd      a4, 14*8(sp)
    sd      a5, 15*8(sp)
    sd      a6, 16*8(sp)
    sd      a7, 17*8(sp)
    sd      t3, 28*8(sp)
    sd      t4, 29*8(sp)
    sd      t5, 30*8(sp)
    sd      t6, 31*8(sp)
    csrrw   t0, mscratch, zero
    sd      t0,  2*8(sp)
    csrr    a0, mcause
    bgez    a0, 8f

    // Interrupt: the C handler may use any caller-saved register.
    fsd     ft0, F(0)
    fsd     ft1, F(1)
    fsd     ft2, F(2)
    fsd     ft3, F(3)
    fsd     ft4, F(4)
    fsd     ft5, F(5)
    fsd     ft6, F(6)
    fsd     ft7, F(7)
    fsd     ft8, F(8)
    fsd     ft9, F(9)
    fsd     ft10, F(10)
    fsd     ft11, F(11)
    fsd     fa0, F(12)
    fsd     fa1, F(13)
    fsd     fa2, F(14)
    fsd     fa3, F(15)
    fsd     fa4, F(16)
    fsd     fa5, F(17)
    fsd     fa6, F(18)
    fsd     fa7, F(19)
    csrr    t0, fcsr
    sd      t0, F(20)
    call    trap_interrupt
    ld      t0, F(20)
    csrw    fcsr, t0
    fld     ft0, F(0)
    fld     ft1, F(1)
    fld     ft2, F(2)
    fld     ft3, F(3)
    fld     ft4, F(4)
    fld     ft5, F(5)
    fld     ft6, F(6)
    fld     ft7, F(7)
    fld     ft8, F(8)
    fld     ft9, F(9)
    fld     ft10, F(10)
    fld     ft11, F(11)
    fld     fa0, F(12)
    fld     fa1, F(13)
    fld     fa2, F(14)
    fld     fa3, F(15)
    fld     fa4, F(16)
    fld     fa5, F(17)
    fld     fa6, F(18)
    fld     fa7, F(19)

    addi    t0, sp, FRAME
    csrw    mscratch, t0
    ld      ra,  1*8(sp)
    ld      t0,  5*8(sp)
    ld      t1,  6*8(sp)
    ld      t2,  7*8(sp)
    ld      a0, 10*8(sp)
    ld      a1, 11*8(sp)
    ld      a2, 12*8(sp)
    ld      a3, 13*8(sp)
    ld      a4, 14*8(sp)
    ld      a5, 15*8(sp)
    ld      a6, 16*8(sp)
    ld      a7, 17*8(sp)
    ld      t3, 28*8(sp)
    ld      t4, 29*8(sp)
    ld      t5, 30*8(sp)
    ld      t6, 31*8(sp)
    ld      sp,  2*8(sp)
    mret

8:  // Exception: complete the frame for the register dump; no way back.
    sd      zero, 0*8(sp)
    sd      gp,  3*8(sp)
    sd      tp,  4*8(sp)
    sd      s0,  8*8(sp)
    sd      s1,  9*8(sp)
    sd      s2, 18*8(sp)
    sd      s3, 19*8(sp)
    sd      s4, 20*8(sp)
    sd      s5, 21*8(sp)
    sd      s6, 22*8(sp)
    sd      s7, 23*8(sp)
    sd      s8, 24*8(sp)
    sd      s9, 25*8(sp)
    sd      s10, 26*8(sp)
    sd      s11, 27*8(sp)
    mv      a0, sp
    call    trap_exception

9:  // A trap inside a trap.
    la      sp, __trap_stack_top
    call    trap_double
