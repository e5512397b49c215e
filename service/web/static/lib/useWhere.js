/** Words for where a map is strongest, for readers who do not see it. */

import { useEffect, useState } from "./html.js";
import { useWords } from "./i18n.js";
import { getNumbers, strengthMap, strongestPlace } from "./npy.js";

/**
 * @param {string | null} id of a job with a result; null: none yet
 * @param {string} [sign] as that of the drawing
 * @returns {string | null} such as `mostly top left`; null until it is known, or where the map has no places
 */
export function useWhere(id, sign = "absolute") {
  const { t } = useWords();
  const [found, setFound] = useState(null); // {id, key, places}
  useEffect(() => {
    if (id === null) return undefined;
    const stop = new AbortController();
    getNumbers(id, { signal: stop.signal })
      .then((tensor) => tensor.shape.length === 4 && setFound({ id, ...strongestPlace(strengthMap(tensor, { sign })) }))
      .catch(() => setFound(null)); // the picture itself says what is wrong
    return () => stop.abort();
  }, [id, sign]);
  if (found === null || found.id !== id) return null;
  const [place, second] = found.places.map((name) => t(`where.${name}`));
  return t(found.key, { place, second });
}
