# SPDX-License-Identifier: Apache-2.0
# husk: kernel image, monitor and command. Each directory lists its files in obj-y (a Kbuild file).
#   make            build/husk-kernel and build/husk          make debug   with debug checks, -O1
#   make unit       hosted unit tests (ASan, UBSan)           make format  clang-format on every file
CC ?= gcc
O ?= build
V ?= 0
VERSION := 0.1
Q := $(if $(filter 1,$(V)),,@)

# cc-option: an option that not every compiler has
cc-option = $(if $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null 2>/dev/null && echo y),$(1))

WARN := -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	-Wstrict-prototypes -Wundef -Wvla
KOPT := -O2 -g
KCFLAGS := -std=gnu17 $(KOPT) $(WARN) -ffreestanding -fno-stack-protector -fno-builtin -mgeneral-regs-only -mpopcnt -mno-red-zone \
	-fPIE -fvisibility=hidden -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-strict-aliasing \
	-fno-common -fno-delete-null-pointer-checks -fwrapv -mno-sse -D__KERNEL_HUSK__ -include include/husk/hidden.h -Iinclude -I$(O)/include -DHUSK_VERSION='"$(VERSION)"'
# a section each, so that arch/x86/kernel.lds can lay together what is used together
KSECTIONS := -ffunction-sections -fdata-sections
HCFLAGS := -std=gnu17 -O2 -g $(WARN) -D_GNU_SOURCE -Iinclude -I$(O)/include -DHUSK_VERSION='"$(VERSION)"'
# The monitor is linked with musl where that is: each sandbox has one, and 600 KiB of glibc would lie in its memory.
MUSL ?= $(patsubst %/rcrt1.o,%,$(wildcard /usr/lib/x86_64-linux-musl/rcrt1.o))
ifneq ($(MUSL),)
HLIBC := -fPIE -ffunction-sections -fdata-sections -nostdinc -isystem /usr/include/x86_64-linux-musl \
	-isystem $(shell $(CC) -print-file-name=include) -idirafter $(O)/linux-headers
crt = $(shell $(CC) -print-file-name=$(1))
HLINK = $(CC) -static-pie -nostdlib -Wl,--gc-sections -Wl,-z,noexecstack -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $(call crt,crtbeginS.o) $(HOBJS) \
	-L$(MUSL) -Wl,--start-group -lc -lgcc -Wl,--end-group $(call crt,crtendS.o) $(MUSL)/crtn.o
HDEPS := $(O)/linux-headers
else
HLINK = $(CC) $(HLDFLAGS) -o $@ $(HOBJS) $(HLIBS)
endif

KDIRS := arch/x86 arch/x86/platform init kernel kernel/time kernel/trace kernel/module mm fs fs/proc fs/sysfs fs/devtmpfs fs/devpts fs/tmpfs fs/overlayfs fs/fuse \
	 fs/notify ipc net net/unix drivers/virtio drivers/char drivers/tty lib
kobjs :=
define kdir
obj-y :=
-include $(1)/Kbuild
kobjs += $$(addprefix $(1)/,$$(obj-y))
endef
$(foreach d,$(KDIRS),$(eval $(call kdir,$(d))))
hobjs :=
define hdir
obj-y :=
-include $(1)/Kbuild
hobjs += $$(addprefix $(1)/,$$(obj-y))
endef
$(foreach d,host tools,$(eval $(call hdir,$(d))))
KOBJS := $(addprefix $(O)/k/,$(kobjs))
HOBJS := $(addprefix $(O)/h/,$(hobjs))
HLIBS ?= -lpthread
# a static monitor starts 0.3 ms sooner, and the jail is cloned from it
HLDFLAGS ?= $(if $(filter /%,$(shell $(CC) -print-file-name=libc.a)),-static-pie)

# Commands that the monitor's program does not need in it: a directory of tools each, with its objects in obj-y and its libraries in
# libs-y; "husk NAME" starts build/husk-NAME. An object "../DIR/x.o" is tools/DIR/x.c, which several of them use. Their packages: scripts/prepare.sh.
XPROGS :=
XOBJS :=
define xprog
obj-y :=
libs-y :=
-include tools/$(1)/Kbuild
ifneq ($$(obj-y),)
XPROGS += $(O)/husk-$(1)
OBJS_$(1) := $$(patsubst %,$(O)/h/tools/%,$$(patsubst ../%,%,$$(patsubst %,$(1)/%,$$(filter-out ../%,$$(obj-y))) $$(filter ../%,$$(obj-y))))
XOBJS += $$(OBJS_$(1))
LIBS_$(1) := $$(libs-y)
$(O)/husk-$(1): $$(OBJS_$(1)) tools/$(1)/Kbuild
	@echo "  LD   $$@"
	$$(Q)$$(CC) -o $$@ $$(filter %.o,$$^) $$(LIBS_$(1))
