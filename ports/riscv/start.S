// SPDX-License-Identifier: MIT
//
// Reset and trap entry, machine mode. QEMU's reset vector jumps to _start on
// every hart with a0 = hart id and a1 = address of the device tree.
//
// Trap stack protocol: outside a trap mscratch holds the top of the trap
// stack; inside a trap it holds 0, so a second trap is seen at once and never
// runs on a stack that the first one may have broken.

#include "board.h"
#include "finisher.h"

#if __riscv_xlen == 64
#define REG 8                   // bytes of an x register
#define SREG sd
#define LREG ld
#else
#define REG 4
#define SREG sw
#define LREG lw
#endif

#define FRAME (32 * REG + 24 * 8) // x0..x31, then 20 caller-saved f registers and fcsr
#define X(n) ((n) * REG)(sp)
#define F(n) (32 * REG + (n) * 8)(sp)

    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    bnez    a0, park            // every hart starts at once; only hart 0 is ours
#ifdef __riscv_zba
    la      t0, incapable
    csrw    mtvec, t0
    sh1add  zero, zero, zero    // Zba
    ctz     zero, zero          // Zbb
    bset    zero, zero, zero    // Zbs
#endif
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

    la      a0, __bss_start
    li      a1, 0
    la      a2, __bss_end
    sub     a2, a2, a0
    call    memset

    la      t0, trap_entry
    csrw    mtvec, t0
    la      t0, __trap_stack_top
    csrw    mscratch, t0

    mv      a0, s1
    call    main_run            // does not return

park:
    wfi
    j       park

#ifdef __riscv_zba
    // The compiler uses these instructions everywhere, so nothing of C can tell that they lack.
    .balign 4
incapable:
    la      t0, 3f
    li      t1, UART0_BASE
1:  lbu     t2, 5(t1)           // LSR
    andi    t2, t2, 0x20        // room for one
    beqz    t2, 1b
    lbu     t2, 0(t0)
    beqz    t2, 2f
    sb      t2, 0(t1)
    addi    t0, t0, 1
    j       1b
2:  li      t0, FINISHER_BASE
    li      t1, 0x3333 | EXIT_CRASH << 16
    sw      t1, 0(t0)
    j       park
3:  .asciz  "CRASH: the processor has no Zba, Zbb or Zbs: leave out QEMU's -cpu\r\n"
#endif

    .balign 4
trap_entry:
    csrrw   sp, mscratch, sp
    beqz    sp, 9f
    addi    sp, sp, -FRAME
    SREG    ra, X(1)
    SREG    t0, X(5)
    SREG    t1, X(6)
    SREG    t2, X(7)
    SREG    a0, X(10)
    SREG    a1, X(11)
    SREG    a2, X(12)
    SREG    a3, X(13)
    SREG    a4, X(14)
    SREG    a5, X(15)
    SREG    a6, X(16)
    SREG    a7, X(17)
    SREG    t3, X(28)
    SREG    t4, X(29)
    SREG    t5, X(30)
    SREG    t6, X(31)
    csrrw   t0, mscratch, zero
    SREG    t0, X(2)
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
    SREG    t0, F(20)
    call    trap_interrupt
    LREG    t0, F(20)
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
    LREG    ra, X(1)
    LREG    t0, X(5)
    LREG    t1, X(6)
    LREG    t2, X(7)
    LREG    a0, X(10)
    LREG    a1, X(11)
    LREG    a2, X(12)
    LREG    a3, X(13)
    LREG    a4, X(14)
    LREG    a5, X(15)
    LREG    a6, X(16)
    LREG    a7, X(17)
    LREG    t3, X(28)
    LREG    t4, X(29)
    LREG    t5, X(30)
    LREG    t6, X(31)
    LREG    sp, X(2)
    mret

8:  // Exception: complete the frame for the register dump; no way back.
    SREG    zero, X(0)
    SREG    gp, X(3)
    SREG    tp, X(4)
    SREG    s0, X(8)
    SREG    s1, X(9)
    SREG    s2, X(18)
    SREG    s3, X(19)
    SREG    s4, X(20)
    SREG    s5, X(21)
    SREG    s6, X(22)
    SREG    s7, X(23)
    SREG    s8, X(24)
    SREG    s9, X(25)
    SREG    s10, X(26)
    SREG    s11, X(27)
    mv      a0, sp
    call    trap_exception

9:  // A trap inside a trap.
    la      sp, __trap_stack_top
    call    trap_double

    // setjmp() under another name, see mpconfigport.h.
    .globl  vm_setjmp
vm_setjmp:
    j       setjmp
