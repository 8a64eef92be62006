"""Keys made by openssl(1), and a search for them in the memory of others."""

import re
import subprocess

SHADOW = 1 << 30        # bytes; what is larger is a sanitizer's own
WINDOW = 16             # bytes that are found anywhere count as a part
FIELD = re.compile(r"^(\w+):\s*$((?:\n\s+[0-9a-f:]+)+)", re.MULTILINE)
SECRET = ("privateExponent", "prime1", "prime2", "exponent1", "exponent2",
          "coefficient", "priv")
KINDS = {
    "rsa": ["-newkey", "rsa:2048"],
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
}


def make_pair(kind, cert, key, name="mx.test.example"):
    """A key and a certificate for it, as files."""
    subprocess.run(["openssl", "req", "-x509", "-nodes", *KINDS[kind], "-days",
                    "2", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=DNS:" + name, "-keyout", key, "-out",
                    cert], check=True, capture_output=True)


def secrets(key):
    """What must stay secret: the numbers of the private half."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"],
                          check=True, capture_output=True, text=True).stdout
    found = {name: bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
             for name, digits in FIELD.findall(text) if name in SECRET}
    assert len(found) in (1, 6), sorted(found)
    return found


def patterns(key):
    """name -> pieces of it, in both orders of bytes, and of the file's text.
    Whoever has a part of two windows' length has one of them whole."""
    out = {}
    for name, number in secrets(key).items():
        for order, bytes_ in (("", number), (" reversed", number[::-1])):
            out[name + order] = [bytes_[i:i + WINDOW] for i in
                                 range(0, len(bytes_) - WINDOW + 1, WINDOW)]
    with open(key, "rb") as f:
        lines = [l.strip() for l in f if not l.startswith(b"-")]
    out["text"] = [l[:WINDOW] for l in lines[1:] if len(l) >= WINDOW]
    return out


def memory_of(pid, with_shadow):
    """All memory of a process that can be read, region by region."""
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            where, rights, *rest = line.split()
            if "r" not in rights or rest[-1] in ("[vvar]", "[vsyscall]"):
                continue
            start, end = (int(x, 16) for x in where.split("-"))
            if end - start > SHADOW:
                assert with_shadow, line
                continue
            mem.seek(start)
            try:
                yield mem.read(end - start)
            except OSError:     # no page behind it
                continue


def parts_in(pid, key, with_shadow=False):
    """Names of those parts of the key that the process has in its memory, and
    how many bytes were looked at.  A process of a sanitizer build has a shadow
    of its memory beside it, with none of its bytes."""
    wanted, found, looked = patterns(key), set(), 0
    for region in memory_of(pid, with_shadow):
        looked += len(region)
        found |= {name for name, windows in wanted.items()
                  if any(w in region for w in windows)}
    return found, looked
