"""From a picture of a digit to a digit image to a prediction."""
