/** The average of several maps, drawn as the service draws the magnitudes of one. */

const PERCENTILE = 0.99; // of the magnitudes, that gets the strongest colour: the service's own default
const COLORS = [ // of inferno, at equal distances
  [0, 0, 4],
  [27, 12, 65],
  [74, 12, 107],
  [120, 28, 109],
  [165, 44, 96],
  [207, 68, 70],
  [237, 105, 37],
  [251, 155, 6],
  [247, 209, 61],
  [252, 255, 164],
];

/**
 * The mean of the maps over all tensors, each summed over its channels with their signs; of that the magnitude.
 * @param {{shape: number[], data: ArrayLike<number>}[]} tensors (1, channels, height, width) each, all of one shape
 * @returns {{height: number, width: number, values: Float64Array}}
 */
export function meanMap(tensors) {
  const [, channels, height, width] = tensors[0].shape;
  const values = new Float64Array(height * width);
  for (const { data } of tensors) {
    for (let index = 0; index < channels * values.length; index += 1) values[index % values.length] += data[index];
  }
  return { height, width, values: values.map((sum) => Math.abs(sum) / tensors.length) };
}

/** Draw a map of magnitudes over the whole canvas. */
export function drawMap(canvas, { height, width, values }) {
  const sorted = Float64Array.from(values).sort();
  const limit = sorted[Math.floor(PERCENTILE * (sorted.length - 1))] || sorted[sorted.length - 1] || 1;
  const pixels = new ImageData(width, height);
  values.forEach((value, place) => pixels.data.set(colorOf(Math.min(1, value / limit)), 4 * place));
  const layer = new OffscreenCanvas(width, height);
  layer.getContext("2d").putImageData(pixels, 0, 0);
  canvas.getContext("2d").drawImage(layer, 0, 0, canvas.width, canvas.height);
}

function colorOf(strength) {
  const place = strength * (COLORS.length - 1);
  const below = Math.min(COLORS.length - 2, Math.floor(place));
  const mixed = COLORS[below].map((value, index) => value + (COLORS[below + 1][index] - value) * (place - below));
  return [...mixed, 255];
}
