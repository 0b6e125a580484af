"""Search the fields of a network and its recipe on held-back images."""
