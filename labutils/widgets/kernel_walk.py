"""A kernel that slides over an image step by step, and its backward pass, computed in the browser."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labutils.widgets.base import CIVIDIS, LabWidget, one_of, script, within

KERNELS = {
    "vertical edges": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],  # Sobel and Feldman (1968)
    "horizontal edges": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "edges all around": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "blur, 3 × 3": [[1 / 9] * 3] * 3,
    "blur, 5 × 5": [[1 / 25] * 5] * 5,
    "mean of 2 × 2": [[1 / 4] * 2] * 2,
    "shift by one column": [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
}
"""The kernels that are offered where none are given, by what they do to an image as correlation."""
OPERATIONS = ("correlation", "convolution")
INCOMING = {"one": "one at the chosen output", "ones": "one at every output"}
LARGEST_IMAGE, LARGEST_KERNEL = 10, 7


def correlate(
    image: np.ndarray, kernel: np.ndarray, stride: int = 1, padding: int = 0, dilation: int = 1
) -> np.ndarray:
    """The output of `kernel` over `image` with zeros around it; of shape (0, 0) where the kernel does not fit."""
    padded = np.pad(image, padding)
    rows, columns = output_shape(image.shape, kernel.shape, stride, padding, dilation)
    output = np.zeros((rows, columns))
    for (row, column), weight in np.ndenumerate(kernel):
        window = padded[row * dilation :: stride, column * dilation :: stride]
        output += weight * window[:rows, :columns]
    return output


def correlate_backward(
    image: np.ndarray, kernel: np.ndarray, incoming: np.ndarray, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of the loss with respect to the image and the kernel, for its gradient `incoming` at the output."""
    padded = np.pad(image, padding)
    rows, columns = incoming.shape
    image_gradient, kernel_gradient = np.zeros(padded.shape), np.zeros(kernel.shape)
    for (row, column), weight in np.ndenumerate(kernel):
        seen = np.s_[row * dilation :: stride, column * dilation :: stride]
        kernel_gradient[row, column] = (incoming * padded[seen][:rows, :columns]).sum()
        image_gradient[seen][:rows, :columns] += weight * incoming
    inside = np.s_[padding : padding + image.shape[0], padding : padding + image.shape[1]]
    return image_gradient[inside], kernel_gradient


def output_shape(image: tuple, kernel: tuple, stride: int, padding: int, dilation: int) -> tuple[int, int]:
    """Rows and columns of the output, (0, 0) where the kernel does not fit into the padded image."""
    sides = [
        (side + 2 * padding - dilation * (width - 1) - 1) // stride + 1
        for side, width in zip(image, kernel, strict=True)
    ]
    return tuple(sides) if min(sides) > 0 else (0, 0)


