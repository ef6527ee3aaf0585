# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# One run of the lab: what L1 needs is made ready, an emulator boots it, what came of it is judged.

run_logs_kept=40

# Seconds that a phase may take: several times what it does on a machine with nothing else to do.
phase_limit() # PHASE
{
	local limit
	case $1 in
	boot) limit=120 ;;
	load) limit=90 ;;
	guest) limit=180 ;;
	command) limit=$LAB_TIMEOUT ;;
	off) limit=60 ;;
	*) limit=20 ;;
	esac
	# Bochs emulates every instruction alone; the debug kernel checks every access.
	[[ $LAB_EMULATOR = qemu || $1 = command ]] || limit=$((limit * 4))
	[[ $LAB_KERNEL != debug || $1 = command ]] || limit=$((limit * 4))
	echo "$limit"
}

phase_text() # PHASE
{
	case $1 in
	boot) echo "booting Linux $LAB_RELEASE ($LAB_MMU, $LAB_EMULATOR); its console: $LAB_LOG/console" ;;
	load) echo "loading $LAB_VENDOR${LAB_AGENT:+ and the agent}" ;;
	guest) echo "starting the $LAB_GUEST guest" ;;
	command) [[ $LAB_INTERACTIVE ]] || echo "running $LAB_TITLE" ;;
	off) echo "unloading, powering off" ;;
	esac
}

# CPU seconds that PID has used, and the process that it started as the emulator, if it did.
cpu_seconds() # PID
{
	local pid children ticks=0 stat
	read -r children <"/proc/$1/task/$1/children" || true
	for pid in "$1" $children; do
		read -r stat <"/proc/$pid/stat" || continue
		# Behind the name, which may have blanks: fields 3 and up.
		read -ra stat <<<"${stat##*) }"
		ticks=$((ticks + stat[11] + stat[12]))
	done
	printf '%d.%02d\n' $((ticks / 100)) $((ticks % 100))
} 2>/dev/null

# Where the time goes, whatever else the machine does: a line for each phase and each suite of
# the tests (tests/lab/run says which it is at), with the CPU time used until it began.
times_note() # PID
{
	local suite=-
	[[ ! -s $LAB_OUT/suite ]] || read -r suite <"$LAB_OUT/suite" || true
	[[ "$LAB_PHASE $suite" != "$times_last" ]] || return 0
	times_last="$LAB_PHASE $suite"
	echo "$times_last $(cpu_seconds "$1")" >>"$LAB_LOG/times"
}

# Waits for the emulator PID to end: says each phase, enforces its limit, runs what L1 asks the
# host to run. Returns 0, or 124 when a limit passed and PID was killed; LAB_PHASE is the last.
supervise() # PID
{
	local pid=$1 now deadline tick tails=() text
	local -A outside_served=()
	exec {tick}<> <(:)
	LAB_PHASE=boot times_last=''
	deadline=$((SECONDS + $(phase_limit boot)))
	run_child=$pid
	if [[ ! $LAB_INTERACTIVE ]]; then
		tail -c +1 -s 0.1 --pid="$pid" -f "$LAB_OUT/stdout" 2>/dev/null &
		tails+=($!)
		tail -c +1 -s 0.1 --pid="$pid" -f "$LAB_OUT/stderr" >&2 2>/dev/null &
		tails+=($!)
	fi
	while kill -0 "$pid" 2>/dev/null; do
		now=$LAB_PHASE
		read -r now <"$LAB_OUT/phase" || true
		if [[ $now && $now != "$LAB_PHASE" ]]; then
			LAB_PHASE=$now
			deadline=$((SECONDS + $(phase_limit "$now")))
			text=$(phase_text "$now")
			[[ ! $text ]] || say "$text"
		fi
		times_note "$pid"
		if ((SECONDS >= deadline)); then
			kill -9 "$pid"
			wait "$pid" 2>/dev/null || true
			# All that L1 had to say was said: a machine that does not go off is no fault of it.
			[[ $LAB_PHASE != 'done' ]] || break
			wait "${tails[@]}" || true
			return 124
		fi
		outside_serve
		read -rt 0.05 -u "$tick" || true
	done
	wait "$pid" 2>/dev/null || true
	wait "${tails[@]}" || true
	exec {tick}>&-
	run_child=
	return 0
}

