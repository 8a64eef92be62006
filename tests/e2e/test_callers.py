"""Programs that send by sendmail(1), real ones, on a host that has no other
mail system: what they send is in the mailbox of ann."""

import glob
import os
import re
import shutil
import textwrap

import pytest

from house import House
from server import until

pytestmark = pytest.mark.heavy       # most of it is others' programs
PEERS = os.environ.get("POSTERN_PEERS", "build/peers")
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CONF = "/etc/postern/postern.conf"
DROP = "/var/lib/postern/drop"
# The path of sendmail that callers have compiled in, as the package has it.
LINKS = """
mkdir /run/sbin && mount --bind /usr/sbin /run/sbin &&
mount -t tmpfs -o mode=755 tmpfs /usr/sbin && cd /usr/sbin &&
ln -s /run/sbin/* . && for n in sendmail rmail; do
    ln -sf /opt/usr/lib/postern/postern-sendmail $n; done
"""


def begin(house):
    with open(TOP + "/conf/postern.conf", encoding="utf-8") as f:
        house.write(CONF, "process { hostname mx.example.org; "
                    "domains example.org }\nedge in { type smtp; listener { "
                    "interface 127.0.0.1; port 25 } queue outbound }\n"
                    + f.read())
    for path in "usr/bin/bsd-mailx", "usr/sbin/cron":
        shutil.copy(os.path.join(PEERS, path), house.root + "/usr-local")
    lib, = glob.glob(PEERS + "/usr/lib/**/liblockfile.so.1", recursive=True)
    shutil.copy(lib, house.root + "/usr-local")
    house.type("mkdir -p -m 1777 /var/tmp && ln -s /run /var/run")
    house.type(LINKS)
    house.type("systemctl start postern")


def got(house, subject):
    """The message of that subject, out of the mailbox."""
    def look():
        for m in re.split(r"(?m)^From (?=\S+ )", house.read("/var/mail/ann")):
            if "Subject: %s\n" % subject in m:
                return m
        return None
    return until(look, what=subject)


def as_ann(house, line, stdin=""):
    house.write("/home/ann/run", "cd /home/ann && export HOME=/home/ann "
                "USER=ann LOGNAME=ann LANG=C.UTF-8 TMPDIR=/tmp\n" + line + "\n")
    return house.type("setpriv --reuid=2000 --regid=2000 --clear-groups "
                      "bash -eu /home/ann/run", stdin=stdin)


PHP = r"""<?php
exit(mail("ann@example.org", "php", "Hello.\r\n.\nend\n",
    "From: web@example.org\r\nBcc: ann@example.org",
    "-fbounces@example.org") ? 0 : 1);
"""
SYMFONY = r"""<?php
require "Symfony/Component/Mailer/autoload.php";
require "Symfony/Component/Mime/autoload.php";
foreach (["-bs", "-t -i"] as $how) {
    $t = Symfony\Component\Mailer\Transport::fromDsn(
        "sendmail://default?command=" .
        urlencode("/usr/sbin/sendmail " . $how));
    (new Symfony\Component\Mailer\Mailer($t))->send(
        (new Symfony\Component\Mime\Email())->from("web@example.org")
        ->to("ann@example.org")->subject("symfony " . $how)
        ->text("Hello.\n.dot\n"));
}
"""
PYTHON = """
import smtplib, subprocess
subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"], check=True,
    input=b"To: ann@example.org\\nSubject: python\\n\\nHello.\\n.\\nend\\n")
with smtplib.SMTP("localhost") as s:
    s.sendmail("ann@example.org", "ann@example.org",
        "Subject: smtplib\\r\\n\\r\\nHello.\\r\\n")
"""


def php(house):
    house.write("/home/ann/mail.php", PHP)
    house.write("/home/ann/symfony.php", SYMFONY)
    as_ann(house, "php mail.php; php -d extension=mbstring symfony.php")
    m = got(house, "php")
    assert m.startswith("bounces@example.org ") and "Bcc:" not in m
    assert "\n\nHello.\n.\nend\n" in m
    for how in "-bs", "-t -i":
        assert "\n\nHello.\n.dot\n" in got(house, "symfony " + how)


def mail_readers(house):
    as_ann(house, """
echo hello | mutt -s mutt ann@example.org
echo hello | s-nail -s s-nail ann@example.org
echo hello | LD_LIBRARY_PATH=/usr-local bsd-mailx -s mailx ann
printf 'Subject: msmtp\\n\\nhello\\n' |
    msmtp --host=localhost --from=ann@example.org ann@example.org
printf '%s\\n' 'From uucp Sun Nov 29 19:00:00 2026 remote from far.example' \\
    '>From bob Sun Nov 29 18:00:00 2026 remote from old.example.org' \\
    'Subject: rmail' '' hello | rmail ann@example.org
""")
    assert got(house, "rmail").startswith("bob@old.example.org ")
    for subject in "mutt", "s-nail", "mailx", "msmtp", "rmail":
        assert "\nhello\n" in got(house, subject)
    assert re.search(r"(?m)^To: ann@(mx\.)?example\.org$",
                     got(house, "mailx"))


def git_and_python(house):
    house.write("/home/ann/send.py", PYTHON)
    as_ann(house, """
python3 send.py
git init -q r && cd r && git config user.email ann@example.org
git config user.name Ann && echo x >f && git add f && git commit -qm patch
git send-email -q --to=ann@example.org --confirm=never HEAD -1 >/dev/null
""")
    assert "\nend\n" in got(house, "python")
    got(house, "smtplib")
    assert "X-Mailer: git-send-email" in got(house, "[PATCH] patch")


def cron(house):
    """While postern is down and its configuration is broken."""
    house.type("systemctl stop postern")
    good = house.read(CONF)
    house.write(CONF, good + "nonsense {\n")
    house.write("/var/spool/cron/crontabs/ann", textwrap.dedent("""\
        MAILTO=ann
        @reboot echo hello from cron
        """), 0o600)
    os.chown(house.root + "/var/spool/cron/crontabs/ann", 2000, 2000)
    house.write("/etc/pam.d/cron", "auth required pam_permit.so\n"
                "account required pam_permit.so\n"
                "session required pam_permit.so\n")
    house.type("cron -f & pid=$!; for i in {1..300}; do "
               "ls %s/new.* 2>/dev/null && break; sleep .1; done; "
               "kill $pid; ls %s/new.*" % (DROP, DROP))
    house.write(CONF, good)
    house.type("systemctl start postern")
    m = got(house, "Cron <ann@%s> echo hello from cron"
            % house.type("hostname").strip().split(".")[0])
    assert "\n\nhello from cron\n" in m
    assert re.search(r"(?m)^From: \"?root@(mx\.)?example\.org\"?", m) or \
        re.search(r"(?m)^From: .*Cron Daemon.*@(mx\.)?example\.org", m), m
    until(lambda: not os.listdir(house.root + DROP), what="nothing is left")


@pytest.mark.heavy
@pytest.mark.root
def test_what_real_callers_send_arrives():
    house = House()
    try:
        begin(house)
        php(house)
        mail_readers(house)
        git_and_python(house)
        cron(house)
    finally:
        house.close()
