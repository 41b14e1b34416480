import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffServices } from '../../../src/spec/diff.ts';
import { formatDuration, parseDuration } from '../../../src/spec/duration.ts';
import { formatService, serviceDocument } from '../../../src/spec/format.ts';
import { lintService } from '../../../src/spec/lint.ts';
import { parseEndpointsFile, parseServices } from '../../../src/spec/parse.ts';
import { anySpec } from '../../support/specs.ts';

const example = readFileSync('examples/specs/manager-processes.yaml', 'utf8');

const WORDS = ['a', 'spec', 'version', 'kind', '~', '1.8', '<<', '__proto__'];
const MARKS = [
  ':',
  ': ',
  '- ',
  '? ',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  "'",
  '|\n',
  '#',
  '\n',
  '\n  ',
  '---\n',
  '...\n',
];
const ODDITIES = ['&a ', '*a', '!t ', '%YAML 1.1\n', '\t', '\u0000', '\uFEFF', '\u2028', '\uD800'];

describe('any valid spec', () => {
  test('is itself again after it was written as a document and parsed', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const { services, problems } = parseServices({ file: 'a.yaml', text: formatService(spec) });
        expect(problems).toEqual([]);
        expect(services.map((service) => service.spec)).toEqual([spec]);
      }),
    );
  });

  test('is itself again after its JSON was parsed, since JSON is YAML', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const text = JSON.stringify(serviceDocument(spec), undefined, 1);
        expect(parseServices({ file: 'a.json', text }).services.map((service) => service.spec)).toEqual([
          spec,
        ]);
      }),
    );
  });

  test('differs in nothing from itself, and in something from every other spec', () => {
    fc.assert(
      fc.property(anySpec, anySpec, (one, other) => {
        expect(diffServices(one, one)).toEqual([]);
        expect(diffServices(one, other).length > 0).toBe(formatService(one) !== formatService(other));
      }),
    );
  });

  test('has lint findings only about fields of the document', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        for (const finding of lintService(spec)) {
          expect(finding.service).toBe(spec.name);
          expect(finding.field).toMatch(/^spec(\.|$)/);
          expect(finding.message).not.toBe('');
        }
      }),
    );
  });

  test('beside others in a file can be taken out by the text of its own document', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anySpec, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
        (specs) => {
          const text = specs.map((spec) => `# ${spec.name}\n${formatService(spec)}`).join('---\n');
          const { services } = parseServices({ file: 'a.yaml', text });
          expect(services.map(({ document }) => document).join('')).toBe(text);
          expect(
            services.flatMap(({ document }) =>
              parseServices({ file: 'b.yaml', text: document }).services.map(({ spec }) => spec),
            ),
          ).toEqual(specs);
        },
      ),
    );
  });
});

describe('any text', () => {
  const yamlSoup = fc
    .array(fc.constantFrom(...WORDS, ...MARKS, ...ODDITIES), { maxLength: 60 })
    .map((parts) => parts.join(''));
  /** The example with a piece cut out, put in or doubled: mostly plausible, always a little wrong. */
  const damaged = fc
    .tuple(fc.nat(example.length), fc.nat(40), yamlSoup)
    .map(([at, length, soup]) => example.slice(0, at) + soup.slice(0, 12) + example.slice(at + length));

  test.each([
    ['random text', fc.string({ unit: 'binary', maxLength: 200 })],
    ['pieces of YAML', yamlSoup],
    ['a damaged document', damaged],
  ])('%s is parsed without a throw; every fault has a place in the text', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const lines = text.split(/\r\n|\n/);
        const { services, problems } = parseServices({ file: 'a.yaml', text });
        expect(services.length + problems.length).toBeGreaterThan(0);
        for (const { line, column, file, message } of [
          ...problems,
          ...parseEndpointsFile({ file: 'a.yaml', text }).problems,
        ]) {
          expect(file).toBe('a.yaml');
          expect(message).not.toBe('');
          expect(column).toBeGreaterThan(0);
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('durations', () => {
  test('are themselves again after they were written and parsed', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});
