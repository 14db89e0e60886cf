"""The audit: what is recorded, that it can be verified by others, and that every change of it shows.

The verifier in another language is the one of docs/AUDIT.md, run as it stands there.
"""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from runtime import DEADLINE_S, MLDECK, Runtime, run_tests

SCRIPT = re.search(r"```python\n(.*?)```", open("docs/AUDIT.md").read(), re.S).group(1)


def verify_in_python(database):
    return subprocess.run([sys.executable, "-c", SCRIPT, database], capture_output=True, text=True, timeout=DEADLINE_S)


def busy_runtime():
    runtime = Runtime()
    runtime.deploy_flights(3)
    runtime.run("promote", "flight-delay", "2", "--reason", "faster, \u00fcberall")
    runtime.run("split", "flight-delay", "2=90", "3=10", "--reason", "try")
    runtime.run("rollback", "flight-delay", "--reason", "slow")
    assert runtime.command("promote", "flight-delay", "9", "--reason", "no").returncode == 4
    return runtime


def edited(database, sql):
    """A copy of the database with rows edited, as its owner could."""
    folder = tempfile.mkdtemp()
    for suffix in ["", "-wal"]:
        if os.path.exists(database + suffix):
            shutil.copy(database + suffix, folder)
    copy = os.path.join(folder, "mldeck.db")
    connection = sqlite3.connect(copy)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(sql)
    connection.commit()
    connection.close()
    return copy


def test_the_chain_is_verified_by_others():
    runtime = busy_runtime()
    head = runtime.run("audit", "--head").strip()
    assert re.fullmatch(r"[0-9]+:[0-9a-f]{64}", head), head
    said = runtime.run("audit", "--verify")
    assert said == f"the audit is whole: {head.split(':')[0]} records, head {head}\n", said
    # From what the API gives, and from the database itself.
    before = "0" * 64
    names = ["id", "at_ms", "uid", "who", "client", "action", "model", "version", "revision", "based_on", "outcome",
             "reason", "detail", "forced", "data"]
    space = {}
    exec(SCRIPT.split("before =")[0], space)
    import hashlib
    for record in reversed(runtime.json("audit", "--limit", "1000")["records"]):
        values = [int(record[n]) if n == "forced" else record[n] for n in names]
        form = b"".join(map(space["field"], ["mldeck-audit-1", before, *values]))
        assert hashlib.sha256(form).hexdigest() == record["hash"], record
        before = record["hash"]
    assert head.endswith(before)
    runtime.stop()
    done = verify_in_python(f"{runtime.state}/mldeck.db")
    assert done.returncode == 0 and done.stdout.strip() == head, done
    copy = edited(f"{runtime.state}/mldeck.db", "UPDATE audit SET reason = 'never' WHERE id = 5")
    assert "record 5 was changed" in verify_in_python(copy).stderr


