/** A colour on white, and what it is on a dark page. */
type Pair = readonly [light: string, dark: string];

/** What charts are drawn with. An SVG picture has the light ones; a dark page replaces them by its style sheet, so all are different. */
export const COLORS = {
  ink: ["#374151", "#d1d5db"],
  axis: ["#9ca3ab", "#6b7280"],
  grid: ["#e5e7eb", "#2f3743"],
  paper: ["#ffffff", "#161b22"],
  soft: ["#bfdbfe", "#1e3a8a"],
} as const satisfies Record<string, Pair>;

/** Series, in order; told apart also where colours are not, by lines and symbols. */
export const SERIES = [
  ["#2563eb", "#60a5fa"],
  ["#ea580c", "#fb923c"],
  ["#059669", "#34d399"],
  ["#9333ea", "#c084fc"],
  ["#dc2626", "#f87171"],
  ["#0891b2", "#22d3ee"],
  ["#a16207", "#facc15"],
  ["#4b5563", "#9ca3af"],
] as const satisfies readonly Pair[];

/** Style rules that give charts in a page its dark colours. */
export const DARK_CHARTS = [...Object.values(COLORS), ...SERIES]
  .map(([light, dark]) => `svg [fill="${light}"]{fill:${dark}} svg [stroke="${light}"]{stroke:${dark}}`)
  .join("\n");

/** Style rules for lines in a legend, in light or dark colours. */
export const seriesRules = (scheme: 0 | 1): string => SERIES.map((pair, i) => `.series-${i}{border-color:${pair[scheme]}}`).join("\n");
