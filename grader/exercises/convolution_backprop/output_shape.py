"""The exercise `output_shape`."""

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "output_shape",
    points=2,
    aspects={"stride and padding": 2, "dilation": 1, "what does not fit": 1},
    hints=(
        "Take one axis. How long is it with the padding, which comes on both sides? How long is the kernel with its "
        "gaps? How far can its first entry move?",
        "A kernel of k entries with dilation d covers d * (k - 1) + 1 pixels. Its first entry can move the padded "
        "length less that; in steps of `stride` that is a whole-number division, and one more for the start.",
        "On each axis: `(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1`. Before that, refuse shapes "
        "of different length, and a kernel that covers more than there is.",
    ),
)


@exercise.reference
def output_shape(input_shape, kernel_shape, stride=1, padding=0, dilation=1):
    if len(input_shape) != len(kernel_shape):
        raise ValueError(f"a kernel with {len(kernel_shape)} axes does not fit an input with {len(input_shape)}")
    shape = []
    for size, kernel in zip(input_shape, kernel_shape):
        padded, covered = size + 2 * padding, dilation * (kernel - 1) + 1
        if covered > padded:
            raise ValueError(f"the kernel covers {covered} pixels, and the padded input has {padded}: pad more")
        shape.append((padded - covered) // stride + 1)
    return tuple(shape)