# Runs what L1's lab-outside asks for, each request once and in a process of its own. 'ready' is
# L1's to remove: while it creates a file over 9p it looks for it once more, and must find it.
outside_serve()
{
	local request
	for request in "$LAB_RUN"/l1/outside/*; do
		[[ -e $request/ready && ! ${outside_served[$request]-} ]] || continue
		outside_served[$request]=1
		outside_run "$request" &
	done
}

outside_run() # REQUEST-DIR
{
	local words status=0
	mapfile -d '' words <"$1/argv"
	((${#words[@]})) || words=(sh -c 'echo "lab-outside: a request that asks for nothing" >&2; exit 2')
	(
		cd "${LAB_SHARE:-$LAB_RUN}"
		export LAB_RAM LAB_QMP LAB_LINE LAB_RUN PATH=$LAB_BIN:$PATH
		exec "${words[@]}"
	) </dev/null >"$1/out" 2>"$1/err" || status=$?
	echo "$status" >"$1/.status"
	mv "$1/.status" "$1/status"
}

# The run's directories; what an earlier run that was killed left behind is removed.
run_directories()
{
	local dir base=${TMPDIR:-/tmp} lock
	if [[ -w /dev/shm ]] && (($(df --output=avail -m /dev/shm | tail -n 1) > LAB_MEM + 256)); then
		base=/dev/shm
	fi
	find "$base" -maxdepth 1 -name 'spt-lab-run.*' -user "$(id -u)" -mmin +1 2>/dev/null |
		while read -r dir; do
			flock -n "$dir" rm -rf "$dir" || true
		done
	LAB_RUN=$(mktemp -d "$base/spt-lab-run.XXXXXX")
	exec {lock}<"$LAB_RUN"
	flock "$lock"
	LAB_OUT=$LAB_RUN/l1/out
	LAB_RAM=$LAB_RUN/ram
	LAB_QMP=$LAB_RUN/qmp
	LAB_LINE=$LAB_RUN/line
	mkdir -p "$LAB_CACHE/log"
	find "$LAB_CACHE/log" -mindepth 1 -maxdepth 1 -type d -mmin +10 -printf '%T@ %p\n' | sort -rn |
		tail -n "+$run_logs_kept" | cut -d' ' -f2- | xargs -r rm -rf
	LAB_LOG=$(mktemp -d "$LAB_CACHE/log/$(date +%m%d-%H%M%S)-$LAB_MMU-$LAB_KERNEL.XXXX")
	chmod 755 "$LAB_LOG"
	: >"$LAB_LOG/console"
}

run_cleanup()
{
	[[ ! ${run_child-} ]] || kill -9 "$run_child" 2>/dev/null || true
	[[ ! ${run_stty-} ]] || stty "$run_stty" </dev/tty || true
	[[ ! ${LAB_RUN-} ]] || rm -rf "$LAB_RUN"
}

# What L1 finds in /lab.
run_l1_files() # WORD...
{
	local word file
	rm -rf "$LAB_RUN/l1" "$LAB_RAM"
	mkdir -p "$LAB_RUN"/l1/{out,bin,modules}
	: >"$LAB_OUT/stdout"
	: >"$LAB_OUT/stderr"
	: >"$LAB_OUT/phase"
	[[ $LAB_EMULATOR != qemu ]] || mkdir "$LAB_RUN/l1/outside"
	cp "$LAB_D"/{session,lab-outside,lab-guest} "$LAB_RUN/l1/"
	chmod 755 "$LAB_RUN/l1"/{session,lab-*}
	LAB_BIN=$LAB_RUN/l1/bin
	mv "$LAB_RUN"/l1/lab-* "$LAB_BIN/"
	build_programs | while read -r file; do
		ln -sf "$file" "$LAB_BIN/"
	done
	for file in "${lab_modules[@]}"; do
		cp "$file" "$LAB_RUN/l1/modules/"
	done
	LAB_COMMAND=$LAB_RUN/l1/command
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done >"$LAB_COMMAND"
	[[ $LAB_GUEST != qemu ]] || guest_initrd "$LAB_RUN/l1/guest.cpio"
	LAB_ENV=$LAB_RUN/l1/env
	for word in LAB_MMU LAB_KERNEL LAB_RELEASE LAB_KERNEL_DIR LAB_GUEST_KERNEL_DIR LAB_VENDOR \
		LAB_KVM_ARGS LAB_VENDOR_ARGS LAB_MODULES LAB_GUEST LAB_SMP LAB_SHARE LAB_AGENT \
		LAB_ARMED LAB_INTERACTIVE LAB_TERM LAB_STTY LAB_TOP; do
		printf "%s='%s'\n" "$word" "${!word}"
	done >"$LAB_ENV"
}

# The nested QEMU's guest: busybox, a shell on its serial line, and what it needs to have a guest
# of its own: KVM's modules, in the order of /lib/load, and 'pages'.
guest_initrd() # FILE
{
	local dir=$LAB_RUN/guest module
	mkdir -p "$dir"/{bin,dev,lib,proc,sys,tmp}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	install -m 755 "$LAB_D/guest-init" "$dir/init"
	[[ ! -e $LAB_BIN/pages ]] || cp -L "$LAB_BIN/pages" "$dir/bin/"
	modprobe -d "$LAB_GUEST_KERNEL_DIR" -S "$(<"$LAB_GUEST_KERNEL_DIR/release")" \
		--show-depends "$LAB_VENDOR" 2>/dev/null | awk '$1 == "insmod" { print $2 }' | while read -r module; do
		cp "$module" "$dir/lib/"
		echo "/lib/${module##*/}"
	done >"$dir/lib/load"
	(cd "$dir" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$1"
	rm -rf "$dir"
}

