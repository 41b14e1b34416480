/** What becomes of a template of PromQL: values are put in as PromQL needs them where they stand, or it is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeTemplateProblem,
  promqlDuration,
  promqlLiteral,
  promqlString,
  render,
} from '../../../src/verification/templates.ts';

const values = { service: 'manager', version: '1.8.3', baseline: undefined, window: '30s' };
const rendered = (template: string, args: Record<string, string> = {}): string => {
  const result = render({ template, values, args });
  return result.kind === 'rendered' ? result.text : `problem: ${describeTemplateProblem(result.problem)}`;
};

describe('a template of PromQL', () => {
  test('gets the names of the rollout, its window and its arguments', () => {
    expect(
      rendered(
        'sum(rate(x{service="{{service}}",version="{{ version }}",code="{{args.code}}"}[{{window}}]))',
        { code: '500' },
      ),
    ).toBe('sum(rate(x{service="manager",version="1.8.3",code="500"}[30s]))');
  });

  test('a version in a regular expression matches itself only', () => {
    expect(rendered('x{version=~"{{version}}|old", other!~ \'{{version}}\'}')).toBe(
      'x{version=~"1\\\\.8\\\\.3|old", other!~ \'1\\\\.8\\\\.3\'}',
    );
    expect(rendered('x{version=~`{{version}}`, v="{{version}}"}')).toBe('x{version=~`1\\.8\\.3`, v="1.8.3"}');
  });

  test('an argument in a regular expression is a regular expression', () => {
    expect(rendered('x{code=~"{{args.code}}"}', { code: '5..' })).toBe('x{code=~"5.."}');
  });

  test('a value does not leave its string', () => {
    expect(rendered('x{a="{{args.a}}"}', { a: 'b"} or y{c="\\\n' })).toBe('x{a="b\\"} or y{c=\\"\\\\\\n"}');
    expect(rendered("x{a='{{args.a}}'}", { a: `it's "so"` })).toBe(`x{a='it\\'s "so"'}`);
    expect(rendered('x{a=`{{args.a}}`}', { a: 'a`b' })).toMatch(/backquote/);
  });

  test('a quote in a comment begins no string', () => {
    expect(rendered('x # it\'s\n + y{a="{{args.a}}"}', { a: 'q"' })).toBe('x # it\'s\n + y{a="q\\""}');
  });

  test('an unknown name is refused with those that are known', () => {
    expect(render({ template: '{{versoin}}', values, args: { code: '1' } })).toEqual({
      kind: 'problem',
      problem: {
        kind: 'UnknownName',
        name: 'versoin',
        allowed: ['service', 'version', 'baseline', 'window', 'args.code'],
      },
    });
    expect(rendered('{{args.other}}', { code: '1' })).toMatch(/\{\{args.other\}\} is no name .* args.code/);
    expect(rendered('{{constructor}}')).toMatch(/no name/);
  });

  test('a name without a value, and one that does not end, are refused', () => {
    expect(rendered('{{baseline}}')).toMatch(/\{\{baseline\}\} has no value/);
    expect(rendered('x{{version')).toMatch(/no }} ends/);
  });

  test('whatever a value is, it stands in the query as one string that says the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', "'", '\\', '\n', 'a', '{', '}', '#') }), (value) => {
        const text = rendered('x{a="{{args.a}}"}', { a: value });
        expect(text.startsWith('x{a="') && text.endsWith('"}')).toBe(true);
        expect(JSON.parse(text.slice(4, -1))).toBe(value);
        expect(JSON.parse(promqlString(value))).toBe(value);
      }),
    );
  });
});

test('a length of time is written in seconds where it is whole', () => {
  expect([30_000, 1_500, 0.2].map(promqlDuration)).toEqual(['30s', '1500ms', '1ms']);
});

test('a text as a regular expression matches itself and nothing else', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, other) => {
      const pattern = new RegExp(`^(?:${promqlLiteral(text)})$`);
      expect(pattern.test(text)).toBe(true);
      expect(pattern.test(other)).toBe(other === text);
    }),
  );
});
