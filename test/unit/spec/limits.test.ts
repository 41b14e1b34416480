import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseServices } from '../../../src/spec/parse.ts';
import { MAX_DOCUMENTS, MAX_TEXT_BYTES } from '../../../src/spec/source.ts';

const example = readFileSync('examples/specs/manager.yaml', 'utf8');
const head = 'apiVersion: switchyard.dev/v1alpha1\nkind: VersionedService\nmetadata: {name: manager}\n';

/** The example, made as long as asked for by a comment. */
function padded(bytes: number): string {
  return example + '#'.repeat(bytes - Buffer.byteLength(example));
}

function problemsOf(text: string) {
  const { services, problems } = parseServices({ file: 'a.yaml', text });
  expect(services).toEqual([]);
  return problems;
}

describe('a text that is meant to exhaust the parser', () => {
  test('is refused above 1 MiB, counted in bytes', () => {
    expect(parseServices({ file: 'a.yaml', text: padded(MAX_TEXT_BYTES) }).problems).toEqual([]);
    expect(problemsOf(padded(MAX_TEXT_BYTES + 1))).toEqual([
      {
        severity: 'error',
        file: 'a.yaml',
        line: 1,
        column: 1,
        field: '',
        message: 'the text has 1048577 bytes; at most 1048576 are read',
      },
    ]);
    expect(problemsOf(`#${'é'.repeat(MAX_TEXT_BYTES / 2)}`)).toHaveLength(1);
  });

  test('is refused when it holds too many documents', () => {
    expect(problemsOf('--- a\n'.repeat(MAX_DOCUMENTS + 1)).map(({ message }) => message)).toEqual([
      'the file holds 1001 documents; at most 1000 are read',
    ]);
  });

  test('is refused when it is nested deeper than the stack', () => {
    const [problem] = problemsOf('['.repeat(20_000));
    expect(problem?.message).toBe('is nested too deeply to be read');
  });

  test('has at most 100 problems for each document', () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1\nk${index}: 2`).join('\n');
    expect(problemsOf(keys)).toHaveLength(100);
  });

  test('does not grow through aliases of aliases', () => {
    const levels = Array.from({ length: 30 }, (_, index) => `&a${index + 1} [${`*a${index}, `.repeat(9)}]`);
    const problems = problemsOf(`${head}spec: {version: v1, listeners: [&a0 {}, ${levels.join(', ')}]}`);
    expect(problems.map(({ message }) => message)).toContain('has 31 elements; at most 16 are allowed');
  });

  test('does not loop through an alias of what is around it', () => {
    const problems = problemsOf(`${head}spec: &spec {version: v1, pin: *spec, listeners: &l [*l]}`);
    expect(problems.map(({ field }) => field)).toContain('spec.pin.version');
  });

  test('cannot reach the prototype of an object through a key', () => {
    const problems = problemsOf(`${head}spec: {__proto__: {polluted: yes}, constructor: {}, toString: {}}`);
    expect(problems.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['spec.__proto__', 'spec.constructor', 'spec.toString']),
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
