"""The frames of an animation, each of which is drawn when it is encoded: one of them is in memory at a time."""

from collections.abc import Callable

from PIL import Image


class LazyFrames(Image.Image):
    """An image of `n_frames` frames of one mode and size, for Pillow's `save` with `save_all`."""

    def __init__(self, n_frames: int, draw: Callable[[int], Image.Image]) -> None:
        super().__init__()
        self.n_frames = n_frames
        self._draw = draw
        self._show(0)

    def seek(self, frame: int) -> None:
        """Draw this frame, unless it is the one in memory."""
        if frame != self._at:
            self._show(frame)

    def tell(self) -> int:
        """The frame in memory."""
        return self._at

    def _show(self, frame: int) -> None:
        drawn = self._draw(frame)
        self.im, self._mode, self._size, self._at = drawn.im, drawn.mode, drawn.size, frame
