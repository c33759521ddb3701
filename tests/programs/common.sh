# SPDX-License-Identifier: Apache-2.0
# Sourced by every case: strict mode, a fixed clock for git and tar, skip when a program is missing.
set -u
cd "${TESTDIR:?TESTDIR is not set}" || exit 99
umask 022
need() {
	local p
	for p; do
		command -v "$p" >/dev/null 2>&1 || { echo "SKIP: $p is not installed"; exit 77; }
	done
}
# soon COMMAND...: waits until it succeeds; the runner ends what waits for ever.
soon() { until "$@"; do sleep 0.02; done; }
runs() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]; }
is() { grep -q ") $2 " "/proc/$1/stat" 2>/dev/null; } # PID STATE
# A tree of N directories with files, links and odd names, the same each time.
make_tree() {
	local d=$1 n=$2 i j
	mkdir -p "$d"
	for ((i = 0; i < n; i++)); do
		mkdir -p "$d/dir$i/sub"
		for ((j = 0; j < 10; j++)); do
			echo "file $i $j $((i * j * 7919 % 1000))" > "$d/dir$i/f$j.txt"
		done
		echo "below $i" > "$d/dir$i/sub/deep file $i"
		ln -s "../f0.txt" "$d/dir$i/sub/link"
		ln "$d/dir$i/f1.txt" "$d/dir$i/hard"
	done
	: > "$d/empty"
	mkdir "$d/emptydir"
	printf 'x' > "$d/-dash"
	printf 'x' > "$d/ünïcode ☃"
	printf '#!/bin/sh\necho run\n' > "$d/script"
	chmod 755 "$d/script"
	chmod 640 "$d/empty"
	find "$d" -exec touch -h -d '2020-02-02 02:02:02 UTC' {} +
}
