# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the machine itself needs: the one list is 'packages'.

# The packages of the list that are not installed; without ALL only what building and the lab need.
packages_missing() # [ALL]
{
	comm -23 <(awk -v all="${1-}" '!/^#/ && (all || $2 != "check") { print $1 }' "$LAB_D/packages" |
		sort -u) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

packages_install() # [ALL]
{
	local missing
	mapfile -t missing < <(packages_missing "${1-}")
	((${#missing[@]})) || return 0
	step "reading the package lists" as_root apt-get -q update || true
	step "installing ${missing[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y install --no-install-recommends "${missing[@]}" ||
		die "cannot install ${missing[*]}: run this as root, or 'apt-get install' them yourself"
}
