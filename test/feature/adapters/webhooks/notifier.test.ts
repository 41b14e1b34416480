/** Notifications over real HTTP: in order, signed, retried and bounded, and one receiver never in the way of another. */
import { createHmac } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createNotifier,
  type DeliveryOutcome,
  type NotifierLimits,
} from '../../../../src/adapters/webhooks/notifier.ts';
import type { AuditEvent } from '../../../../src/model/audit.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName } from '../../../../src/model/names.ts';
import type { Notification } from '../../../../src/model/spec.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { breakOff, hang, Receiver, say } from '../../../support/receiver.ts';

const SECRET = 'a secret of the tests';
const START = Date.parse('2026-08-01T10:15:00Z');

function anEvent(sequence: number, replaced: Partial<AuditEvent> = {}): AuditEvent {
  return {
    sequence,
    at: instant(START),
    actor: 'controller',
    action: 'RolloutAborted',
    service: serviceName('manager'),
    reason: 'success rate 94.8 % of 1,204 requests is below 99 %',
    message: 'the rollout of v3 was aborted',
    before: '{"environment":{"TOKEN":"secret"}}',
    after: '{}',
    ...replaced,
  };
}

function notification(receiver: Receiver, replaced: Partial<Notification> = {}): Notification {
  return { name: 'chat', url: receiver.url('/hook'), events: [], ...replaced };
}

/** A clock whose sleeps end at once and put it forth. */
function skippingClock(): Clock & { readonly sleeps: number[] } {
  const sleeps: number[] = [];
  let now = START;
  return {
    sleeps,
    now: () => instant(now),
    async sleep(length, signal) {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      sleeps.push(length);
      now += length;
    },
  };
}

/** A notifier with what became of each event; closed when the test ends. */
function aNotifier(
  wanted: { limits?: Partial<NotifierLimits>; secret?: string; random?: () => number } = {},
) {
  const outcomes: DeliveryOutcome[] = [];
  const clock = skippingClock();
  const notifier = createNotifier({
    clock,
    secret: wanted.secret,
    random: wanted.random ?? (() => 0),
    onOutcome: (outcome) => outcomes.push(outcome),
    ...(wanted.limits !== undefined && { limits: wanted.limits }),
  });
  onTestFinished(() => notifier.close());
  const told = (kind: DeliveryOutcome['kind']) =>
    outcomes.filter((outcome) => outcome.kind === kind).map(({ event }) => event.sequence);
  return { notifier, clock, outcomes, told };
}

const sequencesAt = (receiver: Receiver): number[] =>
  receiver.received.map(({ body }) => (JSON.parse(body) as AuditEvent).sequence);

describe('a notification', () => {
  test('is posted as JSON in the words of the log, without what was there before and after', async () => {
    const receiver = await Receiver.forThisTest();
    const { notifier, told } = aNotifier();
    notifier.notify(notification(receiver), anEvent(7));
    await eventually(() => told('Delivered').length === 1);
    const [received] = receiver.received;
    expect(received).toMatchObject({ method: 'POST', path: '/hook' });
    expect(received?.headers['content-type']).toBe('application/json');
    expect(received?.headers).not.toHaveProperty('x-switchyard-signature');
    expect(JSON.parse(received?.body ?? '')).toEqual({
      sequence: 7,
      at: '2026-08-01T10:15:00.000Z',
      actor: 'controller',
      action: 'RolloutAborted',
      service: 'manager',
      reason: 'success rate 94.8 % of 1,204 requests is below 99 %',
      message: 'the rollout of v3 was aborted',
    });
  });

  test('is signed with the secret, over the time and the body', async () => {
    const receiver = await Receiver.forThisTest();
    const { notifier, told } = aNotifier({ secret: SECRET });
    notifier.notify(notification(receiver), anEvent(7));
    await eventually(() => told('Delivered').length === 1);
    const [received] = receiver.received;
    const seconds = START / 1000;
    const expected = createHmac('sha256', SECRET)
      .update(`${seconds}.${received?.body ?? ''}`)
      .digest('hex');
    expect(received?.headers['x-switchyard-signature']).toBe(`t=${seconds},v1=${expected}`);
  });

  test('is left out where the receiver did not ask for its action', async () => {
    const receiver = await Receiver.forThisTest();
    const { notifier, told } = aNotifier();
    const choosy = notification(receiver, { events: ['RolloutSucceeded'] });
    notifier.notify(choosy, anEvent(1));
    notifier.notify(choosy, anEvent(2, { action: 'RolloutSucceeded' }));
    await eventually(() => told('Delivered').length === 1);
    expect(sequencesAt(receiver)).toEqual([2]);
  });
});

