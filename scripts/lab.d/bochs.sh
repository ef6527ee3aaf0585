# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# L1 under Bochs: Intel VMX with real EPT. There is no disk: bochs-l1 puts kernel and initramfs
# straight into L1's memory, and keeps /lab/out and /lab/outside alike on both sides through it.
#
# Bochs 3.0 of Debian 13, from the cache and through its own ld.so: Debian 12's 2.7 takes half as
# long again, and Linux 6.12 and later warn about the CPU topology it shows.

bochs_suite=trixie
bochs_memory_max=2048
bochs_modules=(kvm kvm-intel msr)

# What costs L1 seconds of emulation and matters to nobody in there: the jitter RNG's self-test,
# the certificates of signed modules, the names of numbers in built-in trace events, the search for
# writable and executable pages.
bochs_boot_line="console=ttyS0,115200 quiet mitigations=off nopku nokaslr tsc=reliable"
bochs_boot_line+=" no_timer_check random.trust_cpu=on cryptomgr.notests panic=-1 log_buf_len=4M"
bochs_boot_line+=" initcall_blacklist=jent_mod_init,load_system_certificate_list,trace_eval_init rodata=off"

# Makes sure that the emulator is in the cache, whole.
bochs_prepare() # [UPDATE]
{
	local dir
	if [[ ! ${1-} ]] && manifest_check "$LAB_CACHE/bochs" sha256; then
		return 0
	fi
	[[ ! -e $LAB_CACHE/bochs || ${1-} ]] || say "the cached Bochs is damaged: fetching it again"
	find "$LAB_CACHE" -maxdepth 1 -name '.bochs.*' -exec rm -rf {} +
	dir=$(mktemp -d "$LAB_CACHE/.bochs.XXXXXX")
	chmod 755 "$dir"
	suite_open "$bochs_suite"
	step "fetching Bochs" apt-get -q -y install --download-only bochs bochs-term ||
		die "cannot fetch Bochs: check the network"
	step "unpacking Bochs" bochs_unpack "$dir" "${APT_CONFIG%/*}/archives"
	manifest_write "$dir" sha256 bin lib plugins share
	sync -f "$dir"
	rm -rf "$LAB_CACHE/bochs"
	mv -T "$dir" "$LAB_CACHE/bochs"
}

# Keeps of the packages what Bochs loads.
bochs_unpack() # DIR ARCHIVES
{
	local tree=$1/tree libraries=$1/tree/usr/lib/x86_64-linux-gnu deb file
	mkdir -p "$tree" "$1"/{bin,lib,share}
	for deb in "$2"/{bochs,lib,vgabios}*.deb; do
		dpkg-deb -x "$deb" "$tree"
	done
	rm -f "$2"/*.deb
	mv "$libraries/bochs/plugins" "$1/plugins"
	cp -L "$tree"/usr/share/bochs/{BIOS-bochs-latest,VGABIOS-lgpl-latest} "$1/share/"
	mv "$tree/usr/bin/bochs-bin" "$1/bin/"
	for file in "$1/bin/bochs-bin" "$1/plugins/libbx_term_gui.so"; do
		"$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" --list "$file"
	done | grep -o "$libraries/[^ ]*" | sort -u | xargs cp -L -t "$1/lib"
	cp -L "$libraries/ld-linux-x86-64.so.2" "$1/lib/"
	rm -rf "$tree"
}

# Builds the programs of both sides and the ROM, once for each state of their sources; prints
# their directory.
bochs_tools()
{
	local key final dir
	key=$(cat "$LAB_D"/bochs-* | sha256sum | cut -c1-16)
	final=$LAB_CACHE/bochs-tools/$key
	if ! manifest_check "$final" sha256; then
		mkdir -p "$LAB_CACHE/bochs-tools"
		dir=$(mktemp -d "$LAB_CACHE/bochs-tools/.XXXXXX")
		chmod 755 "$dir"
		step "building the lab's programs for Bochs" bochs_tools_build "$dir" ||
			die "the lab's programs for Bochs do not build: see above"
		rm -rf "$final"
		mv -T "$dir" "$final" 2>/dev/null || rm -rf "$dir"
	fi
	echo "$final"
}

bochs_tools_build() # DIR
{
	local sum compile=(gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror)
	"${compile[@]}" -o "$1/bochs-l1" "$LAB_D"/bochs-{l1,memory,kernel,link}.c ||
		return
	"${compile[@]}" -static -o "$1/bochs-guest" "$LAB_D"/bochs-{guest,link}.c || return
	gcc -m32 -c -o "$1/rom.o" "$LAB_D/bochs-rom.S" &&
		ld -m elf_i386 -Ttext 0 --oformat binary -o "$1/rom" "$1/rom.o" || return
	# The BIOS runs a ROM whose bytes sum up to 0; the last one is left for that.
	sum=$(od -An -v -tu1 "$1/rom" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print s % 256 }')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %x $(((256 - sum) % 256)))" |
		dd of="$1/rom" bs=1 seek=$(($(stat -c %s "$1/rom") - 1)) conv=notrunc status=none
	manifest_write "$1" sha256 bochs-l1 bochs-guest rom
}

# L1's root: busybox, bash, the programs of LAB_BIN with their libraries, KVM's modules, /lab and
# /share.
bochs_root() # DIR TOOLS
{
	local root=$1 file module
	mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,root,out,share,lab/outside}
	cp "$2/bochs-guest" "$root/init"
	install -m 755 "$LAB_D/bochs-start" "$root/start"
	cp "$(command -v busybox)" "$(command -v bash)" "$root/bin/"
	cp -rL "$LAB_RUN"/l1/. "$root/lab/"
	rm -rf "$root"/lab/out/*
	for file in "$root"/lab/bin/* "$root"/lab/modules/*.ko; do
		[[ ! -e $file ]] || strip --strip-debug "$file" 2>/dev/null || true
	done
	{
		for file in "$root"/bin/bash "$root"/lab/bin/*; do
			ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true
		done
		# spt opens these when it has an instruction to print, or records events.
		for library in libcapstone libtraceevent libtracefs; do
			/sbin/ldconfig -p | sed -n "s/.*$library\.so\.[0-9]* .* => //p" | head -n 1
		done
	} | sort -u | while read -r file; do
		mkdir -p "$root${file%/*}"
		cp -L "$file" "$root$file"
	done
	for module in "${bochs_modules[@]}"; do
		modprobe -d "$LAB_KERNEL_DIR" -S "$LAB_RELEASE" --show-depends "$module"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
		module=$root/lib/modules/$LAB_RELEASE/${file##*/lib/modules/"$LAB_RELEASE"/}
		mkdir -p "${module%/*}"
		# Without its signature, whose check takes seconds.
		strip --strip-debug -o "$module" "$file"
	done
	cp "$LAB_KERNEL_DIR/lib/modules/$LAB_RELEASE"/modules.* "$root/lib/modules/$LAB_RELEASE/"
	[[ ! $LAB_SHARE ]] || cp -rL "$LAB_SHARE/." "$root/share/"
}

