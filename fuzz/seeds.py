#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets again: `python3 fuzz/seeds.py`.

Seeds that do not stand here (inputs that once made a target panic) stay as they are.
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "crates/tidings-auth/tests/fixtures"
SESSIONS = json.loads((FIXTURES / "sessions.json").read_text())
TOKENS = json.loads((FIXTURES / "tokens.json").read_text())


def write(target, name, content):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    content = content.encode() if isinstance(content, str) else bytes(content)
    (folder / name).write_bytes(content)


def rows(target, seeds):
    for name, content in seeds.items():
        write(target, name, content)


def claims(**more):
    return json.dumps({"sub": "u1", "exp": 4102444800, **more})


rows("api_key", {
    "genuine": b"\0",
    "genuine-in-header": b"\2",
    "typo": b"\0\0\x80x",
    "other-secret-right-sum": b"\1\0\x80x",
    "other-id-right-sum": b"\3\0\x10x",
    "too-short": b"\0\2\x80x",
    "raw": b"\0=tdk_000000000000_" + b"0" * 43 + b"n9hPH7",
    "raw-not-text": b"\2=tdk_\xff",
})

REVOKED = '{"revoke":{"what":"subject:u1","at":1899999999000,"until":1900003600000}}'
rows("auth_journal", {
    "empty": b"\xff",
    "one": b"\xff" + REVOKED.encode(),
    "lifted": b"\xc0" + "\n".join([REVOKED, REVOKED.replace("subject:u1", "key:k1"),
                                    '{"lift":{"what":"subject:u1"}}']).encode(),
    "since": b"\x80" + '{"revoke":{"what":"token:main:t1","at":1,"until":9000000000000,"issuedBefore":5}}'.encode(),
    "ended": b"\x40" + REVOKED.replace("1900003600000", "5").encode(),
    "no-sense": b"\xff" + b'{"revoke":{"what":"who?","at":1,"until":2}}',
    "unknown": b"\xff" + b'{"purge":{}}',
    "raw": b'\xff={"tidings":"revocations","version":2,"sum":"00000000"}\n',
    "not-text": b"\xff=\xff\xfe\n",
})

rows("claim_layout", {
    "own": "sub\nroles\n\ntidings\n" + claims(roles=["ADMIN"], tidings={
        "subscribe": ["project/*"], "publish": ["project/42", "@user/*", "@role/R", "@all"], "admin": False}),
    "words": "sub\nrole\n\n\n" + claims(role="ADMIN EDITOR"),
    "nested": "user.id\nrealm_access.roles\nkc:\nx.y\n" + json.dumps({
        "exp": 4102444800.5, "user": {"id": "u1"}, "realm_access": {"roles": ["a"]}, "x": {"y": {"admin": True}}}),
    "url": "sub\nhttps://example\\.com/roles\n\n\n" + claims(**{"https://example.com/roles": ["a"]}),
    "wrong-types": "sub\nroles\n\ntidings\n" + claims(roles=[1], tidings=[], nbf="1", jti=""),
})

EVENT = {"specversion": "1.0", "id": "i1", "type": "order.created", "source": "/shop"}
STRUCTURED = "application/cloudevents+json"
rows("cloud_event", {
    "structured": "project/1\n" + STRUCTURED + "\n\n\n" + json.dumps({
        **EVENT, "time": "2026-11-21T19:30:00Z", "subject": "7", "tidingspriority": "high",
        "datacontenttype": "application/json", "data": {"n": 1.5, "t": "\u00e9\n"}}),
    "addressed": "\n" + STRUCTURED + "\n\n\n" + json.dumps({
        **EVENT, "tidingstopics": "a/b,c", "tidingsusers": "u1", "tidingsroles": "R", "traceparent": "00-1"}),
    "base64": "\n" + STRUCTURED + "; charset=utf-8\n\n\n" + json.dumps({
        **EVENT, "datacontenttype": "image/png", "data_base64": "iVBORw=="}),
    "literals": "\n" + STRUCTURED + "\n\n\n" + json.dumps({**EVENT, "count": 5, "flag": True, "data": None}),
    "batch": "t\napplication/cloudevents-batch+json\n\n\n" + json.dumps([EVENT, {**EVENT, "id": "i2", "data": []}]),
    "binary": "a\napplication/json\nce-specversion: 1.0\nCE-id: i%201\nce-type: t\nce-source: /s\nhost: h\n\n[1,2]",
    "binary-text": "\ntext/plain\nce-specversion: 1.0\nce-id: i1\nce-type: t\nce-source: s\nce-x: \"%E2%82%AC\"\n\nh\u00e9",
    "mistyped": "\n" + STRUCTURED + "\n\n\n" + json.dumps({**EVENT, "tidingstopic": "a"}),
    "other-version": "\n" + STRUCTURED + "\n\n\n" + json.dumps({**EVENT, "specversion": "0.3"}),
})

