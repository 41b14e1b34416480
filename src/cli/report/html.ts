/**
 * A report as one HTML page that needs nothing else: no script, no font, no address of anybody. A RolloutReport enters,
 * the text of a file leaves. It is well-formed XML too. Pure.
 */

import type { RolloutReport } from '../../model/report.ts';
import { isOpen } from '../../model/rollout.ts';
import { countText } from '../views/numbers.ts';
import { visibleFields } from '../visible-fields.ts';
import { REPORT_STYLE } from './html-style.ts';
import { type Child, element, joined, type Markup, text } from './markup.ts';
import { checkPlots } from './plot-checks.ts';
import { latencyPlot } from './plot-latency.ts';
import { requestsPlot, sharePlot } from './plot-timeline.ts';
import {
  besideTexts,
  CERTAINTY_WORDS,
  clockText,
  doubtsOf,
  figuresOf,
  figureText,
  lastMeasurements,
  latencyText,
  millisecondsText,
  RESULT_WORDS,
  STATE_SIGNS,
  shownResults,
  timeText,
  valueText,
  windowText,
} from './words.ts';

/** The whole file. */
export function reportPage(shown: RolloutReport): string {
  const report = visibleFields(shown);
  const title = `Rollout ${report.rollout.id}`;
  const latency = latencyText(report);
  const page = element(
    'html',
    { lang: 'en', xmlns: 'http://www.w3.org/1999/xhtml' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, text(title)),
      // Our own text, with nothing in it that would have to be escaped.
      element('style', {}, REPORT_STYLE as Markup),
    ),
    element(
      'body',
      {},
      head(report),
      figures(report),
      section('Requests by version', requestTable(report)),
      section('Over time', requestsPlot(report), sharePlot(report)),
      section(
        'Latency',
        latencyPlot(report),
        latency === undefined ? undefined : element('p', {}, text(latency)),
      ),
      section('Checks against their limits', checksPart(report)),
      section('Decisions', decisionList(report)),
      element(
        'footer',
        {},
        text('Counted from the access logs that the proxies sent, not by a test client. Times are in UTC. '),
        text(
          'A count is proved when every request in the window was counted; otherwise the page says what may be missing.',
        ),
      ),
    ),
  );
  return `<!DOCTYPE html>\n${page}\n`;
}

function section(title: string, ...parts: readonly (Markup | undefined)[]): Markup {
  const present = parts.filter((part) => part !== undefined);
  return present.length === 0 ? joined() : element('section', {}, element('h2', {}, text(title)), ...present);
}

function head(report: RolloutReport): Markup {
  const { rollout } = report;
  const { id, version, baseline, state, startedBy, reason, because } = rollout;
  const look = state === 'Succeeded' ? 'summary good' : isOpen(state) ? 'summary' : 'summary bad';
  return element(
    'header',
    {},
    element('h1', {}, text(`${report.service}: ${version} after ${baseline}, ${state}`)),
    element('p', { class: 'muted' }, text(`${id}, ${windowText(report)}`)),
    element('p', { class: look }, text(report.summary)),
    element('p', {}, text(`Started by ${startedBy}${reason === '' ? '' : `: ${reason}`}. ${because}`)),
    ...besideTexts(report).map((sentence) => element('p', {}, text(sentence))),
  );
}

function figures(report: RolloutReport): Markup {
  const items = figuresOf(report).map(({ name, figure, meaning }) =>
    element(
      'li',
      {},
      text(name),
      element('b', {}, text(figureText(figure))),
      element('span', { class: figure.certainty.kind }, text(CERTAINTY_WORDS[figure.certainty.kind])),
      element('small', {}, text(meaning)),
    ),
  );
  const doubts = doubtsOf(report).map((doubt) => element('p', { class: 'Sampled' }, text(doubt)));
  return element('section', {}, element('ul', { class: 'figures' }, ...items), ...doubts);
}

function requestTable({ byVersion }: RolloutReport): Markup | undefined {
  if (byVersion.length === 0) return undefined;
  const results = shownResults(byVersion);
  return table(
    [
      { heading: 'route', kind: 'short' },
      { heading: 'version', kind: 'short' },
      { heading: 'requests' },
      ...results.map((result) => ({ heading: RESULT_WORDS[result] })),
      { heading: 'retries' },
      { heading: 'p50' },
      { heading: 'p99' },
    ],
    byVersion.map((row) => [
      row.route,
      row.version ?? '-',
      countText(row.requests),
      ...results.map((result) => countText(row.results[result] ?? 0)),
      countText(row.retries),
      millisecondsText(row.p50),
      millisecondsText(row.p99),
    ]),
  );
}

function checksPart(report: RolloutReport): Markup | undefined {
  const measurements = lastMeasurements(report);
  if (measurements.length === 0) return undefined;
  const rows = measurements.map((measurement) => {
    const { step, attempt, check, judgement } = measurement;
    const { state, samples, limit, because } = judgement;
    return [
      attempt === 1 ? step : `${step} #${attempt}`,
      check,
      `${STATE_SIGNS[state]} ${state}`,
      valueText(measurement),
      countText(samples.candidate),
      limit,
      because,
    ];
  });
  const columns = [
    { heading: 'step', kind: 'short' },
    { heading: 'check', kind: 'short' },
    { heading: 'state', kind: 'short' },
    { heading: 'value' },
    { heading: 'n' },
    { heading: 'limit', kind: 'words' },
    { heading: 'because', kind: 'words' },
  ] as const;
  return joined(element('div', { class: 'checks' }, ...checkPlots(report)), table(columns, rows));
}

function decisionList({ decisions }: RolloutReport): Markup | undefined {
  if (decisions.length === 0) return undefined;
  return element(
    'ol',
    {},
    ...decisions.map(({ at, actor, action, message }) =>
      element(
        'li',
        {},
        element('time', { datetime: new Date(at).toISOString(), title: timeText(at) }, text(clockText(at))),
        text(' '),
        element('strong', {}, text(action)),
        text(` by ${actor}: ${message}`),
      ),
    ),
  );
}

interface HtmlColumn {
  readonly heading: string;
  /** Numbers stand at the right; short texts do not wrap, words do. */
  readonly kind?: 'short' | 'words';
}

function table(columns: readonly HtmlColumn[], rows: readonly (readonly string[])[]): Markup {
  const row = (name: 'th' | 'td', cells: readonly string[]): Child =>
    element(
      'tr',
      {},
      ...cells.map((cell, index) => element(name, { class: columns[index]?.kind }, text(cell))),
    );
  return element(
    'div',
    { class: 'scroll' },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        row(
          'th',
          columns.map(({ heading }) => heading),
        ),
      ),
      element('tbody', {}, ...rows.map((cells) => row('td', cells))),
    ),
  );
}
