# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Out-of-tree modules for a cached kernel: the agent and the tests' own, built once for each state
# of their sources.

# What the result depends on: all files of the copy, and the kernel.
module_key() # KERNEL-DIR COPY
{
	{
		cat "$1/release" "$1/version"
		(cd "$2" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
	} | sha256sum | cut -c1-16
}

# Builds the module in SOURCE (a directory of the project with a Kbuild) and prints the path of
# the finished directory. The project's shared headers are beside the copy as beside the source.
module_build() # KERNEL SOURCE
{
	local kernel name=${2##*/} inside=${2#"$LAB_TOP/"} copy final
	kernel=$(kernel_dir "$1")
	mkdir -p "$LAB_CACHE/modules/$1"
	copy=$(mktemp -d "$LAB_CACHE/modules/$1/.$name.XXXXXX")
	# The agent's headers are what a module of the tests shares with it.
	mkdir -p "$copy/agent" "$copy/$inside"
	cp "$LAB_TOP"/agent/*.h "$copy/agent/"
	cp -r "$2/." "$copy/$inside/"
	# A mistake put in on purpose, by tests that want to see it found.
	if [[ ${SPT_MUTANT-} && $inside = agent ]]; then
		patch -s -p1 -d "$copy" <"$LAB_TOP/tests/mutants/$SPT_MUTANT.patch" >&2 ||
			die "tests/mutants/$SPT_MUTANT.patch does not fit the agent any more: make it anew"
	fi
	# What a build in the source itself left is another kernel's.
	find "$copy" \( -name '*.o' -o -name '*.ko' -o -name '*.mod*' -o -name '.*.cmd' \) -delete
	final=$LAB_CACHE/modules/$1/$name-$(module_key "$kernel" "$copy")
	if manifest_check "$final" sha256; then
		touch "$final"
	else
		locked "${final##*/}-$1" module_finish "$kernel" "$copy" "$inside" "$final"
	fi
	rm -rf "$copy"
	echo "$final"
}

# Builds what is in COPY/INSIDE, unless another lab just did, and gives it its place.
module_finish() # KERNEL-DIR COPY INSIDE FINAL
{
	local log=$2/log
	! manifest_check "$4" sha256 || return 0
	manifest_check "$1" build.sha256 ||
		die "the build tree in $1 is damaged: run '$0 prepare --update'"
	# What was interrupted, and what nobody has used for long.
	find "${4%/*}" "$LAB_CACHE/lock" -mindepth 1 -maxdepth 1 \
		\( -name '.*' -mmin +60 -o -mtime +7 \) -exec rm -rf {} +
	say "building $3 for Linux $(<"$1/release")"
	if ! module_make "$1" "$2" "$3" >"$log" 2>&1; then
		grep -Ev '^ +(CC|LD|AR|MODPOST|BTF) |^make' "$log" >&2 || true
		rm -rf "$2"
		die "$3 does not build for Linux $(<"$1/release"): see above"
	fi
	grep -E 'warning:|WARNING:' "$log" >&2 || true
	mkdir "$2/done"
	cp "$2/$3"/*.ko "$log" "$2/done/"
	manifest_write "$2/done" sha256 .
	rm -rf "$4"
	mv -T "$2/done" "$4" || die "cannot write $4"
}

module_make() # KERNEL-DIR COPY SUBDIRECTORY
{
	if [[ $(<"$1/compiler") = tree ]]; then
		compiler_make "$1/tree" "$2" -C "/usr/src/linux-headers-$(<"$1/release")" \
			"M=/module/$3" "-j$(nproc)" modules
	else
		make -C "$1/build" "M=$2/$3" "-j$(nproc)" modules
	fi
}

# Builds the agent; prints the path of spt_agent.ko.
agent_build() # KERNEL
{
	local dir
	[[ -e $LAB_TOP/agent/Kbuild ]] ||
		die "$LAB_TOP/agent has no Kbuild: there is no agent to build"
	dir=$(module_build "$1" "$LAB_TOP/agent")
	echo "$dir/spt_agent.ko"
}

# Builds the agent and the tests' modules: LAB_AGENT and lab_modules name the results.
modules_build() # KERNEL
{
	local dir source
	if [[ -e $LAB_TOP/agent/Kbuild ]]; then
		LAB_AGENT=$(agent_build "$1")
		lab_modules+=("$LAB_AGENT")
	fi
	for source in "$LAB_TOP"/tests/modules/*/Kbuild; do
		[[ -e $source ]] || continue
		dir=$(module_build "$1" "${source%/Kbuild}")
		lab_modules+=("$dir"/*.ko)
	done
}
