"""Independent jobs, each in a fresh process of its own, on this machine or on a cluster."""
