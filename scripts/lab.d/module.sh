# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Out-of-tree modules for a cached kernel: the agent and the tests' own, built once for each state
# of their sources.

# What the result depends on: the sources (build products left out) and the kernel.
module_key() # SOURCES... (the kernel's directory in $kernel)
{
	{
		cat "$kernel/release" "$kernel/version"
		find "$@" -type f \( -name '*.[chS]' -o -name Kbuild -o -name 'Makefile*' \) \
			! -name '*.mod.c' -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum | cut -c1-16
}

# Builds the module in SOURCE (a directory of the project with a Kbuild) and prints the path of
# the finished directory. The project's shared headers are beside the copy as beside the source.
module_build() # KERNEL SOURCE
{
	locked "module-$1-$(basename "$2")" module_build_locked "$1" "$2"
}

module_build_locked() # KERNEL SOURCE
{
	local kernel source=$2 key final copy log
	kernel=$(kernel_dir "$1")
	key=$(module_key "$source" "$LAB_TOP"/agent/*.h)
	final=$LAB_CACHE/modules/$1/$(basename "$source")-$key
	if manifest_check "$final" sha256; then
		touch "$final"
		echo "$final"
		return 0
	fi
	manifest_check "$kernel" build.sha256 || die "the build tree of $1 is damaged: run '$0 prepare --update --kernel $1'"
	say "building ${source#"$LAB_TOP/"} for Linux $(<"$kernel/release")"
	rm -rf "$final"
	mkdir -p "$LAB_CACHE/modules/$1"
	# What was interrupted (the lock is ours), and what nobody has used for long.
	find "$LAB_CACHE/modules/$1" -mindepth 1 -maxdepth 1 \
		\( -name ".$(basename "$source").*" -o -mtime +7 \) -exec rm -rf {} +
	copy=$(mktemp -d "$LAB_CACHE/modules/$1/.$(basename "$source").XXXXXX")
	# The agent's headers are what a module of the tests shares with it.
	mkdir "$copy/agent"
	cp "$LAB_TOP"/agent/*.h "$copy/agent/"
	mkdir -p "$copy/${source#"$LAB_TOP/"}"
	cp -r "$source/." "$copy/${source#"$LAB_TOP/"}/"
	# What a build in the source itself left is another kernel's.
	find "$copy" \( -name '*.o' -o -name '*.ko' -o -name '*.mod*' -o -name '.*.cmd' \) -delete
	log=$copy/log
	if ! module_make "$kernel" "$copy" "${source#"$LAB_TOP/"}" >"$log" 2>&1; then
		grep -Ev '^ +(CC|LD|AR|MODPOST|BTF) |^make' "$log" >&2 || true
		rm -rf "$copy"
		say "${source#"$LAB_TOP/"} does not build for Linux $(<"$kernel/release")"
		return 1
	fi
	grep -E 'warning:|WARNING:' "$log" >&2 || true
	mkdir "$copy/done"
	cp "$copy/${source#"$LAB_TOP/"}"/*.ko "$log" "$copy/done/"
	manifest_write "$copy/done" sha256 .
	mv -T "$copy/done" "$final"
	rm -rf "$copy"
	echo "$final"
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
	dir=$(module_build "$1" "$LAB_TOP/agent") || return
	echo "$dir/spt_agent.ko"
}

# Builds the agent and the tests' modules: LAB_AGENT and lab_modules name the results.
modules_build() # KERNEL
{
	local dir source
	if [[ -e $LAB_TOP/agent/Kbuild ]]; then
		LAB_AGENT=$(agent_build "$1") || die "the agent does not build: see above"
		lab_modules+=("$LAB_AGENT")
	fi
	for source in "$LAB_TOP"/tests/modules/*/Kbuild; do
		[[ -e $source ]] || continue
		dir=$(module_build "$1" "${source%/Kbuild}") || die "${source%/Kbuild} does not build: see above"
		lab_modules+=("$dir"/*.ko)
	done
}