bochs_config() # TOOLS
{
	local bochs=$LAB_CACHE/bochs
	cat <<-CONF
		config_interface: textconfig
		display_library: term, options="hideIPS"
		cpu: model=$LAB_CPU, count=$LAB_SMP, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
		memory: guest=$LAB_MEM, host=$LAB_MEM
		romimage: file=$bochs/share/BIOS-bochs-latest
		vgaromimage: file=$bochs/share/VGABIOS-lgpl-latest
		optromimage1: file=$1/rom, address=0xd0000
		boot: cdrom
		com1: enabled=1, mode=file, dev=$LAB_LOG/console
		clock: sync=none
		log: $LAB_LOG/bochs
		panic: action=fatal
		error: action=ignore
		debug: action=ignore
		sound: waveoutdrv=dummy
	CONF
	[[ ! $LAB_INTERACTIVE ]] || echo "com2: enabled=1, mode=term, dev=$(tty)"
}

bochs_run()
{
	local bochs=$LAB_CACHE/bochs tools root=$LAB_RUN/root size
	[[ $LAB_GUEST != qemu ]] || die "--guest qemu: not under Bochs; use --guest pages, or --mmu npt"
	((LAB_MEM <= bochs_memory_max)) || die "--mem $LAB_MEM: Bochs has $bochs_memory_max MiB at most"
	if [[ $LAB_SHARE ]]; then
		size=$(du -sLm "$LAB_SHARE" | cut -f1)
		((size * 4 <= LAB_MEM)) ||
			die "--share: $size MiB are copied into L1's memory under Bochs; use --mem $((size * 4))"
	fi
	locked bochs bochs_prepare
	tools=$(bochs_tools)
	bochs_root "$root" "$tools"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$LAB_RUN/initrd.cpio"
	rm -rf "$root"
	mkdir -p "$LAB_RUN/l1/outside"
	bochs_config "$tools" >"$LAB_RUN/bochsrc"
	echo c >"$LAB_RUN/bochs.commands"
	LTDL_LIBRARY_PATH=$bochs/plugins BXSHARE=$bochs/share setpriv --pdeathsig KILL \
		"$tools/bochs-l1" -k "$LAB_KERNEL_DIR/$LAB_BOOT" -i "$LAB_RUN/initrd.cpio" \
		-a "$bochs_boot_line" -d "$LAB_RUN/l1" -r "$LAB_RAM" \
		-l "$LAB_LOG/bochs" -s "$LAB_LOG/screen" -- \
		"$bochs/lib/ld-linux-x86-64.so.2" --library-path "$bochs/lib" "$bochs/bin/bochs-bin" \
		-q -f "$LAB_RUN/bochsrc" -rc "$LAB_RUN/bochs.commands" \
		</dev/null >"$LAB_LOG/emulator" 2>&1 &
	supervise $!
}
