// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_STDSTREAMS_H
#define VSND_RISCV_STDSTREAMS_H

// All of them block: at each start of Python.
void stdstreams_init(void);

#endif
