/** Packs files into a zip archive without compression, in the browser: APPNOTE.TXT 6.3, method 0 ("stored"). */

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8 = 0x0800; // flag: names are UTF-8
const POLYNOMIAL = 0xedb88320;

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/**
 * @param {{name: string, data: Uint8Array}[]} files fewer than 65,536 files and 4 GiB in all
 * @param {Date} [date] of all files
 * @returns {Blob}
 */
export function zip(files, date = new Date()) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, data } of files) {
    const encoded = new TextEncoder().encode(name);
    const common = commonHeader(encoded.length, data, date);
    const local = header([[LOCAL, 4]], common, []);
    parts.push(local, encoded, data);
    const place = [[0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]; // comment, disk, attributes, where the file begins
    directory.push(header([[CENTRAL, 4], [VERSION, 2]], common, place), encoded);
    offset += local.length + encoded.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = [[END, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [0, 2]];
  return new Blob([...parts, ...directory, bytes(end)], { type: "application/zip" });
}

/** @param {Uint8Array} data */
export function crc32(data) {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function commonHeader(nameLength, data, date) {
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return [
    [VERSION, 2],
    [UTF8, 2],
    [0, 2], // stored
    [time, 2],
    [day, 2],
    [crc32(data), 4],
    [data.length, 4],
    [data.length, 4],
    [nameLength, 2],
    [0, 2], // extra
  ];
}

const header = (before, common, after) => bytes([...before, ...common, ...after]);

/** Numbers of 2 or 4 bytes, little-endian. */
function bytes(fields) {
  const buffer = new ArrayBuffer(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return new Uint8Array(buffer);
}
