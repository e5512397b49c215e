/** Reads a picture file that somebody chose, and says what is wrong with one that cannot be used. */

export const TYPES = ["image/png", "image/jpeg", "image/webp"];
export const MAX_BYTES = 12 * 1024 * 1024; // the service's own bound of an encoded picture

/** Why a file cannot be used: a key of the page's words, and its parameters. */
export class WrongFile extends Error {
  constructor(key, params = {}) {
    super(key);
    this.key = key;
    this.params = params;
  }
}

/**
 * @param {File | Blob} file
 * @param {string} [name]
 * @returns {Promise<{kind: "image", image: string, url: string, name: string, width: number, height: number}>}
 * @throws {WrongFile}
 */
export async function readPicture(file, name = file.name ?? "picture") {
  if (!TYPES.includes(file.type)) throw new WrongFile("file.type", { name });
  if (file.size > MAX_BYTES) throw new WrongFile("file.size", { name, limit: MAX_BYTES / 1024 / 1024 });
  const url = URL.createObjectURL(file);
  try {
    const { width, height } = await sizeOf(url);
    return { kind: "image", image: await base64(file), url, name, width, height };
  } catch {
    URL.revokeObjectURL(url);
    throw new WrongFile("file.broken", { name });
  }
}

/**
 * The first picture of a paste or a drop; the first file if none is a picture; null if there is no file.
 * @param {DataTransfer | null} transfer
 */
export function fileOf(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => TYPES.includes(file.type)) ?? files[0] ?? null;
}

async function sizeOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight }; // upright, as the service counts pixels
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
