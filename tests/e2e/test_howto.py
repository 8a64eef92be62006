"""Every recipe of postern-howto(7): its files are written and its commands are
typed as they stand in the page, and what it promises is so afterwards."""

import os
import smtplib
import ssl
import subprocess

import pytest

from house import TOP, House
from howto import CONF, day, recipes
from peers import Authority
from server import until
from sinks import EXTENSIONS, Sink

pytestmark = pytest.mark.heavy       # what it follows is a host as installed
PORT = 587
PASSWORD = "a password, not a word"
# Typed in a Debian with a real systemd, and with packages.
ELSEWHERE = {"Upgrade": "tests/deb.sh"}
SHIPPED = """process { hostname mx.example.org; domains example.org }
edge sendmail { type smtp; listener { path /run/postern/sendmail } }
queue main { type lmdb; aliases /etc/aliases; route to local relay users
    relay out }
relay users { type local }
relay out { type static; host 127.0.0.1; port 2525 }
"""


@pytest.fixture
def house():
    h = House()
    yield h
    h.close()


def follow(house, title, *more, stdin=PASSWORD + "\n"):
    """Write its files and type its lines; what each line said."""
    recipe = recipes()[title]
    for path, text in recipe.files:
        house.write(path, text)
    said = {}
    for line in [l for step in recipe.steps for l in step]:
        said[line] = house.type(line, stdin)
    return said


def begin(house, text=SHIPPED):
    house.write(CONF, text)
    house.type("systemctl start postern")


def box(house, name):
    """Until there is mail in it; its text."""
    path = "/var/mail/" + name
    text = until(lambda: house.read(path), what=path)
    os.unlink(house.root + path)
    return text


@pytest.mark.root
def test_local_mail(house):
    begin(house)
    said = follow(house, "Root's mail")
    assert "ann@example.org" in said["posternctl alias root"]
    assert "\nhello\n" in box(house, "ann")

    said = follow(house, "Mailing list")
    assert "carol@example.com" in said["posternctl alias team"]
    assert box(house, "ann").startswith("From owner-team@example.org ")
    box(house, "bob")

    said = follow(house, "Catch-all")
    assert "  ann@example.org" in said["posternctl alias anything@example.org"]
    assert "  bob@example.org" in said["posternctl alias bob@example.org"]

    said = follow(house, "Second domain")
    assert "bob@example.org" in said["posternctl alias sales@example.net"]
    assert "users" in said["posternctl route ann@example.net"]

    follow(house, "Block a sender")
    for sender in "spam@example.net", "x@a.spam.example":
        said = house.type("swaks --server mx.example.org --to ann@example.org "
                          "--quit-after RCPT --from " + sender, status=24)
        assert "550 5.7.1 Not wanted here" in said

    follow(house, "Test with swaks")
    box(house, "ann")
    follow(house, "Disk full")
    follow(house, "Monitoring")


def provider(tls):
    """A server that wants STARTTLS, a login, and the account's own address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)

    def answer(verb, line, session):
        if verb == "AUTH" and "cert" in session:
            session["login"] = True
            return "235 2.7.0 Hello"
        if verb == "MAIL" and not session.get("login"):
            return "530 5.7.0 Log in"
        if verb == "MAIL" and "FROM:<web1@example.net>" not in line:
            return "553 5.7.1 Not your address"
        return None
    return Sink(port=PORT, host="127.0.0.2", answer=answer, tls=context,
                extensions=(*EXTENSIONS, "STARTTLS", "AUTH PLAIN"))


@pytest.mark.root
def test_sending(house):
    begin(house)
    sink = house.within(lambda: provider(house.ca.issue(
        "DNS:smtp.example.net")))
    try:
        said = follow(house, "Provider with login")
        got = sink.wait()[0]
        assert got.rcpts == ["bob@example.com"]
        assert "bob@example.com" in said["posternctl trace bob@example.com"]
    finally:
        sink.close()

    # certbot's names are links into its archive.
    live, old = "/etc/letsencrypt/live/mx.example.org", "../../archive/"
    house.certify("/etc/letsencrypt/archive/fullchain1.pem",
                  "/etc/letsencrypt/archive/privkey1.pem")
    os.makedirs(house.root + live)
    for name in "fullchain", "privkey":
        os.symlink(old + name + "1.pem", "%s%s/%s.pem" % (
            house.root, live, name))
    follow(house, "Submission server with Let's Encrypt")
    box(house, "ann")
    first = served(house)
    house.certify("/etc/letsencrypt/archive/fullchain2.pem",
                  "/etc/letsencrypt/archive/privkey2.pem")
    for name in "fullchain", "privkey":
        at = "%s%s/%s.pem" % (house.root, live, name)
        os.unlink(at)
        os.symlink(old + name + "2.pem", at)
    house.type("/etc/letsencrypt/renewal-hooks/deploy/postern")
    until(lambda: served(house) != first, what="the new certificate")


def served(house):
    """The certificate that port 465 shows."""
    def ask():
        context = ssl.create_default_context(cafile=house.ca.cert)
        context.check_hostname = False
        with smtplib.SMTP_SSL("127.0.0.1", 465, context=context) as s:
            return s.sock.getpeercert(binary_form=True)
    return house.within(ask)


@pytest.mark.root
def test_dovecot(house):
    begin(house)
    follow(house, "MX before Dovecot")
    box(house, "ann")
    said = follow(house, "Vacation by Sieve")
    box(house, "ann")
    assert "I am away until Monday." in box(house, "bob")
    said = follow(house, "Share the users file with Dovecot")
    assert "auth succeeded" in said["doveadm auth test bob@example.org"]


@pytest.mark.root
def test_keeping(house):
    begin(house)
    house.write("/etc/aliases", "root: ann\n")
    house.type("echo kept | sendmail zoe@example.com")
    waiting = house.type("posternctl queue list --json")
    recipe = recipes()["Backup, restore and move to another host"]
    for line in recipe.steps[0]:
        house.type(line)
    # Another host, where users have other numbers.
    house.type("systemctl stop postern; rm -r /etc/postern /etc/aliases "
               "/var/lib/postern; mkdir /etc/postern /var/lib/postern; "
               "sed -i 's/^\\(_postern-queue:[^:]*\\):[0-9]*/\\1:777/' "
               "/etc/passwd")
    for line in recipe.steps[1]:
        house.type(line)
    assert waiting.split('"')[3] in house.type("posternctl queue list --json")
    house.type("systemctl stop postern")

    log = "/var/log/postern.log"
    *lines, rotate = sum(recipes()["Log rotation"].steps, [])
    for line in lines:
        house.type("setsid %s" % line.replace("&", "</dev/null >/dev/null &"))
    until(lambda: "event=ready" in house.read(log), what=log)
    before = house.read(log)
    house.write(*recipes()["Log rotation"].files[0])
    house.type(rotate)
    assert house.read(log + ".1").startswith(before)
    house.type("posternctl reload")
    assert house.read(log).startswith("20"), "written at the old place"


@pytest.mark.root
def test_coming(house):
    begin(house)
    house.write("/etc/postfix/main.cf", """myhostname = mx.example.org