def test_verify_without_a_runtime():
    runtime = busy_runtime()
    head = runtime.run("audit", "--head").strip()
    # Beside a runtime that was killed, and whose log is still there.
    runtime.process.kill()
    runtime.process.wait(DEADLINE_S)
    before = sorted(os.listdir(runtime.state))
    assert runtime.run("audit", "--head").strip() == head
    assert runtime.json("audit", "--verify", "--head", head)["ok"] is True
    assert sorted(os.listdir(runtime.state)) == before
    database = f"{runtime.state}/mldeck.db"
    verify = [MLDECK, "audit", "--verify", "--head", head, "--state"]
    for sql, want in [("UPDATE audit SET who = 'eve' WHERE id = 4", "record 4 was changed"),
                      ("UPDATE revision SET forced = 1 WHERE revision = 3", "revision 3 of flight-delay does not agree"),
                      ("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", "the end of the audit was cut off"),
                      ("DELETE FROM audit WHERE id = 2", "record 3 does not follow")]:
        done = subprocess.run([*verify, edited(database, sql)], capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 1 and want in done.stderr, (sql, done)
    done = subprocess.run([*verify, edited(database, "DELETE FROM audit WHERE id = 2"), "--json"], capture_output=True,
                          text=True, timeout=DEADLINE_S)
    assert done.returncode == 1 and json.loads(done.stdout)["fault"]["id"] == 3, done
    done = runtime.command("audit", "--verify", "--socket", "/nowhere/socket")
    assert done.returncode == 5, done


def test_heads_are_kept_and_checked():
    runtime = busy_runtime()
    head = runtime.run("audit", "--head").strip()
    runtime.run("promote", "flight-delay", "3", "--reason", "again")
    status, verdict = runtime.control("GET", f"/control/v1/audit/verify?head={head}")
    assert status == 200 and verdict["ok"] is True and verdict["fault"] is None, verdict
    other = head[:-1] + ("0" if head[-1] != "0" else "1")
    status, verdict = runtime.control("GET", f"/control/v1/audit/verify?head={other}")
    assert verdict["ok"] is False and verdict["fault"]["id"] == int(head.split(":")[0]), verdict
    status, answer = runtime.control("GET", "/control/v1/audit/verify?head=7")
    assert status == 400 and answer["code"] == "bad_input", answer
    assert runtime.command("audit", "--head", head).returncode == 2
    last = runtime.run("audit", "--head").strip()
    runtime.stop()
    heads = re.findall(r"audit head (\S+)", runtime.read_log())
    assert len(heads) == 2 and heads[1] == last and heads[0].startswith("0:"), heads


def test_refusals_are_recorded_once():
    runtime = busy_runtime()
    route = "/control/v1/models/flight-delay/route"
    attempts = [
        (route, "{", "route", "bad_input"),
        (route, json.dumps({"action": "split", "reason": "oops", "weights": [{"version": 2, "weight_bp": 20000}]}),
         "split", "bad_input"),
        (route, json.dumps({"action": "split", "weights": [{"version": 2, "weight_bp": 2000}]}), "split", "bad_input"),
        (route, json.dumps({"action": "promote", "version": 77, "reason": 5}), "promote", "bad_input"),
        (route, json.dumps({"action": "promote", "version": 1, "expect_revision": 1}), "promote", "conflict"),
        (route, json.dumps({"action": "crown", "version": 1}), "crown", "bad_input"),
        ("/control/v1/models/flight-delay/deploy", json.dumps({"sha256": 3}), "deploy", "bad_input"),
        ("/control/v1/models/flight-delay/deploy", json.dumps({"sha256": "0" * 64}), "deploy", "not_found"),
        (route, '{"action":"promote","version":1} {"dry_run":true}', "promote", "bad_input"),
        ("/control/v1/models/flight-delay/tests",
         json.dumps({"kind": "stress", "version": 2, "passed": True, "summary": "x" * 300}), "tests", "bad_input"),
        ("/control/v1/models/nothing/route", json.dumps({"action": "rollback"}), "rollback", "not_found"),
        ("/control/v1/stop", "[]", "stop", "bad_input"),
    ]
    for path, body, action, code in attempts:
        before = int(runtime.run("audit", "--head").split(":")[0])
        status, answer = runtime.control("POST", path, body)
        assert status >= 400 and answer["code"] == code, (body, answer)
        records = runtime.json("audit", "--limit", "2")["records"]
        assert records[0]["id"] == before + 1, (body, records)
        assert records[0]["action"] == action and records[0]["outcome"] == code, (body, records[0])
        assert records[0]["detail"] == answer["error"], (answer, records[0])
    before = runtime.run("audit", "--head")
    for body in [{"action": "promote", "version": 77, "dry_run": True}, {"action": "split", "dry_run": True}]:
        assert runtime.control("POST", route, json.dumps(body))[0] >= 400
    assert runtime.control("GET", "/control/v1/models/nothing/history")[0] == 404
    assert runtime.run("audit", "--head") == before, "what changes nothing is not recorded"
    assert runtime.json("audit", "--verify")["ok"] is True
    runtime.stop()


def test_what_was_forced_stays_marked():
    runtime = busy_runtime()
    route = "/control/v1/models/flight-delay/route"
    status, answer = runtime.control("POST", "/control/v1/models/flight-delay/policy",
                                     json.dumps({"set": {"min_age": "1h"}, "reason": "test"}))
    assert status == 200, answer
    before = int(runtime.run("audit", "--head").split(":")[0])
    body = {"action": "promote", "version": 3, "reason": "at once"}
    status, answer = runtime.control("POST", route, json.dumps(body))
    assert status == 412 and answer["code"] == "gate", answer
    status, answer = runtime.control("POST", route, json.dumps({**body, "force": True}))
    assert status == 200, answer
    runtime.run("rollback", "flight-delay", "--reason", "back")
    records = runtime.json("audit", "flight-delay")["records"]
    assert records[0]["id"] == before + 3 and [r["outcome"] for r in records[:3]] == ["done", "done", "gate"], records
    assert [r["forced"] for r in records[:3]] == [False, True, False], records
    evidence = json.loads(records[1]["data"])["evidence"]
    assert any(f["name"] == "min_age" and f["forced"] for f in evidence), evidence
    assert [r["id"] for r in runtime.json("audit", "--forced")["records"]] == [before + 2]
    assert " done FORCED " in runtime.run("audit", "--forced")
    assert " promote FORCED " in runtime.run("history", "flight-delay")
    assert [r["forced"] for r in runtime.json("history", "flight-delay")["revisions"][:3]] == [False, True, False]
    runtime.stop()
    done = subprocess.run([MLDECK, "audit", "--verify", "--state",
                           edited(f"{runtime.state}/mldeck.db", f"UPDATE audit SET forced = 0 WHERE id = {before + 2}")],
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1 and f"record {before + 2} was changed" in done.stderr, done


def test_filters():
    runtime = busy_runtime()
    count = lambda *words: len(runtime.json("audit", *words)["records"])
    assert count("--action", "deploy") == 3
    assert count("flight-delay", "--action", "promote") == 2
    assert count("--who", "nobody in particular & co") == 0
    assert count("--who", runtime.json("audit")["records"][0]["who"]) == count()
    assert count("--since", "1h") == count() == count("--since", "2020-01-01") == count("--since", "2020-01-01 10:00")
    assert count("--since", "2099-01-01") == 0
    assert count("--forced") == 0
    for words in [["--since", "yesterday"], ["--head", "x:y", "--verify"], ["m", "--verify"]]:
        assert runtime.command("audit", *words).returncode == 2, words
    runtime.stop()


run_tests(globals())
