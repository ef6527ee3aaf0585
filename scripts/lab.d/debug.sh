# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The debug kernel: built from Debian's linux-source with debug.config, every checker on. What an
# interrupted build has done is kept and gone on with.

debug_work=$LAB_CACHE/debug-build

# Changes whenever the kernel must be built again.
debug_key()
{
	cat "$LAB_D"/debug.{config,Kconfig,sh} | sha256sum | cut -c1-16
}

# Makes sure that the debug kernel is in the cache, whole, and built as it is to be now.
debug_prepare() # NAME SUITE META-PACKAGE [UPDATE]
{
	local name=$1 key cached=$LAB_CACHE/kernels/$1 package version dir
	key=$(debug_key)
	if [[ ! ${4-} && -e $cached/key && $(<"$cached/key") = "$key" ]] &&
		manifest_check "$cached" boot.sha256; then
		return 0
	fi
	suite_open "$2"
	package=$(suite_depends "$3" | grep -E "^$3-[0-9.]+\$") ||
		die "no $3 in $2: is 'kernels' right?"
	version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
	if [[ -e $cached/key && $(<"$cached/key") = "$key" && $(<"$cached/version") = "$version" ]] &&
		kernel_whole "$name"; then
		say "the debug kernel is built from the newest $package, $version"
		return 0
	fi
	debug_source "$package" "$version" "$key"
	debug_build "$version"
	find "$LAB_CACHE/kernels" -maxdepth 1 -name ".$name.*" -exec rm -rf {} +
	dir=$(mktemp -d "$LAB_CACHE/kernels/.$name.XXXXXX")
	chmod 755 "$dir"
	step "keeping what the lab needs of it" debug_install "$dir" || die "the build is not whole: see above"
	echo "$version" >"$dir/version"
	echo machine >"$dir/compiler"
	echo "$key" >"$dir/key"
	manifest_write "$dir" boot.sha256 vmlinuz vmlinux config release version compiler key lib
	manifest_write "$dir" build.sha256 tree dwarf
	kernel_publish "$dir" "$name" "$(<"$dir/release")"
	rm -rf "$debug_work"
}

# $debug_work/linux is the configured source, whole, of this version and key.
debug_source() # PACKAGE VERSION KEY
{
	local from="$2 $3"
	if [[ -d $debug_work/linux && $(<"$debug_work/from") = "$from" ]]; then
		say "going on with the build that was begun"
		return 0
	fi
	rm -rf "$debug_work"
	mkdir -p "$debug_work/new"
	echo "$from" >"$debug_work/from"
	suite_unpack "$debug_work/package" "$1"
	step "unpacking $1" tar -xJf "$debug_work/package/usr/src/$1.tar.xz" \
		-C "$debug_work/new" --strip-components=1 || die "cannot unpack $1: is the disk full?"
	rm -rf "$debug_work/package"
	cat "$LAB_D/debug.Kconfig" >>"$debug_work/new/arch/x86/kvm/Kconfig"
	step "configuring the debug kernel" debug_configure "$debug_work/new" ||
		die "debug.config does not fit $1 $2: see above"
	mv -T "$debug_work/new" "$debug_work/linux"
}

# An option that Kconfig dropped, because what it depends on is missing, is an error.
debug_configure() # SOURCE
{
	local line missing=0
	make -C "$1" -s tinyconfig
	cat "$LAB_D/debug.config" >>"$1/.config"
	make -C "$1" -s olddefconfig
	while read -r line; do
		grep -qxF -e "$line" "$1/.config" || { echo "not in .config: $line"; missing=1; }
	done < <(grep -E '^(# )?CONFIG_' "$LAB_D/debug.config")
	return $missing
}

debug_make() # MAKE-ARGUMENT...
{
	make -C "$debug_work/linux" "-j$(nproc)" KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab \
		KBUILD_BUILD_TIMESTAMP=@0 "$@"
}

debug_build() # VERSION
{
	step "building Linux $1 with every checker on: some 15 minutes, once" \
		debug_make bzImage modules || die "the debug kernel does not build: see above"
}

# What boots, what modules are built against, and in 'dwarf' what an address in a report is looked
# up in (addr2line).
debug_install() # DIR
{
	local source=$debug_work/linux release
	release=$(make -C "$source" -s kernelrelease)
	echo "$release" >"$1/release"
	cp "$source/.config" "$1/config"
	cp "$source/arch/x86/boot/bzImage" "$1/vmlinuz"
	strip -o "$1/vmlinux" "$source/vmlinux"
	debug_make "INSTALL_MOD_PATH=$1" INSTALL_MOD_STRIP=1 modules_install
	rm -f "$1/lib/modules/$release/"{build,source}
	mkdir -p "$1/dwarf" "$1/tree"
	cp "$source/vmlinux" "$source"/arch/x86/kvm/*.ko "$1/dwarf/"
	# shellcheck disable=SC2016 # make expands it
	debug_make 'KBUILD_RUN_COMMAND=+$(srctree)/scripts/package/install-extmod-build '"$1/tree" \
		run-command
	ln -s tree "$1/build"
}
