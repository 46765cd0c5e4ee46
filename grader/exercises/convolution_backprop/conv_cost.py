"""The exercise `conv_cost`."""

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "conv_cost",
    points=2,
    aspects={"one group": 2, "groups": 1, "what does not fit": 1},
    hints=(
        "First the weights: how many does one output channel have? Then: how often is each weight used in one image?",
        "An output channel reads the `in_channels // groups` channels of its own group. Every weight is multiplied "
        "once at every place of the output.",
        "With `weights = out_channels * (in_channels // groups) * kernel_size**2`, the multiply-adds are `weights * "
        "out_height * out_width`, and the parameters are the weights and one bias for each output channel.",
    ),
)


@exercise.reference
def conv_cost(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{groups} groups do not divide {in_channels} input and {out_channels} output channels")
    out_height = (height + 2 * padding - kernel_size) // stride + 1
    out_width = (width + 2 * padding - kernel_size) // stride + 1
    if out_height < 1 or out_width < 1:
        raise ValueError(
            f"a kernel of {kernel_size} x {kernel_size} is larger than an image of {height} x {width} with padding "
            f"{padding}: pad more, or take a smaller kernel"
        )
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels
