"""The page that shows a network at work: one HTML file that needs no other file."""
