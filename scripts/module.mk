# SPDX-License-Identifier: Apache-2.0
# Builds kernel modules outside of husk's tree. A module's Makefile:
#	obj-m := hello.o                 # hello.ko from hello.c
#	hello-y := main.o other.o        # or from these, for several sources
#	HUSK ?= /path/to/husk/build      # where husk was built
#	include $(HUSK)/module.mk
# Targets: all (default), clean, install (to $(DESTDIR)/lib/modules/$(KERNELRELEASE)/extra). Variables: V=1 shows commands; ccflags-y more
# flags; MODULE_SYMVERS the Module.symvers of other modules whose symbols these use; ALLOW_UNDEFINED=1 makes unknown symbols a warning.
# husk's build puts HUSK_SRC, HUSK_CC, HUSK_CFLAGS, KERNELRELEASE and MODULE_VERMAGIC in front of this file.
CC := $(HUSK_CC)
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
modules := $(patsubst %.o,%,$(obj-m))

all: $(modules:%=%.ko)
.PHONY: all clean install

# what these modules export, for each other and for modules built elsewhere
Module.symvers: $(foreach m,$(modules),$(or $($(m)-y),$(m).o)) $(HUSK_SRC)/scripts/mod-post
	$(Q){ $(foreach m,$(modules),$(HUSK_SRC)/scripts/mod-post --exports $(m) $(or $($(m)-y),$(m).o) &&) true; } >$@

define module_rules
$(1)-objs := $$(or $$($(1)-y),$(1).o)
$(1).ko: $$($(1)-objs) Module.symvers $(HUSK_SRC)/scripts/module.lds $(HUSK_SRC)/scripts/mod-post
	@echo "  LD   $$@"
	$$(Q)$(HUSK_SRC)/scripts/mod-post --name $(1) --symvers $(HUSK_BUILD)/Module.symvers --symvers Module.symvers $$(MODULE_SYMVERS:%=--symvers %) \
		--vermagic "$(MODULE_VERMAGIC)" $$(if $$(ALLOW_UNDEFINED),--allow-undefined) --out .$(1).mod.c $$($(1)-objs)
	$$(Q)$$(CC) $(HUSK_CFLAGS) -DMODULE -c .$(1).mod.c -o .$(1).mod.o
	$$(Q)$$(CC) -nostdlib -r -Wl,--build-id=sha1 -Wl,-T,$(HUSK_SRC)/scripts/module.lds -o $$@ $$($(1)-objs) .$(1).mod.o
$$($(1)-objs): %.o: %.c $(HUSK_BUILD)/module.mk
	@echo "  CC   $$<"
	$$(Q)$$(CC) $(HUSK_CFLAGS) -DMODULE -DKBUILD_MODNAME='"$(1)"' $$(ccflags-y) -MMD -MP -c $$< -o $$@
-include $$($(1)-objs:.o=.d)
clean-$(1):
	$$(Q)rm -f $(1).ko $$($(1)-objs) $$($(1)-objs:.o=.d) .$(1).mod.c .$(1).mod.o .$(1).mod.d
endef
$(foreach m,$(modules),$(eval $(call module_rules,$(m))))

clean: $(modules:%=clean-%)
	$(Q)rm -f Module.symvers
install: all
	mkdir -p $(DESTDIR)/lib/modules/$(KERNELRELEASE)/extra
	cp $(modules:%=%.ko) $(DESTDIR)/lib/modules/$(KERNELRELEASE)/extra/
