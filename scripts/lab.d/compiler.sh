# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The compiler that a kernel's modules need, where the machine's own cannot build them: a small
# Debian tree, unpacked and never configured, entered with its own mount namespace.

compiler_packages="base-files dash bash coreutils findutils diffutils sed grep mawk perl-base
	make gcc-14 binutils libelf1t64 pahole kmod"

# Unpacks the compiler, as the open suite has it, into TREE.
compiler_unpack() # TREE
{
	local archives=${APT_CONFIG%/*}/archives deb
	rm -f "$archives"/*.deb
	# shellcheck disable=SC2086 # package names have no spaces
	step "fetching a compiler for this kernel" \
		apt-get -q -y install --download-only $compiler_packages ||
		die "cannot fetch a compiler: check the network"
	step "unpacking the compiler" compiler_unpack_archives "$1" "$archives"
}

compiler_unpack_archives() # TREE ARCHIVES
{
	local deb
	# base-files first: it makes /bin, /lib ... links into /usr.
	for deb in "$2"/base-files_*.deb "$2"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$1" --keep-directory-symlink --no-same-owner \
				--exclude='./usr/share/doc' --exclude='./usr/share/locale' \
				--exclude='./usr/share/man'
	done
	rm -f "$2"/*.deb
	ln -sf mawk "$1/usr/bin/awk"
	ln -sf gcc-14 "$1/usr/bin/gcc"
	mkdir -p "$1"/{proc,dev,tmp,module}
}

# make in the tree: DIR is /module in there.
compiler_make() # TREE DIR MAKE-ARGUMENT...
{
	local tree=$1 dir=$2 user=()
	shift 2
	[[ $(id -u) -eq 0 ]] || user=(--map-root-user)
	# shellcheck disable=SC2016 # for the inner shell
	unshare "${user[@]}" --mount -- sh -c '
		tree=$1 dir=$2
		shift 2
		mount --bind "$dir" "$tree/module" && mount --rbind /dev "$tree/dev" &&
			mount --rbind /proc "$tree/proc" &&
			exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEB_BUILD_ARCH=amd64 \
				chroot "$tree" make "$@"
	' sh "$tree" "$dir" "$@"
}
