# SPDX-License-Identifier: Apache-2.0
# Walks over many small files, alone and several at once, in and out of the directory's order: every byte must be the file's.
. "$(dirname "$0")/common.sh"
D=/usr/include
walk() { (cd "$D" && find . -type f | LC_ALL=C sort | head -3000 | tr '\n' '\0' | xargs -0 cat | sha256sum); }
backward() { (cd "$D" && find . -type f | LC_ALL=C sort -r | head -1500 | tr '\n' '\0' | xargs -0 cat | sha256sum); }
tree() { tar -C "$D" --sort=none --mtime=@0 -cf - linux | sha256sum; }
tar -C "$D" -cf - linux asm-generic | tar -xf - && diff -r "$D/linux" linux && diff -r "$D/asm-generic" asm-generic && echo copied
tree > 1 & walk > 2 & backward > 3 & grep -rlc define "$D/linux" | LC_ALL=C sort | sha256sum > 4 & wait
cat 2 3 4
tree | cmp - 1 && echo tree
walk | cmp - 2 && backward | cmp - 3 && echo again
