# SPDX-License-Identifier: Apache-2.0
# The control socket, with a client in the same process; its fuzzer (make fuzz).
CONTROL_SRC := host/control.c host/control_json.c host/control_info.c host/control_stats.c host/error.c
CONTROL_HDR := host/control.h host/run.h host/sandbox.h tests/unit/control_env.h include/hostif/hostif.h include/hostif/stats.h

$(O)/unit/test_control: tests/unit/test_control.c $(CONTROL_SRC) host/confine.c $(CONTROL_HDR)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-control
unit-control: $(O)/unit/test_control $(O)/fuzz/fuzz_control
	$(O)/unit/test_control
	$(O)/fuzz/fuzz_control 3000
unit: unit-control

# its flags are in virtq.mk, which is read later
$(O)/fuzz/fuzz_control: tests/fuzz/fuzz_control.c $(CONTROL_SRC) $(CONTROL_HDR)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(HCFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.c,$^)
fuzz: $(O)/fuzz/fuzz_control
