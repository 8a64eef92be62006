"""posternctl import postfix: what a main.cf says comes to the same here, and
what does not is listed."""

import os

import pytest

from hostfiles import make_key
from tool import ctl

MAIN = """# a comment
smtpd_banner = $myhostname ESMTP
myhostname = web1.there.example
mydestination = $myhostname, shop.example
 # a comment in between
 localhost.$mydomain, localhost
relayhost = [smtp.hop.example]:submission
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:%(dir)s/secrets
smtp_tls_security_level = verify
smtp_generic_maps = texthash:%(dir)s/generic
smtpd_tls_cert_file = %(dir)s/mx.crt
smtpd_tls_key_file = ${smtpd_tls_cert_dir}/mx.key
smtpd_tls_cert_dir = %(dir)s
virtual_alias_domains = lists.example
virtual_alias_maps = hash:%(dir)s/virtual
alias_maps = hash:%(dir)s/aliases
transport_maps = hash:%(dir)s/transport
home_mailbox = Maildir/
mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24
maximal_queue_lifetime = 3
maximal_queue_lifetime = 2
recipient_delimiter = +
smtpd_milters = inet:127.0.0.1:8891
no_such_parameter = $myhostname
"""
TABLES = {
    "secrets": "other:25 x:y\n[smtp.hop.example]:submission cust:se:cret\n",
    "generic": "root cust@hop.example\n",
    "virtual": "# lists\nlists.example anything\n"
               "all@lists.example ann,\n bob@far.example\n",
    "aliases": "root: ann\n",
    "transport": "inner.example smtp:[192.0.2.9]:2525\n"
                 ".sub.example lmtp:unix:private/lmtp\n* smtp:x\n",
}
LINES = """hostname web1.there.example
domains web1.there.example shop.example
rules { only_recipients local @lists.example }
route to @inner.example relay hop1
route to @.sub.example relay hop2
path /var/spool/postfix/private/lmtp
relay users { type local; path "~/Maildir/" }
sender_map root@web1.there.example cust@hop.example
lifetime 2d
recipient_delimiter +
host smtp.hop.example
port 587
username "cust"
tls { security verified }"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@pytest.fixture
def postfix(server):
    make_key(server, "mx")
    work = server.room.work
    os.mkdir(work + "/postfix")
    for name in "mx.crt", "mx.key":
        os.rename(work + "/" + name, work + "/postfix/" + name)
    work += "/postfix"
    for name, text in TABLES.items():
        write(os.path.join(work, name), text)
    write(work + "/main.cf", MAIN % {"dir": work})
    write(work + "/master.cf", "smtp inet n - y - - smtpd\n"
          "submissions inet n - y - - smtpd\n  -o x=y\n#smtps inet n\n")
    return work


def test_what_postfix_is_told_is_told_to_postern(server, postfix):
    server.configure("what was here\n")
    said = ctl(server, "import", "postfix", postfix)
    assert said.status == 0, said.out + said.err
    conf = read(server.path + ".new")
    for line in LINES.splitlines():
        assert "\t%s\n" % line in conf or "\n%s\n" % line in conf, (line, conf)
    assert "cert_dir" not in conf and "$" not in conf
    assert read(server.path) == "what was here\n"
    work = server.room.work
    assert read(work + "/smarthost.password") == "se:cret\n"
    assert os.stat(work + "/smarthost.password").st_mode & 0o777 == 0o600
    assert read(work + "/virtual") == ("all@lists.example: ann, "
                                       "bob@far.example\n")
    told = [l.strip() for l in said.out.splitlines() if " = " in l]
    assert told == [
        "mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24",
        "transport_maps = *", "smtpd_milters = inet:127.0.0.1:8891",
        "no_such_parameter = $myhostname", "master.cf = submissions"], told


def test_a_file_of_somebody_else_stays(server, postfix):
    write(server.room.work + "/virtual", "mine\n")
    said = ctl(server, "import", "postfix", postfix)
    assert said.status == 1 and "virtual: File exists" in said.err, said.err
    assert read(server.room.work + "/virtual") == "mine\n"


def test_what_cannot_be_read_is_named(server):
    said = ctl(server, "import", "postfix", "/no/such")
    assert said.status == 1
    assert said.err == ("posternctl: cannot read /no/such/main.cf: No such "
                        "file or directory\n")
