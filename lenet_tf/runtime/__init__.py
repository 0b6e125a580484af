"""TensorFlow's start, its device and threads, signals, and facts about this machine."""
