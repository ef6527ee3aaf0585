# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The project's own programs for L1, from a meson build directory: SPT_BUILD, or 'build' in the tree.

build_directory()
{
	echo "${SPT_BUILD:-$LAB_TOP/build}"
}

# Brings the build up to date. SPT_BUILD=none: L1 gets no program of the project.
build_project()
{
	local dir
	dir=$(build_directory)
	[[ $dir != none ]] || return 0
	locked "build-$(cksum <<<"$dir" | cut -d' ' -f1)" build_update "$dir"
}

build_update() # DIR
{
	if [[ ! -e $1/build.ninja ]]; then
		step "setting up $1" meson setup "$1" "$LAB_TOP" || die "meson does not accept the machine: see above"
	fi
	if [[ $(ninja -C "$1" -n 2>/dev/null) != *'no work to do'* ]]; then
		step "building spt" ninja -C "$1" || die "spt does not build: see above"
	fi
}

# The programs that were built, one path a line; unit tests and fuzzers stay on the host.
build_programs()
{
	local dir
	dir=$(build_directory)
	[[ $dir != none ]] || return 0
	find "$dir" -type f -executable ! -name '*.so*' ! -name 'test_*' ! -name 'fuzz_*' \
		! -name bench-scale ! -name genimage ! -name fake_host \
		! -path '*/meson-*' ! -path '*.p/*'
}
