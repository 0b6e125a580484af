"""What a run shows in TensorBoard.

`options` says what is asked for, `callback` writes while the network trains and at its end, with `pictures` of chosen epochs (`mosaics` are
those that are quick to make); `session` describes the run as a whole, `projector` puts test images into a space.
"""
