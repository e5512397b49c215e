"""Constants of named baselines and feature masks."""

BLUR_SIDE_PER_SIGMA = 10  # the longer side of a picture over the blur's sigma: shapes remain, details vanish
BLUR_RADIUS_PER_SIGMA = 3  # pixels of the kernel on each side per sigma; beyond it, weights are below 0.3 % of the sum
SUPERPIXEL_COMPACTNESS = 10.0  # of SLIC, weighs distance against colour; scikit-image's default
