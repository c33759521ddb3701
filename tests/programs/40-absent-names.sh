# SPDX-License-Identifier: Apache-2.0
# Names that are not there, many in one directory and in vain, then there all the same: made, removed, links, dots, in large directories.
. "$(dirname "$0")/common.sh"
look() {
	for n in "$@"; do
		[ -e "$n" ] && echo "$n is there" || echo "$n is not there"
	done
}
look a b c d e f g h i j
for n in c e g; do echo "content of $n" >$n; done
look a b c d e f g h i j
mkdir sub sub/deeper
ln -s deeper sub/link
ln -s none sub/dangling
look sub/x sub/y sub/z sub/link sub/dangling sub/.hidden sub/deeper
touch sub/.hidden sub/y
look sub/x sub/y sub/z sub/.hidden
rm c sub/y
mv e sub/z
look c e sub/y sub/z
readlink sub/link sub/dangling
for d in /etc /usr /usr/bin /usr/lib /usr/include /usr/include/linux /usr/lib/gcc; do
	look $d/absent-1 $d/absent-2 $d/absent-3 $d/absent-4 $d/.absent $d/..
done
look /etc/passwd /usr/bin/env /usr/include/stdio.h /usr/include/linux/futex.h /usr/include/linux/futex.hh /usr/include/linux/fs.h
readlink /usr/bin/awk /etc/alternatives/awk /bin /lib64 2>/dev/null
for c in no-such-command-1 no-such-command-2 no-such-command-3; do command -v $c || echo "no $c"; done
command -v awk env | wc -l
