/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay file system (fs/overlayfs): a writable layer above a read-only one. */
#ifndef HUSK_OVERLAY_H
#define HUSK_OVERLAY_H
#include <husk/fs.h>
/* overlay_mount_root: at boot: upper (a tmpfs; kern_mount) above lower, as the root of the tree. Takes over both mounts. */
int overlay_mount_root(struct vfsmount *lower, struct vfsmount *upper);
#endif
