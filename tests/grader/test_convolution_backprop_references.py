"""The references of chapter 6 against someone else's: torch's layers and its autograd in float64, closed formulas.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from grader.exercises.convolution_backprop.conv1d import conv1d
from grader.exercises.convolution_backprop.conv1d_backward import conv1d_backward
from grader.exercises.convolution_backprop.conv2d import conv2d
from grader.exercises.convolution_backprop.conv2d_backward import conv2d_backward
from grader.exercises.convolution_backprop.conv_cost import conv_cost
from grader.exercises.convolution_backprop.count_parameters import count_parameters
from grader.exercises.convolution_backprop.im2col import im2col
from grader.exercises.convolution_backprop.max_pool_backward import max_pool_backward
from grader.exercises.convolution_backprop.numerical_gradient import numerical_gradient
from grader.exercises.convolution_backprop.output_shape import output_shape
from grader.exercises.convolution_backprop.two_layer_backward import two_layer_backward
from labutils.scalars import neighbour_products, weighted_cubes, weighted_cubes_gradient
from labutils.surfaces import SURFACES

draws = settings(max_examples=60, deadline=None)

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 4)
sides = st.integers(1, 9)
kernels = st.integers(1, 4)
strides = st.integers(1, 4)
paddings = st.integers(0, 3)
dilations = st.integers(1, 3)


def numbers(seed, *shapes):
    """Arrays of these shapes from one generator."""
    rng = np.random.default_rng(seed)
    return [np.array(rng.normal(size=shape)) for shape in shapes]


def gradients_by_torch(function, output_gradient, *arrays):
    """What torch's autograd sends back to each array through `function`."""
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    function(*tensors).backward(torch.tensor(output_gradient))
    return [tensor.grad.numpy() for tensor in tensors]


def assert_all_close(one, other):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def room(size, kernel, padding, dilation):
    """How far a kernel can move on the padded axis; negative where it does not fit."""
    return size + 2 * padding - dilation * (kernel - 1) - 1


@st.composite
def convolutions(draw):
    """The shape of the images, that of the weights, and stride, padding and dilation with which they fit."""
    images = draw(counts), draw(counts), draw(sides), draw(sides)
    weights = draw(counts), images[1], draw(kernels), draw(kernels)
    padding, dilation = draw(paddings), draw(dilations)
    needed = max(-room(size, kernel, 0, dilation) for size, kernel in zip(images[2:], weights[2:]))
    return images, weights, draw(strides), max(padding, -(-needed // 2)), dilation


# -- two layers ------------------------------------------------------------------------------------------------------


@given(seeds, counts, counts, counts, counts)
@draws
def test_two_layer_backward_is_autograd(seed, examples, inputs, hidden, outputs):
    features, *parameters = numbers(
        seed, (examples, inputs), (inputs, hidden), (hidden,), (hidden, outputs), (outputs,)
    )
    labels = np.random.default_rng(seed).uniform(size=(examples, outputs)).round(1)

    def loss(weights1, bias1, weights2, bias2):
        logits = torch.tanh(torch.tensor(features) @ weights1 + bias1) @ weights2 + bias2
        summed = functional.binary_cross_entropy_with_logits(logits, torch.tensor(labels), reduction="sum")
        return summed / examples

    expected = gradients_by_torch(loss, 1.0, *parameters)
    assert_all_close(two_layer_backward(features, labels, *parameters), expected)


@given(seeds, counts)
@draws
def test_two_layer_backward_is_the_numerical_gradient(seed, examples):
    features, labels, *parameters = numbers(seed, (examples, 2), (examples, 3), (2, 4), (4,), (4, 3), (3,))

    def loss(weights1):
        logits = np.tanh(features @ weights1 + parameters[1]) @ parameters[2] + parameters[3]
        return np.sum(np.logaddexp(0, logits) - labels * logits) / examples

    expected = numerical_gradient(loss, parameters[0])
    np.testing.assert_allclose(two_layer_backward(features, labels, *parameters)[0], expected, atol=1e-8)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (1, 2), (2,), (4, 2, 1)])
def test_two_layer_backward_refuses_labels_of_another_shape(shape):
    features, *parameters = numbers(0, (4, 3), (3, 2), (2,), (2, 2), (2,))
    with pytest.raises(ValueError, match=r"logits of shape \(4, 2\)"):
        two_layer_backward(features, np.ones(shape), *parameters)


