// SPDX-License-Identifier: MIT
//
// QEMU's "virt" machine, riscv64 and riscv32 alike, as seen by hart 0 (hw/riscv/virt.c,
// memory map stable since QEMU 7):
//
//   0x0010_0000  finisher ("sifive_test")   exit, reset
//   0x0010_1000  goldfish RTC               nanoseconds since 1970
//   0x0200_0000  CLINT                      timer
//   0x0c00_0000  PLIC                       interrupt controller, sources 1..95
//   0x1000_0000  UART0, 16550               source 10
//   0x1000_1000  virtio-mmio slots 0..7     0x1000 apart, sources 1..8
//   0x1010_0000  fw_cfg                     what QEMU was given, big-endian
//   0x2000_0000  flash 0                    ROM= puts its file system here
//   0x8000_0000  RAM                        size from the device tree
#ifndef VSND_QEMU_VIRT_BOARD_H
#define VSND_QEMU_VIRT_BOARD_H

#define FINISHER_BASE   (0x00100000)
#define RTC_BASE        (0x00101000)
#define CLINT_BASE      (0x02000000)
#define CLINT_MTIMECMP  (CLINT_BASE + 0x4000)
#define PLIC_BASE       (0x0c000000)
#define PLIC_SOURCES    (96)
#define UART0_BASE      (0x10000000)
#define UART0_IRQ       (10)
#define UART0_CLOCK     (3686400)
#define VIRTIO_BASE     (0x10001000)
#define VIRTIO_STRIDE   (0x1000)
#define VIRTIO_SLOTS    (8)
#define VIRTIO_IRQ      (1)
#define FW_CFG_BASE     (0x10100000)
#define FW_CFG_UUID     (2)
#define VIRTIO_ID       (0x008) // in a slot: the register that says what is there
#define VIRTIO_DISK     (2)
#define ROM_BASE        (0x20000000)
#define ROM_SIZE        (0x02000000)
#define RAM_SIZE        (0x06000000) // assumed when there is no device tree
#define TIME_HZ         (10000000)

#endif
