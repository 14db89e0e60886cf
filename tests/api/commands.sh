#!/bin/sh
# The commands against a real runtime: exit codes, messages, and what they leave behind.
set -u
mldeck=$MLDECK
examples=examples/flights
work=$(mktemp -d)
runtime=
failures=0
export MLDECK_STATE="$work/state" LC_ALL=C
unset MLDECK_SOCKET
trap '[ -z "$runtime" ] || { kill "$runtime"; wait "$runtime"; }; rm -rf "$work"' EXIT

# expect CODE PATTERN ARGUMENT...: the exit code, and a pattern in either output.
expect() {
	code=$1 pattern=$2
	shift 2
	"$mldeck" "$@" >"$work/out" 2>&1 </dev/null
	got=$?
	if [ "$got" -ne "$code" ] || ! grep -q -e "$pattern" "$work/out"; then
		echo "not ok mldeck $*: exit $got, not $code, or no \"$pattern\" in:"
		sed 's/^/  /' "$work/out"
		failures=$((failures + 1))
	else
		echo "ok mldeck $*"
	fi
}

expect 5 'mldeck serve' status
expect 5 'mldeck serve'
expect 2 'there is no verb' frobnicate
expect 2 'usage: mldeck promote' promote
expect 0 'usage: mldeck promote' promote --help
expect 0 '^mldeck ' version
expect 0 '"version"' version --json

"$mldeck" serve --listen 127.0.0.1:0 >"$work/serve.log" 2>&1 &
runtime=$!
tries=0
until "$mldeck" status >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -gt 200 ] || ! kill -0 "$runtime" 2>/dev/null; then
		echo "not ok the runtime did not start:"
		cat "$work/serve.log"
		exit 1
	fi
	sleep 0.05
done

expect 0 'No model is deployed' status
expect 4 '' status nothing
expect 2 'no model name' deploy Bad "$examples/flight-delay/v1.txt"
expect 4 'cannot be opened' deploy flight-delay /nonexistent
expect 0 'v1 is registered and is live' deploy flight-delay "$examples/flight-delay/v1.txt" --baseline "$examples/baseline.csv"
expect 0 'v1 stays live' deploy flight-delay "$examples/flight-delay/v2.ubj"
expect 0 'v1 stays live' deploy flight-delay "$examples/flight-delay/v3.txt"
expect 0 'Its baseline stays as it was' deploy flight-delay "$examples/flight-delay/v3.txt" --baseline "$examples/baseline.csv"
expect 2 'needs --reason' promote flight-delay 2
expect 0 'Nothing was changed' promote flight-delay 2 --dry-run
expect 0 'v2 is live (revision 2' promote flight-delay v2 --reason test
expect 3 '' promote flight-delay 3 --reason test --expect-revision 1
expect 4 '' promote flight-delay 9 --reason test
expect 2 'add up to 90.00%' split flight-delay 2=80 3=10 --reason test
expect 0 'the split is v2 80% v3 20%' split flight-delay 2=80 3=20 --reason test
expect 0 '80%' status
expect 0 'canary' status flight-delay
expect 0 'v2 is live (revision 4' rollback flight-delay --reason test
expect 0 'the route is v2 80% v3 20% (revision 5, was v2 100%)' rollback flight-delay --to 3 --reason test
expect 0 'v2 is live (revision 6' promote flight-delay 2 --reason test
expect 0 'rollback' history flight-delay
expect 0 'v3' versions flight-delay
expect 0 'refused\|promote' audit flight-delay --limit 5
expect 2 'whole number' audit --limit x
expect 0 'flight-delay' snapshot models --size 100x30
expect 0 '<svg' snapshot models --format svg
expect 0 '"models"' snapshot models --format json
expect 0 'There are no jobs yet' jobs
expect 0 '"jobs"' jobs --json
expect 4 'there is no job 9' jobs 9
expect 2 'no number of a job' jobs x
expect 4 'there is no job 9' cancel 9
expect 2 'no number of a job' cancel x
expect 4 'is not in the picture' snapshot job --job 7
expect 0 'no jobs yet' snapshot jobs --size 100x30
expect 2 'there is no view' snapshot nothing
expect 0 'The runtime has stopped' stop --reason "end of the test"
wait "$runtime" || { echo "not ok the stopped runtime ended with $?"; failures=$((failures + 1)); }
runtime=
expect 5 'nothing answers' stop

[ "$failures" -eq 0 ]