rows("cookie_chunks", {
    "whole": [7, 0, 1],
    "three": [7, 3, 80, 160],
    "eight": [7, 2, 30, 60, 90, 120, 150, 180, 210],
    "nine": [7, 2, 25, 50, 75, 100, 125, 150, 175, 200],
    "missing": [8, 1, 80, 160],
    "twice": [9, 1, 80, 160],
    "beside-whole": [10, 1, 80, 160],
    "changed": [19, 1, 80, 160],
    "renumbered": [12, 1, 80, 160],
    "strangers": [5, 1, 80, 160],
    "emptied": [14, 1, 80, 160],
})

rows("cursor", {
    "cursor": "1042-k3x9f2m4q7",
    "zero": "0-0000000000",
    "later-form": "b1042-k3x9f2m4q7",
    "largest": "18446744073709551615-zzzzzzzzzz",
    "time": "2026-11-21T19:30:00Z",
    "milliseconds": "1795287064000",
    "duration": "10m",
    "keyword": "earliest",
    "id": "order-7:created",
})

rows("forwarded", {
    "one": "x-forwarded-for: 203.0.113.9\nx-forwarded-proto: https",
    "chain": "X-Forwarded-For: 203.0.113.9, 10.0.0.3\nx-forwarded-for: [fd00::1]:443, ::ffff:10.0.0.4",
    "ports": "x-forwarded-for: 203.0.113.9:4711,[2001:db8::1],unknown,",
    "many": "x-forwarded-for: " + ", ".join(["10.0.0.1"] * 40),
    "forwarded": 'forwarded: for=203.0.113.9;proto=https;by=10.0.0.1, For="[2001:db8::1]:80"',
    "quotes": 'forwarded: for="a,b\\"", for=10.0.0.1;host="x;for=1.1.1.1"\nforwarded: for=_hidden',
    "both": "forwarded: for=203.0.113.9\nx-forwarded-for: 203.0.113.8\nvia: 1.1 p",
    "twice": "forwarded: for=203.0.113.9;for=203.0.113.8;proto=http;proto=https",
    "not-text": b"x-forwarded-for: \xff\xfe\nforwarded: for=\xe9",
})

for number, one in enumerate(TOKENS["algorithms"]):
    write("jwt", one["algorithm"].lower(), one["valid"])
rows("jwt", {
    "expired": TOKENS["algorithms"][2]["expired"],
    "none": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsImV4cCI6NDEwMjQ0NDgwMH0.",
    "own-forged": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSIsImV4cCI6NDEwMjQ0NDgwMH0.AAAA",
})

HEADER = '{"alg":"HS256","typ":"JWT"}\n'
rows("jwt_claims", {
    "good": HEADER + claims(roles=["ADMIN"], tidings={"subscribe": ["a/**"]}, jti="t1", iat=1795287064),
    "fraction": HEADER + '{"sub":"u1","exp":4102444800.25,"nbf":1.5}',
    "just-ended": HEADER + '{"sub":"u1","exp":1899999996}',
    "not-yet": HEADER + '{"sub":"u1","exp":4102444800,"nbf":1900000005}',
    "huge": HEADER + '{"sub":"u1","exp":1e308}',
    "twice": HEADER + '{"sub":"u1","sub":"u2","exp":4102444800}',
    "crit": '{"alg":"HS256","crit":["exp"]}\n' + claims(),
    "other-algorithm": '{"alg":"HS512"}\n' + claims(),
    "foreign": HEADER + claims(iss="https://id.example.com"),
})

rows("ndjson_lines", {
    "lines": b"\x03\x30" + b'{"type":"a"}\n{"type":"b"}\r\n\n  \n{"type":"c"}',
    "too-long": b"\x02\x04" + b"12345\n1234\r\n123456789\nabc\n",
    "long-end": b"\x00\x01" + b"1\r\n12\r\n\r\r\n",
})

