// Orders by annotation: each verb of the command line that steers a rollout, with its time, and nothing else.
import { expect, test } from 'vitest';
import { ORDER_ANNOTATION, ORDER_VERBS, orderOf } from '../../../../src/adapters/kubernetes/orders.ts';

const given = (text: string) => orderOf({ 'a.example/b': 'c', [ORDER_ANNOTATION]: text });

test.each(ORDER_VERBS)('%s', (verb) => {
  expect(given(`${verb} 2026-11-30T02:40:00Z`)).toEqual({
    kind: 'Order',
    verb,
    at: Date.parse('2026-11-30T02:40:00Z'),
  });
});

test.each([[undefined], [{}], [{ 'a.example/b': 'pause 2026-11-30T02:40:00Z' }]])(
  '%j orders nothing',
  (annotations) => {
    expect(orderOf(annotations)).toEqual({ kind: 'None' });
  },
);

test.each([
  '',
  'pause',
  'Pause 2026-11-30T02:40:00Z',
  'flip 2026-11-30T02:40:00Z',
  'pause  2026-11-30T02:40:00Z',
  'pause 2026-11-30T02:40:00+01:00',
  'pause 2026-13-30T02:40:00Z',
  'pause 2026-11-30T02:40:00Z now',
])('%j is refused, with what would be right', (text) => {
  expect(given(text)).toEqual({ kind: 'Malformed', why: expect.stringContaining(JSON.stringify(text)) });
});
