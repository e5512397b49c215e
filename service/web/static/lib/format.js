/** Numbers as the reader's language writes them. */

const formats = new Map();

function format(lang, options) {
  const key = `${lang} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(lang, options));
  return formats.get(key);
}

/**
 * @param {number} value
 * @param {string} lang
 * @param {number} [digits] significant digits
 */
export function number(value, lang, digits = 3) {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) {
    return format(lang, { notation: "scientific", maximumSignificantDigits: digits }).format(value);
  }
  return format(lang, { maximumSignificantDigits: digits }).format(value);
}

/**
 * @param {number} value
 * @param {string} lang
 * @param {number} [decimals] all of which are written
 */
export function fixed(value, lang, decimals = 2) {
  return format(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/**
 * With its sign, also the plus.
 * @param {number} value
 * @param {string} lang
 * @param {number} [digits] significant digits
 */
export function signed(value, lang, digits = 2) {
  return format(lang, { maximumSignificantDigits: digits, signDisplay: "exceptZero" }).format(value);
}

/**
 * With its sign and all its digits, so that numbers beside each other are equally exact: +10.0 beside +9.96.
 * @param {number} value
 * @param {string} lang
 * @param {number} [digits] significant digits, all of which are written
 */
export function signedTo(value, lang, digits = 3) {
  const exact = { minimumSignificantDigits: digits, maximumSignificantDigits: digits };
  return format(lang, { ...exact, signDisplay: "exceptZero" }).format(value);
}

/**
 * A share of 1 as a percentage.
 * @param {number} share
 * @param {string} lang
 * @param {number} [digits] decimals
 */
export function percent(share, lang, digits = 1) {
  return format(lang, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/**
 * @param {number} count
 * @param {string} lang
 */
export function whole(count, lang) {
  return format(lang, { maximumFractionDigits: 0 }).format(count);
}

/**
 * A duration: `80 ms`, `2.4 s`, `1 min 20 s`.
 * @param {number} seconds
 * @param {string} lang
 */
export function seconds(seconds, lang) {
  if (seconds < 1) return `${whole(seconds * 1000, lang)} ms`;
  if (seconds < 60) return `${format(lang, { maximumFractionDigits: seconds < 10 ? 1 : 0 }).format(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${whole(Math.round(seconds % 60), lang)} s`;
}
