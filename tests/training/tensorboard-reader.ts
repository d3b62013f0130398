// An event file read by its specification alone, with none of the code that writes it.

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly scalars: Readonly<Record<string, number>>;
  readonly sessionStatus?: number;
}

/** CRC-32C bit by bit: x^32 + x^28 + x^27 + x^26 + x^25 + x^23 + x^22 + x^20 + x^19 + x^18 + x^14 + x^13 + x^11 + x^10 + x^9 + x^8 + x^6 + 1. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const feedback = ((crc ^ (byte >> bit)) & 1) === 1;
      crc >>>= 1;
      if (feedback) crc = (crc ^ 0x82f63b78) >>> 0;
    }
  return (crc ^ 0xffffffff) >>> 0;
}

const masked = (bytes: Uint8Array): number => {
  const crc = slowCrc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** All whole records; the checksums of each are compared. */
export function readEvents(file: Uint8Array): { readonly events: ReadEvent[]; readonly rest: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const events: ReadEvent[] = [];
  let at = 0;
  while (at + 12 <= file.length) {
    const length = Number(view.getBigUint64(at, true));
    if (view.getUint32(at + 8, true) !== masked(file.subarray(at, at + 8))) throw new Error(`length's checksum at ${at}`);
    if (at + 16 + length > file.length) break;
    const message = file.subarray(at + 12, at + 12 + length);
    if (view.getUint32(at + 12 + length, true) !== masked(message)) throw new Error(`message's checksum at ${at}`);
    events.push(toEvent(message));
    at += 16 + length;
  }
  return { events, rest: file.length - at };
}

/** The fields of a message: number → its values; bytes, or numbers by their wire type. */
function fields(message: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const found = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = message[at++];
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    let value: number | Uint8Array;
    switch (key & 7) {
      case 0:
        value = varint();
        break;
      case 1:
        value = view.getFloat64(at, true);
        at += 8;
        break;
      case 2: {
        const length = varint();
        value = message.subarray(at, at + length);
        at += length;
        break;
      }
      case 5:
        value = view.getFloat32(at, true);
        at += 4;
        break;
      default:
        throw new Error(`wire type ${key & 7}`);
    }
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value]);
  }
  if (at !== message.length) throw new Error("a field goes beyond its message");
  return found;
}

const text = (bytes: number | Uint8Array): string => new TextDecoder().decode(bytes as Uint8Array);

function toEvent(message: Uint8Array): ReadEvent {
  const event = fields(message);
  const [summary] = event.get(5) ?? [];
  const values = summary ? (fields(summary as Uint8Array).get(1) ?? []).map((value) => fields(value as Uint8Array)) : [];
  const [session] = event.get(7) ?? [];
  return {
    wallTime: event.get(1)![0] as number,
    step: (event.get(2)?.[0] as number) ?? 0,
    ...(event.has(3) && { fileVersion: text(event.get(3)![0]) }),
    scalars: Object.fromEntries(values.map((value) => [text(value.get(1)![0]), value.get(2)![0] as number])),
    ...(session !== undefined && { sessionStatus: fields(session as Uint8Array).get(1)![0] as number }),
  };
}
