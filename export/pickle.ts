/** Refuses the file: says what is wrong with it. */
export type Fail = (what: string, cause?: unknown) => never;

export interface PickleOptions {
  /** All that a pickle may name: functions that it may call, and other values. Whatever else it names is refused. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** What stands for an object that is kept outside of the pickle. */
  readonly persistent?: (id: unknown) => unknown;
  readonly fail: Fail;
}

/** Where a pickle is read: its bytes, the stack that its opcodes work on, and what it remembers. */
interface Machine extends PickleOptions {
  stack: unknown[];
  /** The stacks below each open mark. */
  readonly below: unknown[][];
  readonly memo: Map<number, unknown>;
  readonly take: (length: number) => DataView;
  readonly line: () => string;
  readonly pop: () => unknown;
  /** What was pushed since the last mark, which is closed. */
  readonly popMark: () => unknown[];
}

const text = ({ buffer, byteOffset, byteLength }: DataView, encoding = "utf-8"): string =>
  new TextDecoder(encoding, { fatal: true }).decode(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
const byte = (m: Machine): number => m.take(1).getUint8(0);
const u32 = (m: Machine): number => m.take(4).getUint32(0, true);
const u64 = (m: Machine): number => Number(m.take(8).getBigUint64(0, true));

/** Longer integers are of no use in a file of tensors. */
const LONGEST_INTEGER = 16;

function integer(m: Machine, length: number): number | bigint {
  if (length > LONGEST_INTEGER) return m.fail(`an integer of ${length} bytes: expected at most ${LONGEST_INTEGER}`);
  const view = m.take(length);
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(i));
  const signed = BigInt.asIntN(8 * length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

function lookUpGlobal(m: Machine, module: unknown, name: unknown): unknown {
  const full = `${module}.${name}`.slice(0, 200);
  if (m.globals.has(full)) return m.globals.get(full);
  return m.fail(
    `refused: it asks for ${full}, which is neither a tensor nor a container, and nothing of it was run. ` +
      "To fix: save the weights alone, torch.save(model.state_dict(), FILE)",
  );
}

function call(m: Machine): unknown {
  const args = m.pop();
  const callee = m.pop();
  if (typeof callee !== "function" || !Array.isArray(args)) return m.fail("the pickle calls what is no function");
  return callee(...args);
}

const top = <T>(m: Machine, is: (value: unknown) => value is T, what: string): T => {
  const value = m.stack.at(-1);
  return is(value) ? value : m.fail(`the pickle adds to what is no ${what}`);
};
const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map;
const isList = (value: unknown): value is unknown[] => Array.isArray(value);

function setItems(m: Machine, items: readonly unknown[]): void {
  const map = top(m, isMap, "dictionary");
  if (items.length % 2) m.fail("the pickle has a key without a value");
  for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
}

/** Popped in reverse: the last of them is on top. */
const popMany = (m: Machine, count: number): unknown[] => Array.from({ length: count }, m.pop).reverse();
const remember = (m: Machine, at: number): void =>
  void m.memo.set(at, m.stack.length ? m.stack.at(-1) : m.fail("the pickle's stack is empty"));
const recall = (m: Machine, at: number): unknown =>
  m.memo.has(at) ? m.memo.get(at) : m.fail(`the pickle recalls ${at}, which it has not kept`);

type Step = (m: Machine) => void;
const push =
  (value: (m: Machine) => unknown): Step =>
  (m) => {
    const pushed = value(m); // it may close a mark, and then the stack is another
    m.stack.push(pushed);
  };

/** What PyTorch's files consist of, and what Python writes for the same values in protocols 2 to 5. @see https://docs.python.org/3/library/pickletools.html */
const OPCODES: Readonly<Record<string, Step>> = {
  /* PROTO, FRAME */ "\x80": (m) => void m.take(1),
  "\x95": (m) => void m.take(8),
  /* MARK, POP, POP_MARK, DUP */ "(": (m) => {
    m.below.push(m.stack);
    m.stack = [];
  },
  "0": (m) => void m.pop(),
  "1": (m) => void m.popMark(),
  "2": push((m) => top(m, (value): value is unknown => value !== undefined, "value")),
  /* NONE, NEWTRUE, NEWFALSE */ N: push(() => null),
  "\x88": push(() => true),
  "\x89": push(() => false),
  /* BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT */ J: push((m) => m.take(4).getInt32(0, true)),
  K: push(byte),
  M: push((m) => m.take(2).getUint16(0, true)),
  "\x8a": push((m) => integer(m, byte(m))),
  "\x8b": push((m) => integer(m, u32(m))),
  G: push((m) => m.take(8).getFloat64(0)),
  /* BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; Python 2's BINSTRING, SHORT_BINSTRING */ X: push((m) => text(m.take(u32(m)))),
  "\x8c": push((m) => text(m.take(byte(m)))),
  "\x8d": push((m) => text(m.take(u64(m)))),
  T: push((m) => text(m.take(u32(m)), "latin1")),
  U: push((m) => text(m.take(byte(m)), "latin1")),
  /* BINBYTES, SHORT_BINBYTES */ B: push((m) => m.take(u32(m))),
  C: push((m) => m.take(byte(m))),
  /* EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3 */ ")": push(() => []),
  t: push((m) => m.popMark()),
  "\x85": push((m) => popMany(m, 1)),
  "\x86": push((m) => popMany(m, 2)),
  "\x87": push((m) => popMany(m, 3)),
  /* EMPTY_LIST, APPEND, APPENDS */ "]": push(() => []),
  a: (m) => {
    const item = m.pop();
    top(m, isList, "list").push(item);
  },
  e: (m) => {
    const list = m.popMark();
    const into = top(m, isList, "list");
    for (const item of list) into.push(item);
  },
  /* EMPTY_DICT, SETITEM, SETITEMS */ "}": push(() => new Map()),
  s: (m) => setItems(m, popMany(m, 2)),
  u: (m) => setItems(m, m.popMark()),
  /* BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET */ q: (m) => remember(m, byte(m)),
  r: (m) => remember(m, u32(m)),
  "\x94": (m) => remember(m, m.memo.size),
  h: push((m) => recall(m, byte(m))),
  j: push((m) => recall(m, u32(m))),
  /* GLOBAL, STACK_GLOBAL, INST */ c: push((m) => lookUpGlobal(m, m.line(), m.line())),
  "\x93": push((m) => lookUpGlobal(m, ...(popMany(m, 2) as [unknown, unknown]))),
  i: push((m) => lookUpGlobal(m, m.line(), m.line())),
  /* REDUCE, BUILD (of an OrderedDict: its attributes, such as a state dict's versions, are left out), BINPERSID */ R: push(call),
  b: (m) => {
    m.pop();
    top(m, isMap, "dictionary");
  },
  Q: push((m) => {
    const id = m.pop();
    return m.persistent ? m.persistent(id) : m.fail("the pickle asks for an object outside of it");
  }),
};

const STOP = ".";

/**
 * Interprets a pickle that consists of values, containers, and the globals that are allowed: dictionaries become maps, lists and tuples arrays. Nothing
 * is executed but the functions among `globals`, and only what the bytes hold is allocated.
 * @param at where the pickle begins
 * @returns its value, and where it ends
 */
export function readPickle(bytes: Uint8Array, at: number, options: PickleOptions): { readonly value: unknown; readonly end: number } {
  const { fail } = options;
  let end = at;
  const take = (length: number): DataView => {
    if (length > bytes.length - end) return fail("the pickle is cut off");
    end += length;
    return new DataView(bytes.buffer, bytes.byteOffset + end - length, length);
  };
  const m: Machine = {
    ...options,
    stack: [],
    below: [],
    memo: new Map(),
    take,
    line() {
      const newline = bytes.indexOf(0x0a, end);
      if (newline < 0) return fail("the pickle is cut off");
      const line = text(take(newline - end));
      end++;
      return line;
    },
    pop: () => (m.stack.length ? m.stack.pop() : fail("the pickle's stack is empty")),
    popMark() {
      const items = m.stack;
      m.stack = m.below.pop() ?? fail("the pickle closes a mark that is not open");
      return items;
    },
  };
  for (;;) {
    const opcode = String.fromCharCode(byte(m));
    if (opcode === STOP) return { value: m.pop(), end };
    const step = Object.hasOwn(OPCODES, opcode) ? OPCODES[opcode] : undefined;
    if (!step)
      fail(`refused: its pickle has the opcode 0x${opcode.charCodeAt(0).toString(16)} at byte ${end - 1}, which no file of tensors needs`);
    else step(m);
  }
}