rows("pattern", {
    "literal": "project/42\nproject/42\nproject/42",
    "one": "project/*\nproject/42\nproject/42",
    "deep": "a/**\na/*/c\na/b/c",
    "deep-is-also-none": "a/**\na\na",
    "everything": "**\n*\n@user",
    "wildcards": "*/*/*/*\n*/b/**\na/b/c/d",
    "unicode": "\u043b\u0435\u043d\u0442\u0430/*\n**\n\u043b\u0435\u043d\u0442\u0430/\u043d\u043e\u0432\u043e\u0441\u0442\u0438",
    "mixed": "a*\n**/b\na//b",
    "long": "/".join(["*"] * 16) + "\n" + "a/" * 15 + "**\n" + "/".join(["a"] * 16),
})

rows("publish_body", {
    "one": '{"topics":["a/b"],"users":["u1"],"roles":["R"],"id":"i1","type":"x.y","priority":"high",'
           '"source":"s","data":{"n":1.50,"t":"\\u00e9\\n"},"metadata":{"userId":"u2"}}',
    "everyone": '{"type":"t"}',
    "group": '[{"topics":["a"],"type":"t","data":[1,\n2]},{"users":["u"],"type":"t"}]',
    "spaces": '\n{ "type" : "t" ,\r\n "data" : { "a" : [ ] , "b" : "\\r\\n" } , "metadata" : { } }\n',
    "twice": '{"type":"t","type":"t"}',
    "unknown-field": '{"type":"t","topic":"a"}',
    "deep": '{"type":"t","data":' + "[" * 20 + "]" * 20 + "}",
    "wait": '{"type":"t","wait":{"subscribers":2,"timeout":"3s"}}',
    "wait-too-long": '[{"type":"t","wait":{"timeout":"31s"}},{"type":"t","wait":{"subscribers":0}}]',
    "cursor-as-id": '{"type":"t","id":"1042-k3x9f2m4q7"}',
})

rows("query", {
    "stream": "topics=a/*,b/**&events=chapter.*&since=10m&audience=none",
    "encoded": "topics=project%2F42&topics=a%252Fb&x=%zz&y=%E2%82%AC+%2B&=&z",
    "measures": "limit=100&wait=25s&since=2026-11-21",
    "not-utf8": "topics=%FF%FE",
})

rows("rule_template", {
    "subject": 'user/{sub}/**\nu1\n{}',
    "workspace": 'workspace/{workspace}/*\nu1\n{"workspace":"w1"}',
    "several": 'a/{x}-{y.z}/**\nu1\n{"x":["1","2"],"y":{"z":7}}',
    "user": '@user/{sub}\nu1\n{}',
    "star-in-name": '@user/*{sub}\nu1\n{}',
    "role": '@role/{roles}\nu1\n{"roles":["a","b"]}',
    "everyone": '@all\nu1\n{}',
    "wildcard-in-claim": 'a/{x}\nu1\n{"x":"*"}',
    "slash-in-claim": 'a/{x}\nu1\n{"x":"b/c"}',
    "claim-first": '{x}/{y}\nu1\n{"x":"rooms","y":"1"}',
    "everyone-in-claim": '{x}\nu1\n{"x":"@all"}',
    "user-in-claim": '{x}/{y}\nu1\n{"x":"@user","y":"u2"}',
    "nobody": 'a/{x}\n\n{"x":"b"}',
})

rows("session_claims", {
    "auth-js": claims(roles=["ADMIN"], user={"roles": "a b"}, jti="j1", iat=1795287064, email="a@example.com"),
    "just-ended": '{"sub":"u1","exp":1899999986}',
    "early": claims(nbf=1900000100),
    "grants": claims(tidings={"subscribe": ["a/**"], "publish": ["@all"], "admin": True}),
    "wrong": '{"sub":1,"exp":"4102444800"}',
    "not-an-object": "[]",
})

PICKED = [("valid", 0), ("valid", 1), ("valid", 4), ("valid", 11), ("valid", 17), ("others", 0), ("expired", 1),
          ("wrong", 0), ("noClaims", 0)]
for kind, number in PICKED:
    cookies = SESSIONS[kind][number]["cookies"]
    write("session_cookie", f"{kind.lower()}-{number}", "\n".join("=".join(pair) for pair in cookies))
