"""Exports of trained networks to other runtimes."""
