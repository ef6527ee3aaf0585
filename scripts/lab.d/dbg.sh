# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Debug packages: DWARF of vmlinux and KVM's modules, to be compared with BTF. Fetched on demand.

# Where the debug files of kernel NAME are, whether or not they were fetched.
dbg_dir() # NAME
{
	echo "$LAB_CACHE/dbg/$(<"$LAB_CACHE/kernels/$1/release")-$(<"$LAB_CACHE/kernels/$1/version")"
}

dbg_prepare() # NAME
{
	local suites dir copy release
	dir=$(dbg_dir "$1")
	if manifest_check "$dir" sha256; then
		echo "$dir"
		return 0
	fi
	table_row kernels "$1" suites _ _
	release=$(<"$LAB_CACHE/kernels/$1/release")
	suite_open "$suites"
	apt-cache show "linux-image-$release-dbg" 2>/dev/null |
		grep -xF "Version: $(<"$LAB_CACHE/kernels/$1/version")" >/dev/null ||
		die "$suites no longer has the debug package of the cached $release: run '$0 prepare --update --dbg --kernel $1'"
	mkdir -p "$LAB_CACHE/dbg"
	find "$LAB_CACHE/dbg" -maxdepth 1 -name ".$1.*" -exec rm -rf {} +
	copy=$(mktemp -d "$LAB_CACHE/dbg/.$1.XXXXXX")
	step "fetching linux-image-$release-dbg (1 GB)" dbg_fetch "$copy" "$release" \
		"$(<"$LAB_CACHE/kernels/$1/version")" ||
		die "cannot fetch linux-image-$release-dbg: check the network and the free space"
	mkdir "$copy/dbg"
	find "$copy/usr" -type f -exec mv -t "$copy/dbg" {} +
	manifest_write "$copy/dbg" sha256 .
	rm -rf "$dir"
	mv -T "$copy/dbg" "$dir"
	rm -rf "$copy"
	echo "$dir"
}

# The package is large and most of it is drivers: only vmlinux and KVM are unpacked.
dbg_fetch() ( # DIR RELEASE VERSION
	cd "$1" &&
		apt-get -q download "linux-image-$2-dbg=$3" &&
		dpkg-deb --fsys-tarfile linux-image-*.deb |
		tar -x --wildcards '*/vmlinux-*' '*/vmlinux' '*/arch/x86/kvm/*.ko*' &&
		rm -f linux-image-*.deb
)
