import * as echarts from "echarts";
import { bestOf, type EpochRecord, type LogRecord } from "../progress.ts";

const PARTS = {
  training: { color: "#2563eb", loss: (r: EpochRecord) => r.trainingLoss, accuracy: (r: EpochRecord) => r.trainingAccuracy },
  validation: { color: "#ea580c", loss: (r: EpochRecord) => r.validationLoss, accuracy: (r: EpochRecord) => r.validationAccuracy },
} as const;
const PANELS = [
  { name: "loss", of: "loss", scale: 1 },
  { name: "accuracy (%)", of: "accuracy", scale: 100 },
] as const;

/** Loss and accuracy over the epochs, training and validation, the best epoch marked; logs between epochs as thin lines: an SVG picture, 960 × 400. */
export function curvesSvg(history: readonly EpochRecord[], title: string, logs: readonly LogRecord[] = []): string {
  const best = bestOf(history);
  const markLine = best && {
    symbol: "none",
    silent: true,
    lineStyle: { color: "#9ca3af" },
    label: { formatter: "best" },
    data: [{ xAxis: best.epoch }],
  };
  const series = PANELS.flatMap(({ of, scale }, i) =>
    Object.entries(PARTS).flatMap(([name, part]) => {
      const points = (records: readonly EpochRecord[]) =>
        records.flatMap((record) => {
          const value = part[of](record);
          return value === undefined ? [] : [[record.epoch, scale * value]];
        });
      const [data, between] = [points(history), points(logs)];
      const common = { type: "line" as const, name, xAxisIndex: i, yAxisIndex: i, color: part.color };
      return [
        ...(between.length ? [{ ...common, data: between, showSymbol: false, lineStyle: { width: 1, opacity: 0.45 } }] : []),
        ...(data.length ? [{ ...common, data, showSymbol: history.length < 40, ...(name === "validation" && { markLine }) }] : []),
      ];
    }),
  );
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 960, height: 400 });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      title: { text: title, left: "center", top: 8, textStyle: { fontSize: 15 } },
      legend: { bottom: 8, data: Object.keys(PARTS) },
      grid: [
        { left: "6%", width: "41%", top: 60, bottom: 80 },
        { left: "56%", width: "41%", top: 60, bottom: 80 },
      ],
      xAxis: PANELS.map((_, i) => ({
        type: "value",
        gridIndex: i,
        name: "epoch",
        nameLocation: "middle",
        nameGap: 28,
        min: logs.length ? 0 : 1,
        max: Math.max(history.length, 2),
        minInterval: 1,
        splitLine: { show: false },
      })),
      yAxis: PANELS.map(({ name }, i) => ({ type: "value", gridIndex: i, name, scale: true })),
      series,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
