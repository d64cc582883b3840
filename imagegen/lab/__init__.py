"""Machines made from a disk image: one small interface, grounds behind it."""
