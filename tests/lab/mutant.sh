#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What each of tests/mutants is run with: every file of a VM is opened, asked and read. The run must
# fail, by what the mutant's 'Caught-by:' says (scripts/test sees to it).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

request() {
	echo 'parts=vm,roots' 1<>"$DEBUGFS/$VM/image"
}

pages_start || finish
check request request
for file in image vm vcpus memslots roots tables ranges; do
	check "read-$file" cat "$DEBUGFS/$VM/$file"
done
finish
