/** Reads the JSON schema of a method's parameters: what each parameter may be, as far as a form can ask for it. */

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {string} description
 * @property {boolean} required
 * @property {unknown} fallback the default
 * @property {"number" | "boolean" | "choice" | "layer" | "baseline" | "mask" | "json"} kind
 * @property {{integer: boolean, min?: number, max?: number, words: string[], empty: boolean}} [number]
 * @property {string[]} [options] of a choice
 */

/** Parameters that a model's card completes: the page lists the card's layers and baselines. */
const BY_CARD = { layer: "layer", baseline: "baseline", feature_mask: "mask" };

/**
 * The parameters of a method in the catalogue's order, those that are required first.
 * @param {{parameters: object}} guide
 * @returns {Parameter[]}
 */
export function parametersOf(guide) {
  const { properties, required = [], $defs = {} } = guide.parameters;
  const all = Object.entries(properties)
    .filter(([name]) => name !== "name")
    .map(([name, schema]) => parameter(name, schema, required.includes(name), $defs));
  return [...all.filter((one) => one.required), ...all.filter((one) => !one.required)];
}

function parameter(name, schema, required, defs) {
  const about = { name, description: schema.description ?? "", required, fallback: schema.default };
  if (BY_CARD[name]) return { ...about, kind: BY_CARD[name] };
  const variants = (schema.anyOf ?? [schema]).map((one) => (one.$ref ? defs[one.$ref.split("/").pop()] : one));
  const [single] = variants;
  if (variants.length === 1 && single.type === "boolean") return { ...about, kind: "boolean" };
  if (variants.length === 1 && single.enum) return { ...about, kind: "choice", options: single.enum };
  const numeric = variants.find((one) => ["integer", "number"].includes(one.type));
  const others = variants.filter((one) => one !== numeric);
  if (numeric && others.every((one) => one.type === "null" || typeof one.const === "string")) {
    return { ...about, kind: "number", number: numberOf(numeric, others) };
  }
  return { ...about, kind: "json" };
}

function numberOf(schema, others) {
  return {
    integer: schema.type === "integer",
    min: schema.minimum ?? schema.ge ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.le,
    words: others.filter((one) => typeof one.const === "string").map((one) => one.const),
    empty: others.some((one) => one.type === "null"),
  };
}

/**
 * The method of a request: its name, and the values that differ from the defaults.
 * @param {{name: string}} guide
 * @param {Record<string, unknown>} values
 */
export function methodOf(guide, values) {
  const parameters = parametersOf(guide);
  const given = Object.entries(values).filter(([name, value]) => {
    const one = parameters.find((parameter) => parameter.name === name);
    return one && value !== undefined && JSON.stringify(value) !== JSON.stringify(one.fallback);
  });
  return { name: guide.name, ...Object.fromEntries(given) };
}