NAME, VALUE = SESSIONS["valid"][0]["cookies"][0]
rows("session_cookie", {
    "in-parts": f"{NAME}.1={VALUE[200:]}\nother=1\n{NAME}.0={VALUE[:200]}",
    "two-names": f"{NAME}=x\n__Host-{NAME}=y\nnext-auth.session-token=z",
    "empty": f"{NAME}=\n{NAME}.0=",
})

rows("settings_file", {
    "small": 'listen = "127.0.0.1:7777"\n[auth]\nsecret = "canary-0123456789abcdef0123456789abcdef"\n',
    "limits": '[auth]\nsecret = "canary-0123456789abcdef0123456789abcdef"\n[limits]\nconnections = 100\nconnections_per_identity = 5\n[window]\nevents = 1000\nbytes = "64MiB"\n',
    "issuer": '[[auth.issuer]]\nname = "main"\nissuer = "https://id.example.com"\naudiences = ["tidings"]\n'
              'algorithms = ["RS256"]\njwks_url = "https://id.example.com/jwks.json"\n'
              '[[auth.issuer]]\nname = "other"\nissuer = "https://b.example"\nqualify = false\n'
              'audiences = ["b"]\nalgorithms = ["HS256"]\nsecret = "canary-0123456789abcdef0123456789abcdef"\n',
    "session": '[auth]\nsession_secret = "canary-0123456789abcdef0123456789abcdef"\n'
               '[[auth.session]]\nname = "web"\ncookies = ["authjs.session-token"]\n',
    "rules": '[auth]\nsecret = "canary-0123456789abcdef0123456789abcdef"\n[[rule]]\nroles = ["EDITOR"]\n'
             'subscribe = ["workspace/{workspace}/**"]\npublish = ["@user/{sub}"]\n',
    "application": '[auth.application]\nurl = "https://app.example/api/me"\ncookies = ["sid"]\ntimeout = "2s"\n',
    "wrong-kinds": 'listen = 5\n[limits]\nconnections = "many"\n[auth]\nsecret = ["canary"]\n',
    "unknown": '[limit]\nconnection = 1\n[auth]\nsecrte = "x"\n',
    "no-toml": 'listen = \n[[[',
    "weak": '[auth]\nsecret = "canary"\n[http]\ntrusted_proxies = ["10.0.0.0/8", "x"]\n',
})

rows("sse_parser", {
    "blocks": b"\x02id: 1-0000000000\nevent: x\ndata: a\ndata: b\n\n:ping\nretry: 3000\n\n",
    "endings": b"\x00data:a\r\ndata: b\rdata:  c\n\r\n\r\n\n",
    "mark": b"\x00\xef\xbb\xbfdata: x\n\nid\ndata\n\n",
    "half-a-mark": b"\x00\xef\xbbdata: x\n\n",
    "ids": b"\x05id: a\n\nid: b\0c\ndata: x\n\nid:\n\ndata: y\n\n",
    "cut-off": b"\x01data: never told\n",
    "not-utf8": b"\x03data: \xff\xfe\nevent: \xc3\n\n",
})

rows("stream_token", {
    "genuine": b"",
    "flipped": b"\0\xffA",
    "shorter": b"\2\xf0A",
    "cut": b"\3\x80A",
    "header": b"\0\x08A",
    "none": b"=eyJhbGciOiJub25lIiwidHlwIjoidGlkaW5ncy1zdHJlYW0rand0In0.e30.",
})

FORM = {"version": 1, "origin": None, "subject": "u1", "roles": ["R"], "subscribe": ["a/**"], "hearEveryone": True,
        "expiresAt": 1900003600000, "behind": "token:main:t1", "issuedAt": 1}
rows("ticket_content", {
    "round-trip": "u1\na/**\na/*/c\nADMIN EDITOR\n",
    "stored": "u1\n**\n**\n\n" + json.dumps(FORM),
    "other-version": "u1\na\na\n\n" + json.dumps({**FORM, "version": 2}),
    "not-granted": "u1\na/*\nb/*\n\n{}",
    "unicode": "auth0|5f7c\n\u043b/**\n\u043b/*\nr\u00f4le\n[]",
})

rows("ticket_text", {
    "genuine": b"",
    "flipped": b"\0\x80A",
    "last": b"\0\xffB",
    "longer": b"\1\xffA",
    "shorter": b"\2\x10A",
    "raw": b"=" + b"A" * 43,
    "padded": b"\1\xff=",
})
