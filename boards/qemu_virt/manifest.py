# SPDX-License-Identifier: MIT
# What is frozen into the firmware. An import looks names up in this order: what the
# board needs at power-on comes first.
module("_tone.py", base_path="$(MODULES_DIR)")
module("_tone_data.py", base_path="$(BUILD_DIR)/tone")
package("virtio", base_path="$(MODULES_DIR)")
package("vsnd", base_path="$(MODULES_DIR)")
package("audio", base_path="$(MODULES_DIR)")
module("wave.py", base_path="$(MODULES_DIR)")
module("vrng.py", base_path="$(MODULES_DIR)")
package("vblk", base_path="$(MODULES_DIR)")
include("$(MPY_DIR)/extmod/asyncio")
