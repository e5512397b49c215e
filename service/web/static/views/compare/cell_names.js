/** What tells the cells of a comparison apart: the method, the class or the model, and parameters where those are equal. */

/**
 * @param {{cells: object[]}} comparison
 * @param {{methods: object[]}} catalogue
 * @returns {string[]} one name a cell
 */
export function cellNames(comparison, catalogue) {
  const { cells } = comparison;
  const parts = [
    methodTitles(cells, catalogue),
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

/** The method and the model that all cells have in common, which their names do not say. */
export function commonNames(comparison, catalogue) {
  const { cells } = comparison;
  const parts = [methodTitles(cells, catalogue), cells.map((cell) => cell.model)];
  return parts.filter((values) => new Set(values).size === 1).map(([value]) => value);
}

function methodTitles(cells, catalogue) {
  const titles = new Map(catalogue.methods.map((guide) => [guide.name, guide.title]));
  return cells.map((cell) => titles.get(cell.method.name) ?? cell.method.name);
}

function hasVersions(cells, model) {
  return new Set(cells.filter((cell) => cell.model === model && cell.version).map((cell) => cell.version)).size > 1;
}

function targetName(cell) {
  const target = cell.target?.[0];
  return target ? (target.label ?? `#${target.index}`) : "";
}
