"""Real images as points: readers that execute nothing, one `ImageSet` for all of them.

Start with `image_set`; `handwritten` has digits and MNIST; `cifar`, `image_files` and `array_files` read from disk.
"""
