"""The kernel walk without a browser: its arguments, and its output and gradients against torch."""

from itertools import product

import numpy as np
import pytest
import torch

from labutils.widgets import KernelWalk
from labutils.widgets.kernel_walk import KERNELS, correlate, correlate_backward, output_shape

SETTINGS = list(product([1, 2, 3], [0, 1, 2, 3], [1, 2, 3]))


def by_torch(image, kernel, incoming=None, stride=1, padding=0, dilation=1):
    """Output, and the gradients for `incoming` where it is given, by torch's conv2d and autograd in float64."""
    x, w = (torch.tensor(numbers, dtype=torch.float64)[None, None].requires_grad_() for numbers in (image, kernel))
    output = torch.nn.functional.conv2d(x, w, stride=stride, padding=padding, dilation=dilation)
    if incoming is None:
        return output.detach().numpy()[0, 0]
    gradients = torch.autograd.grad(output, (x, w), torch.tensor(incoming)[None, None])
    return [gradient.numpy()[0, 0] for gradient in gradients]


@pytest.mark.parametrize("shapes", [((8, 8), (3, 3)), ((7, 10), (2, 4)), ((1, 9), (1, 3)), ((4, 4), (5, 5))], ids=str)
def test_output_and_gradients_are_torchs_for_every_setting(shapes):
    generator = np.random.default_rng(0)
    image, kernel = (generator.normal(size=shape) for shape in shapes)
    fitted = 0
    for settings in SETTINGS:
        output = correlate(image, kernel, *settings)
        if output_shape(*shapes, *settings) == (0, 0):
            assert output.shape == (0, 0)
            with pytest.raises(RuntimeError, match="size"):
                by_torch(image, kernel, None, *settings)
            continue
        fitted += 1
        np.testing.assert_allclose(output, by_torch(image, kernel, None, *settings), atol=1e-12)
        incoming = generator.normal(size=output.shape)
        ours = correlate_backward(image, kernel, incoming, *settings)
        for gradient, torchs in zip(ours, by_torch(image, kernel, incoming, *settings)):
            np.testing.assert_allclose(gradient, torchs, atol=1e-12)
    assert fitted >= 9


def test_without_arguments_a_nine_is_seen_by_the_first_kernel():
    walk = KernelWalk()
    assert walk.kernel == "vertical edges" and walk.output().shape == (8, 8) and walk.position == (2, 3)
    assert walk.output()[2, 3] == 15 * -1 + 9 * 1 + 13 * -2 + 7 * 2 + 15 * -1 + 16 * 1
    assert "correlation of an image of 8 × 8 pixels with the kernel 'vertical edges', stride 1" in walk.describe()


def test_arguments_become_what_is_shown():
    walk = KernelWalk(
        np.arange(12).reshape(3, 4),
        {"one": [[1.5]], "row": [[1, -2]]},
        kernel="row",
        stride=2,
        padding=0,
        dilation=3,
        operation="convolution",
        position=(1, 0),
        backward=True,
        incoming="ones",
    )
    np.testing.assert_array_equal(walk.output(), [[0 * -2 + 3 * 1], [8 * -2 + 11 * 1]])
    assert walk.position == (1, 0)
    image_gradient, kernel_gradient = walk.gradients()
    np.testing.assert_array_equal(image_gradient, [[-2, 0, 0, 1], [0, 0, 0, 0], [-2, 0, 0, 1]])
    np.testing.assert_array_equal(kernel_gradient, [[3 + 11, 0 + 8]])


@pytest.mark.parametrize("incoming", ["one", "ones"])
@pytest.mark.parametrize("operation", ["correlation", "convolution"])
def test_gradients_are_those_of_the_kernel_as_it_was_given(operation, incoming):
    walk = KernelWalk(kernel="emboss", stride=2, operation=operation, position=(3, 1), incoming=incoming)
    weights = torch.tensor(KERNELS["emboss"], dtype=torch.float64, requires_grad=True)
    laid = weights.flip(0, 1) if operation == "convolution" else weights
    pixels = torch.tensor(walk._image, dtype=torch.float64)
    output = torch.nn.functional.conv2d(pixels[None, None], laid[None, None], stride=2, padding=1)[0, 0]
    np.testing.assert_allclose(walk.output(), output.detach())
    (output[3, 1] if incoming == "one" else output.sum()).backward()
    np.testing.assert_allclose(walk.gradients()[1], weights.grad)


def test_position_is_the_nearest_that_there_is():
    assert KernelWalk(stride=3, position=(7, 1)).position == (2, 1)
    walk = KernelWalk(kernel="blur, 5 × 5", padding=0, dilation=3)
    assert walk.output().shape == (0, 0) and walk.position == (0, 0)
    assert not walk.gradients()[0].any() and walk.gradients()[1].shape == (5, 5)


def test_shift_tells_correlation_from_convolution():
    image = KernelWalk(kernel="identity").output()
    right, left = (
        KernelWalk(kernel="shift by one column", operation=o).output() for o in ("correlation", "convolution")
    )
    np.testing.assert_array_equal(right[:, 1:], image[:, :-1])
    np.testing.assert_array_equal(left[:, :-1], image[:, 1:])


def test_still_picture_has_three_grids_and_says_what_does_not_fit():
    titles = [axes.get_title() for axes in KernelWalk(operation="convolution").still().axes]
    assert titles == ["input x\n10 × 10, padding included", "kernel w\n3 × 3, turned", "output y\n8 × 8"]
    titles = [axes.get_title() for axes in KernelWalk(padding=0, backward=True).still().axes]
    assert titles == ["∂L/∂x\n8 × 8", "∂L/∂w\n3 × 3", "∂L/∂y\n6 × 6"]
    last = KernelWalk(kernel="blur, 5 × 5", padding=0, dilation=3).still().axes[2]
    assert last.get_title() == "output y\n0 × 0" and "does not fit" in last.texts[0].get_text()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KernelWalk(np.zeros(8)), r"image has shape \(8,\): give 1 to 10 rows and columns"),
        (lambda: KernelWalk(np.zeros((28, 28))), r"image has shape \(28, 28\): give 1 to 10"),
        (lambda: KernelWalk([[1, np.nan]]), "image holds nan: give finite numbers"),
        (lambda: KernelWalk(kernels={}), "kernels is empty"),
        (lambda: KernelWalk(kernels={"big": np.ones((8, 8))}), r"kernel 'big' has shape \(8, 8\): give 1 to 7"),
        (lambda: KernelWalk(kernel="blurr"), "kernel is 'blurr'.*identity"),
        (lambda: KernelWalk(stride=0), "stride is 0, and the widget shows 1 to 3"),
        (lambda: KernelWalk(padding=4), "padding is 4, and the widget shows 0 to 3"),
        (lambda: KernelWalk(dilation=5), "dilation is 5, and the widget shows 1 to 3"),
        (lambda: KernelWalk(operation="conv"), "operation is 'conv'.*correlation, convolution"),
        (lambda: KernelWalk(position=3), "position is 3: give row and column"),
        (lambda: KernelWalk(position=(-1, 0)), r"position is \(-1, 0\): give row and column"),
        (lambda: KernelWalk(incoming="two"), "incoming is 'two'.*one, ones"),
    ],
)
def test_bad_arguments_are_named_with_their_limits(make, message):
    with pytest.raises(ValueError, match=message):
        make()
