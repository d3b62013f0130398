/** Markup that is safe to stand in a page as it is. */
export interface Html {
  readonly markup: string;
}

type Content = Html | string | number | undefined | false | readonly Content[];

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]);

/** Markup that we made ourselves: it is not escaped. */
export const trusted = (markup: string): Html => ({ markup });

function markupOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (typeof content === "string" || typeof content === "number") return escapeHtml(String(content));
  return "markup" in content ? content.markup : content.map(markupOf).join("");
}

/** A template of HTML: texts and numbers between its parts are escaped, in attributes as well; nothing and false leave no trace. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Html =>
  trusted(parts.reduce((before, part, i) => `${before}${markupOf(contents[i - 1])}${part}`));

export interface TableColumn<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Html | string | number | undefined;
  /** Its first column names the row. */
  readonly numeric?: boolean;
}

/** A table that may be wider than the page: it then scrolls for itself. The first column's cells head their rows. */
export function tableOf<Row>(caption: string, rows: readonly Row[], columns: readonly TableColumn<Row>[]): Html {
  const align = ({ numeric }: TableColumn<Row>): Html => trusted(numeric ? ' class="number"' : "");
  const cellOf = (row: Row, column: TableColumn<Row>, i: number): Html =>
    i === 0 ? html`<th scope="row"${align(column)}>${column.cell(row)}</th>` : html`<td${align(column)}>${column.cell(row)}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${align(column)}>${column.heading}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${columns.map((column, i) => cellOf(row, column, i))}</tr>\n`)}</tbody></table></div>`;
}

/** A part of the page that is shown when it is asked for. */
export const folded = (summary: string, content: Html): Html => html`<details><summary>${summary}</summary>${content}</details>`;

export interface PageOptions {
  readonly title: string;
  readonly style: string;
  readonly content: Html;
}

/** A whole page in one file: what it may load, by its own policy, is nothing but the pictures inside it. */
export const pageOf = ({ title, style, content }: PageOptions): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>
${trusted(style)}
</style>
</head>
<body>
${content}
</body>
</html>
`.markup;
