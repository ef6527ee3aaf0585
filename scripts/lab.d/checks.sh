# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own checks of module sources: sparse in a cached build tree, checkpatch from Debian's
# packaged kernel source.

# Fetches checkpatch.pl and its word lists; prints the script's path.
checkpatch_fetch()
{
	local dir=$LAB_CACHE/checkpatch copy archive
	if manifest_check "$dir" sha256; then
		echo "$dir/scripts/checkpatch.pl"
		return 0
	fi
	suite_open bookworm
	mkdir -p "$LAB_CACHE"
	rm -rf "$dir"
	copy=$(mktemp -d "$LAB_CACHE/.checkpatch.XXXXXX")
	suite_unpack "$copy/package" "$(suite_depends linux-source | grep -E '^linux-source-[0-9.]+$')"
	archive=$(find "$copy/package/usr/src" -name 'linux-source-*.tar.xz')
	step "unpacking checkpatch" tar -xJf "$archive" -C "$copy" --strip-components=1 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch' ||
		die "no checkpatch in $archive"
	rm -rf "$copy/package"
	manifest_write "$copy" sha256 .
	mv -T "$copy" "$dir"
	echo "$dir/scripts/checkpatch.pl"
}

# Runs sparse over the module in SOURCE with KERNEL's build tree; any warning about it fails (the
# kernel's own headers have some). What was clean is not looked at again.
sparse_run() # KERNEL SOURCE
{
	local kernel copy clean log=''
	kernel=$(kernel_dir "$1")
	[[ $(<"$kernel/compiler") = machine ]] ||
		die "sparse runs with the machine's compiler only, $1 has its own"
	copy=$(mktemp -d "${TMPDIR:-/tmp}/spt-sparse.XXXXXX")
	mkdir -p "$copy/agent" "$copy/${2#"$LAB_TOP/"}"
	cp "$LAB_TOP"/agent/*.h "$copy/agent/"
	cp -r "$2/." "$copy/${2#"$LAB_TOP/"}/"
	clean=$LAB_CACHE/sparse/$(module_key "$kernel" "$copy")-$(sparse --version | cut -d" " -f1)
	if [[ -e $clean ]]; then
		rm -rf "$copy"
		return 0
	fi
	log=$(make -C "$kernel/build" "M=$copy/${2#"$LAB_TOP/"}" C=2 modules 2>&1) || {
		echo "$log"
		rm -rf "$copy"
		return 1
	}
	rm -rf "$copy"
	log=$(grep -E 'warning:|error:' <<<"$log" | grep -F -e "$copy" -e "'spt_" || true)
	[[ ! $log ]] || { echo "$log"; return 1; }
	mkdir -p "${clean%/*}"
	find "${clean%/*}" -type f -mtime +7 -delete
	: >"$clean"
}
