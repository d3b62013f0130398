import { count, duration, percent, plural } from "../../core/text.ts";
import type { NearDuplicates } from "../near-duplicates.ts";
import { bestOf, type EpochRecord, type LogRecord } from "../progress.ts";
import { networkName, type RunConfig } from "../run-config.ts";
import { classesSection } from "./classes.ts";
import { confusionSection } from "./confusion.ts";
import { coverageSection } from "./coverage.ts";
import { curvesSection } from "./curves.ts";
import { type Html, html, pageOf, tableOf } from "./html.ts";
import { imagesText, type Measured } from "./measure.ts";
import { duplicatesSection, duplicatesWarning } from "./near-duplicates.ts";
import { type NormLayer, normsSection } from "./norms.ts";
import { type AnsweredPicture, markOf, pictureGrid } from "./pictures.ts";
import { reliabilitySection } from "./reliability.ts";
import { optionText, trainCommandOf } from "./rerun.ts";
import { STYLE } from "./style.ts";

/** Everything that a report shows. */
export interface ReportContent {
  readonly config: RunConfig;
  readonly environment: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly started?: string;
  readonly parameters: number;
  readonly trainingImages: number;
  readonly validationImages: number;
  readonly history: readonly EpochRecord[];
  readonly logs: readonly LogRecord[];
  /** Whose weights were measured. */
  readonly weights: { readonly epoch: number; readonly isBest: boolean };
  /** Where the run was not finished: how to go on with it. */
  readonly unfinished?: string;
  /** Which split was measured on, and why that one where it is not the test split. */
  readonly split: string;
  readonly splitNote?: string;
  readonly measured: Measured;
  readonly shown: readonly AnsweredPicture[];
  readonly mistakes: readonly AnsweredPicture[];
  readonly norms: readonly NormLayer[];
  /** Absent where the data are not picture files. */
  readonly nearDuplicates?: NearDuplicates;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

const numbers = (rows: readonly (readonly [name: string, value: string, detail?: string])[]): Html =>
  html`<dl class="numbers">${rows.map(([name, value, detail]) => html`<div><dt>${name}</dt><dd>${value}${detail && html`<small>${detail}</small>`}</dd></div>\n`)}</dl>`;

/** What is measured on how many images: `1,000 images of the test split`. */
const measuredOn = ({ split, measured: { images, of, unreadable } }: ReportContent): string =>
  imagesText(images, of, unreadable.length, split);

/** How many pictures that cannot be read are named. */
const MOST_NAMED = 10;

function leftOut({ split, measured: { unreadable } }: ReportContent): Html {
  const more = unreadable.length - MOST_NAMED;
  return html`<div class="warning"><p>${plural(unreadable.length, "picture")} of the ${split} split cannot be read, and ${unreadable.length === 1 ? "counts" : "count"} nowhere:</p>
<ul>${unreadable.slice(0, MOST_NAMED).map(({ message }) => html`<li>${message}</li>\n`)}${more > 0 && html`<li>and ${count(more)} more</li>`}</ul></div>`;
}

const intervalText = ([low, high]: readonly [number, number]): string => `95 %: ${percent(low, 1)} to ${percent(high, 1)}`;

function headline(content: ReportContent): Html {
  const { history, parameters, measured, weights, config, split, trainingImages, validationImages } = content;
  const { top1, top1Interval, top5, top5Interval, loss, calibration, perClass } = measured.metrics;
  const best = bestOf(history);
  const seconds = history.reduce((sum, record) => sum + record.seconds, 0);
  return numbers([
    [`top-1, ${split}`, percent(top1), intervalText(top1Interval)],
    ...(perClass.length > 5 ? [[`top-5, ${split}`, percent(top5), intervalText(top5Interval)] as const] : []),
    [`loss, ${split}`, loss.toFixed(4)],
    ["calibration error", percent(calibration.expectedCalibrationError)],
    ["best epoch", best ? `${best.epoch} of ${config.epochs}` : "none yet", best && bestDetail(best)],
    ["weights of epoch", String(weights.epoch), weights.isBest ? "the best" : "the last, not finished"],
    ["parameters", count(parameters)],
    ["images", count(trainingImages), `to train on, ${count(validationImages)} to validate on`],
    ["training time", duration(seconds), plural(history.length, "epoch")],
  ]);
}

const bestDetail = ({ validationAccuracy, trainingAccuracy }: EpochRecord): string =>
  validationAccuracy === undefined
    ? `training accuracy ${percent(trainingAccuracy)}`
    : `validation accuracy ${percent(validationAccuracy)}`;

function againSection({ config, environment, started, unfinished }: ReportContent): Html {
  const rows = Object.entries(config).filter(([, value]) => value !== undefined);
  const machine = [...Object.entries(environment), ...(started ? [["started", started] as const] : [])];
  return html`${unfinished && html`<p>The run was stopped before its end. To go on:</p><pre>${unfinished}</pre>`}
<p>The same run anew:</p>
<pre>${trainCommandOf(config)}</pre>
<div class="figures">${tableOf("Options", rows, [
    { heading: "option", cell: ([name]) => name },
    { heading: "value", cell: ([field, value]) => optionText(field, value) },
  ])}${tableOf("Environment", machine, [
    { heading: "what", cell: ([name]) => name },
    { heading: "value", cell: ([, value]) => value },
  ])}</div>
<p class="note">With the same data, options and versions the weights are the same to the last bit on the same processor; other versions or processors may round differently.</p>`;
}

function sectionsOf(content: ReportContent): Section[] {
  const { history, logs, measured, shown, mistakes, norms, nearDuplicates } = content;
  const { metrics, untempered, temperature } = measured;
  const labels = metrics.perClass.map(({ label }) => label);
  return [
    { id: "curves", title: "Curves", content: curvesSection(history, logs) },
    { id: "confusions", title: "What is taken for what", content: confusionSection(metrics) },
    { id: "classes", title: "Classes", content: classesSection(metrics) },
    { id: "calibration", title: "Calibration", content: reliabilitySection(metrics, untempered, temperature) },
    { id: "unsure", title: "When it may say “not sure”", content: coverageSection(metrics.coverage) },
    {
      id: "mistakes",
      title: "Most confident mistakes",
      content: mistakes.length ? pictureGrid(mistakes, labels) : html`<p>There are none: every answer is right.</p>`,
    },
    {
      id: "pictures",
      title: "Pictures",
      content: html`<p class="note">${count(shown.length)} images, drawn by a seed: green (${markOf(true)}) where the answer is right, red (${markOf(false)}) where it is wrong.</p>${pictureGrid(shown, labels)}`,
    },
    ...(nearDuplicates ? [{ id: "duplicates", title: "Near-duplicates", content: duplicatesSection(nearDuplicates) }] : []),
    ...(norms.length ? [{ id: "norms", title: "Norm layers", content: normsSection(norms) }] : []),
    { id: "again", title: "Run it again", content: againSection(content) },
  ];
}

/** A run's report as one page that needs nothing but itself. */
export function reportPage(content: ReportContent): string {
  const { config, started, unfinished, splitNote, measured, nearDuplicates } = content;
  const sections = sectionsOf(content);
  const title = `${networkName(config.model)} on ${config.data}`;
  const day = started?.slice(0, 16).replace("T", ", ");
  return pageOf({
    title: `${title} · fivecrop`,
    style: STYLE,
    content: html`<header>
<h1>${title}</h1>
<p class="sub">${day && `Run of ${day} UTC. `}Measured on ${measuredOn(content)}, in ${duration(measured.seconds)}, one view of each.</p>
${unfinished && html`<p class="warning">This run was stopped before its end: the numbers are of the weights that it had.</p>`}
${splitNote && html`<p class="warning">${splitNote}</p>`}
${measured.unreadable.length > 0 && leftOut(content)}
${nearDuplicates && duplicatesWarning(nearDuplicates)}
${headline(content)}
<nav aria-label="Sections">${sections.map(({ id, title: name }) => html`<a href="#${id}">${name}</a>\n`)}</nav>
</header>
<main>
${sections.map(({ id, title: name, content: body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>\n${body}</section>\n`)}</main>`,
  });
}
