# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the machine itself needs: the one list is 'packages'.

# The packages of the list that are not installed.
packages_missing()
{
	comm -23 <(grep -v '^#' "$LAB_D/packages" | sort -u) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

packages_install()
{
	local missing
	mapfile -t missing < <(packages_missing)
	((${#missing[@]})) || return 0
	step "reading the package lists" as_root apt-get -q update || true
	step "installing ${missing[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y install --no-install-recommends "${missing[@]}" ||
		die "cannot install ${missing[*]}: run this as root, or 'apt-get install' them yourself"
}
