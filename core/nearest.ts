import leven from "leven";
import { UsageError } from "./errors.ts";

/** The names most like one that is not among them, best first, at most `most`: fewer than half of its letters may differ, or two of those that it begins with. */
export function nearestNames(name: string, names: readonly string[], most = 3): string[] {
  return names
    .map((candidate) => {
      const [given, there] = [name.toLowerCase(), candidate.toLowerCase()];
      return { candidate, distance: leven(given, there), beginning: leven(given, there.slice(0, given.length)) };
    })
    .filter(
      ({ candidate, distance, beginning }) =>
        distance <= Math.max(2, candidate.length / 2) || beginning <= Math.min(2, (name.length - 1) / 2),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/**
 * A row of a table by its name.
 * @throws UsageError that names the nearest row and all there are.
 */
export function lookUp<T>(kind: string, table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name];
  const names = Object.keys(table);
  const [nearest] = nearestNames(name, names, 1);
  throw new UsageError(`unknown ${kind} '${name}'.${nearest ? ` Did you mean '${nearest}'?` : ""} There are: ${names.join(", ")}.`);
}
