# SPDX-License-Identifier: Apache-2.0
# The module loader's reading, layout and relocation, hosted, on whole and on damaged modules.
MODULE_SRC := kernel/module/elf.c kernel/module/layout.c arch/x86/module.c lib/kstring.c mm/kstrdup.c lib/sort.c
$(O)/unit/modules/params.ko: tests/modules/src/params.c tests/modules/src/two_main.c tests/modules/src/two_other.c $(O)/module.mk $(O)/Module.symvers
	@mkdir -p $(@D)
	$(Q)cp tests/modules/src/params.c tests/modules/src/two_main.c tests/modules/src/two_other.c $(@D)
	$(Q)printf 'obj-m := params.o two.o\ntwo-y := two_main.o two_other.o\ninclude $(ABSO)/module.mk\n' >$(@D)/Makefile
	$(Q)$(MAKE) -s -C $(@D)
$(O)/unit/test_module: tests/unit/test_module.c $(MODULE_SRC) include/husk/module.h include/husk/moduleloader.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -DHUSK_HOSTED -O1 -fno-builtin -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-module
unit-module: $(O)/unit/test_module $(O)/unit/modules/params.ko
	$(O)/unit/test_module 6000 $(O)/unit/modules/params.ko $(O)/unit/modules/two.ko
unit: unit-module
