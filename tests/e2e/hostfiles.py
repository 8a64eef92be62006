"""Files that configurations name: certificates and keys, users, passwords."""

import os
import subprocess


def make_file(server, name, text="", mode=0o600):
    """A file in the directory of the test, of whoever the server runs as."""
    path = os.path.join(server.room.work, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    owner = os.stat(server.room.work)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, mode)
    return path


def make_key(server, name, kind=("rsa:2048",), host="mx.example.org"):
    """NAME.crt and NAME.key, which belong together; their paths."""
    crt, key = (os.path.join(server.room.work, name + end)
                for end in (".crt", ".key"))
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "30",
                    "-subj", "/CN=" + host, "-addext",
                    "subjectAltName=DNS:" + host, "-newkey", *kind,
                    "-keyout", key, "-out", crt],
                   check=True, capture_output=True)
    owner = os.stat(server.room.work)
    for path, mode in ((crt, 0o644), (key, 0o600)):
        os.chown(path, owner.st_uid, owner.st_gid)
        os.chmod(path, mode)
    return crt, key


def stand_in(server, text):
    """The text with files of the test for those a host would have."""
    crt, key = make_key(server, "stand-in")
    for path, own in (
            ("/etc/ssl/certs/mx.pem", crt), ("/etc/ssl/private/mx.key", key),
            ("/etc/postern/users", make_file(server, "users")),
            ("/etc/postern/recipients",
             make_file(server, "recipients", "ann@example.org\n")),
            ("/etc/postern/smarthost.password",
             make_file(server, "smarthost.password", "secret\n")),
            ("/usr/local/bin/ticket", "/bin/cat"),
            ("/usr/bin/procmail", "/bin/cat"),
            ("type maildrop", "type maildrop; path /bin/cat"),
            ("type dovecot", "type dovecot; path /bin/cat"),
            ("security verified", "security verified; ca_certs " + crt)):
        text = text.replace(path, own)
    return text
