/** The spec's source decides who is asked; without one nothing is known. */
import { describe, expect, test } from 'vitest';
import { createWorkSources } from '../../../src/adapters/work-sources.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { DrainSource } from '../../../src/model/spec.ts';
import { ScriptedWork } from '../../support/scripted-work.ts';

const sources: readonly DrainSource[] = [
  { kind: 'http', fencePath: '/drain', openWorkPath: '/work' },
  { kind: 'grpc' },
  { kind: 'workflow' },
  {
    kind: 'promql',
    query: 'open_work',
    prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: 5_000, timeout: 1_000 },
    instanceLabel: 'instance',
    quietFor: 10_000,
  },
];
const scripted = () => ({
  http: new ScriptedWork(),
  grpc: new ScriptedWork(),
  workflow: new ScriptedWork(),
  promql: new ScriptedWork(),
});
const requestFor = (source: DrainSource) => ({
  source,
  service: serviceName('manager'),
  version: versionName('v1'),
  instances: [],
  peers: [],
  signal: AbortSignal.timeout(1_000),
});

describe('the work sources together', () => {
  test.each(sources)('$kind is asked for its own kind, and nobody else', async (source) => {
    const each = scripted();
    const all = createWorkSources(each);
    if (source.kind === 'none') throw new Error('a source is meant');
    each[source.kind].say(['a', 'b']);
    expect(await all.count(requestFor(source))).toMatchObject({ kind: 'counted', total: 2 });
    expect(await all.fence(requestFor(source))).toEqual({ kind: 'confirmed' });
    const fenced = Object.entries(each).filter(([, work]) => work.fenced);
    expect(fenced.map(([kind]) => kind)).toEqual([source.kind]);
    await all.lift(requestFor(source));
    expect(each[source.kind].fenced).toBe(false);
  });

  test('without a source the count is unknown, and no fence is confirmed', async () => {
    const all = createWorkSources(scripted());
    expect((await all.count(requestFor({ kind: 'none' }))).kind).toBe('unknown');
    expect((await all.fence(requestFor({ kind: 'none' }))).kind).toBe('unconfirmed');
    expect((await all.lift(requestFor({ kind: 'none' }))).kind).toBe('unconfirmed');
  });
});
