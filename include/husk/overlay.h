/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay file system (fs/overlayfs): a writable layer above a read-only one. */
#ifndef HUSK_OVERLAY_H
#define HUSK_OVERLAY_H
#include <husk/fs.h>
/* overlay_mount_root: at boot: lower (kern_mount; taken over) with changes kept in memory above it, as the root of the tree */
int overlay_mount_root(struct vfsmount *lower, u64 max_bytes);
#endif
