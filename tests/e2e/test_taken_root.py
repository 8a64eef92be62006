"""Some of test_taken.py and test_taken_inside.py, and all of them in make soak,
within root's whole sandbox: what is refused must be so there, and nobody die
of it."""

# ruff: noqa: F401, F403, F811
import pytest

from server import Room
from test_taken import SOAK, Taken, house
from test_taken import (test_a_taken_edge_gives_no_orders,
                        test_a_taken_relay_ends_no_delivery_of_another)
from test_taken_inside import (
    test_a_taken_queue_that_breaks_the_rules_loses_its_link,
    test_a_taken_relay_has_nothing_signed_that_is_not_its_own,
    test_a_taken_resolver_that_breaks_the_rules_is_cut_off)

if SOAK:
    from test_taken import *
    from test_taken_inside import *

pytestmark = pytest.mark.root


@pytest.fixture
def taken(users):
    room = Room(None)
    p = Taken(room, as_root=True)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()
        room.remove()
