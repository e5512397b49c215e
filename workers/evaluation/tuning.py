"""Thresholds and sizes of the metrics."""

REMOVED_SHARE = 0.5  # of the features, on average, in one perturbation of infidelity: a random half, as documented
SSIM_WINDOW_PIXELS = 7  # side of the window of the structural similarity; scikit-image's default
SSIM_SMALLEST_WINDOW_PIXELS = 3  # with a smaller window, there is no structure to compare

COMPLETENESS_TOLERANCE = 0.05  # of the difference between the outputs; a larger error gives a warning
ROUNDING_STEPS = 4  # in units of the last place of the largest output: two outputs this close count as equal
LARGEST_SHOWN_SHARE = 10.0  # a larger relative error is given as "many times"; its digits mean nothing