# Prints the lines of the kernel log FILE that no run may have; 1 when there is one.
log_check() # FILE
{
	# The page allocator complains, with a trace, of what failnth (tests/tools) had it refuse, or
	# refuse to a worker of the agent.
	! awk '
		function said(  i) {
			for (i = 1; i <= lines; i++)
				print refused && ended ? "" : line[i]
			lines = 0
		}
		/(failnth|kworker[^ ]*): (vmalloc error|page allocation failure)/ {
			said()
			refused = /failnth: /
			inside = 1
			ended = 0
		}
		inside { line[++lines] = $0 }
		inside && /Workqueue: spt_agent / { refused = 1 }
		inside && /<\/TASK>/ { ended = 1; inside = 0; said(); next }
		!inside
		END { said() }' "$1" |
		grep -nE -f <(grep -v '^#' "$LAB_D/kernel-log")
}

# Judges what the emulator left: prints why the run failed. Returns the run's exit status; 69 for
# a boot that the emulator broke.
run_judge() # STATUS-OF-THE-EMULATOR-FUNCTION
{
	local status taint bad
	[[ ! -e $LAB_OUT/guest ]] || cp "$LAB_OUT/guest" "$LAB_LOG/guest"
	if [[ -s $LAB_OUT/dmesg ]]; then
		cp "$LAB_OUT/dmesg" "$LAB_LOG/dmesg"
		bad=$(log_check "$LAB_LOG/dmesg") || true
	else
		bad=$(log_check "$LAB_LOG/console") || true
	fi
	if [[ $LAB_PHASE = boot ]]; then
		tail -n 5 "$LAB_LOG/console" "$LAB_LOG/emulator" >&2
		return 69
	fi
	if [[ $bad ]]; then
		say "the kernel log of L1 has what it must not have (all of it: $LAB_LOG):"
		printf '%s\n' "$bad" >&2
		status=125
	fi
	if [[ -s $LAB_OUT/kmemleak ]]; then
		cp "$LAB_OUT/kmemleak" "$LAB_LOG/kmemleak"
		say "memory was leaked (see $LAB_LOG/kmemleak)"
		status=125
	fi
	if [[ -s $LAB_OUT/lockdep ]] && ! grep -q ': *1$' "$LAB_OUT/lockdep"; then
		say "lockdep is off: whatever happened after that was not checked (see $LAB_LOG)"
		status=125
	fi
	if [[ -s $LAB_OUT/error ]]; then
		say "$(<"$LAB_OUT/error") (see $LAB_LOG)"
		return 125
	fi
	if (($1 == 124)); then
		say "time limit: '$LAB_PHASE' took more than $(phase_limit "$LAB_PHASE") s; last lines of $LAB_LOG/console:"
		tail -n 5 "$LAB_LOG/console" >&2
		return 124
	fi
	if [[ ! -s $LAB_OUT/status || ! -s $LAB_OUT/taint ]]; then
		say "L1 ended in '$LAB_PHASE'; last lines of $LAB_LOG/console:"
		tail -n 12 "$LAB_LOG/console" >&2
		return 125
	fi
	# Bits 12 and 13, out of tree and unsigned, are what loading the agent explains. Bit 6, user,
	# is what an action sets: an armed agent says of each in the log what it did.
	taint=$(($(<"$LAB_OUT/taint") & ~(1 << 12 | 1 << 13)))
	! grep -Eq 'spt_agent: action [0-9]+: ' "$LAB_OUT/dmesg" || taint=$((taint & ~(1 << 6)))
	if ((taint)); then
		say "L1's kernel is tainted: 0x$(printf %x "$taint")"
		status=125
	fi
	[[ ! ${status-} ]] || say "the command's exit status was $(<"$LAB_OUT/status")"
	return "${status:-$(<"$LAB_OUT/status")}"
}

