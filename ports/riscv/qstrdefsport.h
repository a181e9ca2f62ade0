// SPDX-License-Identifier: MIT
// qstrs that no C source names in the usual way.
Q(/lib)
Q(/disk)
