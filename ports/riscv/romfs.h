// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether the `size` bytes begin with a ROMFS image whose every record, name and pointer lies
// inside of it, not too deep. Looks at records only, not at what files hold.
bool romfs_is_whole(const uint8_t *image, size_t size);
