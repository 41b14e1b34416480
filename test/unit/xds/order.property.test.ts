// Make before break as a property: whatever is published, and however slowly, brokenly or often a proxy answers and
// reconnects, it never holds a route to a cluster that it lacks, and in the end it has what was published last.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BAD } from '../../support/xds-model.ts';
import { type SimulatedTable, Simulation } from '../../support/xds-simulation.ts';

const CLUSTERS = ['a', 'b', 'c', 'd', 'e'];

const tables = (contents: readonly string[]): fc.Arbitrary<SimulatedTable> =>
  fc
    .record({
      clusters: fc.dictionary(
        fc.constantFrom(...CLUSTERS),
        fc.record({
          content: fc.constantFrom(...contents),
          endpoints: fc.nat(2),
          healthChecked: fc.boolean(),
        }),
        { noNullPrototype: true },
      ),
      listeners: fc.dictionary(
        fc.constantFrom('l1', 'l2'),
        fc.record({ routes: fc.constantFrom(...contents), clusters: fc.subarray(CLUSTERS) }),
        { noNullPrototype: true },
      ),
    })
    .map(({ clusters, listeners }) => ({
      clusters,
      listeners: Object.fromEntries(
        Object.entries(listeners).map(([name, { routes, clusters: named }]) => [
          name,
          { routes, clusters: named.filter((cluster) => cluster in clusters) },
        ]),
      ),
    }));

type Move =
  | { kind: 'publish'; table: SimulatedTable }
  | { kind: 'restart'; table: SimulatedTable }
  | { kind: 'toServer' | 'toProxy'; count: number }
  | { kind: 'reconnect' | 'endBurst' | 'block' | 'unblock' | 'settle' };

const moves = (contents: readonly string[]): fc.Arbitrary<Move[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), table: tables(contents) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constantFrom('toServer', 'toProxy'),
          count: fc.integer({ min: 1, max: 3 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constantFrom('reconnect', 'endBurst', 'block', 'unblock', 'settle'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), table: tables(contents) }) },
    ),
    { maxLength: 60 },
  );

function play(simulation: Simulation, move: Move): void {
  switch (move.kind) {
    case 'publish':
      return simulation.publish(move.table);
    case 'restart':
      return simulation.restart(move.table);
    case 'toServer':
      for (let count = 0; count < move.count; count += 1) simulation.deliverRequest();
      return;
    case 'toProxy':
      for (let count = 0; count < move.count; count += 1) simulation.deliverResponse();
      return;
    case 'block':
    case 'unblock':
      return simulation.block(move.kind === 'block');
    case 'reconnect':
    case 'endBurst':
    case 'settle':
      return simulation[move.kind]();
    default:
      throw new Error(`unknown move ${JSON.stringify(move)}`);
  }
}

/** What a proxy holds, in a form to compare. */
function holdings({ proxy }: Simulation): unknown {
  return {
    clusters: Object.fromEntries([...proxy.clusters].map(([name, { version }]) => [name, version])),
    endpoints: Object.fromEntries(proxy.endpoints),
    listeners: [...proxy.listeners.keys()].toSorted(),
    routes: Object.fromEntries([...proxy.routes].map(([name, { version }]) => [name, version])),
    unfinished: proxy.unfinished,
  };
}

function expectTarget(simulation: Simulation): void {
  const sets = simulation.session.target?.sets;
  const versions = (type: 'clusters' | 'endpoints' | 'routes'): unknown =>
    Object.fromEntries([...(sets?.[type].resources ?? [])].map(([name, { version }]) => [name, version]));
  expect(holdings(simulation)).toEqual({
    clusters: versions('clusters'),
    endpoints: versions('endpoints'),
    listeners: [...(sets?.listeners.resources.keys() ?? [])],
    routes: versions('routes'),
    unfinished: [],
  });
  for (const knowledge of Object.values(simulation.session.types)) {
    expect(knowledge).toMatchObject({ publication: simulation.publication, unanswered: [] });
  }
}

describe.each(['sotw', 'delta'] as const)('over %s, a proxy', (dialect) => {
  test('is never given a route to a cluster that it lacks, nor the same twice, and ends with the last table', () => {
    fc.assert(
      fc.property(moves(['1', '2', '3']), tables(['1', '2', '3']), (played, last) => {
        const simulation = new Simulation(dialect);
        simulation.reconnect();
        for (const move of played) play(simulation, move);
        simulation.publish(last);
        simulation.settle();
        expectTarget(simulation);
      }),
    );
  });

  test('that rejects what it does not like is still never hurt, and takes the next good table', () => {
    fc.assert(
      fc.property(moves(['1', '2', BAD]), tables(['good', 'fine']), (played, last) => {
        const simulation = new Simulation(dialect);
        simulation.reconnect();
        for (const move of played) play(simulation, move);
        simulation.publish(last);
        simulation.settle();
        expectTarget(simulation);
      }),
    );
  });
});

test('SotW and delta bring a proxy to the same state', () => {
  fc.assert(
    fc.property(moves(['1', '2', '3']), tables(['1', '2', '3']), (played, last) => {
      const [sotw, delta] = (['sotw', 'delta'] as const).map((dialect) => {
        const simulation = new Simulation(dialect);
        simulation.reconnect();
        for (const move of played) play(simulation, move);
        simulation.publish(last);
        simulation.settle();
        return holdings(simulation);
      });
      expect(sotw).toEqual(delta);
    }),
  );
});
