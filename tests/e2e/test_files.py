"""postern -n looks at the files a configuration names: what is missing, what
everybody may read, and keys that do not belong to their certificates."""

import os
import re
import smtplib
import ssl

import pytest

from hostfiles import make_file, make_key, stand_in
from server import NOBODY, basic, free_port

TOP = os.path.join(os.path.dirname(__file__), "../..")
TEXT = """process { run_dir run; hostname mx.example.org }
edge in {
    type smtp
    listener { port 2525 }
    tls {
        certfile %(crt)s
        keyfile %(key)s
    }
    rules { lookup_credentials staff }
}
users staff { type file; path %(users)s }
queue main { type lmdb; path run/queue; route to @example.org relay near }
relay near {
    type lmtp; path run/lmtp
    recipients %(known)s
    credentials { username u; password_file %(password)s }
}
"""


@pytest.fixture
def files(server):
    crt, key = make_key(server, "own")
    return {"crt": crt, "key": key, "users": make_file(server, "users"),
            "known": make_file(server, "known", "ann@example.org # x\n"),
            "password": make_file(server, "password", "secret\n")}


def told(server, files, status=1):
    server.configure(TEXT % files)
    got = server.check()
    assert got.returncode == status, got
    return got.stderr


def places(report):
    return [int(n) for n in re.findall(r"postern\.conf:(\d+):\d+:", report)]


def test_files_that_are_there_check_silently(server, files):
    assert told(server, files, 0) == ""


def test_all_missing_files_are_told_in_one_run(server, files):
    gone = {name: path + ".gone" for name, path in files.items()}
    report = told(server, gone)
    assert places(report) == [6, 7, 11, 15, 16], report
    for path in gone.values():
        assert path in report
    assert report.count("^~") == 5, report


def test_a_key_of_another_certificate_is_a_mistake(server, files):
    files["key"] = make_key(server, "other")[1]
    report = told(server, files)
    assert "does not belong to the certificate" in report
    assert places(report) == [7, 6], report


@pytest.mark.parametrize("kind", [
    ("rsa:3072",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")])
def test_keys_of_all_kinds_fit_their_certificates(server, files, kind):
    files["crt"], files["key"] = make_key(server, "kind", kind)
    assert told(server, files, 0) == ""


def test_a_certificate_in_place_of_the_key_is_a_mistake(server, files):
    files["key"] = make_file(server, "public", open(files["crt"]).read())
    assert "no private key in this file" in told(server, files)


@pytest.mark.parametrize("name, line", [
    ("key", 7), ("users", 11), ("password", 16)])
def test_a_secret_that_everybody_may_read_is_a_mistake(server, files, name,
                                                       line):
    os.chmod(files[name], 0o640)
    assert told(server, files, 0) == ""
    os.chmod(files[name], 0o644)
    report = told(server, files)
    assert places(report) == [line] and "chmod o=" in report, report


def test_a_key_that_we_may_not_read_is_said_so(server, files):
    os.chmod(files["key"], 0)
    report = told(server, files)
    assert "Permission denied" in report and places(report) == [7], report


def test_a_mistake_among_the_recipients_is_shown_there(server, files):
    files["known"] = make_file(server, "known", "ann@example.org\nbob\n")
    report = told(server, files)
    assert "known:2:1: `bob' is not" in report, report


@pytest.mark.root
def test_the_example_of_a_submission_server_checks_as_root(root_server):
    """As root a key of 0600 is read that belongs to somebody else."""
    text = open(TOP + "/conf/examples/submission.conf").read()
    root_server.configure(stand_in(root_server, text))
    key = os.path.join(root_server.room.work, "stand-in.key")
    os.chown(key, NOBODY, NOBODY)
    got = root_server.check()
    assert got.returncode == 0, got.stderr
    with open(key, "a") as f:
        f.seek(0)
        f.truncate()
    got = root_server.check()
    assert got.returncode == 1 and "no private key" in got.stderr, got.stderr


def test_a_credential_of_the_service_manager_is_a_file(server):
    """As LoadCredential= hands it over."""
    given = os.path.join(server.room.work, "given")
    os.mkdir(given)
    for made, name in zip(make_key(server, "one"), ("crt", "key")):
        os.rename(made, os.path.join(given, "mx." + name))
    server.port = free_port()
    server.configure(basic(server.port, 25, edge="tls { certfile "
                           "credential:mx.crt; keyfile credential:mx.key }"))
    server.start(env={"CREDENTIALS_DIRECTORY": given})
    context = ssl.create_default_context(cafile=given + "/mx.crt")
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", server.port) as s:
        assert s.starttls(context=context)[0] == 220
        assert s.ehlo()[0] == 250
