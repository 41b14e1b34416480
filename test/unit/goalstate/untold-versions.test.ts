/** Parity by numbers while nobody tells of one of the two versions: rule 10 holds for each of them by itself. */
import { expect, test } from 'vitest';
import { type ParityInput, parity } from '../../../src/goalstate/parity.ts';
import { NO_DELEGATES } from '../../../src/model/delegates.ts';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';

const [v1, v2] = [versionName('v1'), versionName('v2')];
const acme = tenantName('acme');
const now = instant(1_000_000);
const gate: Omit<ParityInput, 'answer'> = {
  roll: { kind: 'counted', fixedAt: now, tenants: [{ tenant: acme, count: 5 }] },
  watchers: new Map(),
  decommissioned: new Set(),
  candidate: v2,
  baseline: v1,
  spec: NO_DELEGATES,
  waves: undefined,
  leftOut: '',
  startedAt: now,
  now,
};
const on = (version: typeof v1, connected: number) => ({ version, tenant: acme, connected });

test('while nobody tells of the baseline, one delegate on the candidate is no parity', () => {
  const told = { kind: 'counted', asOf: now } as const;
  const known = { ...told, counts: [on(v1, 5), on(v2, 1)], unknown: [] };
  expect(parity({ ...gate, answer: known }).verdict.kind).toBe('Waiting');
  const reason = 'Prometheus cannot scrape manager a:1';
  const untold = { ...told, counts: [on(v2, 1)], unknown: [{ version: v1, reason }] };
  const answer = parity({ ...gate, answer: untold });
  expect(answer.verdict.kind).not.toBe('Passed');
  expect(answer.because).toContain(`the delegates of v1 are unknown: ${reason}`);
});

test('while nobody tells of the candidate, its delegates are missing', () => {
  const unknown = [{ version: v2, reason: 'Prometheus has no series of it' }];
  const answer = { kind: 'counted', asOf: now, counts: [on(v1, 5)], unknown } as const;
  expect(parity({ ...gate, answer })).toMatchObject({ verdict: { kind: 'Waiting' }, expected: 5, ready: 0 });
});