mydestination = $myhostname, example.org
alias_maps = hash:/etc/aliases
smtpd_tls_cert_file = /etc/ssl/certs/mx.pem
smtpd_tls_key_file = /etc/ssl/private/mx.key
""")
    house.write("/etc/postfix/master.cf", "smtp inet n - y - - smtpd\n")
    house.write("/etc/aliases", "root: ann\n")
    follow(house, "From Postfix")
    follow(house, "From OpenSMTPD")
    house.type("swaks --server mx.example.org --tls --to root@example.org")
    box(house, "ann")
    follow(house, "From slimta")
    house.type("swaks --server mx.example.org:587 --tls --auth PLAIN "
               "--auth-user carol@example.org --auth-password '%s' "
               "--to ann@example.com --from carol@example.org" % PASSWORD)
    house.type("swaks --server mx.example.org:587 --tls --auth PLAIN "
               "--auth-user 'client=192.0.2.1 command=AUTH code=535' "
               "--auth-password wrong --quit-after AUTH", status=28)
    assert banned(house) == ["127.0.0.1"]


def banned(house):
    """Whom fail2ban would ban by the recipe's filter."""
    path, text = recipes()["fail2ban"].files[0]
    house.write(path, text)
    peers = os.environ.get("POSTERN_PEERS", "build/peers")
    until(lambda: "code=535" in house.read("/var/log/started"), what="a line")
    said = subprocess.run(
        ["/usr/bin/python3", peers + "/usr/bin/fail2ban-regex", "-c",
         peers + "/etc/fail2ban", "-o", "ip", house.root + "/var/log/started",
         house.root + path], text=True, capture_output=True, check=False,
        env=dict(os.environ, PYTHONPATH=peers +
                 "/usr/lib/python3/dist-packages"))
    assert said.returncode == 0, said
    return said.stdout.split()


DAY = """process { hostname mx.example.org; domains example.org }
edge mx { type smtp; listener { interface ""; port 25 }
    rules { only_recipients local; lookup_credentials staff
        auth_without_tls yes } }
edge sendmail { type smtp; listener { path /run/postern/sendmail } }
users staff { type file; path /etc/postern/users }
queue main { type lmdb; aliases /etc/aliases; route to local relay users
    route to @never.example relay backup; relay out }
relay users { type local }
relay out { type static; host 127.0.0.2; port 26 }
relay backup { type static; host 127.0.0.2; port 27 }
"""
# What a task is seen to have done; the others only end well.
SEEN = {
    "posternctl queue list": "wait@slow.example",
    "mailq": "wait@slow.example",
    "posternctl queue list --to @slow.example": "wait@slow.example",
    "posternctl queue show --to wait@slow.example": "127.0.0.2",
    "posternctl suspend": "they move",
    "posternctl alias root": "ann@example.org",
    "posternctl user list": "carol@example.org",
    "posternctl user verify carol@example.org": "good",
    "posternctl trace ann@example.org": "delivered",
    "posternctl status --check --age 4h,1d": "queued",
}


@pytest.mark.root
def test_the_day_of_an_administrator(house):
    """Thirty tasks and more, each by the command that the page names."""
    house.write("/etc/aliases", "root: ann\n")
    house.write("/etc/postern/users", "bob@example.org:*\n", 0o600)
    begin(house, DAY)
    house.type("""for to in wait@slow.example x@gone.example; do
        echo x | sendmail $to || exit 1; done
        echo x | sendmail -f spam@here.example y@there.example
        echo x | sendmail ann@example.org""")
    box(house, "ann")
    tasks = day()
    assert len(tasks) >= 30
    for what, line in tasks:
        said = house.type(line, PASSWORD + "\n")
        assert SEEN.get(line, "") in said, (what, line, said)
    assert set(SEEN) <= {line for _, line in tasks}
    left = house.type("posternctl queue list")
    assert "wait@slow.example" in left
    for gone in "x@gone.example", "y@there.example":
        assert gone not in left, left


def test_no_recipe_is_left_out():
    with open(__file__, encoding="utf-8") as f:
        text = f.read()
    for title in recipes():
        if title in ELSEWHERE:
            with open(os.path.join(TOP, ELSEWHERE[title]),
                      encoding="utf-8") as f:
                assert "howto.py " + title in f.read(), title
        else:
            assert 'follow(house, "%s")' % title in text or (
                'recipes()["%s"]' % title in text), title
