"""Exercises of chapter 6, convolution and its backward pass: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.convolution_backprop.two_layer_backward
import grader.exercises.convolution_backprop.numerical_gradient
import grader.exercises.convolution_backprop.count_parameters
import grader.exercises.convolution_backprop.output_shape
import grader.exercises.convolution_backprop.conv1d
import grader.exercises.convolution_backprop.conv2d
import grader.exercises.convolution_backprop.conv1d_backward
import grader.exercises.convolution_backprop.conv2d_backward
import grader.exercises.convolution_backprop.im2col
import grader.exercises.convolution_backprop.max_pool_backward
import grader.exercises.convolution_backprop.conv_cost

from grader.exercises.convolution_backprop.common import chapter
