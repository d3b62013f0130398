import protobuf from "protobufjs/minimal.js";
import { crc32c } from "./crc32c.ts";

/** One entry of an event file. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** The step that it is about. */
  readonly step: number;
  /** Values by tag, `loss/training`. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** The first entry of a file says so. */
  readonly isFirst?: true;
  /** A run begins or goes on at this step: TensorBoard forgets what was written of it and of later ones. */
  readonly isStart?: true;
}

const FILE_VERSION = "brain.Event:2";
/** A field's number and wire type as protobuf writes them. */
const tag = (field: number, wire: "varint" | "64 bits" | "bytes" | "32 bits"): number =>
  (field << 3) | { varint: 0, "64 bits": 1, bytes: 2, "32 bits": 5 }[wire];
const SESSION_START = 1;

/** An Event message. @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto, summary.proto */
function encodeEvent({ wallTime, step, scalars, isFirst, isStart }: TensorBoardEvent): Uint8Array {
  const event = protobuf.Writer.create().uint32(tag(1, "64 bits")).double(wallTime).uint32(tag(2, "varint")).int64(step);
  if (isFirst) event.uint32(tag(3, "bytes")).string(FILE_VERSION);
  if (scalars) {
    event.uint32(tag(5, "bytes")).fork();
    for (const [name, value] of Object.entries(scalars))
      event.uint32(tag(1, "bytes")).fork().uint32(tag(1, "bytes")).string(name).uint32(tag(2, "32 bits")).float(value).ldelim();
    event.ldelim();
  }
  if (isStart) event.uint32(tag(7, "bytes")).fork().uint32(tag(1, "varint")).int32(SESSION_START).ldelim();
  return event.finish();
}

/** A checksum of a checksum would be a weak one: TFRecord rotates it and adds a constant. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** An event as a TFRecord: length, its checksum, the message, its checksum. @see https://www.tensorflow.org/tutorials/load_data/tfrecord */
export function eventRecord(event: TensorBoardEvent): Uint8Array {
  const message = encodeEvent(event);
  const record = new Uint8Array(8 + 4 + message.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc(message), true);
  return record;
}
