# SPDX-License-Identifier: Apache-2.0
# A large tree that both sides see: names, types and sizes below /usr/share and /usr/lib; content of a part of it.
# time: 900
# cache: no
. "$(dirname "$0")/common.sh"
find /usr -xdev 2>/dev/null | sort | sha256sum
find /usr/share -xdev -printf '%y %m %P %l\n' 2>/dev/null | sort | sha256sum
find /usr/include /usr/lib/python3* -xdev -type f -printf '%s %TY-%Tm-%Td %P\n' 2>/dev/null | sort | sha256sum
find /usr/lib/x86_64-linux-gnu -maxdepth 1 -type f -name '*.so*' -print0 2>/dev/null | sort -z | head -z -n 60 | xargs -0 sha256sum | sha256sum
du -sb --apparent-size /usr/include/linux | awk '{print ($1 > 1000)}'
ls -lR /usr/include/linux | awk '{print $1, $5, $9}' | grep -v '^total\|^d' | sha256sum
