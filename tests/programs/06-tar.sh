# SPDX-License-Identifier: Apache-2.0
# tar piped to tar, listing, incremental options, extraction of a part; cpio-like checks; gzip, xz, zstd, bzip2 round trips.
. "$(dirname "$0")/common.sh"
need tar gzip xz zstd
make_tree t 20
mkdir o; tar -cf - t | tar -C o -xf -; diff -r t o/t && echo same
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf a.tar t; sha256sum a.tar; tar -tf a.tar | wc -l
tar -tvf a.tar | awk '{print $1, $3, $6}' | sha256sum
mkdir p; tar -C p -xf a.tar t/dir3/sub t/script; find p | sort
tar -czf a.tgz t; mkdir z; tar -C z -xzf a.tgz; diff -r t z/t && echo gz
tar -cJf a.txz t; tar -tJf a.txz | wc -l
tar --zstd -cf a.tzst t; mkdir y; tar -C y --zstd -xf a.tzst; diff -r t y/t && echo zst
tar -C /usr/include -cf - linux | wc -c | awk '{print ($1 > 1000000)}'
tar -C /usr/include -cf - linux 2>/dev/null | tar -xf - && diff -r /usr/include/linux linux && echo headers
seq 300000 > n
for z in "gzip -n" "gzip -9n" "xz -1 -T2" "zstd -q -3" "zstd -q -T2 -9"; do
	$z -c n > n.z; case $z in gzip*) gzip -dc n.z;; xz*) xz -dc n.z;; *) zstd -dqc n.z;; esac | cmp - n && echo "$z ok"
done
gzip -n n; ls n*; gzip -t n.gz; echo $?; zcat n.gz | tail -1; zgrep -c 99 n.gz
head -c 100 n.gz | gzip -dc 2>&1 >/dev/null | sed 's/.*: //'; printf x > bad.gz; gzip -d bad.gz 2>/dev/null; echo $?
tar -xf nothere.tar 2>/dev/null; echo $?