# -- numerical gradients ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SURFACES)
@given(seeds)
@draws
def test_numerical_gradient_is_nearly_the_gradient(name, seed):
    surface, (point,) = SURFACES[name], numbers(seed, (2,))
    found = numerical_gradient(surface.loss, point)
    np.testing.assert_allclose(found, surface.gradient(point), rtol=1e-5, atol=1e-6)


@given(seeds, st.lists(counts, max_size=3).map(tuple), st.floats(1e-4, 1))
@draws
def test_two_sided_differences_of_cubes_are_off_by_the_square_of_the_step(seed, shape, step):
    (point,) = numbers(seed, shape)
    places = np.arange(1, point.size + 1).reshape(shape)
    expected = weighted_cubes_gradient(point) + places * step**2
    np.testing.assert_allclose(numerical_gradient(weighted_cubes, point, step), expected, rtol=1e-6, atol=1e-6)


@given(seeds, st.integers(2, 8))
@draws
def test_the_slope_of_neighbours_is_the_sum_of_both_neighbours(seed, size):
    (point,) = numbers(seed, (size,))
    around = np.pad(point, 1)
    expected = around[:-2] + around[2:]
    np.testing.assert_allclose(numerical_gradient(neighbour_products, point), expected, atol=1e-8)


@given(seeds)
@draws
def test_numerical_gradient_agrees_with_the_backward_pass(seed):
    x, weights, bias, output_gradient = numbers(seed, (2, 2, 4, 5), (3, 2, 2, 3), (3,), (2, 3, 3, 3))
    found = conv2d_backward(output_gradient, x, weights, 2, 1)
    for position, gradient in enumerate(found):
        arrays = [x, weights, bias]

        def loss(array):
            return np.sum(output_gradient * conv2d(*arrays[:position], array, *arrays[position + 1 :], 2, 1))  # noqa: B023

        np.testing.assert_allclose(numerical_gradient(loss, arrays[position]), gradient, atol=1e-7)


@pytest.mark.parametrize("step", [0, 0.0, -1e-5])
def test_numerical_gradient_refuses_a_step_that_is_none(step):
    with pytest.raises(ValueError, match=f"the step is {step}"):
        numerical_gradient(weighted_cubes, np.ones(2), step)


# -- counting --------------------------------------------------------------------------------------------------------


@given(counts, sides, sides, counts, kernels, kernels, st.booleans())
@draws
def test_count_parameters_is_what_torchs_layers_have(channels, height, width, out_channels, rows, columns, bias):
    outputs = out_channels * height * width
    layers = (
        nn.Linear(channels * height * width, outputs, bias=bias, device="meta"),
        nn.Conv2d(channels, out_channels, (rows, columns), bias=bias, device="meta"),
    )
    expected = tuple(sum(weights.numel() for weights in layer.parameters()) for layer in layers)
    assert count_parameters((channels, height, width), out_channels, (rows, columns), bias) == expected


@given(st.lists(st.tuples(sides, kernels), min_size=1, max_size=3), strides, paddings, dilations)
@draws
def test_output_shape_is_torchs(axes, stride, padding, dilation):
    sizes, kernel = zip(*axes)
    convolution = (functional.conv1d, functional.conv2d, functional.conv3d)[len(axes) - 1]
    images, weights = torch.zeros(1, 1, *sizes), torch.zeros(1, 1, *kernel)
    if min(room(size, one, padding, dilation) for size, one in axes) < 0:
        with pytest.raises(ValueError, match="covers .* the padded input has"):
            output_shape(sizes, kernel, stride, padding, dilation)
        with pytest.raises(RuntimeError):
            convolution(images, weights, None, stride, padding, dilation)
    else:
        expected = convolution(images, weights, None, stride, padding, dilation).shape[2:]
        assert output_shape(sizes, kernel, stride, padding, dilation) == tuple(expected)


def test_output_shape_refuses_another_number_of_axes():
    with pytest.raises(ValueError, match="1 axes .* input with 2"):
        output_shape((8, 8), (3,))


