"""Trained models against images: metrics, significance, inspection, figures and reports."""
