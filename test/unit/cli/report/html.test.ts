// The page of a report: one file that needs nothing else, holds every number, and lets nothing in as markup.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportPage } from '../../../../src/cli/report/html.ts';
import { parseReport } from '../../../../src/cli/report/parse.ts';
import { reportLines } from '../../../../src/cli/report/text.ts';
import { instant } from '../../../../src/model/instant.ts';
import { NOON, sampleInput, sampleReport } from '../../../support/sample-report.ts';
import { parseMarkup } from '../../../support/well-formed.ts';

const report = sampleReport();
const page = reportPage(report);

describe('the page of a report', () => {
  test('is well-formed, so any reader of HTML or XML sees the same', () => {
    expect(parseMarkup(page).elements.slice(0, 2)).toEqual(['html', 'head']);
  });

  test('asks for nothing: no script, no link, no address, no import', () => {
    const { elements, attributes } = parseMarkup(page);
    expect(
      new Set(elements).intersection(new Set(['script', 'link', 'img', 'iframe', 'object', 'a', 'base'])),
    ).toEqual(new Set());
    expect(attributes.filter(([name]) => /^(src|href|on.*|style|action)$/.test(name))).toEqual([]);
    const addresses = new Set(page.match(/https?:[^"']*/g));
    expect(addresses).toEqual(new Set(['http://www.w3.org/1999/xhtml', 'http://www.w3.org/2000/svg']));
    expect(page).not.toMatch(/@import|url\(/);
  });

  test('holds every number of the report: figures, rows, latency and checks', () => {
    const { text } = parseMarkup(page);
    const numbers = [
      ...[report.requests, report.impacted, report.retries, report.cutStreams, report.refusals].map(
        ({ value }) => value,
      ),
      ...report.byVersion.flatMap((row) => [
        row.requests,
        ...Object.values(row.results),
        row.retries,
        row.p50,
        row.p99,
      ]),
      report.latency?.milliseconds,
      report.latency?.samples.candidate,
      report.mixedFor,
      ...report.measurements.map(({ judgement }) => judgement.samples.candidate),
      95.2,
      21,
    ];
    const shown = new Set(
      text.match(/\d[\d,]*(\.\d+)?/g)?.map((number) => Number(number.replaceAll(',', ''))),
    );
    expect(numbers.filter((number) => number !== undefined && !shown.has(number))).toEqual([]);
    expect(numbers.length).toBeGreaterThan(30);
  });

  test('draws requests, share, latency and each check that has values', () => {
    const { elements, attributes } = parseMarkup(page);
    expect(elements.filter((name) => name === 'figure')).toHaveLength(5);
    const descriptions = attributes.flatMap(([name, value]) => (name === 'aria-label' ? [value] : []));
    expect(descriptions).toHaveLength(5);
    expect(descriptions.every((description) => description.length > 20)).toBe(true);
  });

  test('tells versions apart without colour: each line has a pattern of its own, each state a sign', () => {
    expect(page).toMatch(/\.v0 \{[^}]*stroke-dasharray/);
    expect(page).toMatch(/\.v2 \{[^}]*stroke-dasharray/);
    expect(page).not.toMatch(/\.v1 \{[^}]*stroke-dasharray/);
    expect(parseMarkup(page).text).toMatch(/✖ Failed/);
  });

  test('says what may be missing where a count is not proved', () => {
    const coverage = [{ from: instant(NOON - 1), to: instant(NOON + 30_000), gaps: [] }];
    const { text } = parseMarkup(reportPage(sampleReport({ coverage })));
    expect(text).toContain('nobody counted from 12:00:30 UTC to 12:03:00 UTC');
    expect(text).not.toMatch(/\bproved\b(?! when)/);
  });

  test('is well-formed for a rollout in which nothing happened', () => {
    const empty = sampleReport({ counts: [], measurements: [], events: [], coverage: [], isReported: false });
    expect(parseMarkup(reportPage(empty)).text).toContain('not measurable');
  });

  test('whatever the texts are, none becomes markup', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom('</style><script>alert(1)</script>', '"><img src=x>', ']]>&amp;'),
        ),
        (evil) => {
          const input = sampleInput();
          const event = { ...(input.events[0] ?? expect.fail()), message: evil, actor: evil };
          const hurt = sampleReport({
            events: [event],
            measurements: input.measurements.map((each) => ({
              ...each,
              check: evil,
              judgement: { ...each.judgement, because: evil },
            })),
            rollout: { ...input.rollout, because: evil, reason: evil },
          });
          const { elements, attributes } = parseMarkup(reportPage(hurt));
          expect(elements).not.toContain('script');
          expect(elements).not.toContain('img');
          expect(attributes.map(([name]) => name)).not.toContain('src');
        },
      ),
    );
  });
});

describe('the text of a report', () => {
  test('no line is wider than the terminal, and none moves the cursor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 200 }), fc.string({ unit: 'binary' }), (width, evil) => {
        const input = sampleInput();
        const event = { ...(input.events[0] ?? expect.fail()), message: `${evil} \u001b[2J`, actor: evil };
        const lines = reportLines(sampleReport({ events: [event] }), width);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
        expect(lines.join('')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('a report as JSON', () => {
  test('is read back as it was', () => {
    expect(parseReport(JSON.stringify(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  test.each([
    ['{', /not JSON/],
    ['[]', /^report is \[\] where an object belongs/],
    ['{}', /^report\.rollout is undefined/],
    [changed('requests', 3), /^report\.requests is 3 where an object belongs/],
    [
      changed('requests', { certainty: { kind: 'Sampled' } }),
      /^report\.requests\.certainty\.why is undefined/,
    ],
    [changed('byVersion.0.results.Odd', 1), /^report\.byVersion\[0\]\.results: a field is "Odd"/],
    [changed('byVersion.0.requests', -1), /^report\.byVersion\[0\]\.requests is -1/],
    [changed('window.to', 1e17), /^report\.window\.to is/],
    [
      changed('measurements.0.judgement.state', 'Fine'),
      /^report\.measurements\[0\]\.judgement\.state is "Fine"/,
    ],
  ])('a text that is no report is refused with the place: %.40s', (text, message) => {
    expect(() => parseReport(text)).toThrow(message);
  });

  test('whatever is in one place of it, it is refused with a place or can be shown', () => {
    const paths = pathsOf(JSON.parse(JSON.stringify(report)));
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const text = JSON.stringify(withValue(JSON.parse(JSON.stringify(report)), path, value));
        let parsed: ReturnType<typeof parseReport>;
        try {
          parsed = parseReport(text);
        } catch (error) {
          expect(String(error)).toMatch(/report/);
          return;
        }
        parseMarkup(reportPage(parsed));
        reportLines(parsed, 80);
      }),
      { numRuns: 300 },
    );
  });
});

/** A report as text with one value replaced. */
function changed(path: string, value: unknown): string {
  return JSON.stringify(withValue(JSON.parse(JSON.stringify(sampleReport())), path.split('.'), value));
}

function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  // The timeline and the buckets are long lists of the same: their beginning is enough.
  const entries = Object.entries(value).slice(0, 20);
  return [[...path], ...entries.flatMap(([key, each]) => pathsOf(each, [...path, key]))].filter(
    ({ length }) => length > 0,
  );
}

function withValue(target: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  const parts = target as Record<string, unknown>;
  parts[key] = rest.length === 0 ? value : withValue(parts[key], rest, value);
  return target;
}
