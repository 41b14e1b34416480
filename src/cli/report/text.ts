/** A report as text: a RolloutReport enters, lines of at most the given width leave. Pure. */
import type { RolloutReport, VersionTraffic } from '../../model/report.ts';
import { visible } from '../../model/text.ts';
import { type Column, cut, tableLines } from '../table.ts';
import { countText } from '../views/numbers.ts';
import { visibleFields } from '../visible-fields.ts';
import { wrap } from '../wrap.ts';
import {
  besideTexts,
  CERTAINTY_WORDS,
  clockText,
  defaultVersions,
  doubtsOf,
  figuresOf,
  figureText,
  lastMeasurements,
  latencyText,
  millisecondsText,
  RESULT_WORDS,
  STATE_SIGNS,
  shownResults,
  valueText,
  windowText,
} from './words.ts';

/** The lines of a report, each of at most `width` characters. */
export function reportLines(shown: RolloutReport, width: number): string[] {
  const report = visibleFields(shown);
  const paragraph = (text: string, indent = ''): string[] =>
    wrap(text, width - indent.length).map((line, index) =>
      (index === 0 ? indent : '  '.concat(indent)).concat(line),
    );
  const { rollout } = report;
  const latency = latencyText(report);
  return [
    ...paragraph(`${rollout.id}: ${rollout.version} after ${rollout.baseline}, ${rollout.state}`),
    ...paragraph(windowText(report)),
    '',
    ...paragraph(report.summary),
    '',
    ...figureLines(report, width),
    ...doubtsOf(report).flatMap((doubt) => paragraph(doubt, '  ')),
    ...section('Requests by version', versionLines(report, width)),
    ...section('Share over time', shareLines(report, width)),
    ...besideTexts(report).flatMap((sentence) => paragraph(sentence, '  ')),
    ...section('Latency', latency === undefined ? [] : paragraph(latency, '  ')),
    ...section('Checks', checkLines(report, width)),
    ...section(
      'Decisions',
      report.decisions.flatMap(({ at, actor, action, message }) =>
        paragraph(`${clockText(at)} ${action} by ${actor}: ${message}`, '  '),
      ),
    ),
  ].map((line) => cut(line.trimEnd(), width));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function figureLines(report: RolloutReport, width: number): string[] {
  return tableLines(
    [
      { heading: 'FIGURE', text: ({ name }) => name },
      { heading: 'COUNT', text: ({ figure }) => figureText(figure) },
      { heading: 'CERTAINTY', text: ({ figure }) => CERTAINTY_WORDS[figure.certainty.kind] },
      { heading: 'MEANING', text: ({ meaning }) => meaning },
    ],
    figuresOf(report),
    { wide: true, width },
  );
}

function versionLines({ byVersion }: RolloutReport, width: number): string[] {
  if (byVersion.length === 0) return [];
  const results = shownResults(byVersion).map(
    (result): Column<VersionTraffic> => ({
      heading: RESULT_WORDS[result].toUpperCase(),
      text: (row) => countText(row.results[result] ?? 0),
    }),
  );
  const columns: Column<VersionTraffic>[] = [
    { heading: 'ROUTE', text: ({ route }) => route },
    { heading: 'VERSION', text: ({ version = '-' }) => version },
    { heading: 'REQUESTS', text: ({ requests }) => countText(requests) },
    ...results,
    { heading: 'RETRIES', text: ({ retries }) => countText(retries) },
    { heading: 'P50', text: ({ p50 }) => millisecondsText(p50) },
    { heading: 'P99', text: ({ p99 }) => millisecondsText(p99) },
  ];
  return fittingTables(columns, byVersion, width);
}

/** A table that is too wide goes on in another one below, which begins with the same two columns. */
function fittingTables<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const [first, second, ...rest] = columns;
  if (first === undefined || second === undefined) return [];
  const tables: Column<Row>[][] = [[first, second]];
  for (const column of rest) {
    const present = tables.at(-1) ?? [];
    const longest = Math.max(
      ...tableLines([...present, column], rows, { wide: true }).map((line) => line.length),
    );
    if (longest <= width || present.length === 2) present.push(column);
    else tables.push([first, second, column]);
  }
  return tables.flatMap((table, index) => [
    ...(index === 0 ? [] : ['']),
    ...tableLines(table, rows, { wide: true, width }),
  ]);
}

const LEVELS = ' ▁▂▃▄▅▆▇█';

/** The candidate's share of the default requests, one sign for each part of the window. `·`: no request. */
function shareLines(report: RolloutReport, width: number): string[] {
  const { timeline, rollout } = report;
  if (defaultVersions(report).length === 0) return [];
  const label = `  ${rollout.version} `;
  const columns = Math.min(timeline.length, Math.max(10, width - label.length));
  const signs = Array.from({ length: columns }, (_, column) => {
    const points = timeline.slice(
      Math.floor((column * timeline.length) / columns),
      Math.floor(((column + 1) * timeline.length) / columns),
    );
    const of = (version?: string): number =>
      points.reduce(
        (sum, { requests }) =>
          sum +
          (version === undefined
            ? Object.values(requests).reduce((all, each) => all + each, 0)
            : (requests[version] ?? 0)),
        0,
      );
    const all = of();
    return all === 0 ? '·' : LEVELS[Math.ceil((of(rollout.version) / all) * (LEVELS.length - 1))];
  });
  return [`${label}${signs.join('')}`];
}

function checkLines(report: RolloutReport, width: number): string[] {
  const measurements = lastMeasurements(report);
  if (measurements.length === 0) return [];
  return tableLines(
    [
      { heading: 'STEP', text: ({ step, attempt }) => (attempt === 1 ? step : `${step} #${attempt}`) },
      { heading: 'CHECK', text: ({ check }) => check },
      { heading: 'STATE', text: ({ judgement: { state } }) => `${STATE_SIGNS[state]} ${state}` },
      { heading: 'VALUE', text: valueText },
      { heading: 'N', text: ({ judgement: { samples } }) => countText(samples.candidate) },
      { heading: 'LIMIT', text: ({ judgement: { limit } }) => visible(limit) },
    ],
    measurements,
    { wide: true, width },
  );
}
