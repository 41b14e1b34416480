/** What every DelegateSource promises: whom it knows of the versions that are asked for, and that unknown is not none. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DelegateAnswer } from '../../src/model/delegates.ts';
import { versionName } from '../../src/model/names.ts';
import type { DelegateRegistration } from '../../src/model/workflow.ts';
import type { DelegateRequest, DelegateSource } from '../../src/ports/delegate-source.ts';
import { aRegistration } from '../support/registrations.ts';

/** A delegate source with the hands to make delegates come and go. */
export interface DelegateSourceUnderTest {
  readonly source: DelegateSource;
  readonly request: Omit<DelegateRequest, 'signal' | 'versions'>;
  connect(delegates: readonly DelegateRegistration[]): void;
  /** Whoever is asked stops answering, or answers again. */
  answering(does: boolean): void;
  close(): Promise<void>;
}

export function delegateSourceContract(name: string, start: () => Promise<DelegateSourceUnderTest>): void {
  describe(`${name}, as a DelegateSource`, () => {
    let world: DelegateSourceUnderTest;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());
    const ask = (...versions: readonly string[]): Promise<DelegateAnswer> =>
      world.source.delegates({
        ...world.request,
        versions: versions.map(versionName),
        signal: AbortSignal.timeout(5_000),
      });

    test('tells how many delegates each tenant has on each version that is asked for, and of no other', async () => {
      world.connect([
        aRegistration('a', { tenant: 'acme', version: 'v1' }),
        aRegistration('b', { tenant: 'acme', version: 'v1' }),
        aRegistration('a', { tenant: 'acme', version: 'v2' }),
        aRegistration('c', { tenant: 'umbrella & co', version: 'v1' }),
        aRegistration('d', { tenant: 'initech', version: 'v3' }),
      ]);
      const answer = await ask('v1', 'v2');
      expect(countsOf(answer)).toEqual({ 'v1 acme': 2, 'v1 umbrella & co': 1, 'v2 acme': 1 });
      expect(answer).toMatchObject({ asOf: expect.any(Number) });
    });

    test('a version without delegates takes nothing from what is known of another', async () => {
      world.connect([aRegistration('a', { tenant: 'acme', version: 'v1' })]);
      expect(countsOf(await ask('v1', 'v2'))).toEqual({ 'v1 acme': 1 });
    });

    test('where nobody answers, the delegates are unknown, with the reason, and never none', async () => {
      world.connect([aRegistration('a', { tenant: 'acme', version: 'v1' })]);
      world.answering(false);
      const unknown = { kind: 'unknown', reason: expect.stringMatching(/./) };
      expect(await ask('v1')).toEqual(unknown);
      world.answering(true);
      expect(countsOf(await ask('v1'))).toEqual({ 'v1 acme': 1 });
    });

    test('a round that was ended is unknown, and does not reject', async () => {
      const request = { ...world.request, versions: [versionName('v1')], signal: AbortSignal.abort() };
      expect((await world.source.delegates(request)).kind).toBe('unknown');
    });
  });
}

function countsOf(answer: DelegateAnswer): Readonly<Record<string, number>> {
  if (answer.kind === 'unknown') throw new Error(answer.reason);
  const rows =
    answer.kind === 'counted'
      ? answer.counts
      : answer.delegates.map(({ version, tenant }) => ({ version, tenant, connected: 1 }));
  const counts: Record<string, number> = {};
  for (const { version, tenant, connected } of rows) {
    const key = `${version} ${tenant}`;
    counts[key] = (counts[key] ?? 0) + connected;
  }
  return counts;
}
