/** Maps of a comparison's cells over one picture: their values at a place, their scale, and where two of them differ. */

const STRONGEST = 0.9; // from this quantile on an element is of the strongest tenth
const SIDE = 160; // elements a side of the grid on which two maps are laid over one another

/**
 * The map of one example of a picture: its attributions summed over channels, with their signs.
 * @param {{shape: number[], data: ArrayLike<number>}} tensor (examples, channels, height, width)
 * @returns {{height: number, width: number, values: Float64Array} | null} null for what is no map
 */
export function summedMap({ shape, data }) {
  if (shape.length !== 4) return null;
  const [, channels, height, width] = shape;
  const values = new Float64Array(height * width);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let place = 0; place < values.length; place += 1) values[place] += data[channel * values.length + place];
  }
  return { height, width, values };
}

/** The value at a place, in shares of width and height. */
export function valueAt({ height, width, values }, { x, y }) {
  const row = Math.min(height - 1, Math.floor(y * height));
  const column = Math.min(width - 1, Math.floor(x * width));
  return values[row * width + column];
}

/** The magnitude that gets the strongest colour: this percentile of all magnitudes, or the largest one if that is 0. */
export function strongestOf({ values }, percentile) {
  const sorted = values.map(Math.abs).sort();
  const place = (percentile / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below) || sorted[sorted.length - 1];
}

/**
 * Where the strongest tenth of either map lies: for each element of a square grid 0: neither, 1: the first alone,
 * 2: the second alone, 3: both.
 * @returns {{side: number, kinds: Uint8Array, shares: {first: number, second: number, both: number}}}
 */
export function strongestOfBoth(first, second) {
  const [one, other] = [first, second].map((map) => strongest(enlarged(map)));
  const kinds = one.map((is, place) => is + 2 * other[place]);
  const counts = [0, 0, 0, 0];
  for (const kind of kinds) counts[kind] += 1;
  const total = counts[1] + counts[2] + counts[3] || 1;
  return {
    side: SIDE,
    kinds,
    shares: { first: counts[1] / total, second: counts[2] / total, both: counts[3] / total },
  };
}

function strongest(values) {
  const threshold = Float64Array.from(values).sort()[Math.floor(values.length * STRONGEST)];
  return Uint8Array.from(values, (value) => (value > 0 && value >= threshold ? 1 : 0));
}

/** Magnitudes on the common grid: averages where the map is finer, between neighbours where it is coarser. */
function enlarged(map) {
  const magnitudes = { ...map, values: map.values.map(Math.abs) };
  const out = new Float64Array(SIDE * SIDE);
  const finer = map.height > SIDE && map.width > SIDE;
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      out[row * SIDE + column] = finer ? mean(magnitudes, row, column) : between(magnitudes, row, column);
    }
  }
  return out;
}

function mean({ height, width, values }, row, column) {
  const [top, bottom] = [Math.floor((row * height) / SIDE), Math.ceil(((row + 1) * height) / SIDE)];
  const [left, right] = [Math.floor((column * width) / SIDE), Math.ceil(((column + 1) * width) / SIDE)];
  let sum = 0;
  for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += values[y * width + x];
  return sum / ((bottom - top) * (right - left));
}

function between({ height, width, values }, row, column) {
  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  const y = clamp(((row + 0.5) * height) / SIDE - 0.5, height - 1);
  const x = clamp(((column + 0.5) * width) / SIDE - 0.5, width - 1);
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [bottom, right] = [Math.min(height - 1, top + 1), Math.min(width - 1, left + 1)];
  const line = (at) => values[at * width + left] * (1 - (x - left)) + values[at * width + right] * (x - left);
  return line(top) * (1 - (y - top)) + line(bottom) * (y - top);
}
