// SPDX-License-Identifier: MIT
// qstrs that no C source names in the usual way.
