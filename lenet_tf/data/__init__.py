"""Data sets: their sources, preparation, augmentation and input pipelines."""
