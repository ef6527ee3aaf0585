# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Packages of any Debian suite, without installing them: a private apt configuration whose
# archives, proxies and keys are the machine's own.

# The archive of SUITE, as this machine's apt names it.
suite_uri() # SUITE
{
	local release
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	[[ $1 != *-security ]] || release=$release-security
	# shellcheck disable=SC2016 # apt expands the format
	env -u APT_CONFIG apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' "Created-By: Packages" |
		awk -v release="$release" '$1 == release && $2 == "main" && !n++ { print $3 }'
}

# Makes $LAB_CACHE/apt/KEY for a comma-separated list of suites and reads their indexes.
suite_open() # SUITES
{
	local suite uri key dir=$LAB_CACHE/apt/$1
	mkdir -p "$dir"/{lists/partial,archives/partial,etc}
	: >"$dir/status"
	: >"$dir/etc/sources.list"
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ -e $key ]] && key="[signed-by=$key] " || key=
	for suite in ${1//,/ }; do
		uri=$(suite_uri "$suite")
		if [[ ! $uri ]]; then
			# A machine without security updates still has the suite itself.
			[[ $suite != "${1%%,*}" ]] || die "apt knows no archive for $suite: run" \
				"'apt-get update', check /etc/apt/sources.list"
			say "apt knows no archive for $suite: going without it"
			continue
		fi
		echo "deb $key$uri $suite main" >>"$dir/etc/sources.list"
	done
	{
		apt-config dump | grep '^Acquire::'
		cat <<-CONF
			Dir::State "$dir";
			Dir::State::lists "$dir/lists";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir";
			Dir::Cache::archives "$dir/archives";
			Dir::Etc::sourcelist "$dir/etc/sources.list";
			Dir::Etc::sourceparts "/dev/null";
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "/dev/null";
			Dir::Etc::preferencesparts "/dev/null";
			APT::Architecture "amd64";
			APT::Architectures "amd64";
			APT::Sandbox::User "root";
			APT::Install-Recommends "false";
			APT::Default-Release "$(grep -o '^[^,]*-backports' <<<"$1" || true)";
			APT::Get::List-Cleanup "false";
			Acquire::Languages "none";
			Acquire::Retries "3";
		CONF
	} >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
	step "reading the package lists of ${1//,/, }" apt-get -q update ||
		die "cannot read the package lists of $1: check the network and 'apt-get update'"
}

# The packages that PACKAGE's newest version depends on, alternatives left out.
suite_depends() # PACKAGE
{
	apt-cache show --no-all-versions "$1" | sed -n 's/^\(Pre-\)\?Depends: //p' | tr ',' '\n' |
		sed 's/^ *//; s/[ :|(].*//'
}

# PACKAGE and all it depends on whose name matches PATTERN, one a line.
suite_closure() # PATTERN PACKAGE...
{
	local pattern=$1 package seen=' '
	shift
	while (($#)); do
		package=$1
		shift
		[[ $seen != *" $package "* ]] || continue
		seen+="$package "
		echo "$package"
		# shellcheck disable=SC2046 # package names have no spaces
		set -- "$@" $(suite_depends "$package" | grep -E "$pattern")
	done
}

# Downloads packages (apt checks them against the signed index) and unpacks them in DIR.
suite_unpack() ( # DIR PACKAGE...
	local dir=$1 deb package
	shift
	mkdir -p "$dir"
	cd "${APT_CONFIG%/*}/archives" || die "cannot use ${APT_CONFIG%/*}"
	for package; do
		step "fetching $package" apt-get -q download "$package" ||
			die "cannot fetch $package: check the network"
		for deb in "$package"_*.deb; do
			dpkg-deb -x "$deb" "$dir"
			rm -f "$deb"
		done
	done
)
