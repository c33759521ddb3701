/* SPDX-License-Identifier: Apache-2.0 */
/* Host directories (virtio-fs): what init needs of fs/fuse. */
#ifndef HUSK_FUSE_H
#define HUSK_FUSE_H

#include <husk/fs.h>
#include <hostif/hostif.h>

/**
 * virtiofs_kern_mount - mount a host directory for the kernel's own use (the root's lower layer, -v shares)
 * @dev: an entry of boot_params->device of type HOSTIF_DEV_FS
 * Return: the mount, not visible anywhere yet, or ERR_PTR
 *
 * The same share is also reached by mount(2): type "virtiofs", source the device's tag.
 */
struct vfsmount *virtiofs_kern_mount(struct hostif_device *dev);

#endif
