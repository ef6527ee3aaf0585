# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The kernels: fetched as packages, kept complete and checksummed, never installed.
#
# $LAB_CACHE/kernels/NAME is a link to a directory that is built beside it and renamed when it is
# whole, so that a run sees all of a kernel or nothing of it.

kernel_packages='^linux-(image|binary|modules|base|headers|kbuild)-[0-9]'

# The kernels that Debian built, which everything is tested on; the others are asked for by name.
kernels_stock()
{
	awk -F'\t' '!/^#/ && $4 != "source" { print $1 }' "$LAB_D/kernels" | paste -sd' '
}

kernel_dir() # NAME
{
	readlink -f "$LAB_CACHE/kernels/$1"
}

# A manifest of every file below DIR/PART..., and the check of it.
manifest_write() # DIR MANIFEST PART...
{
	local dir=$1 manifest=$2
	shift 2
	(cd "$dir" && find "$@" -type f ! -name "$manifest" -print0 | sort -z | xargs -0 sha256sum) >"$dir/$manifest"
}

manifest_check() # DIR MANIFEST
{
	[[ -s $1/$2 ]] && (cd "$1" && sha256sum --quiet --strict -c "$2") >/dev/null 2>&1
}

# The kernel inside a bzImage, by the offsets of its setup header (Documentation/arch/x86/boot.rst:
# setup_sects 0x1f1, payload_offset 0x248, payload_length 0x24c). The payload ends with its
# uncompressed size in 4 bytes, which are no part of the compressed stream.
kernel_decompress() # BZIMAGE
{
	local sects offset length start magic filter
	read -r sects < <(od -An -tu1 -j $((0x1f1)) -N1 "$1")
	read -r offset length < <(od -An -tu4 -j $((0x248)) -N8 "$1")
	start=$(((sects + 1) * 512 + offset))
	read -r magic < <(od -An -tx4 -j $start -N4 "$1")
	case $magic in
	587a37fd) filter="xz -dc" ;;
	fd2fb528) filter="zstd -dc" ;;
	184c2102) filter="lz4 -dc" ;;
	*8b1f) filter="gzip -dc" ;;
	*) die "$1: unknown compression of the kernel (0x$magic)" ;;
	esac
	dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip=$start count=$((length - 4)) status=none |
		$filter
}

# The modules that L1 and its guests can need, with what they depend on, uncompressed.
kernel_modules() # ROOT RELEASE DIR
{
	local from=$1/lib/modules/$2 to=$3/lib/modules/$2 name path
	[[ -d $from ]] || from=$1/usr/lib/modules/$2
	mkdir -p "$to"
	depmod -b "${from%/lib/modules/*}" "$2"
	grep -v '^#' "$LAB_D/modules" | while read -r name; do
		modprobe -d "${from%/lib/modules/*}" -S "$2" --show-depends "$name" ||
			die "Linux $2 has no module $name"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r path; do
		name=$to/${path##*/lib/modules/"$2"/}
		[[ ! -e ${name%.[xz]*} ]] || continue
		mkdir -p "${name%/*}"
		case $path in
		*.xz) xz -dc "$path" >"${name%.xz}" ;;
		*.zst) zstd -qdc "$path" >"${name%.zst}" ;;
		*) cp "$path" "$name" ;;
		esac
	done
	cp "$from"/modules.builtin{,.modinfo} "$from/modules.order" "$to/"
	depmod -b "$3" "$2"
	cp "$LAB_D/modules" "$to/modules.listed"
}

# Debian's headers include their common half by its installed place; here the two lie side by side.
# A tree with its own compiler is entered by chroot and finds everything in its place.
kernel_tree_relocate() # TREE RELEASE
{
	# shellcheck disable=SC2016 # make expands it
	sed -i 's#/usr/src/#$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../#' \
		"$1/usr/src/linux-headers-$2/Makefile"
}

kernel_fetch() # NAME SUITES FLAVOUR COMPILER
{
	local name=$1 flavour=$3 compiler=$4 dir packages release version
	suite_open "$2"
	packages=$(kernel_closure "$flavour")
	release=$(sed -n 's/^linux-image-//p' <<<"$packages")
	version=$(apt-cache show --no-all-versions "linux-image-$release" | sed -n 's/^Version: //p')
	[[ $release && $version ]] || die "no linux-image-$flavour in $2: is 'kernels' right?"
	if [[ -e $LAB_CACHE/kernels/$name && $(<"$LAB_CACHE/kernels/$name/version") = "$version" ]] &&
		kernel_whole "$name"; then
		say "Linux $release $version is the newest"
		return 0
	fi

	mkdir -p "$LAB_CACHE/kernels"
	find "$LAB_CACHE/kernels" -maxdepth 1 -name ".$name.*" -exec rm -rf {} +
	dir=$(mktemp -d "$LAB_CACHE/kernels/.$name.XXXXXX")
	chmod 755 "$dir"
	# shellcheck disable=SC2086 # package names have no spaces
	suite_unpack "$dir/tree" $packages
	if [[ $compiler = tree ]]; then
		compiler_unpack "$dir/tree"
	fi
	step "unpacking Linux $release" kernel_unpack "$dir" "$release" "$compiler"
	echo "$release" >"$dir/release"
	echo "$version" >"$dir/version"
	echo "$compiler" >"$dir/compiler"
	manifest_write "$dir" boot.sha256 vmlinuz vmlinux config release version compiler lib
	manifest_write "$dir" build.sha256 tree
	kernel_publish "$dir" "$name" "$release"
}

