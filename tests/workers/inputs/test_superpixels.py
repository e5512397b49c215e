"""Superpixels: regions of similar colour."""

import torch

from workers.inputs.superpixels import superpixels


def test_regions_are_numbered_per_picture_and_shared_by_channels() -> None:
    halves = torch.zeros(2, 3, 16, 16, dtype=torch.float64)
    halves[0, :, :, 8:] = 1.0  # left and right
    halves[1, :, 8:] = 1.0  # top and bottom
    regions = superpixels(halves, 4)
    assert regions.shape == (2, 3, 16, 16)
    assert regions.dtype == torch.int64
    assert regions.is_contiguous()
    assert torch.equal(regions[:, 0], regions[:, 1])
    for picture in (0, 1):
        numbers = regions[picture, 0].unique()
        assert numbers.tolist() == list(range(len(numbers)))
        assert 2 <= len(numbers) <= 8
        colours = [halves[picture, 0][regions[picture, 0] == number].unique() for number in numbers]
        assert all(len(colour) == 1 for colour in colours)  # no region crosses the edge


def test_the_count_is_a_target() -> None:
    slope = torch.linspace(0, 1, 32, dtype=torch.float64).expand(1, 3, 32, 32)
    few, many = (int(superpixels(slope, count).max()) + 1 for count in (4, 64))
    assert few < 16 < many
