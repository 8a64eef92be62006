#!/bin/bash
# circles.sh - files that call each other in a circle are those that
# ARCHITECTURE.md names, and no others: they become fewer on purpose, and grow
# by nobody's oversight.
exec "$(dirname "$0")/circles.py" -c
