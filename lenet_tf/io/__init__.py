"""Atomic writes, file locks and readers that bound what an untrusted file can demand."""
