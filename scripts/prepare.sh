# SPDX-License-Identifier: Apache-2.0
# For ./run and ./test (sourced, with $top set): the tools a build needs, the build itself, and what the machine can do.

# husk_install PACKAGE...: with apt; asks sudo for nothing else
husk_install() {
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root=sudo
		if ! command -v sudo >/dev/null; then
			echo "husk: these packages are missing and there is no sudo: install them as root: apt-get install $*" >&2
			return 1
		fi
	fi
	if ! command -v apt-get >/dev/null; then
		echo "husk: these packages (Debian's names) are missing; install them: $*" >&2
		return 1
	fi
	echo "husk: installing $*" >&2
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null 2>&1 ||
		{ $as_root apt-get update -qq >&2 &&
			$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >&2; }
}

# husk_tools: what the build takes; no call of apt when it is all there
husk_tools() {
	missing=
	command -v gcc >/dev/null || missing="$missing gcc"
	command -v make >/dev/null || missing="$missing make"
	[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
	[ -e /usr/include/linux/fuse.h ] || missing="$missing linux-libc-dev"
	[ -e /usr/lib/x86_64-linux-musl/rcrt1.o ] || missing="$missing musl-dev"
	command -v awk >/dev/null || missing="$missing mawk"
	command -v python3 >/dev/null || missing="$missing python3-minimal"
	while read -r header package; do
		[ -e "/usr/include/$header" ] || [ -e "/usr/include/x86_64-linux-gnu/$header" ] || missing="$missing $package"
	done <<-END
		elfutils/libdwfl.h libdw-dev
		libelf.h libelf-dev
		json-c/json.h libjson-c-dev
		zstd.h libzstd-dev
		lz4.h liblz4-dev
		Zydis/Zydis.h libzydis-dev
		curses.h libncurses-dev
		editline/readline.h libedit-dev
	END
	[ -z "$missing" ] || husk_install $missing
}

# husk_fresh: nothing that is built from is newer than the last build
husk_fresh() {
	[ -x "$top/build/husk" ] && [ -e "$top/build/husk-kernel" ] && [ -e "$top/build/.built" ] || return 1
	changed=$(cd "$top" && find Makefile arch block drivers fs host include init ipc kernel lib mdump mm net scripts tools \
		-newer build/.built \( -name '*.[chS]' -o -name Kbuild -o -name Makefile -o -name '*.tbl' -o -name '*.lds' -o -name '*.mk' -o -name mod-post \
		-o -path 'scripts/gen-*' \) -print -quit 2>/dev/null)
	[ -z "$changed" ]
}

husk_prepare() {
	husk_fresh && return 0
	husk_tools || return 1
	mkdir -p "$top/build" || return 1
	echo "husk: building (once; about a minute)" >&2
	touch "$top/build/.building" || return 1 # files that change during the build are newer than this
	if ! make -C "$top" -j"$(nproc)" all >"$top/build/make.log" 2>&1; then
		tail -n 20 "$top/build/make.log" >&2
		echo "husk: the build failed; all of its output is in build/make.log" >&2
		return 1
	fi
	mv "$top/build/.building" "$top/build/.built"
}

# husk_have_pku: can the pku platform run here? If not, $husk_no_pku says why.
husk_have_pku() {
	case "$(grep -m1 '^flags' /proc/cpuinfo) " in
	*" ospke "*) ;;
	*)
		husk_no_pku="this machine has no memory protection keys"
		return 1
		;;
	esac
	case "$(grep -m1 '^flags' /proc/cpuinfo) " in
	*" apx "*)
		husk_no_pku="this machine has APX, with instructions that the platform pku cannot keep programs from yet"
		return 1
		;;
	esac
	release=$(cat /proc/sys/kernel/osrelease)
	major=${release%%.*} minor=${release#*.}
	minor=${minor%%[!0-9]*}
	if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 12 ]; }; then
		husk_no_pku="the host kernel $release is older than 6.12"
		return 1
	fi
}
