/* SPDX-License-Identifier: Apache-2.0 */
/* Event bits of fsnotify: those of inotify(7). */
#ifndef HUSK_INOTIFY_H
#define HUSK_INOTIFY_H
#include <linux/inotify.h>
#define FS_ACCESS IN_ACCESS
#define FS_MODIFY IN_MODIFY
#define FS_ATTRIB IN_ATTRIB
#define FS_CLOSE_WRITE IN_CLOSE_WRITE
#define FS_CLOSE_NOWRITE IN_CLOSE_NOWRITE
#define FS_OPEN IN_OPEN
#define FS_MOVED_FROM IN_MOVED_FROM
#define FS_MOVED_TO IN_MOVED_TO
#define FS_CREATE IN_CREATE
#define FS_DELETE IN_DELETE
#define FS_DELETE_SELF IN_DELETE_SELF
#define FS_MOVE_SELF IN_MOVE_SELF
#define FS_UNMOUNT IN_UNMOUNT
#define FS_ISDIR IN_ISDIR
#endif
