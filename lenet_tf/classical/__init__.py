"""The classifiers that the 1998 paper compares with its networks in figure 9."""
