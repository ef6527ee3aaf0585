/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTS_OLD_IMAGES_H
#define TESTS_OLD_IMAGES_H

/*
 * Write images of VMs in the structures of the first TDX trees, old-td.spt, old-nested.spt and
 * later-td.spt, into a directory: this program has the VMs in its memory and finds its way in
 * them by debug information, its own and that of 'later_types'. 0, or 1 with a line on stderr.
 */
int old_images(const char *dir);

#endif
