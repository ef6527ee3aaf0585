# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What one tree compiled, no other tree of the same sources compiles again: meson finds ccache by
# itself. Builds lie at the same place in every tree, so that the compiler is called alike in all.

export CCACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/spt/ccache
export CCACHE_MAXSIZE=1G CCACHE_NOHASHDIR=1
