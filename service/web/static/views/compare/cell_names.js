/** What tells the cells of a comparison apart: the method, the class or the model, and parameters where those are equal. */

/**
 * @param {{cells: object[]}} comparison
 * @param {{methods: object[]}} catalogue
 * @returns {string[]} one name a cell
 */
export function cellNames(comparison, catalogue) {
  const { cells } = comparison;
  const titles = new Map(catalogue.methods.map((guide) => [guide.name, guide.title]));
  const parts = [
    cells.map((cell) => titles.get(cell.method.name) ?? cell.method.name),
    cells.map((cell) => targetName(cell)),
    cells.map((cell) => (hasVersions(cells, cell.model) ? [cell.model, cell.version].filter(Boolean).join(" ") : cell.model)),
  ];
  // A refused cell has no class, and one that waits may not have it yet: that tells nothing apart.
  const differing = parts.filter((values) => new Set(values.filter(Boolean)).size > 1);
  const used = differing.length ? differing : parts.slice(0, 1);
  const named = (index) => used.map((values) => values[index]).filter(Boolean).join(" · ") || parts[0][index];
  const names = cells.map((_, index) => named(index));
  return names.map((name, index) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${index + 1})`));
}

function hasVersions(cells, model) {
  return new Set(cells.filter((cell) => cell.model === model && cell.version).map((cell) => cell.version)).size > 1;
}

function targetName(cell) {
  const target = cell.target?.[0];
  return target ? (target.label ?? `#${target.index}`) : "";
}
