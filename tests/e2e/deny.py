"""A system call that fails, in a child and all that it starts."""

import ctypes
import platform
import struct

NUMBERS = {"x86_64": {"seccomp": 317, "flock": 73, "memfd_create": 319},
           "aarch64": {"seccomp": 277, "flock": 32, "memfd_create": 279}}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD, IS, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7fff0000, 0x00050000


def deny(call, error):
    """For preexec_fn: from then on the call fails with this errno."""
    number = NUMBERS[platform.machine()][call]
    program = b"".join(struct.pack("HBBI", *row) for row in (
        (LOAD, 0, 0, 0), (IS, 0, 1, number), (RETURN, 0, 0, FAIL | error),
        (RETURN, 0, 0, ALLOW)))
    rows = ctypes.create_string_buffer(program)
    filter = struct.pack("HxxxxxxP", 4, ctypes.addressof(rows))
    libc = ctypes.CDLL(None, use_errno=True)

    def call_it():
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        assert libc.prctl(PR_SET_SECCOMP, FILTER, filter) == 0, (
            ctypes.get_errno(), rows)
    return call_it