@given(counts, counts, sides, sides, counts, kernels, strides, paddings)
@draws
def test_conv_cost_counts_what_torch_would_do(groups, channels, height, width, kernels_each, kernel, stride, padding):
    in_channels, out_channels = groups * channels, groups * kernels_each
    arguments = (in_channels, height, width), out_channels, kernel, stride, padding, groups
    if min(room(height, kernel, padding, 1), room(width, kernel, padding, 1)) < 0:
        with pytest.raises(ValueError, match=f"a kernel of {kernel} x {kernel} is larger"):
            conv_cost(*arguments)
        return
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)
    # With ones everywhere in a large image, an output is the number of products in it.
    nn.init.ones_(layer.weight)
    layer.padding = (0, 0)
    padded = torch.ones(1, in_channels, height + 2 * padding, width + 2 * padding)
    assert conv_cost(*arguments) == (int(layer(padded).sum()), layer.weight.numel() + out_channels)


@pytest.mark.parametrize(("in_channels", "out_channels", "groups"), [(6, 8, 4), (8, 6, 4), (3, 3, 2), (2, 2, 4)])
def test_conv_cost_refuses_groups_that_do_not_divide(in_channels, out_channels, groups):
    sentence = f"{groups} groups do not divide {in_channels} input and {out_channels} output channels"
    with pytest.raises(ValueError, match=sentence):
        conv_cost((in_channels, 8, 8), out_channels, 3, groups=groups)
    with pytest.raises(ValueError):
        nn.Conv2d(in_channels, out_channels, 3, groups=groups)


# -- one dimension ---------------------------------------------------------------------------------------------------


def torchs_conv1d(stride, padding, dilation):
    return lambda x, weights: functional.conv1d(x[None, None], weights[None, None], None, stride, padding, dilation)


@given(seeds, sides, kernels, strides, paddings, dilations)
@draws
def test_conv1d_and_its_way_back_are_torchs(seed, length, kernel, stride, padding, dilation):
    x, weights = numbers(seed, (length,), (kernel,))
    if room(length, kernel, padding, dilation) < 0:
        with pytest.raises(ValueError, match="the kernel covers"):
            conv1d(x, weights, stride, padding, dilation)
        with pytest.raises(ValueError, match="the kernel is longer than the padded input"):
            conv1d_backward(np.zeros(0), x, weights, stride, padding, dilation)
        return
    torchs = torchs_conv1d(stride, padding, dilation)
    output = conv1d(x, weights, stride, padding, dilation)
    assert_all_close([output], [torchs(torch.tensor(x), torch.tensor(weights))[0, 0].numpy()])
    assert output.shape == output_shape((length,), (kernel,), stride, padding, dilation)
    (output_gradient,) = numbers(seed + 1, output.shape)
    expected = gradients_by_torch(torchs, output_gradient[None, None], x, weights)
    assert_all_close(conv1d_backward(output_gradient, x, weights, stride, padding, dilation), expected)


@given(seeds, st.integers(4, 9), kernels)
@draws
def test_the_way_back_is_a_correlation_and_a_full_convolution(seed, length, kernel):
    x, weights, output_gradient = numbers(seed, (length,), (kernel,), (length - kernel + 1,))
    x_gradient, weights_gradient = conv1d_backward(output_gradient, x, weights)
    np.testing.assert_allclose(weights_gradient, conv1d(x, output_gradient), atol=1e-9)
    np.testing.assert_allclose(x_gradient, conv1d(output_gradient, weights[::-1], padding=kernel - 1), atol=1e-9)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_conv1d_backward_refuses_another_number_of_outputs(count):
    with pytest.raises(ValueError, match=f"has {count} entries, and the convolution 3 outputs"):
        conv1d_backward(np.ones(count), np.ones(4), np.ones(2))


# -- two dimensions --------------------------------------------------------------------------------------------------


@given(seeds, convolutions())
@settings(max_examples=150, deadline=None)
def test_conv2d_and_its_way_back_are_torchs(seed, convolution):
    images, kernel, *geometry = convolution
    x, weights, bias = numbers(seed, images, kernel, kernel[:1])

    def torchs(*tensors):
        return functional.conv2d(*tensors, *geometry)

    output = conv2d(x, weights, bias, *geometry)
    assert_all_close([output], [torchs(*map(torch.tensor, (x, weights, bias))).numpy()])
    assert output.shape[2:] == output_shape(images[2:], kernel[2:], *geometry)
    (output_gradient,) = numbers(seed + 1, output.shape)
    expected = gradients_by_torch(torchs, output_gradient, x, weights, bias)
    assert_all_close(conv2d_backward(output_gradient, x, weights, *geometry), expected)


