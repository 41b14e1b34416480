/** What every Prober promises: only a good answer of every ready instance, or a clear yes, is an approval. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Instance } from '../../src/model/instance.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { Prober } from '../../src/ports/prober.ts';
import { anInstance } from '../support/records.ts';

export type InstancesAnswer = 'well' | 'badly' | 'not at all';
export type ReceiverDecides = 'approve' | 'refuse' | 'wait' | 'nothing';

/** A prober with the hands to make instances and a receiver of webhooks answer. */
export interface ProberUnderTest {
  readonly prober: Prober;
  readonly metric: Parameters<Prober['probe']>[0]['metric'];
  readonly webhook: Parameters<Prober['confirm']>[0]['metric'];
  /** Ready instances, at least one. */
  readonly instances: readonly Instance[];
  instancesAnswer(how: InstancesAnswer): void;
  receiverDecides(what: ReceiverDecides): void;
  close(): Promise<void>;
}

const SAID = expect.stringMatching(/./);

export function proberContract(name: string, start: () => Promise<ProberUnderTest>): void {
  describe(`${name}, as a Prober`, () => {
    let world: ProberUnderTest;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    const probe = (replaced: Partial<Parameters<Prober['probe']>[0]> = {}) =>
      world.prober.probe({
        metric: world.metric,
        service: serviceName('manager'),
        version: versionName('v2'),
        pinHeader: 'x-delegate-version',
        instances: world.instances,
        signal: AbortSignal.timeout(20_000),
        ...replaced,
      });
    const confirm = (signal: AbortSignal = AbortSignal.timeout(20_000)) =>
      world.prober.confirm({ metric: world.webhook, facts: { rollout: 'manager_v2_7' }, signal });

    test('approves when every instance answers well', async () => {
      world.instancesAnswer('well');
      expect(await probe()).toEqual({ kind: 'approved', detail: SAID });
    });

    test('refuses when they answer badly, and says what they said', async () => {
      world.instancesAnswer('badly');
      expect(await probe()).toEqual({ kind: 'refused', detail: SAID });
    });

    test('an instance that does not answer is an error, and no approval', async () => {
      world.instancesAnswer('not at all');
      expect(await probe()).toEqual({ kind: 'error', reason: SAID });
    });

    test('nobody to ask is an error, and no approval', async () => {
      world.instancesAnswer('well');
      expect(await probe({ instances: [] })).toEqual({ kind: 'error', reason: SAID });
      const unready = [anInstance('v2', { state: 'Unready' })];
      expect(await probe({ instances: unready })).toEqual({ kind: 'error', reason: SAID });
    });

    test.each([
      ['approve', { kind: 'approved', detail: SAID }],
      ['refuse', { kind: 'refused', detail: SAID }],
      ['wait', { kind: 'undecided', detail: SAID }],
      ['nothing', { kind: 'error', reason: SAID }],
    ] as const)('a receiver that says %s', async (what, answer) => {
      world.receiverDecides(what);
      expect(await confirm()).toEqual(answer);
    });

    test('an ended round is an error, and rejects nothing', async () => {
      world.instancesAnswer('well');
      world.receiverDecides('approve');
      expect(await probe({ signal: AbortSignal.abort() })).toEqual({ kind: 'error', reason: SAID });
      expect(await confirm(AbortSignal.abort())).toEqual({ kind: 'error', reason: SAID });
    });
  });
}
