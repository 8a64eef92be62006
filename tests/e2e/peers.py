"""Servers of other houses, each in a directory of the test's own: Dovecot with
its LMTP, its logins and its submission, Postfix's smtpd, Exim; and an authority
to certify them."""

import os
import shutil
import signal
import socket
import subprocess

from server import NOBODY, free_port, until

USER = "nobody" if os.geteuid() == 0 else None


def run(*args, **more):
    subprocess.run(args, check=True, capture_output=True, **more)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(port):
    """Does a server greet there?"""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            return s.recv(3) == b"220"
    except OSError:
        return False


class Authority:
    """Certificates from a root of its own."""

    def __init__(self, dir, name="ca"):
        self.dir = dir
        self.name = name
        self.cert = os.path.join(dir, name + ".pem")
        self.key = os.path.join(dir, name + ".key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=" + name, "-keyout", self.key, "-out", self.cert)

    def issue(self, *names, usage=None, kind="ec:P-256"):
        """Certificate and key for names like DNS:a.example."""
        stem = os.path.join(self.dir, "%s-%s" % (
            self.name, names[0].split(":")[1]))
        with open(stem + ".ext", "w", encoding="ascii") as f:
            f.write("subjectAltName=%s\n" % ",".join(names))
            if usage:
                f.write("extendedKeyUsage=%s\n" % usage)
        option = {"ec": "ec_paramgen_curve", "rsa": "rsa_keygen_bits"}
        sort, size = kind.split(":")
        run("openssl", "req", "-new", "-newkey", sort, "-pkeyopt",
            option[sort] + ":" + size, "-nodes", "-subj", "/CN=peer",
            "-keyout", stem + ".key", "-out", stem + ".csr")
        run("openssl", "x509", "-req", "-days", "2", "-in", stem + ".csr",
            "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
            "-extfile", stem + ".ext", "-out", stem + ".pem")
        os.chmod(stem + ".key", 0o644)
        return stem + ".pem", stem + ".key"


