"""The Debian packages: what lintian and systemd say of them, and what runs out
of them.  They are packed from the programs under test; `make deb` builds."""

import fcntl
import functools
import glob
import os
import re
import subprocess
import tempfile

import pytest

from server import BUILD

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
EXPOSURE = 3.3      # systemd-analyze security; less is better


def run(*command, cwd=TOP, env=None):
    done = subprocess.run(command, cwd=cwd, env=env, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def newest(*paths):
    """The time of the last change to a file in one of these."""
    return max(os.stat(os.path.join(where, f)).st_mtime
               for path in paths
               for where, _, files in os.walk(os.path.join(TOP, path))
               for f in files)


@functools.cache
def packages():
    """A directory with the packages, made by the first worker that asks."""
    place = "%s/packed-%d" % (BUILD, os.geteuid())
    with open(place + ".lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        debs = glob.glob(place + "/*.deb")
        changed = max([newest("debian", "system", "man", "conf")] + [
            os.stat(p).st_mtime for p in glob.glob(BUILD + "/postern*")
            if os.path.isfile(p)])
        if len(debs) != 2 or min(map(os.path.getmtime, debs)) <= changed:
            run("debian/make.sh", place, BUILD)
            for deb in glob.glob(place + "/*.deb"):
                run("dpkg-deb", "-x", deb, place + "/root")
    return place


def unpacked():
    """A directory in the place of the root, with both packages in it."""
    return packages() + "/root"


def rows(path, word):
    """What stands between the brackets of each row of a table."""
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = re.findall(r"^%s\((.*?)\)$" % word, text, re.M | re.S)
    assert len(found) > 5
    return found


@pytest.mark.heavy
def test_lintian_has_nothing_to_say():
    changes, = glob.glob(packages() + "/*.changes")
    said = run("lintian", "--allow-root", "-I", "--fail-on",
               "error,warning,info", changes)
    assert said == ""


@pytest.mark.heavy
def test_the_packages_depend_on_what_they_are():
    debs = {os.path.basename(d).split("_")[0]: d
            for d in glob.glob(packages() + "/*.deb")}
    assert set(debs) == {"postern", "postern-mta"}
    mta = run("dpkg-deb", "-f", debs["postern-mta"])
    for field in "Provides", "Conflicts", "Replaces":
        assert field + ": mail-transport-agent\n" in mta
    alone = run("dpkg-deb", "-f", debs["postern"])
    assert "mail-transport-agent" not in alone
    kept = set(run("dpkg-deb", "-I", debs["postern"], "conffiles").split())
    assert kept == {"/etc/postern/postern.conf"}
    for name in "sendmail", "mailq", "newaliases":
        path, = glob.glob(unpacked() + "/usr/*bin/" + name)
        assert os.path.isfile(path), "a link that leads nowhere"
    for page in "sendmail", "mailq", "newaliases":
        assert os.path.isfile("%s/usr/share/man/man1/%s.1.gz" % (
            unpacked(), page))


@pytest.mark.heavy
def test_each_user_of_the_list_of_roles_is_made():
    wanted = {f for r in rows("common/sys/roles.def", "ROLE")
              for f in re.findall(r'"(_[a-z-]+)"', r)}
    with open(unpacked() + "/usr/lib/sysusers.d/postern.conf",
              encoding="ascii") as f:
        made = set(re.findall(r"^u (\S+) ", f.read(), re.M))
    assert made == wanted
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(root + "/etc")
        run("systemd-sysusers", "--root", root,
            unpacked() + "/usr/lib/sysusers.d/postern.conf")
        with open(root + "/etc/passwd", encoding="ascii") as f:
            assert wanted <= {line.split(":")[0] for line in f}


@pytest.mark.heavy
def test_the_units_are_hardened_and_name_what_is_there():
    units = glob.glob(unpacked() + "/lib/systemd/system/*.service")
    assert len(units) == 2
    for unit in units:
        with open(unit, encoding="ascii") as f:
            text = f.read()
        for program in re.findall(r"^Exec\w+=(/\S+)", text, re.M):
            assert os.access(unpacked() + program, os.X_OK), program
        # Programs and pages are not in this host's root, and so unknown.
        said = [line for line in subprocess.run(
            ["systemd-analyze", "verify", unit], capture_output=True,
            text=True, check=False).stderr.splitlines()
            if os.path.basename(unit) + ":" in line.split(" ")[0] and
            re.search(r":\d+:", line)]
        assert said == []
        told = run("systemd-analyze", "security", "--offline=true",
                   "--no-pager", "--threshold=%d" % (EXPOSURE * 10), unit)
        level = float(re.search(r"exposure level for \S+ ([\d.]+)",
                                told).group(1))
        assert level <= EXPOSURE, told


@pytest.mark.heavy
def test_a_shell_completes_every_command():
    path = unpacked() + "/usr/share/bash-completion/completions/posternctl"
    for r in rows("ctl/tool/commands.def", "COMMAND"):
        verb, second = re.match(r'"([^"]*)",\s*"([^"]*)"', r).groups()
        words = ["posternctl", verb] + ([second] if second else [])
        said = run("bash", "-c", ". %s; COMP_WORDS=(%s); COMP_CWORD=%d; "
                   "_posternctl; echo ${COMPREPLY[@]}" % (
                       path, " ".join(words), len(words) - 1))
        assert words[-1] in said.split(), (words, said)
