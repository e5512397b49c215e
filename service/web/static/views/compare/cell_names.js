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
    cells.map((cell) => (cell.version ? `${cell.model} ${cell.version}` : cell.model)),
  ];
  const differing = parts.filter((values) => new Set(values).size > 1);
  const used = differing.length ? differing : parts.slice(0, 1);
  const names = cells.map((_, index) => used.map((values) => values[index]).filter(Boolean).join(" · "));
  return names.map((name, index) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${index + 1})`));
}

function targetName(cell) {
  const target = cell.target?.[0];
  return target ? (target.label ?? `#${target.index}`) : "";
}
