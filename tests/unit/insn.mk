# SPDX-License-Identifier: Apache-2.0
# The instruction decoder, against objdump where there is one.
$(O)/unit/test_insn: tests/unit/test_insn.c arch/x86/insn.c arch/x86/insn.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -DHUSK_HOSTED -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-insn
unit-insn: $(O)/unit/test_insn
	if command -v objdump > /dev/null; then $(O)/unit/test_insn; fi
unit: unit-insn
