/**
 * Gauges of delegates and their boxes: by version, never by tenant or box, which the admin API shows. Filled anew at each
 * scrape, so that the series of a version end with it.
 */
import { Gauge, type Registry } from 'prom-client';
import { BOX_VERSION_STATES } from '../model/goal-state.ts';
import type { Filler } from './facts.ts';

/** Registers the gauges. */
export function delegateMetrics(registry: Registry): Filler {
  const all: { reset(): void }[] = [];
  const gauge = <Label extends string>(
    name: `switchyard_${string}`,
    help: string,
    labelNames: readonly Label[],
  ): Gauge<Label> => {
    const made = new Gauge({ name, help, labelNames, registers: [registry] });
    all.push(made);
    return made;
  };
  const watchers = gauge('switchyard_watchers', 'Known watchers of a service by state (connected, away).', [
    'service',
    'state',
  ]);
  const delegates = gauge(
    'switchyard_delegates',
    'Boxes by how a version stands on them, as their connected watchers say.',
    ['service', 'version', 'state'],
  );
  const connected = gauge(
    'switchyard_delegates_connected',
    'Delegates with a stream to a version, as the delegate source of the service says; absent while it is not known.',
    ['service', 'version'],
  );
  const generation = gauge('switchyard_goal_generation', 'Generation of the goal states of a service.', [
    'service',
  ]);
  const halted = gauge(
    'switchyard_waves_halted',
    'Waves of a service that have halted and wait for an operator.',
    ['service'],
  );
  const expected = gauge(
    'switchyard_rollout_delegates_expected',
    'Connected delegates of the roll that must be on the candidate before traffic moves.',
    ['service'],
  );
  const ready = gauge(
    'switchyard_rollout_delegates_ready',
    'Delegates of the roll that are on the candidate.',
    ['service'],
  );
  return {
    begin: () => {
      for (const one of all) one.reset();
    },
    service({ record, delegates: facts, rollout }) {
      const service = record.name;
      if (facts === undefined) return;
      watchers.set({ service, state: 'connected' }, facts.watchers.connected);
      watchers.set({ service, state: 'away' }, facts.watchers.away);
      generation.set({ service }, facts.generation);
      halted.set({ service }, facts.halted);
      for (const { version, states, connected: count } of facts.versions) {
        for (const state of BOX_VERSION_STATES) {
          delegates.set({ service, version, state }, states.get(state) ?? 0);
        }
        if (count !== undefined) connected.set({ service, version }, count);
      }
      if (rollout?.delegates === undefined) return;
      expected.set({ service }, rollout.delegates.expected);
      ready.set({ service }, rollout.delegates.ready);
    },
  };
}
