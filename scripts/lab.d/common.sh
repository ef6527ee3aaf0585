# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What every part of the lab says and does alike: messages, tables, the cache's place, locks.

export LAB_TOP
LAB_TOP=$(cd "$LAB_D/../.." && pwd)
LAB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/spt

# One line a step, on stderr, so that a command's output stays its own.
say()
{
	printf 'lab: %s\n' "$*" >&2
}

# A usage or environment error: one line that says what to do.
die()
{
	printf 'lab: %s\n' "$*" >&2
	exit 2
}

# step TEXT COMMAND...: runs it quietly under a line; on failure shows what it said. A COMMAND that
# is a function ends at its first failing command, unless step itself stands in a condition.
step()
{
	local text=$1 out status start=$SECONDS
	shift
	say "$text"
	out=$(mktemp "${TMPDIR:-/tmp}/spt-lab.XXXXXX")
	set +e
	(set -e; "$@") >"$out" 2>&1
	status=$?
	set -e
	if ((status == 0)); then
		((SECONDS - start < 10)) || say "${text:0:40}: done in $((SECONDS - start)) s"
		rm -f "$out"
		return 0
	fi
	tail -n 25 "$out" >&2
	rm -f "$out"
	say "failed: $text"
	return 2
}

# The row of a table whose first field is NAME; fields end up in the named variables.
table_row() # TABLE NAME VARIABLE...
{
	local table=$1 name=$2 key
	shift 2
	while IFS=$'\t' read -r key "$@"; do
		[[ $key != "$name" ]] || return 0
	done < <(grep -v '^#' "$LAB_D/$table")
	return 1
}

table_names() # TABLE
{
	grep -v '^#' "$LAB_D/$1" | cut -f1 | paste -sd' '
}

# Runs COMMAND with an exclusive lock; released however the process ends.
locked() # NAME COMMAND...
{
	local lock=$LAB_CACHE/lock/$1
	shift
	mkdir -p "$LAB_CACHE/lock"
	(
		if ! flock -w 2 9; then
			say "waiting for another lab that holds $lock"
			flock 9
		fi
		"$@" 9>&-
	) 9>"$lock"
}

# As root: package installation is the only thing that needs it.
as_root()
{
	if [[ $(id -u) -eq 0 ]]; then
		"$@"
	else
		sudo "$@"
	fi
}