DOVECOT = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = {protocols}
mail_location = maildir:{dir}/mail/%n
mail_plugins = quota
first_valid_uid = 1
{ssl}
auth_username_format = %Ln
disable_plaintext_auth = no
auth_mechanisms = plain login
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener {dir}/lmtp {{
    mode = 0666
  }}
}}
{submission}
service auth {{
  unix_listener {dir}/auth {{
    mode = 0666
  }}
  unix_listener {dir}/lda-userdb {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = username_format=%n {dir}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {dir}/users
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:bytes=10M
}}
"""

# Without capabilities of its backend it would have to ask that for each client.
SUBMISSION = """
submission_relay_host = 127.0.0.1
submission_relay_port = {next}
submission_backend_capabilities = 8BITMIME BINARYMIME CHUNKING
service submission-login {{
  chroot =
  inet_listener submission {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


class Dovecot:
    """Dovecot as an ordinary user.  users: name to password; small: those
    whose mailbox has no room for anything; submission: the port to which it
    hands on what is submitted to its port of that name."""

    def __init__(self, room, users, small=(), tls=None, submission=None):
        self.dir = os.path.join(room, "dovecot")
        self.port = free_port()
        self.path = os.path.join(self.dir, "lmtp")
        self.auth = os.path.join(self.dir, "auth")
        self.users, self.small, self.tls = users, small, tls
        self.next = submission
        self.submission = free_port() if submission else None
        os.mkdir(self.dir)
        for name in ("run", "state", "mail"):
            os.mkdir(os.path.join(self.dir, name))
        self._configure()
        if USER:
            run("chown", "-R", "nobody:nogroup", self.dir)
        self.start()

    def _configure(self):
        uid = NOBODY if USER else os.getuid()
        gid = NOBODY if USER else os.getgid()
        ssl = "ssl = no"
        if self.tls:
            ssl = "ssl = yes\nssl_cert = <%s\nssl_key = <%s" % self.tls
        with open(os.path.join(self.dir, "users"), "w",
                  encoding="ascii") as f:
            for name, password in self.users.items():
                rule = ("userdb_quota_rule=*:bytes=1"
                        if name in self.small else "")
                f.write("%s:{PLAIN}%s:%d:%d::%s/mail/%s::%s\n" % (
                    name, password, uid, gid, self.dir, name, rule))
        user = subprocess.run(["id", "-un", str(uid)], capture_output=True,
                              text=True, check=True).stdout.strip()
        group = subprocess.run(["id", "-gn", str(uid)], capture_output=True,
                               text=True, check=True).stdout.strip()
        with open(os.path.join(self.dir, "conf"), "w", encoding="ascii") as f:
            f.write(DOVECOT.format(
                dir=self.dir, port=self.port, user=user, group=group, ssl=ssl,
                protocols="lmtp submission" if self.next else "lmtp",
                submission=SUBMISSION.format(
                    next=self.next, port=self.submission) if self.next
                else ""))

    def start(self):
        who = ({"user": NOBODY, "group": NOBODY, "extra_groups": []}
               if USER else {})
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c",
             os.path.join(self.dir, "conf")], **who)
        until(lambda: os.path.exists(self.path) and
              os.path.exists(self.auth) and
              self.process.poll() is None, what="dovecot")

    def mails(self, user):
        """What lies in the Maildir of a user."""
        new = os.path.join(self.dir, "mail", user, "new")
        try:
            names = sorted(os.listdir(new))
        except FileNotFoundError:
            return []
        out = []
        for name in names:
            with open(os.path.join(new, name), "rb") as f:
                out.append(f.read())
        return out

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
            return f.read()

    def close(self):
        stop(self.process)


MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = {tree}/usr/sbin
daemon_directory = {tree}/usr/lib/postfix/sbin
shlib_directory = {tree}/usr/lib/postfix
meta_directory = {dir}
mail_owner = mail
setgid_group = games
maillog_file = {dir}/log
maillog_file_prefixes = /
import_environment = MAIL_CONFIG LD_LIBRARY_PATH
myhostname = hop.test.example
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
relayhost = [127.0.0.1]:{next}
default_transport = smtp
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_mechanism_filter = {mechanisms}
smtpd_tls_security_level = {level}
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_sasl_authenticated_header = yes
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
"""

SPOOL = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
         "incoming", "private", "saved", "trace", "pid", "public", "maildrop")


def told_once(text):
    """Lines whose name comes again are left out: each process of Postfix would
    warn of them, its logger too, which then waits for itself for ever."""
    lines = [l for l in text.splitlines() if l]
    last = {l.split("=")[0].strip(): l for l in lines}
    return "".join(l + "\n" for l in lines
                   if last[l.split("=")[0].strip()] is l)


class Postfix:
    """Postfix's smtpd with SASL, unpacked and not installed, as a smarthost
    that hands on to port `next`; auth is the socket of a Dovecot.  Its
    master(8) has to be root."""

    def __init__(self, room, next, auth, tls, mechanisms="plain, login",
                 level="may", more=""):
        self.tree = os.path.realpath(
            os.environ.get("POSTERN_PEERS", "build/peers"))
        self.dir = os.path.join(room, "postfix")
        self.port, self.tls_port = free_port(), free_port()
        os.mkdir(self.dir)
        self._spool()
        with open(self.dir + "/main.cf", "w", encoding="ascii") as f:
            f.write(told_once(MAIN.format(
                dir=self.dir, tree=self.tree, next=next, auth=auth,
                cert=tls[0], key=tls[1], mechanisms=mechanisms,
                level=level) + more))
        with open(self.dir + "/master.cf", "w", encoding="ascii") as f:
            f.write(MASTER.format(port=self.port, tls_port=self.tls_port))
        env = dict(os.environ, MAIL_CONFIG=self.dir, LD_LIBRARY_PATH=(
            self.tree + "/usr/lib/postfix"))
        with open(self.dir + "/errors", "wb") as errors:
            self.process = subprocess.Popen(
                [self.tree + "/usr/lib/postfix/sbin/master", "-c", self.dir,
                 "-d"], env=env, stdin=subprocess.DEVNULL, stdout=errors,
                stderr=errors, start_new_session=True)
        try:
            until(self._answers, 60, "postfix")
        except AssertionError as e:
            self.close()
            raise AssertionError(self.log()[-3000:]) from e

    def _spool(self):
        spool = self.dir + "/spool"
        os.mkdir(spool)
        for name in SPOOL:
            os.mkdir(os.path.join(spool, name), 0o700)
            shutil.chown(os.path.join(spool, name), "mail")
        for name in ("public", "pid"):
            os.chmod(os.path.join(spool, name), 0o755)
        shutil.chown(spool + "/pid", "root")
        os.mkdir(self.dir + "/data", 0o700)
        shutil.chown(self.dir + "/data", "mail")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log())
        return answers(self.port)

    def log(self):
        out = ""
        for name in ("errors", "log"):
            try:
                with open(self.dir + "/" + name, encoding="utf-8") as f:
                    out += f.read()
            except FileNotFoundError:
                pass
        return out

    def close(self):
        """It and all that it has started: they are a session."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


EXIM = """
primary_hostname = exim.test.example
exim_path = {dir}/exim4
spool_directory = {dir}/spool
log_file_path = {dir}/%slog
pid_file_path = {dir}/pid
log_selector = +smtp_confirmation
local_interfaces = 127.0.0.1
daemon_smtp_ports = {own}
disable_ipv6 = true
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
acl_not_smtp = accept
acl_smtp_rcpt = accept
keep_environment =
begin acl
begin routers
smtp:
  driver = manualroute
  domains = smtp.example
  transport = smtp
  route_list = * 127.0.0.1
  self = send
lmtp:
  driver = manualroute
  transport = lmtp
  route_list = * 127.0.0.1
  self = send
begin transports
smtp:
  driver = smtp
  port = {smtp}
  hosts_avoid_tls = *
lmtp:
  driver = smtp
  port = {lmtp}
  protocol = lmtp
  hosts_avoid_tls = *
begin retry
* * F,1h,2s
"""


class Exim:
    """Exim, unpacked and not installed: what comes to its port, or from
    send(), it delivers at once, and again where that fails; for smtp.example
    by SMTP to one port, all else by LMTP to the other.  It has to be root, and
    sees a user of its own in a mount namespace."""

    def __init__(self, room, smtp, lmtp):
        tree = os.path.realpath(os.environ.get("POSTERN_PEERS", "build/peers"))
        self.dir = os.path.join(room, "exim")
        self.port = free_port()
        os.makedirs(self.dir + "/spool")
        shutil.copy(tree + "/usr/sbin/exim4", self.dir)
        self._make_etc()
        with open(self.dir + "/conf", "w", encoding="ascii") as f:
            f.write(EXIM.format(dir=self.dir, own=self.port, smtp=smtp,
                                lmtp=lmtp))
        os.chmod(self.dir + "/conf", 0o644)
        self.command = [
            "unshare", "-m", "sh", "-c",
            'cd "$0" && mount --bind etc /etc && '
            'chown Debian-exim . spool && exec "$@"', self.dir,
            self.dir + "/exim4", "-C", self.dir + "/conf"]
        with open(self.dir + "/errors", "wb") as errors:
            self.process = subprocess.Popen(
                [*self.command, "-bdf", "-q5s"], stdin=subprocess.DEVNULL,
                stdout=errors, stderr=errors, start_new_session=True)
        try:
            until(self._answers, 60, "exim")
        except AssertionError as e:
            self.close()
            raise AssertionError(self.log()[-3000:]) from e

    def _make_etc(self):
        """What it sees as /etc.  A file alone, mounted over another, would be
        gone with the next useradd of anybody's, which puts a new one there."""
        etc = self.dir + "/etc"
        os.mkdir(etc)
        for name in ("passwd", "group", "nsswitch.conf", "hosts", "host.conf",
                     "resolv.conf", "services", "protocols", "ld.so.cache"):
            if os.path.exists("/etc/" + name):
                shutil.copy("/etc/" + name, etc)
        for name, line in (("passwd", "Debian-exim:x:8:8::/:/bin/false\n"),
                           ("group", "Debian-exim:x:8:\n")):
            with open(etc + "/" + name, "a+", encoding="utf-8") as f:
                f.seek(0)
                if "Debian-exim:" not in f.read():
                    f.write(line)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log())
        return answers(self.port)

    def send(self, sender, *rcpts, text):
        done = subprocess.run(
            [*self.command, "-odf", "-i", "-f", sender, *rcpts],
            input=text.replace(b"\r\n", b"\n"), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout

    def log(self):
        out = ""
        for name in ("errors", "paniclog", "rejectlog", "mainlog"):
            try:
                with open(self.dir + "/" + name, encoding="utf-8") as f:
                    out += f.read()
            except FileNotFoundError:
                pass
        return out

    def close(self):
        """It and all that it has started: they are a session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
