/** A handful of a card's convolutional layers, from early to late. */

const HANDFUL = 6;
const MAP_RANK = 3; // channels, rows, columns

/**
 * @param {object} card
 * @returns {object[]} layers whose output is a map, among those the one that the card prefers, which comes last
 */
export function handful(card) {
  const usable = card.layers.filter(
    (layer) => layer.refused === null && layer.output_refused === null && layer.output_shape?.length === MAP_RANK && layer.output_shape[1] > 1,
  );
  const last = usable.findIndex((layer) => layer.name === card.defaults?.layer);
  const upTo = last < 0 ? usable : usable.slice(0, last + 1);
  const stages = upTo.filter((layer) => /^[^.]+\.\d+$/.test(layer.name)); // the network's own stages, not their parts
  const of = stages.length >= 3 ? stages : upTo;
  if (of.length <= HANDFUL) return of;
  return Array.from({ length: HANDFUL }, (_, index) => of[Math.round((index * (of.length - 1)) / (HANDFUL - 1))]);
}
