import { expect, test } from "vitest";
import type { OpTable } from "../../models/graph/op.ts";
import { OPS } from "../../models/ops/index.ts";
import { needPeers, runPython } from "./peers.ts";

test.skipIf(!needPeers("ONNX's own schemas"))("attributes, their types and their defaults are those of ONNX's schemas", () => {
  const script = `
import json, onnx
kinds = {1: "float", 2: "int", 3: "string", 4: "tensor", 6: "floats", 7: "ints"}
def default(a):
  v = a.default_value
  return {1: v.f, 2: v.i, 3: v.s.decode(), 7: list(v.ints)}.get(v.type) if v.type else None
out = {}
for s in onnx.defs.get_all_schemas_with_history():
  if s.domain == "": out.setdefault(s.name, {})[s.since_version] = {n: [kinds.get(int(a.type.value) if hasattr(a.type, "value") else int(a.type), "?"), default(a)] for n, a in s.attributes.items()}
print(json.dumps(out))
`;
  const schemas: Record<string, Record<string, Record<string, [string, unknown]>>> = JSON.parse(runPython(script));
  for (const [op, { sinceOpset, attributes }] of Object.entries(OPS as OpTable)) {
    if (sinceOpset === undefined) continue;
    const versions = Object.keys(schemas[op] ?? {}).map(Number);
    expect(versions, op).not.toEqual([]);
    const written = Math.max(17, sinceOpset);
    const schema = schemas[op][Math.max(...versions.filter((version) => version <= written))];
    for (const [name, spec] of Object.entries(attributes)) {
      expect(schema[name]?.[0], `${op}.${name}`).toBe(spec.type);
      if (spec.default !== undefined && schema[name][1] !== null)
        expect(typeof spec.default === "number" ? Math.fround(spec.default) : spec.default, `${op}.${name}`).toEqual(
          typeof schema[name][1] === "number" ? Math.fround(schema[name][1]) : schema[name][1],
        );
    }
  }
});
