"""A browser page: fetch() from another origin, preflight included, in headless Chromium.

The page is served from a port of its own, which makes it another origin than the prediction API. Its script writes
what it saw into the page; the server holds one picture of the page back until the script is done, so that the browser
prints the page then.
"""
# needs: chromium
# timeout: 180
import html
import http.server
import json
import re
import sys
import tempfile
import threading
import urllib.parse

import runtime as r

PAGE = """<!doctype html><meta charset="utf-8"><title>judge</title><pre id="seen"></pre><img src="/held" alt="">
<script>
const api = %s, cases = %s;
async function look(one) {
  try {
    const answer = await fetch(api + one.path, one.options);
    const headers = Object.fromEntries(answer.headers.entries());
    return {status: answer.status, headers, text: await answer.text()};
  } catch (error) {
    return {failed: error.name};
  }
}
(async () => {
  const seen = [];
  for (const one of cases) seen.push(await look(one));
  document.getElementById("seen").textContent = JSON.stringify(seen);
  await fetch("/done", {method: "POST"});
})();
</script>
"""


class Site(http.server.ThreadingHTTPServer):
    """The page's own server, on another port than the API."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def show(self, runtime, cases):
        """What the page's script saw of each case."""
        self.page = (PAGE % (json.dumps(runtime.url), json.dumps(cases))).encode()
        self.done = threading.Event()
        with tempfile.TemporaryDirectory() as profile:
            shown = r.call(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--no-first-run", "--disable-background-networking", "--disable-component-update",
                 "--disable-extensions", "--disable-sync", f"--user-data-dir={profile}", "--dump-dom",
                 self.origin + "/"])
        found = re.search(r'<pre id="seen">(.*?)</pre>', shown.stdout, re.S)
        assert found and found[1], f"the page shows nothing: {shown.stdout[:200]!r} {shown.stderr[-300:]!r}"
        seen = json.loads(html.unescape(found[1]))
        assert len(seen) == len(cases), seen
        return seen


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/held":
            self.server.done.wait(r.DEADLINE_S)
        self.answer(self.server.page if self.path == "/" else b"")

    def do_POST(self):
        self.server.done.set()
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def predict_path(row, **more):
    query = {name: row[name] for name in r.FEATURES}
    return "/predict/flight-delay?" + urllib.parse.urlencode({**query, **more})


def infer_options(rows, headers={}):
    values = [[None if value != value else value for value in row] for row in r.feature_rows(rows)]
    body = {"inputs": [{"name": "rows", "shape": [len(rows), 15], "datatype": "FP64", "data": values}]}
    return {"method": "POST", "body": json.dumps(body), "headers": {"Content-Type": "application/json", **headers}}


INFER = "/v2/models/flight-delay/infer"


def test_a_page_gets_predictions(site, runtime):
    rows = r.EXPECTED[:5]
    want = r.predictions("flight-delay", 1, rows)
    plain, preflighted, units, version, table = site.show(runtime, [
        {"path": predict_path(rows[0])},
        {"path": INFER, "options": infer_options(rows)},
        {"path": INFER, "options": infer_options(rows, {"Mldeck-Unit": "N481UA"})},
        {"path": "/v1/models/flight-delay:predict",
         "options": {"method": "POST", "headers": {"Content-Type": "application/json"},
                     "body": json.dumps({"instances": r.feature_rows(r.whole_rows()[:2])})}},
        {"path": "/predict/flight-delay", "options": {
            "method": "POST", "headers": {"Content-Type": "text/csv"},
            "body": "\n".join([",".join(r.FEATURES)] + [",".join(row[f] for f in r.FEATURES) for row in rows])}},
    ])
    for seen in (plain, preflighted, units, version, table):
        assert seen.get("status") == 200, seen
    r.check_close([plain["text"]], want[:1], "a bare number")
    r.check_close(json.loads(preflighted["text"])["outputs"][0]["data"], want, "after a preflight")
    r.check_close(json.loads(units["text"])["outputs"][0]["data"], want, "with a header of ours")
    answers = json.loads(version["text"])["predictions"]
    r.check_close([x[0] if isinstance(x, list) else x for x in answers],
                  r.predictions("flight-delay", 1, r.whole_rows()[:2]), "V1")
    r.check_close([line.split(",")[0] for line in table["text"].split()[1:]], want, "CSV")


def test_a_page_can_read_an_error(site, runtime):
    unknown, empty, wrong, nowhere = site.show(runtime, [
        {"path": "/v2/models/nothing/infer", "options": infer_options(r.EXPECTED[:1])},
        {"path": INFER, "options": {"method": "POST", "body": "", "headers": {"Content-Type": "application/json"}}},
        {"path": "/predict/flight-delay?weekday=Monday"}, {"path": "/nowhere"}])
    assert unknown.get("status") == 404 and "there is no model `nothing`" in unknown["text"], unknown
    assert empty.get("status") == 400 and "error" in json.loads(empty["text"]), empty
    assert wrong.get("status") == 400 and "weekday" in wrong["text"], wrong
    assert nowhere.get("status") == 404, nowhere


def test_another_site_is_kept_out(site, runtime):
    """A page whose origin the configuration does not name: the browser hides the answers, and sends no body."""
    stranger = Site()
    simple, preflighted = stranger.show(runtime, [
        {"path": predict_path(r.EXPECTED[0])}, {"path": INFER, "options": infer_options(r.EXPECTED[:1])}])
    assert simple == {"failed": "TypeError"}, simple
    assert preflighted == {"failed": "TypeError"}, preflighted
    stranger.shutdown()


def test_a_page_follows_binary_answers(site, runtime):
    """The header that says where the JSON ends is shown to scripts of another origin."""
    options = infer_options(r.EXPECTED[:1])
    body = json.loads(options["body"])
    body["outputs"] = [{"name": "predict", "parameters": {"binary_data": True}}]
    options["body"] = json.dumps(body)
    seen, = site.show(runtime, [{"path": INFER, "options": options}])
    assert seen.get("status") == 200, seen
    assert int(seen["headers"]["inference-header-content-length"]) > 0, seen["headers"]


def main():
    site = Site()
    config = f"[cors]\norigins = https://app.example, {site.origin}\n"
    try:
        with r.Runtime(config=config) as runtime:
            failures = r.run(globals(), site, runtime)
    except Exception as error:
        print(f"not ok runtime: {type(error).__name__} {str(error)[:600]!r}", flush=True)
        failures = 1
    sys.exit(1 if failures else 0)


main()
