import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../src/model/json.ts';
import {
  evaluate,
  evaluateAsText,
  type Lookup,
  parseTemplate,
  valueAt,
} from '../../../../src/workflow/pipeline/template.ts';
import { seed } from '../../../support/seed.ts';

const values: Readonly<Record<string, Json>> = {
  text: 'hello',
  number: 7,
  list: ['a', { b: null }],
  no: null,
};
const lookup: Lookup = (reference) => valueAt(values[reference.name] ?? null, reference);

describe('references', () => {
  test.each<[template: Json, value: Json]>([
    ['${input.number}', 7],
    ['${input.list}', ['a', { b: null }]],
    ['${input.list.1.b}', null],
    ['a ${input.number} b ${input.text}', 'a 7 b hello'],
    ['${input.number}${input.number}', '77'],
    ['list: ${input.list}', 'list: ["a",{"b":null}]'],
    ['$${input.number}', '${input.number}'],
    ['$$${input.number}', '$${input.number}'],
    ['$5 and $ {x} and }', '$5 and $ {x} and }'],
    [
      { a: ['${input.text}', 1], '${input.text}': true },
      { a: ['hello', 1], '${input.text}': true },
    ],
    ['${input.no.deep.er}', null],
  ])('%j becomes %j', (template, value) => {
    expect(evaluate(template, lookup)).toEqual({ kind: 'Value', value });
  });

  test.each([
    ['${input.text.0}', '${input.text.0} is not there: string has no field "0"'],
    ['${input.list.2}', '${input.list.2} is not there: the list has 2 elements and no "2"'],
    ['${input.list.length}', '${input.list.length} is not there: the list has 2 elements and no "length"'],
    [
      '${input.list.1.constructor}',
      '${input.list.1.constructor} is not there: no field "constructor" among b',
    ],
  ])('%s is a fault', (template, message) => {
    expect(evaluate(template, lookup)).toEqual({ kind: 'Fault', message });
  });

  test.each([
    '${',
    '${}',
    '${input}',
    '${input.}',
    '${ input.x }',
    '${steps.a}',
    '${steps.a.state}',
    '${execution.id.x}',
    '${other.x}',
    '${input.${input.x}}',
  ])('%s is no reference', (text) => {
    expect(parseTemplate(text).kind).toBe('Fault');
  });

  test('what follows the beginning of an address is encoded, the beginning is not', () => {
    const encode = (text: string, part: number) => (part === 0 ? text : encodeURIComponent(text));
    expect(evaluateAsText('${input.list}/${input.list}', lookup, encode)).toEqual({
      kind: 'Value',
      value: '["a",{"b":null}]/%5B%22a%22%2C%7B%22b%22%3Anull%7D%5D',
    });
  });

  test('text that holds no reference stays as it is, and any text can be written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', '.', '\n') }), (text) => {
        const quoted = text.replaceAll('${', () => '$${');
        expect(evaluate(quoted, lookup)).toEqual({ kind: 'Value', value: text });
      }),
      { seed: seed() },
    );
  });
});
