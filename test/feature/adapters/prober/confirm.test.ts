/** Webhook gates: what is posted, and what each answer means. Only a clear yes approves. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { decisionOf } from '../../../../src/adapters/prober/confirm.ts';
import { createProber } from '../../../../src/adapters/prober/prober.ts';
import type { ProbeAnswer } from '../../../../src/ports/prober.ts';
import { Receiver, say } from '../../../support/receiver.ts';
import { seed } from '../../../support/seed.ts';

const SECRET = 'a secret of the tests';

function ask(receiver: Receiver, secret?: string): Promise<ProbeAnswer> {
  return createProber({ clock: systemClock, allowCommands: false, secret }).confirm({
    metric: { kind: 'webhook', url: receiver.url('/gates/release?team=a'), timeout: 20_000 },
    facts: { service: 'manager', version: 'v2', step: 'Verify' },
    signal: AbortSignal.timeout(20_000),
  });
}

describe('a webhook gate', () => {
  test('is posted the facts as JSON, signed', async () => {
    const receiver = await Receiver.forThisTest();
    expect((await ask(receiver, SECRET)).kind).toBe('approved');
    const [received] = receiver.received;
    expect(received).toMatchObject({ method: 'POST', path: '/gates/release?team=a' });
    expect(JSON.parse(received?.body ?? '')).toEqual({ service: 'manager', version: 'v2', step: 'Verify' });
    const [, seconds = '', digest] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(received?.headers['x-switchyard-signature'])) ?? [];
    const expected = createHmac('sha256', SECRET)
      .update(`${seconds}.${received?.body ?? ''}`)
      .digest('hex');
    expect(digest).toBe(expected);
  });

  test.each([
    [200, '', { kind: 'approved', detail: 'answered 200' }],
    [204, '', { kind: 'approved', detail: 'answered 204' }],
    [200, 'fine with us', { kind: 'approved', detail: 'answered 200: fine with us' }],
    [200, '{"decision":"approve"}', { kind: 'approved', detail: 'decided "approve"' }],
    [
      200,
      '{"decision":"wait","reason":"tests run"}',
      { kind: 'undecided', detail: 'decided "wait": tests run' },
    ],
    [202, '{"decision":"refuse","reason":"no"}', { kind: 'refused', detail: 'decided "refuse": no' }],
    [403, 'change freeze', { kind: 'refused', detail: 'answered 403: change freeze' }],
    [403, '{"decision":"approve"}', { kind: 'refused', detail: 'answered 403: {"decision":"approve"}' }],
    [404, '', { kind: 'undecided', detail: 'answered 404' }],
    [429, '', { kind: 'undecided', detail: 'answered 429' }],
    [500, '{"decision":"approve"}', { kind: 'undecided', detail: 'answered 500: {"decision":"approve"}' }],
  ])('answered %i %s', async (status, body, answer) => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = say(status, body);
    expect(await ask(receiver)).toEqual(answer);
  });

  test.each(['"yes"', 'true', 'null', '"APPROVE"', '"constructor"'])(
    'a decision that is not known is an error, never a yes: %s',
    async (decision) => {
      const receiver = await Receiver.forThisTest();
      receiver.answer = say(200, `{"decision":${decision}}`);
      expect(await ask(receiver)).toEqual({
        kind: 'error',
        reason: expect.stringContaining(
          `its decision is ${decision}, which is none of approve, wait, refuse`,
        ),
      });
    },
  );

  test('a redirect is not followed and decides nothing', async () => {
    const [receiver, elsewhere] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    receiver.answer = say(307, '', { location: elsewhere.url() });
    expect(await ask(receiver)).toEqual({ kind: 'undecided', detail: 'answered 307' });
    expect(elsewhere.received).toEqual([]);
  });

  test('an answer that was cut off within its JSON is an error', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = say(200, '{"decision":"refu');
    expect(await ask(receiver)).toMatchObject({
      kind: 'error',
      reason: expect.stringContaining('begins like JSON'),
    });
  });

  test('an answer that is too long is an error', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = say(200, 'x'.repeat(100_000));
    expect(await ask(receiver)).toMatchObject({
      kind: 'error',
      reason: expect.stringContaining('longer than'),
    });
  });

  test('only 2xx without a decision, or with the decision to approve, approves', () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ decision: fc.oneof(fc.constantFrom('approve', 'wait', 'refuse'), fc.jsonValue()) })
        .map((body) => JSON.stringify(body)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), bodies, (status, body) => {
        if (decisionOf({ status, body }).kind !== 'approved') return;
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(300);
        const decision = body.trimStart().startsWith('{')
          ? (JSON.parse(body) as { decision?: unknown }).decision
          : undefined;
        expect([undefined, 'approve']).toContain(decision);
      }),
      { seed: seed(), numRuns: 2_000 },
    );
  });
});