kernel_unpack() # DIR RELEASE COMPILER
{
	local file
	for file in vmlinuz config; do
		mv "$1/tree/boot/$file-$2" "$1/$file" 2>/dev/null ||
			mv "$1/tree/usr/lib/modules/$2/$file" "$1/$file"
	done
	kernel_decompress "$1/vmlinuz" >"$1/vmlinux"
	kernel_modules "$1/tree" "$2" "$1"
	rm -rf "$1"/tree/{,usr/}lib/modules/"$2"/{kernel,updates} "$1/tree/boot"
	[[ $3 = tree ]] || kernel_tree_relocate "$1/tree" "$2"
	ln -s "tree/usr/src/linux-headers-$2" "$1/build"
}

# Gives a whole directory its name. A run that uses an older one keeps it: it is removed only by
# the next update.
kernel_publish() # DIR NAME RELEASE
{
	local final
	final=$LAB_CACHE/kernels/$2-$3-$(date +%s)
	sync -f "$1"
	mv -T "$1" "$final"
	ln -s "${final##*/}" "$LAB_CACHE/kernels/.$2.link"
	mv -T "$LAB_CACHE/kernels/.$2.link" "$LAB_CACHE/kernels/$2"
	find "$LAB_CACHE/kernels" -maxdepth 1 -name "$2-*" ! -name "${final##*/}" -mmin +60 \
		-exec rm -rf {} +
}

# Whether all of a kernel is there as it was fetched.
kernel_whole() # NAME
{
	manifest_check "$LAB_CACHE/kernels/$1" boot.sha256 &&
		manifest_check "$LAB_CACHE/kernels/$1" build.sha256
}

# The packages of the newest kernel, of which the release that is asked for is one.
kernel_closure() # FLAVOUR
{
	suite_closure "$kernel_packages" "linux-image-$1" "linux-headers-$1" | grep -E "$kernel_packages"
}

# Whether a kernel in the cache has all that 'modules' lists.
kernel_has_modules() # NAME
{
	cmp -s "$LAB_D/modules" "$LAB_CACHE/kernels/$1/lib/modules/$(<"$LAB_CACHE/kernels/$1/release")/modules.listed"
}

# Fetches what 'modules' lists and the cached kernel lacks, from its own packages; a kernel that is
# not to be had any more is replaced by the newest. Nothing that is there changes: runs may use it.
kernel_more_modules() # NAME SUITES FLAVOUR COMPILER
{
	local dir tree packages release version
	dir=$(kernel_dir "$1")
	release=$(<"$dir/release")
	suite_open "$2"
	packages=$(kernel_closure "$3" | grep -E '^linux-(image|binary|modules|base)-')
	version=$(apt-cache show --no-all-versions "linux-image-$release" 2>/dev/null | sed -n 's/^Version: //p')
	if [[ $version != "$(<"$dir/version")" ]]; then
		kernel_fetch "$@"
		return
	fi
	tree=$(mktemp -d "$LAB_CACHE/kernels/.$1.XXXXXX")
	# shellcheck disable=SC2086 # package names have no spaces
	suite_unpack "$tree" $packages
	step "adding modules to Linux $release" kernel_modules "$tree" "$release" "$dir"
	rm -rf "$tree"
	manifest_write "$dir" boot.sha256 vmlinuz vmlinux config release version compiler lib
}

# Makes sure that kernel NAME is in the cache and what boots of it is whole; its build tree, which
# is many files, is checked when something is built.
kernel_prepare() # NAME [UPDATE]
{
	local suites flavour compiler
	table_row kernels "$1" suites flavour compiler ||
		die "no kernel '$1': known are $(table_names kernels)"
	if [[ $compiler = source ]]; then
		debug_prepare "$1" "$suites" "$flavour" "${2-}"
		return
	fi
	if [[ ! ${2-} ]] && manifest_check "$LAB_CACHE/kernels/$1" boot.sha256; then
		kernel_has_modules "$1" || kernel_more_modules "$1" "$suites" "$flavour" "$compiler"
		return
	fi
	[[ ! -e $LAB_CACHE/kernels/$1 || ${2-} ]] || say "the cached kernel $1 is damaged: fetching it again"
	kernel_fetch "$1" "$suites" "$flavour" "$compiler"
}
