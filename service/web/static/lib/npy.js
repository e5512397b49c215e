/** The numbers of a result's attribution, and where in a picture its strongest part lies. */

import { sendFor } from "./http.js";

const DECODERS = { "<f4": Float32Array, "<f8": Float64Array };

/**
 * One attribution tensor of a result.
 * @param {string} id of the job
 * @param {{tensor?: string, signal?: AbortSignal}} [options] tensor: its name; the first by default
 * @returns {Promise<{shape: number[], data: Float32Array | Float64Array}>}
 */
export async function getNumbers(id, { tensor, signal } = {}) {
  const headers = { Accept: "application/x-npy" };
  return readNpy(await sendFor("arrayBuffer", `jobs/${encodeURIComponent(id)}/result`, { params: { tensor }, headers, signal }));
}

/**
 * Read a `.npy` file of version 1.
 * @param {ArrayBuffer} buffer
 */
export function readNpy(buffer) {
  const start = 10 + new DataView(buffer).getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(buffer, 10, start - 10));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const Numbers = DECODERS[descr];
  if (!Numbers) throw new TypeError(`numbers of type ${descr} are not read`);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)[1].split(",").filter((part) => part.trim()).map(Number);
  return { shape, data: new Numbers(buffer.slice(start)) };
}

/**
 * The map of one example of a picture: its attributions, summed over channels, as magnitudes.
 * @param {{shape: number[], data: ArrayLike<number>}} tensor (examples, channels, height, width)
 * @param {{example?: number, sign?: string}} [options] sign: as that of a drawing; `positive` or `negative` leave out
 *   the others
 * @returns {{height: number, width: number, values: Float64Array}}
 */
export function strengthMap({ shape, data }, { example = 0, sign = "absolute" } = {}) {
  const [, channels, height, width] = shape;
  const values = new Float64Array(height * width);
  const start = example * channels * height * width;
  for (let place = 0; place < values.length; place += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) sum += data[start + channel * values.length + place];
    const isDrawn = sign === "positive" ? sum > 0 : sign === "negative" ? sum < 0 : true;
    values[place] = isDrawn ? Math.abs(sum) : 0;
  }
  return { height, width, values };
}

const PLACES = [
  ["topleft", "top", "topright"],
  ["left", "centre", "right"],
  ["bottomleft", "bottom", "bottomright"],
];
const MOST = 0.4; // share of the strongest tenth that one ninth of the picture holds if it is named alone
const MUCH = 0.2; // share that each of two ninths holds if both are named

/**
 * Where the strongest tenth of a map lies, as words of the page: `[key, {place, second}]`, with keys of places.
 * @param {{height: number, width: number, values: ArrayLike<number>}} map
 * @returns {{key: string, places: string[]}}
 */
export function strongestPlace({ height, width, values }) {
  const threshold = Float64Array.from(values).sort()[Math.floor(values.length * 0.9)];
  const counts = new Map();
  let total = 0;
  for (let place = 0; place < values.length; place += 1) {
    if (values[place] < threshold || values[place] === 0) continue;
    const row = Math.floor(((Math.floor(place / width) + 0.5) * 3) / height); // by the middle of the element
    const name = PLACES[row][Math.floor((((place % width) + 0.5) * 3) / width)];
    counts.set(name, (counts.get(name) ?? 0) + 1);
    total += 1;
  }
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first && first[1] / total >= MOST) return { key: "where.one", places: [first[0]] };
  if (second && second[1] / total >= MUCH) return { key: "where.two", places: [first[0], second[0]] };
  return { key: "where.spread", places: [] };
}