class KernelWalk(LabWidget):
    """A kernel slides over an image: input, kernel and output in numbers, the sum at each place, and the way back.

    Choosing an output shows which inputs and weights it is made of; choosing an input or a weight shows which outputs
    it reaches. With `backward` the same three grids hold the gradient of the loss with respect to the input, to the
    weights and to the output, the last being 1 at the chosen output or at every output.

    image: numbers of shape (rows, columns), each 1 to 10; without it a handwritten digit of 8×8 pixels, 0 (paper) to 16
    (ink). kernels: {name: numbers of shape (rows, columns)}, each 1 to 7; without it `KERNELS`. kernel: the name of the
    one that is shown first. stride: 1 to 3. padding: rows and columns of zeros on each side, 0 to 3. dilation: 1 to 3.
    operation: "correlation", or "convolution", for which the kernel is turned by 180°. position: row and column of the
    output that is chosen first. incoming: "one" or "ones", for the backward pass.

    What is moved in the browser comes back as `kernel`, `stride`, `padding`, `dilation`, `operation`, `position`,
    `backward` and `incoming`; `output()` and `gradients()` are what the grids hold.
    """

    _esm = script(
        "controls.js", "kernel_walk.js", CIVIDIS=CIVIDIS, KERNELS=KERNELS, OPERATIONS=OPERATIONS, INCOMING=INCOMING
    )
    _image = traitlets.List().tag(sync=True)
    _kernels = traitlets.Dict().tag(sync=True)
    """The kernels that were given; empty where none were."""
    kernel = traitlets.Unicode().tag(sync=True)
    stride = traitlets.Int().tag(sync=True)
    padding = traitlets.Int().tag(sync=True)
    dilation = traitlets.Int().tag(sync=True)
    operation = traitlets.Unicode().tag(sync=True)
    backward = traitlets.Bool().tag(sync=True)
    incoming = traitlets.Unicode().tag(sync=True)
    _picked = traitlets.Unicode("output").tag(sync=True)
    """Which of the three places below is the one whose paths are shown: "output", "input" or "weight"."""
    _output = traitlets.List(traitlets.Int()).tag(sync=True)
    _input = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)
    _weight = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)

    def __init__(
        self,
        image: Any = None,
        kernels: Mapping[str, Any] | None = None,
        *,
        kernel: str | None = None,
        stride: int = 1,
        padding: int = 1,
        dilation: int = 1,
        operation: str = "correlation",
        position: tuple[int, int] = (2, 3),
        backward: bool = False,
        incoming: str = "one",
    ):
        offered = KERNELS if kernels is None else kernels
        if not offered:
            raise ValueError("kernels is empty: give at least one, such as {'mean': [[0.5, 0.5]]}, or none for KERNELS")
        if np.shape(position) != (2,) or min(position) < 0:
            raise ValueError(f"position is {position!r}: give row and column of an output, counted from 0")
        super().__init__(
            _image=_numbers("image", _digit() if image is None else image, LARGEST_IMAGE),
            _kernels={
                name: _numbers(f"kernel {name!r}", each, LARGEST_KERNEL) for name, each in (kernels or {}).items()
            },
            kernel=one_of("kernel", next(iter(offered)) if kernel is None else kernel, offered),
            stride=within("stride", stride, 1, 3),
            padding=within("padding", padding, 0, 3),
            dilation=within("dilation", dilation, 1, 3),
            operation=one_of("operation", operation, OPERATIONS),
            backward=backward,
            incoming=one_of("incoming", incoming, INCOMING),
            _output=[int(place) for place in position],
        )

    @property
    def position(self) -> tuple[int, int]:
        """Row and column of the chosen output; where the output has become smaller, the nearest that it has."""
        row, column = np.minimum(self._output, np.maximum(np.array(self.output().shape) - 1, 0)).tolist()
        return row, column

    def output(self) -> np.ndarray:
        """What the kernel makes of the image; of shape (0, 0) where it does not fit."""
        return correlate(self._pixels, self._laid(), self.stride, self.padding, self.dilation)

    def gradients(self) -> tuple[np.ndarray, np.ndarray]:
        """The gradients of the loss with respect to the image and the kernel, for the chosen incoming gradient."""
        settings = self.stride, self.padding, self.dilation
        gradients = correlate_backward(self._pixels, self._laid(), self._incoming_gradient(), *settings)
        return gradients[0], self._turned(gradients[1])

    def describe(self) -> str:
        return (
            f"Kernel walk: {self.operation} of an image of {_size(self._pixels)} pixels with the kernel "
            f"{self.kernel!r}, stride {self.stride}, padding {self.padding}, dilation {self.dilation}"
        )

    def still(self) -> Figure:
        output, padding = self.output(), self.padding
        (image_gradient, kernel_gradient), incoming = self.gradients(), self._incoming_gradient()
        if self.backward:
            shown = {
                "∂L/∂x": np.pad(image_gradient, padding),
                "∂L/∂w": self._turned(kernel_gradient),
                "∂L/∂y": incoming,
            }
        else:
            shown = {"input x": np.pad(self._pixels, padding), "kernel w": self._laid(), "output y": output}
        figure = Figure(figsize=(9.6, 4.2), layout="constrained")
        widths = [numbers.shape[1] or 3 for numbers in shown.values()]
        for axes, (title, numbers) in zip(figure.subplots(1, 3, width_ratios=widths), shown.items()):
            axes.set(title=f"{title}\n{_size(numbers)}", xticks=[], yticks=[])
            axes.grid(False)
            if numbers.size:
                _draw(axes, numbers)
            else:
                axes.set_axis_off()
                axes.text(0.5, 0.5, "the kernel\ndoes not fit", ha="center", va="center")
        if padding:
            figure.axes[0].set_title(f"{figure.axes[0].get_title()}, padding included")
        if self.operation == "convolution":
            figure.axes[1].set_title(f"{figure.axes[1].get_title()}, turned")
        if output.size:
            self._frame(figure.axes[0], figure.axes[2])
        return figure

    @property
    def _pixels(self) -> np.ndarray:
        return np.array(self._image, dtype=float)

    def _incoming_gradient(self) -> np.ndarray:
        incoming = np.full(self.output().shape, float(self.incoming == "ones"))
        if incoming.size:
            incoming[self.position] = 1
        return incoming

    def _laid(self) -> np.ndarray:
        """The kernel as it is laid on the image."""
        return self._turned(np.array((self._kernels or KERNELS)[self.kernel], dtype=float))

    def _turned(self, kernel: np.ndarray) -> np.ndarray:
        return kernel[::-1, ::-1] if self.operation == "convolution" else kernel

    def _frame(self, image: Axes, output: Axes) -> None:
        """A frame around the window on the image, dashed, and around the output that is computed from it."""
        row, column = self.position
        height, width = self.dilation * (np.array(self._laid().shape) - 1) + 1
        corner = column * self.stride - 0.5, row * self.stride - 0.5
        look = {"facecolor": "none", "edgecolor": "#e76300", "linewidth": 3}
        image.add_patch(Rectangle(corner, width, height, linestyle="--", **look))
        output.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))


def _digit() -> np.ndarray:
    """A nine that somebody wrote, in whole numbers from 0 to 16."""
    from labutils import data

    nine = data.digits().train.x[2]
    return (16 * nine).round().int().reshape(8, 8).tolist()


def _numbers(name: str, values: Any, largest: int) -> list[list[float]]:
    """`values` as lists in a list, of a size that can be read; otherwise a ValueError that says what would be."""
    array = np.asarray(values)
    if array.ndim != 2 or not 1 <= min(array.shape) <= max(array.shape) <= largest:
        raise ValueError(f"{name} has shape {array.shape}: give 1 to {largest} rows and columns of numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}: give finite numbers")
    return [[_few_digits(float(value)) for value in row] for row in array]


def _few_digits(value: float) -> float:
    """A number of which a notebook keeps six digits, and no point where there is nothing behind it."""
    return int(value) if value.is_integer() and abs(value) < 1e6 else float(f"{value:.6g}")


def _size(numbers: np.ndarray) -> str:
    return " × ".join(map(str, numbers.shape))


def _draw(axes: Axes, numbers: np.ndarray) -> None:
    """A grid of numbers, coloured by their size: from 0 where none is negative, otherwise alike on both sides of 0."""
    top = np.abs(numbers).max() or 1
    low = -top if numbers.min() < 0 else 0
    axes.imshow(numbers, cmap="cividis", vmin=low, vmax=top)
    for (row, column), value in np.ndenumerate(numbers):
        ink = "white" if (value - low) / (top - low) < 0.5 else "black"
        axes.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=8, color=ink)
