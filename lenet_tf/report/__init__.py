"""Specs and runs as tables, lines and pictures for people."""
