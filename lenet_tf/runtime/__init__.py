"""The processor, the threads, the signals and the machine that a run meets."""
