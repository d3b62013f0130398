import * as echarts from "echarts";
import { bestOf, type EpochRecord } from "../progress.ts";

const COLORS = { training: "#2563eb", validation: "#ea580c" } as const;

/** Loss and accuracy over the epochs, training and validation, the best epoch marked: an SVG picture, 960 × 400. */
export function curvesSvg(history: readonly EpochRecord[], title: string): string {
  const epochs = history.map(({ epoch }) => String(epoch));
  const best = bestOf(history);
  const percent = (value: number | undefined) => (value === undefined ? undefined : 100 * value);
  const panels = [
    { name: "loss", training: history.map((r) => r.trainingLoss), validation: history.map((r) => r.validationLoss) },
    {
      name: "accuracy (%)",
      training: history.map((r) => percent(r.trainingAccuracy)),
      validation: history.map((r) => percent(r.validationAccuracy)),
    },
  ];
  const series = panels.flatMap((panel, i) =>
    (["training", "validation"] as const).flatMap((part) =>
      panel[part].every((value) => value === undefined)
        ? []
        : [
            {
              type: "line" as const,
              name: part,
              xAxisIndex: i,
              yAxisIndex: i,
              data: panel[part].map((value) => value ?? null),
              color: COLORS[part],
              showSymbol: history.length < 40,
              ...(part === "validation" &&
                best && {
                  markLine: {
                    symbol: "none",
                    silent: true,
                    lineStyle: { color: "#9ca3af" },
                    label: { formatter: "best" },
                    data: [{ xAxis: String(best.epoch) }],
                  },
                }),
            },
          ],
    ),
  );
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 960, height: 400 });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      title: { text: title, left: "center", top: 8, textStyle: { fontSize: 15 } },
      legend: { bottom: 8, data: ["training", "validation"] },
      grid: [
        { left: "6%", width: "41%", top: 60, bottom: 80 },
        { left: "56%", width: "41%", top: 60, bottom: 80 },
      ],
      xAxis: panels.map((_, i) => ({ type: "category", data: epochs, gridIndex: i, name: "epoch", nameLocation: "middle", nameGap: 28 })),
      yAxis: panels.map(({ name }, i) => ({ type: "value", gridIndex: i, name, scale: true })),
      series,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
