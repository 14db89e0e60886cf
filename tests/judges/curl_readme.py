"""curl: every line of the documentation that calls it, as a reader would paste it, and what it says comes back.

A fenced block may hold several commands. A block that follows a block with one command, at most three lines later, is
what that command prints; JSON is compared as JSON, with numbers as close as the libraries of models promise.
"""
# needs: curl
# timeout: 120
import glob
import json
import math
import os
import re
import shlex
import shutil
import tempfile

import runtime as r

DOCUMENTED = "127.0.0.1:8080"


def blocks(text):
    """Each fenced block's first line number, last line number and text."""
    start, kept = None, []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip().startswith("```"):
            if start is None:
                start, kept = number, []
            else:
                yield start, number, "\n".join(kept)
                start = None
        elif start is not None:
            kept.append(line)


def commands(block):
    """The block's shell commands; a quote or a backslash at a line's end carries one on."""
    command = ""
    for line in block.split("\n"):
        command += line + "\n"
        try:
            if line.endswith("\\"):
                continue
            words = shlex.split(command, comments=True)
        except ValueError:
            continue
        if words:
            yield command.rstrip("\n")
        command = ""


def documented():
    """File and line, the command, and the text that follows it or None."""
    found = []
    for path in ["README.md", *sorted(glob.glob("docs/*.md")), *sorted(glob.glob("examples/*/README.md"))]:
        with open(path) as file:
            all_blocks = list(blocks(file.read()))
        for i, (start, end, block) in enumerate(all_blocks):
            curls = [c for c in commands(block) if re.match(r"(\w+=\S+ )*curl |.*\| *curl ", c, re.S)]
            curls = [c for c in curls if "--unix-socket" not in c]
            after = all_blocks[i + 1] if i + 1 < len(all_blocks) else None
            said = after[2] if after and len(curls) == 1 and after[0] - end <= 3 else None
            if said is not None and any(True for c in commands(said) if re.match(r"curl |mldeck ", c)):
                said = None
            found += [(f"{path}:{start}" + (f"#{k}" if len(curls) > 1 else ""), c, said)
                      for k, c in enumerate(curls, 1)]
    return found


def same(got, want, place="the answer"):
    if isinstance(want, dict) and isinstance(got, dict):
        assert list(got) == list(want), f"{place}: {list(got)}, documented {list(want)}"
        for key in want:
            same(got[key], want[key], f"{place}.{key}")
    elif isinstance(want, list) and isinstance(got, list):
        assert len(got) == len(want), f"{place}: {len(got)} items, documented {len(want)}"
        for i, (one, other) in enumerate(zip(got, want)):
            same(one, other, f"{place}[{i}]")
    elif isinstance(want, float):
        assert math.isclose(got, want, rel_tol=r.TOLERANCE, abs_tol=r.TOLERANCE), f"{place}: {got}, documented {want}"
    else:
        assert got == want, f"{place}: {got!r}, documented {want!r}"


def compare(got, want):
    try:
        want = json.loads(want)
    except ValueError:
        numbers = r"-?\d+\.\d+(?:[eE][-+]?\d+)?"
        assert re.sub(numbers, "#", got).split() == re.sub(numbers, "#", want).split(), f"{got!r}, documented {want!r}"
        r.check_close(re.findall(numbers, got), map(float, re.findall(numbers, want)), "the text")
    else:
        same(json.loads(got), want)


def folder_with_files():
    """Where a reader would be: the files that the commands send are there."""
    folder = tempfile.mkdtemp()
    shutil.copy(f"{r.FLIGHTS}/sample.csv", f"{folder}/rows.csv")
    shutil.copy(f"{r.FLIGHTS}/infer.json", folder)
    os.symlink(os.path.abspath("examples"), f"{folder}/examples")
    return folder


def run_one(runtime, command, said):
    assert DOCUMENTED in command, f"it calls another address than {DOCUMENTED}: {command}"
    pasted = re.sub(r"\bcurl ", "curl -sS --fail-with-body --max-time 60 ", command, count=1)
    done = r.call(["sh", "-c", pasted.replace(DOCUMENTED, runtime.address)], cwd=folder_with_files())
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr.strip()} {done.stdout[:300]}"
    if said is not None:
        compare(done.stdout, said)


def tests():
    found = documented()
    for place, command, said in found:
        def test(runtime, command=command, said=said):
            run_one(runtime, command, said)
        yield "test_" + place, test
    def test_there_are_some(_):
        assert len(found) >= 1, "no curl line was found"
    yield "test_there_are_some", test_there_are_some


r.judge(dict(tests()))
