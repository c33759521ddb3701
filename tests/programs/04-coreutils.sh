# SPDX-License-Identifier: Apache-2.0
# coreutils over a generated tree: ls -lR, cp -a, du, mv, rm, find, stat, touch, chmod, sort, dd, split, tee and friends.
. "$(dirname "$0")/common.sh"
make_tree t 30
ls -lR --time-style=full-iso t | awk '/^total|^d/ {next} {$2 = ""; if ($1 ~ /^l/) $5 = ""; $3 = $4 = ""; print}' | sha256sum
find t | LC_ALL=C sort | sha256sum
find t -type f -size +0 -name 'f*' | wc -l
find t -type l -printf '%l %y\n' | sort | uniq -c
find t -samefile t/dir3/f1.txt | sort
find t -newermt 2020-01-01 ! -newermt 2021-01-01 | wc -l
cp -a t u; diff -r t u && echo same
find u -mindepth 1 -printf '%P %m %s %TY-%Tm-%Td %n %y\n' | awk '$NF == "d" {$3 = $5 = ""} {print}' | LC_ALL=C sort | sha256sum
find t -mindepth 1 -printf '%P %m %s %TY-%Tm-%Td %n %y\n' | awk '$NF == "d" {$3 = $5 = ""} {print}' | LC_ALL=C sort | sha256sum
cp -r --preserve=links t v; find v -links +1 | wc -l
mv u w; mv w/dir1 w/dir2/; ls w/dir2 | sort | tail -3
chmod -R go-rwx w; stat -c '%a %F' w w/script w/empty w/dir5/sub/link
rm -rf w/dir?; ls w | wc -l; rm -rf w v; ls
du -b --apparent-size t/dir1/f1.txt; du -a t | wc -l
dd if=/dev/zero of=big bs=1M count=20 2>/dev/null; wc -c < big; sha256sum big
dd if=big of=part bs=1000 skip=7 count=13 conv=notrunc 2>/dev/null; stat -c %s part
truncate -s 5G sparse; stat -c %s sparse; cp --sparse=always sparse sparse2; cmp -n 1000000 sparse sparse2 && stat -c '%s %b' sparse2
printf x | dd of=sparse bs=1 seek=1000000 conv=notrunc 2>/dev/null; cp sparse sparse3; head -c 2000000 sparse3 | tr -d '\0'; stat -c ' %s' sparse3; du --block-size=1M sparse3
split -b 3M big pp; ls pp*; cat pp* | cmp - big && echo joined; rm pp*
seq 1 200000 | sort -R --random-source=<(yes) | sort -n | sha256sum
seq 1 50000 | sort -r -S 100k -T . | tail -2
seq 20 | tee a b | tail -1; cmp a b; comm -12 a b | wc -l; paste a b | head -2; join a b | wc -l
seq 10 | shuf --random-source=<(yes) | sort -n | tr '\n' ' '; seq 10 | tac | head -1; nl a | tail -1; fold -w 3 <<< abcdefgh
od -An -tx1 -N8 /proc/self/exe; head -c 5 big | xxd 2>/dev/null | head -1 || true
install -m 700 t/script inst; stat -c %a inst; ./inst
ln -sfn t link; readlink link; readlink -f link | sed "s,$TESTDIR,T,"; realpath t/dir1/../dir2 | sed "s,$TESTDIR,T,"
touch -d '1999-12-31 23:59:59.5 UTC' old; stat -c '%Y %y' old; touch -r old new; [ new -ot t ] && echo older
mktemp -d XXXX >/dev/null && echo mktemp; mkdir -p a1/b/c; rmdir -p a1/b/c; ls -d a1 2>&1 | sed 's/.*: //'
mkfifo fi; stat -c %F fi /dev/null . link
id -u | grep -cE '^[0-9]+$'; env -i A=b env; printenv LANG; nproc | grep -cE '^[0-9]+$'; uname -s; date -u -d @1000000000 +%F_%T
df . | wc -l; sync; ls /proc/self/fd | wc -l; tail -n +5 a | head -2; expr 7 \* 6; factor 1234567890; basenc --base64 <<< hello; cksum a; md5sum a
tail -f a > followed & p=$!; soon grep -qx 20 followed; echo appended >> a; soon grep -q appended followed; kill $p; wait $p 2>/dev/null; tail -1 followed
find . -delete; ls -A | wc -l