describe('a receiver', () => {
  test.each([
    ['answers an error', say(500), 'it answered 500'],
    ['refuses', say(403), 'it answered 403'],
    ['breaks the connection off', breakOff, 'socket hang up'],
    ['does not answer in time', hang, 'no answer within 1500 ms'],
  ])('that %s at first is asked again, and gets all events in order', async (_, failing, reason) => {
    const receiver = await Receiver.forThisTest();
    const { notifier, told, outcomes } = aNotifier({ limits: { timeout: 1_500 } });
    receiver.answer = (response, received) => {
      if (receiver.received.length <= 2) failing(response, received);
      else say(200)(response, received);
    };
    for (const sequence of [1, 2, 3]) notifier.notify(notification(receiver), anEvent(sequence));
    await eventually(() => told('Delivered').length === 3);
    expect(sequencesAt(receiver)).toEqual([1, 1, 1, 2, 3]);
    expect(told('Retried')).toEqual([1, 1]);
    expect(outcomes[0]?.reason).toBe(reason);
  });

  test('that redirects is not followed', async () => {
    const [receiver, elsewhere] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    const { notifier, told, outcomes } = aNotifier();
    receiver.answer = say(307, '', { location: elsewhere.url('/stolen') });
    notifier.notify(notification(receiver), anEvent(1));
    await eventually(() => told('Expired').length === 1);
    expect(elsewhere.received).toEqual([]);
    expect(outcomes.at(-1)?.reason).toMatch(/^it answered 307 \(attempt \d+, the last\)$/);
  });

  test('that was away gets what happened when it is back, but not what is too old', async () => {
    const receiver = await Receiver.forThisTest();
    const { port } = receiver;
    const { notifier, told, outcomes } = aNotifier();
    const target = notification(receiver);
    await receiver.close();
    notifier.notify(target, anEvent(1));
    await eventually(() => told('Expired').length === 1);
    expect(outcomes.at(-1)?.reason).toContain('ECONNREFUSED');
    await receiver.listen(port);
    notifier.notify(target, anEvent(2));
    await eventually(() => told('Delivered').length === 1);
    expect(sequencesAt(receiver)).toEqual([2]);
  });

  test('that hangs does not hold up another, nor whoever tells the events', async () => {
    const [stuck, well] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    stuck.answer = hang;
    const { notifier, told } = aNotifier({ limits: { timeout: 60_000 } });
    for (const sequence of [1, 2, 3]) {
      notifier.notify(notification(stuck), anEvent(sequence));
      notifier.notify(notification(well, { name: 'pager' }), anEvent(sequence));
    }
    await eventually(() => told('Delivered').length === 3);
    expect(sequencesAt(well)).toEqual([1, 2, 3]);
    expect(sequencesAt(stuck)).toEqual([1]);
  });

  test('that cannot keep up loses the oldest events that wait, and each is told', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = hang;
    const { notifier, told } = aNotifier({ limits: { timeout: 60_000, queued: 3 } });
    const target = notification(receiver);
    notifier.notify(target, anEvent(1));
    await eventually(() => receiver.received.length === 1);
    for (const sequence of [2, 3, 4, 5, 6, 7]) notifier.notify(target, anEvent(sequence));
    expect(told('Dropped')).toEqual([2, 3, 4]);
    await notifier.close();
    expect(told('Abandoned')).toEqual([1, 5, 6, 7]);
  });
});

describe('retries', () => {
  test('pause twice as long each time up to a longest, less a part by chance, and end at the total time', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = say(500);
    const limits = { firstPause: 1_000, longestPause: 8_000, totalTime: 30_000 };
    const whole = aNotifier({ limits });
    whole.notifier.notify(notification(receiver), anEvent(1));
    await eventually(() => whole.told('Expired').length === 1);
    expect(whole.clock.sleeps).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
    const less = aNotifier({ limits, random: () => 0.5 });
    less.notifier.notify(notification(receiver), anEvent(1));
    await eventually(() => less.told('Expired').length === 1);
    expect(less.clock.sleeps.slice(0, 5)).toEqual([750, 1_500, 3_000, 6_000, 6_000]);
  });

  test('are signed with the time of their own attempt', async () => {
    const receiver = await Receiver.forThisTest();
    const { notifier, told } = aNotifier({ secret: SECRET, limits: { firstPause: 5_000 } });
    receiver.answer = (response, received) =>
      say(receiver.received.length === 1 ? 500 : 200)(response, received);
    notifier.notify(notification(receiver), anEvent(1));
    await eventually(() => told('Delivered').length === 1);
    const times = receiver.received.map(
      ({ headers }) => /^t=(\d+),/.exec(String(headers['x-switchyard-signature']))?.[1],
    );
    expect(times).toEqual([String(START / 1000), String(START / 1000 + 5)]);
  });

  test('end when the notifier is closed, and later events are not sent', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = hang;
    const { notifier, told } = aNotifier({ limits: { timeout: 60_000 } });
    notifier.notify(notification(receiver), anEvent(1));
    await eventually(() => receiver.received.length === 1);
    await notifier.close();
    notifier.notify(notification(receiver), anEvent(2));
    expect(told('Abandoned')).toEqual([1]);
    expect(sequencesAt(receiver)).toEqual([1]);
  });
});

test('a URL that cannot be asked expires with its reason', async () => {
  const { notifier, outcomes } = aNotifier({ limits: { totalTime: 0 } });
  notifier.notify({ name: 'chat', url: 'ftp://127.0.0.1/', events: [] }, anEvent(1));
  await eventually(() => outcomes.length === 1);
  expect(outcomes[0]).toMatchObject({
    kind: 'Expired',
    reason: expect.stringContaining('is not an http or https URL'),
  });
});