@given(seeds, convolutions())
@draws
def test_im2col_is_torchs_unfold_and_makes_a_convolution_one_product(seed, convolution):
    images, kernel, stride, padding, dilation = convolution
    x, weights = numbers(seed, images, kernel)
    columns = im2col(x, kernel[2:], stride, padding, dilation)
    expected = functional.unfold(torch.tensor(x), kernel[2:], dilation, padding, stride).numpy()
    assert_all_close([columns], [expected])
    output = conv2d(x, weights, np.zeros(len(weights)), stride, padding, dilation)
    product = weights.reshape(len(weights), -1) @ columns
    np.testing.assert_allclose(product.reshape(output.shape), output, rtol=1e-9, atol=1e-9)


@given(sides, sides, kernels, kernels, strides, paddings, dilations)
@draws
def test_kernels_that_do_not_fit_are_refused_everywhere(height, width, rows, columns, stride, padding, dilation):
    geometry = stride, padding, dilation
    if min(room(height, rows, padding, dilation), room(width, columns, padding, dilation)) >= 0:
        return
    x, weights = np.ones((1, 1, height, width)), np.ones((1, 1, rows, columns))
    for call in (
        lambda: conv2d(x, weights, np.ones(1), *geometry),
        lambda: im2col(x, (rows, columns), *geometry),
    ):
        with pytest.raises(ValueError, match=f"a kernel of {rows} x {columns} with dilation {dilation} is larger than"):
            call()
    with pytest.raises(ValueError, match=f"a kernel of {rows} x {columns} with dilation {dilation} is larger than"):
        conv2d_backward(np.ones((1, 1, 0, 0)), x, weights, *geometry)


@pytest.mark.parametrize(("channels", "expected"), [(1, 3), (3, 1), (2, 3)])
def test_other_channels_are_refused(channels, expected):
    x, weights = np.ones((2, channels, 4, 4)), np.ones((5, expected, 2, 2))
    with pytest.raises(ValueError, match=f"x has {channels} channels, and the weights are made for {expected}"):
        conv2d(x, weights, np.ones(5))
    with pytest.raises(ValueError, match=f"x has {channels} channels, and the weights are made for {expected}"):
        conv2d_backward(np.ones((2, 5, 3, 3)), x, weights)


@given(seeds, convolutions())
@draws
def test_the_way_back_is_the_transposed_map(seed, convolution):
    """A convolution without bias is linear: <g, conv(x)> is <conv's way back of g, x>."""
    images, kernel, *geometry = convolution
    x, weights = numbers(seed, images, kernel)
    output = conv2d(x, weights, np.zeros(len(weights)), *geometry)
    (output_gradient,) = numbers(seed + 1, output.shape)
    x_gradient, weights_gradient, _ = conv2d_backward(output_gradient, x, weights, *geometry)
    product = np.sum(output_gradient * output)
    np.testing.assert_allclose([np.sum(x_gradient * x), np.sum(weights_gradient * weights)], product, atol=1e-9)


# -- pooling ---------------------------------------------------------------------------------------------------------


@given(seeds, counts, counts, sides, sides, kernels, strides, st.sampled_from([2, 3, 1000]))
@draws
def test_max_pool_backward_is_torchs(seed, batch, channels, height, width, size, stride, levels):
    """With few levels nearly every window has a tie."""
    x = np.random.default_rng(seed).integers(-levels, levels, (batch, channels, height, width)).astype(float)
    if size > min(height, width):
        with pytest.raises(ValueError, match=f"a window of {size} x {size} is larger than an image"):
            max_pool_backward(np.ones((batch, channels, 0, 0)), x, size, stride)
        return
    out = output_shape((height, width), (size, size), stride)
    (output_gradient,) = numbers(seed, (batch, channels, *out))
    expected = gradients_by_torch(lambda images: functional.max_pool2d(images, size, stride), output_gradient, x)
    assert_all_close([max_pool_backward(output_gradient, x, size, stride)], expected)