run_options() # OPTION... ; sets LAB_*, and lab_words to what follows '--'
{
	LAB_MMU=npt LAB_KERNEL=6.12 LAB_GUEST=none LAB_SHARE='' LAB_MEM='' LAB_SMP=1 LAB_TIMEOUT=600
	LAB_ARMED='' LAB_PMEM='' LAB_NODES=1
	local agent=1
	while (($#)); do
		# shellcheck disable=SC2034 # LAB_ARMED goes into L1's env
		case $1 in
		--mmu) LAB_MMU=${2-} ;;
		--kernel) LAB_KERNEL=${2-} ;;
		--guest) LAB_GUEST=${2-} ;;
		--share) LAB_SHARE=${2-} ;;
		--mem) LAB_MEM=${2-} ;;
		--smp) LAB_SMP=${2-} ;;
		--timeout) LAB_TIMEOUT=${2-} ;;
		--pmem) LAB_PMEM=${2-} ;;
		--nodes) LAB_NODES=${2-} ;;
		--no-agent) agent=''; shift; continue ;;
		--armed) LAB_ARMED=1; shift; continue ;;
		--) shift; break ;;
		*) die "run: unknown option '$1'; see $0 help" ;;
		esac
		(($# > 1)) || die "$1 needs a value; see $0 help"
		shift 2
	done
	lab_words=("$@")
	lab_agent_wanted=$agent
	table_row modes "$LAB_MMU" LAB_EMULATOR LAB_BOOT LAB_CPU LAB_VENDOR LAB_KVM_ARGS LAB_VENDOR_ARGS \
		LAB_MMU_KERNELS LAB_MODULES ||
		die "no MMU mode '$LAB_MMU': known are $(table_names modes)"
	# KASAN's shadow, and what it and lockdep keep, want their share.
	[[ $LAB_MEM ]] || LAB_MEM=$([[ $LAB_KERNEL = debug ]] && echo 1536 || echo 1024)
	LAB_KVM_ARGS=${LAB_KVM_ARGS#-} LAB_VENDOR_ARGS=${LAB_VENDOR_ARGS#-} LAB_MODULES=${LAB_MODULES#-}
	table_row kernels "$LAB_KERNEL" _ _ _ ||
		die "no kernel '$LAB_KERNEL': known are $(table_names kernels)"
	[[ ,$LAB_MMU_KERNELS, = *,all,* || ,$LAB_MMU_KERNELS, = *",$LAB_KERNEL,"* ]] ||
		die "--mmu $LAB_MMU: Linux $LAB_KERNEL cannot do that; use --kernel $LAB_MMU_KERNELS"
	[[ ! $LAB_MODULES || $agent ]] || die "--mmu $LAB_MMU needs modules: not with --no-agent"
	[[ $LAB_GUEST =~ ^(none|pages|qemu)$ ]] || die "no guest '$LAB_GUEST': known are none pages qemu"
	[[ $LAB_MEM =~ ^[0-9]+$ && $LAB_SMP =~ ^[1-9][0-9]*$ && $LAB_TIMEOUT =~ ^[1-9][0-9]*$ ]] ||
		die "--mem, --smp and --timeout want numbers"
	[[ ! $LAB_PMEM || $LAB_EMULATOR = qemu ]] || die "--pmem: not with --mmu $LAB_MMU"
	[[ ! $LAB_PMEM ]] || { [[ $LAB_PMEM =~ ^[1-9][0-9]*$ ]] && ((LAB_MEM >= LAB_PMEM + 768)); } ||
		die "--pmem wants MiB, 768 less than --mem has"
	[[ $LAB_NODES =~ ^[1-8]$ ]] || die "--nodes wants a number from 1 to 8"
	[[ $LAB_NODES = 1 || $LAB_EMULATOR = qemu ]] || die "--nodes: not with --mmu $LAB_MMU"
	((LAB_MEM >= 256)) || die "--mem $LAB_MEM is too little: L1 needs 256 MiB"
	[[ ! $LAB_SHARE ]] || LAB_SHARE=$(realpath -e "$LAB_SHARE" 2>/dev/null) ||
		die "--share: no such directory"
	declare -F "${LAB_EMULATOR}_run" >/dev/null || die "no emulator '$LAB_EMULATOR' in $LAB_D"
}

run_in_lab()
{
	local status try
	command_prepare --kernel "$LAB_KERNEL"
	LAB_KERNEL_DIR=$(kernel_dir "$LAB_KERNEL")
	LAB_RELEASE=$(<"$LAB_KERNEL_DIR/release")
	# Nested, every check of the debug kernel would be emulated twice.
	LAB_GUEST_KERNEL_DIR=$LAB_KERNEL_DIR
	if [[ $LAB_GUEST = qemu && $LAB_KERNEL = debug ]]; then
		command_prepare --kernel 6.12
		LAB_GUEST_KERNEL_DIR=$(kernel_dir 6.12)
	fi
	# What an emulator needs is fetched here: its function below runs in a condition, where no
	# failing command ends it.
	if declare -F "${LAB_EMULATOR}_prepare" >/dev/null; then
		locked "$LAB_EMULATOR" "${LAB_EMULATOR}_prepare"
	fi
	build_project
	lab_modules=() LAB_AGENT=
	[[ ! $lab_agent_wanted ]] || modules_build "$LAB_KERNEL"
	LAB_TITLE=${lab_words[*]}
	((${#LAB_TITLE} < 60)) || LAB_TITLE=${LAB_TITLE:0:57}...
	trap run_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	run_directories
	for try in 1 2; do
		run_l1_files "${lab_words[@]}"
		say "$(phase_text boot)"
		status=0
		"${LAB_EMULATOR}_run" || status=$?
		run_judge "$status" && status=0 || status=$?
		((status == 69)) || break
		((try == 2)) || say "the emulator broke the boot: trying once more"
	done
	((status != 69)) || { say "L1 does not boot; see $LAB_LOG"; status=125; }
	return "$status"
}

command_run()
{
	run_options "$@"
	((${#lab_words[@]})) || die "run: no command; see $0 help"
	LAB_INTERACTIVE='' LAB_TERM='' LAB_STTY=''
	run_in_lab
}

command_shell()
{
	local rows columns
	run_options "$@"
	[[ -t 0 && -t 1 ]] || die "shell: needs a terminal; use '$0 run ... -- COMMAND'"
	((${#lab_words[@]})) || lab_words=(bash -l)
	# shellcheck disable=SC2034 # they go into L1's env
	LAB_INTERACTIVE=/dev/ttyS1 LAB_TERM=$TERM
	read -r rows columns < <(stty size)
	# shellcheck disable=SC2034
	LAB_STTY=$( ((rows == 0)) || echo "rows $rows cols $columns")
	run_stty=$(stty -g)
	run_in_lab
}
