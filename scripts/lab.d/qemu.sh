# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# L1 under QEMU without acceleration: AMD SVM, the host's root over 9p.

# The initramfs: busybox, what mounts the root, and init.
qemu_initrd() # FILE
{
	local dir=$LAB_RUN/initrd module
	mkdir -p "$dir"/{bin,dev,proc,sys,host,overlay,root,lib}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	ln -s busybox "$dir/bin/sh"
	install -m 755 "$LAB_D/init" "$dir/init"
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -d "$LAB_KERNEL_DIR" -S "$LAB_RELEASE" --show-depends "$module" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
		cp "$module" "$dir/lib/"
		echo "/lib/${module##*/}"
	done >"$dir/load"
	(cd "$dir" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$1"
	rm -rf "$dir"
}

# The emulated counter is the machine's own. Where the machine is busy, L1 would find another
# frequency for it at boot, run up to four times too fast, and take waiting for a lockup.
qemu_tsc()
{
	local khz
	[[ $(uname -m) = x86_64 ]] &&
		gcc -std=gnu11 -O2 -o "$LAB_RUN/tsc-khz" "$LAB_D/tsc-khz.c" &&
		khz=$("$LAB_RUN/tsc-khz") && echo "tsc_early_khz=$khz"
}

qemu_boot_line()
{
	local line="console=ttyS0 quiet mitigations=off nokaslr tsc=reliable no_timer_check"
	line+=" $(qemu_tsc)"
	line+=" random.trust_cpu=on cryptomgr.notests panic=-1 log_buf_len=4M spt.lab=1"
	# A 1G page can only be had at boot, and only where the rest still has room.
	# shellcheck disable=SC2153 # run.sh sets both
	((LAB_MEM < 2560)) || line+=" hugepagesz=1G hugepages=1"
	# In the middle, where neither the kernel nor the initramfs is.
	[[ ! $LAB_PMEM ]] || line+=" memmap=${LAB_PMEM}M!512M"
	echo "$line"
}

# Memory that does not fit below 4 GiB starts there, at 1G of it already: so the first gigabyte
# above is whole. With QEMU's 2G below, a 3G machine has its initramfs in the one and its early
# allocations in the other, and no 1G page can be had.
qemu_machine()
{
	local machine=q35,memory-backend=ram
	# The last that lets several nodes share one backend: so the file stays L1's memory as it is.
	((LAB_NODES == 1)) || machine=pc-q35-5.0,memory-backend=ram
	((LAB_MEM < 2816)) || machine+=,max-ram-below-4g=1G
	echo "$machine"
}

# Nodes by turns get the CPUs, and each a piece of the memory.
qemu_nodes()
{
	local node cpu piece=$((LAB_MEM / LAB_NODES))
	((LAB_NODES > 1)) || return 0
	for ((node = 0; node < LAB_NODES; node++)); do
		((node < LAB_NODES - 1)) || piece=$((LAB_MEM - node * piece))
		printf '%s\n' -numa "node,nodeid=$node,mem=${piece}M"
	done
	for ((cpu = 0; cpu < LAB_SMP; cpu++)); do
		printf '%s\n' -numa "cpu,node-id=$((cpu % LAB_NODES)),socket-id=$cpu,core-id=0,thread-id=0"
	done
}

qemu_run()
{
	local nodes
	local tcg=thread=multi shared=() input=/dev/null output=$LAB_LOG/emulator
	# Two emulated CPUs in parallel now and then break the kernel's text patching; taking turns,
	# they never get a nested Linux up.
	((LAB_SMP == 1)) || [[ $LAB_GUEST = qemu ]] || tcg=thread=single
	[[ ! $LAB_SHARE ]] ||
		shared=(-virtfs "local,path=$LAB_SHARE,mount_tag=share,security_model=none,multidevs=remap")
	if [[ $LAB_INTERACTIVE ]]; then
		shared+=(-chardev "stdio,id=tty,signal=off" -serial chardev:tty)
		input=/dev/tty output=/dev/tty
	else
		shared+=(-chardev "socket,id=line,path=$LAB_LINE,server=on,wait=off" -serial chardev:line)
	fi
	mapfile -t nodes < <(qemu_nodes)
	qemu_initrd "$LAB_RUN/initrd.cpio"
	setpriv --pdeathsig KILL qemu-system-x86_64 -name "lab-$LAB_MMU-$LAB_KERNEL" \
		-accel "tcg,$tcg" -machine "$(qemu_machine)" -cpu "$LAB_CPU" \
		-smp "$LAB_SMP" -m "$LAB_MEM" "${nodes[@]}" \
		-object "memory-backend-file,id=ram,size=${LAB_MEM}M,mem-path=$LAB_RAM,share=on" \
		-nodefaults -vga none -display none -no-reboot -net none \
		-serial "file:$LAB_LOG/console" \
		-kernel "$LAB_KERNEL_DIR/$LAB_BOOT" -initrd "$LAB_RUN/initrd.cpio" \
		-append "$(qemu_boot_line)" \
		-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,path=$LAB_RUN/l1,mount_tag=lab,security_model=none,multidevs=remap" \
		-qmp "unix:$LAB_QMP,server=on,wait=off" "${shared[@]}" \
		<"$input" 2>"$LAB_LOG/emulator" >>"$output" &
	supervise $!
}
