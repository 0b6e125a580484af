"""A person's picture to a digit image to a prediction."""
