// Orders by annotation: which text is a new order, and what it asks for.
import { describe, expect, test } from 'vitest';
import { newOrder, ORDER_ANNOTATION, type OrderStatus } from '../../../src/custom-resources/orders.ts';

const order = (text: string, last?: OrderStatus) =>
  newOrder(
    { [ORDER_ANNOTATION]: text },
    { observedGeneration: 1, ...(last === undefined ? {} : { order: last }) },
  );
const taken = (text: string): OrderStatus => ({
  text,
  outcome: 'Taken',
  message: '',
  at: '2026-11-30T03:04:05Z',
});

describe('an order by annotation', () => {
  test('is a verb and whatever makes it another one', () => {
    for (const verb of ['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry', 'rollback'])
      expect(order(`${verb} 2026-11-30T03:04:05Z`)).toMatchObject({ kind: 'Verb', verb });
    expect(order('freeze')).toMatchObject({ kind: 'Verb', verb: 'freeze' });
  });

  test('is none where there is none, and where it was taken before, whatever became of it', () => {
    expect(newOrder({}, undefined)).toBeUndefined();
    expect(order('  ')).toBeUndefined();
    expect(order('pause 1', taken('pause 1'))).toBeUndefined();
    expect(order(' pause 1 ', { ...taken('pause 1'), outcome: 'Refused' })).toBeUndefined();
    expect(order('pause 2', taken('pause 1'))).toMatchObject({ kind: 'Verb' });
  });

  test('that nobody understands is answered with what would be right, once', () => {
    expect(order('promoet 1')).toMatchObject({
      kind: 'NotTaken',
      message: expect.stringMatching(/"promoet" is no order: write one of pause, resume, promote/) as string,
    });
    for (const name of ['constructor 1', '__proto__ 1']) expect(order(name)?.kind).toBe('NotTaken');
    const long = `pause ${'x'.repeat(300)}`;
    const refused = order(long);
    expect(refused).toMatchObject({
      kind: 'NotTaken',
      message: expect.stringContaining('306') as string,
    });
    expect(order(long, taken(refused?.text ?? ''))).toBeUndefined();
  });

  test('is not carried out where the object has no status: a restore may have left out that it was', () => {
    expect(newOrder({ [ORDER_ANNOTATION]: 'rollback 1' }, undefined)).toEqual({
      kind: 'NotTaken',
      text: 'rollback 1',
      message: expect.stringMatching(/no status, as after a restore.*order it again/) as string,
    });
  });
});
