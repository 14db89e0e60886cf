#!/bin/sh
# Kill -9 at every point of a deploy, a promotion, a rollback, a rollout's step: what was acknowledged is there, nothing is
# half there, and registry, audit and what serves agree. Then the same on a disk that forgets what was not synced, and
# proof that this notices a database which does not wait for the disk.
# timeout: 240
set -u
programs=build/fault/tests/fault
[ -x $programs/fault_drive ] || { echo "skip kill: make fault builds what it needs"; exit 0; }

# In memory where that can be: what is lost is decided by the shim, not by the disk of this machine.
folder=$(mktemp -d /dev/shm/mldeck.XXXXXX 2> /dev/null) || folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# name, then the command.
check() {
	name=$1
	shift
	rm -rf "${folder:?}"/*
	if said=$("$@" 2>&1); then
		echo "# $said"
		echo "ok $name"
	else
		echo "not ok $name: $(echo "$said" | tail -n 1)"
		failures=1
	fi
}

shim=$PWD/$programs/disk_shim.so
check kill_at_every_point $programs/fault_drive "$folder" 312
check lose_what_was_not_synced $programs/fault_drive "$folder" 130 "$shim"
check notice_a_careless_database env MLDECK_FAULT_SYNCHRONOUS=OFF $programs/fault_drive "$folder" 60 "$shim"

if grep -q MLDECK_FAULT build/release/mldeck; then
	echo "not ok no_points_in_a_release: build/release/mldeck has them"
	failures=1
else
	echo "ok no_points_in_a_release"
fi
exit $failures