endif
endef
XNAMES := crash trace top
# "all" stands first
all: $(O)/husk-kernel $(O)/husk $(O)/module.mk $(O)/Module.symvers
$(foreach p,$(XNAMES),$(eval $(call xprog,$(p))))
all: $(XPROGS)
.PHONY: all debug debug-lkdtm unit format clean docs
debug:
	$(MAKE) O=build/debug KOPT='-O1 -g -DHUSK_DEBUG' all
debug-lkdtm:
	$(MAKE) O=build/debug KOPT='-O1 -g -DHUSK_DEBUG' lkdtm

$(O)/include/syscall_table.h: arch/x86/syscalls.tbl scripts/gen-syscalls
	@mkdir -p $(@D)
	$(Q)scripts/gen-syscalls arch/x86/syscalls.tbl $@
$(O)/include/trace_kinds.h: arch/x86/syscalls.tbl scripts/gen-trace-kinds
	@mkdir -p $(@D)
	$(Q)scripts/gen-trace-kinds arch/x86/syscalls.tbl $@

# What a module must have been built with to fit: the interfaces as they are, and what changes the layout of structures.
$(O)/include/abi.h: $(wildcard include/husk/*.h) include/hostif/hostif.h Makefile
	@mkdir -p $(@D)
	$(Q)printf '#define HUSK_ABI "abi-%s"\n' "$$({ cat include/husk/*.h include/hostif/hostif.h; echo '$(KOPT)'; } | sha1sum | cut -c1-10)" >$@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

$(O)/k/kernel/module/exports.S: kernel/module/exports.tbl scripts/gen-exports
	@mkdir -p $(@D)
	$(Q)scripts/gen-exports $< >$@.tmp && mv $@.tmp $@
$(O)/k/kernel/module/exports.o: $(O)/k/kernel/module/exports.S
	@echo "  AS   $<"
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLY__ -c $< -o $@

$(O)/k/%.o: %.c $(O)/include/syscall_table.h $(O)/include/trace_kinds.h Makefile | $(O)/include/abi.h
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(KCFLAGS) $(KSECTIONS) -MMD -MP -c $< -o $@
$(O)/k/%.o: %.S Makefile
	@mkdir -p $(@D)
	@echo "  AS   $<"
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@
# The image holds a table of its own symbols. Its size depends on their names alone: a first link gives the names, a second the
# addresses, and the third has the right table, which is checked. Its table of lines lies in no segment: only the monitor reads it.
KLINK = $(CC) -nostdlib -static -Wl,--build-id=sha1 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
	-Wl,-z,max-page-size=4096 -T arch/x86/kernel.lds
KSYMS := $(O)/k/kallsyms
$(KSYMS).0.S: scripts/gen-kallsyms
	@mkdir -p $(@D)
	$(Q)printf '0 T _stext\n0 B _end\n' | scripts/gen-kallsyms >$@.tmp && mv $@.tmp $@
define kimage
$(1): $(2) $(KSYMS).0.S arch/x86/kernel.lds $(wildcard arch/x86/hot/*.lds) scripts/gen-klines scripts/check-forbidden
	@echo "  LD   $$@"
	$(Q)$(KLINK) -Wl,--strip-debug -o $$@.link1 $(2) $(KSYMS).0.S
	$(Q)nm $$@.link1 | scripts/gen-kallsyms >$$@.1.S
	$(Q)$(KLINK) -Wl,--strip-debug -o $$@.link2 $(2) $$@.1.S
	$(Q)nm $$@.link2 | scripts/gen-kallsyms >$$@.2.S
	$(Q)$(KLINK) -o $$@.link3 $(2) $$@.2.S
	$(Q)nm $$@.link3 | scripts/gen-kallsyms --check $$@.2.S
	$(Q)scripts/check-forbidden $$@.link3
	$(Q)nm $$@.link3 | scripts/gen-klines $$@.link3 $$@.klines
	$(Q)objcopy --add-section .klines=$$@.klines $$@.link3
	$(Q)rm -f $$@.link1 $$@.link2 $$@.1.S $$@.2.S $$@.klines && mv $$@.link3 $$@
endef
$(eval $(call kimage,$(O)/husk-kernel,$(KOBJS)))
# the same kernel with ways to crash it on purpose (echo NAME > /proc/lkdtm): HUSK_KERNEL=build/lkdtm-kernel
obj-y :=
-include drivers/misc/Kbuild
LKDTM_OBJS := $(addprefix $(O)/k/drivers/misc/,$(obj-y))
$(eval $(call kimage,$(O)/lkdtm-kernel,$(KOBJS) $(LKDTM_OBJS)))
lkdtm: $(O)/lkdtm-kernel
.PHONY: lkdtm
-include $(LKDTM_OBJS:.o=.d)

# What building a module outside of the tree takes: docs/modules.md
ABSO := $(abspath $(O))
$(O)/module.mk: scripts/module.mk $(O)/include/abi.h include/husk/utsname.h Makefile
	$(file >$@.head,HUSK_SRC := $(CURDIR))
	$(file >>$@.head,HUSK_BUILD := $(ABSO))
	$(file >>$@.head,HUSK_CC := $(CC))
	$(file >>$@.head,HUSK_CFLAGS := $(subst -Iinclude,-I$(CURDIR)/include,$(subst -I$(O)/include,-I$(ABSO)/include,$(subst -include include,-include $(CURDIR)/include,$(KCFLAGS)))))
	$(Q)rel=$$(sed -n 's/.*UTS_RELEASE "\([^"]*\)".*/\1/p' include/husk/utsname.h); abi=$$(cut -d'"' -f2 $(O)/include/abi.h); \
		{ cat $@.head; echo "KERNELRELEASE := $$rel"; echo "MODULE_VERMAGIC := $$rel SMP mod_unload $$abi"; cat scripts/module.mk; } >$@; \
		rm $@.head
$(O)/Module.symvers: kernel/module/exports.tbl
	$(Q)awk '/^#/ || !NF { next } { printf "0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL%s\t\n", $$1, $$2 == "gpl" ? "_GPL" : "" }' $< >$@

$(O)/h/%.o: %.c $(O)/include/syscall_table.h Makefile
	@mkdir -p $(@D)
	@echo "  HCC  $<"
	$(Q)$(CC) $(HCFLAGS) $(THIS_LIBC) -MMD -MP -c $< -o $@
$(HOBJS): THIS_LIBC = $(HLIBC)
$(HOBJS): | $(HDEPS)
$(O)/husk: $(HOBJS)
	@echo "  LD   $@"
	$(Q)$(HLINK)
# the kernel's headers, without the C library's that lie beside them
$(O)/linux-headers:
	@mkdir -p $@
	$(Q)for d in linux asm asm-generic; do \
		for i in /usr/include/$$($(CC) -print-multiarch 2>/dev/null) /usr/include/x86_64-linux-gnu /usr/include; do \
			[ ! -d $$i/$$d ] || { ln -sfn $$i/$$d $@/$$d; break; }; done; done

# The mini dump kernel: freestanding, but an ordinary program to the host. liblz4-dev, libzstd-dev
MCFLAGS := -std=gnu17 -O2 -g $(WARN) -ffreestanding -fno-stack-protector -fno-builtin -fno-pie -fno-strict-aliasing -fwrapv \
	-fno-asynchronous-unwind-tables $(call cc-option,-fno-tree-loop-distribute-patterns) -Iinclude
obj-y :=
-include mdump/Kbuild
MOBJS := $(addprefix $(O)/m/,$(obj-y))
$(O)/m/%.o: mdump/%.c Makefile
	@mkdir -p $(@D)
	@echo "  MCC  $<"
	$(Q)$(CC) $(MCFLAGS) -MMD -MP -c $< -o $@
$(O)/m/%.o: mdump/%.S Makefile
	@mkdir -p $(@D)
	@echo "  MAS  $<"
	$(Q)$(CC) $(MCFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@
$(O)/husk-mdump: $(MOBJS) mdump/mdump.lds
	@echo "  LD   $@"
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096 \
		-T mdump/mdump.lds -o $@ $(MOBJS) -Wl,--start-group -l:libzstd.a -l:liblz4.a -Wl,--end-group
all: $(O)/husk-mdump
-include $(MOBJS:.o=.d)

-include tests/unit/Makefile
format:
	git ls-files '*.c' '*.h' | xargs clang-format -i
clean:
	rm -rf $(O)
-include $(KOBJS:.o=.d) $(HOBJS:.o=.d) $(XOBJS:.o=.d)

# hostile kernels, for the tests of the second and the third wall
hostile: $(O)/hostile-kernel $(O)/scribble-kernel
.PHONY: hostile
$(O)/hostile-kernel $(O)/scribble-kernel: $(O)/%-kernel: tests/jail/%.c tests/jail/kernel.h arch/x86/kernel.lds
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(KCFLAGS) -Wno-missing-prototypes -nostdlib -static -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-Wl,-z,max-page-size=4096 -T arch/x86/kernel.lds -o $@ $<
