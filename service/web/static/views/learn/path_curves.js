/** The two curves of a path over one axis. */

/**
 * @param {{alphas: number[], outputs: number[], covered: number[], sums: number[], input_output: number,
 *   baseline_output: number | null}} points
 * @returns {{x: number[], scores: number[], kept: number[]}} kept: baseline's score plus the sum so far, which stands
 *   for `covered` and is read off between its points
 */
export function curvesOf(points) {
  const start = points.baseline_output ?? points.outputs[0];
  const x = [0, ...points.alphas, 1];
  const scores = [start, ...points.outputs, points.input_output];
  const covered = [0, ...points.covered];
  const sums = [0, ...points.sums];
  return { x, scores, kept: x.map((alpha) => start + between(covered, sums, alpha)) };
}

function between(xs, ys, at) {
  const right = xs.findIndex((x) => x >= at);
  if (right < 0) return ys[ys.length - 1];
  if (right === 0) return ys[0];
  const share = (at - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return ys[right - 1] + share * (ys[right] - ys[right - 1]);
}
