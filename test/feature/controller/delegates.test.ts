import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import { findVersion } from '../../../src/model/state.ts';
import { manager, operator, v1, v2 } from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';
import { artifact, FleetWorld } from '../../support/fleet-world.ts';
import { boxId } from '../../support/watchers.ts';

describe('a rollout of a service with delegates', () => {
  let fleet: FleetWorld;
  const record = () => fleet.world.operations.service(manager).record;
  const stateOf = (version: typeof v1) => findVersion(record(), version)?.state;
  /** v1 is primary, and its delegates are known. */
  const begin = async (delegates = 'grpc: {}'): Promise<void> => {
    await fleet.want('v1', { delegates });
    await fleet.world.becomes('v1', 'Primary');
    await fleet.publish('v1', 'v2');
  };

  beforeEach(async () => {
    fleet = await FleetWorld.start();
  });
  afterEach(async () => {
    await fleet.stop();
  });

  test('flips when each box has the candidate, and says how many were there', async () => {
    await begin();
    const boxes = [fleet.box('a-1', 'acme'), fleet.box('g-1', 'globex')];
    await eventually(() => boxes.every(({ versions }) => versions.join() === 'v1'));
    await fleet.want('v2');
    await fleet.world.becomes('v2', 'Primary');
    expect(fleet.rollout().delegates).toMatchObject({ ready: 2, expected: 2, heldBack: [] });
    await eventually(() => boxes.every(({ versions }) => versions.join() === 'v1,v2'));
    const events = await fleet.world.operations.events({ limit: 100 });
    expect(events.map(({ action }) => action)).toContain('FixRoll');
  });

  test('is Registering, and reachable by pin, while a delegate is missing; the box and why are named', async () => {
    await begin();
    fleet.box('a-1', 'acme');
    fleet.box('g-1', 'globex', { takes: (version) => (version === 'v1' ? 'Ready' : 'Fetching') });
    await eventually(() => fleet.delegates.boxes.size === 2);
    await fleet.want('v2');
    await fleet.world.becomes('v2', 'Registering');
    const { lines } = await eventually(() => {
      const parity = fleet.rollout().delegates?.parity;
      return parity?.expected === 2 && parity.ready === 1 && parity.lines[0]?.includes('fetches')
        ? parity
        : undefined;
    });
    expect(lines).toEqual(['globex 0/1: g-1 fetches it']);
    expect(record().traffic).toMatchObject({ primary: v1 });
    const [version] = fleet.world.operations
      .table()
      .services.flatMap(({ versions }) => versions.filter(({ version: name }) => name === v2));
    expect(version?.access).toBe('Open');
    fleet.delegates.connect('g-1', 'globex', 'v2');
    await fleet.world.becomes('v2', 'Primary');
  });

  test('holds a tenant back at the deadline, in the commit that goes on, and releases it when it is rolled back', async () => {
    await begin('grpc: {}, deadline: 1s, maxHeldBack: 50, holdFor: 1h');
    fleet.box('a-1', 'acme');
    fleet.box('g-1', 'globex', { takes: (version) => (version === 'v1' ? 'Ready' : 'CrashLooping') });
    await eventually(() => fleet.delegates.boxes.size === 2);
    await fleet.want('v2', { delegates: 'grpc: {}, deadline: 1s, maxHeldBack: 50, holdFor: 1h' });
    await fleet.world.becomes('v2', 'Primary');
    expect(record().holds).toMatchObject([
      { tenant: 'globex', version: 'v1', by: 'controller', heldBackBy: record().rollout?.id },
    ]);
    expect(fleet.rollout().delegates).toMatchObject({ ready: 1, expected: 2, heldBack: ['globex'] });
    await fleet.world.operations.rollback(fleet.world.request());
    expect(record().holds).toEqual([]);
  });

  test('pauses where more tenants are missing than may be held back; promote waives them by name and reason', async () => {
    await begin('grpc: {}, deadline: 1s');
    fleet.box('a-1', 'acme', { takes: (version) => (version === 'v1' ? 'Ready' : 'ArtifactFailed') });
    await eventually(() => fleet.delegates.boxes.size === 1);
    await fleet.want('v2', { delegates: 'grpc: {}, deadline: 1s' });
    await eventually(() => record().rollout?.stateReason === 'DelegatesMissing');
    expect(record().rollout).toMatchObject({ state: 'Paused', step: { kind: 'Register' } });
    const promote = { ...fleet.world.request(), full: false };
    const silent = { ...promote, caller: { ...operator, reason: '' } };
    await expect(fleet.world.operations.promote(silent)).rejects.toThrow(/needs a --reason/);
    await fleet.world.operations.promote(promote);
    await fleet.world.becomes('v2', 'Primary');
    expect(record().rollout?.promoted).toEqual(['Register']);
  });

  test('ends where the spec says that it fails, and has moved no traffic', async () => {
    await begin('grpc: {}, deadline: 1s, onMissing: Fail');
    fleet.box('a-1', 'acme', { takes: (version) => (version === 'v1' ? 'Ready' : 'Unready') });
    await eventually(() => fleet.delegates.boxes.size === 1);
    await fleet.want('v2', { delegates: 'grpc: {}, deadline: 1s, onMissing: Fail' });
    await eventually(() => record().rollout?.state === 'Failed');
    expect(record()).toMatchObject({
      traffic: { kind: 'steady', primary: v1 },
      rollout: { stateReason: 'DelegatesMissing' },
    });
  });

  test('never goes on while nobody knows the delegates, urgent or not', async () => {
    await begin();
    fleet.delegates.unknown = 'no manager answers';
    await fleet.want('v2');
    await fleet.world.operations.deploy({ ...fleet.world.request(), version: v2, urgent: true });
    await eventually(() => record().rollout?.stateReason === 'DelegatesUnknown');
    expect(record().rollout?.urgent).toBe(true);
    await eventually(() => fleet.rollout().waitsFor[0] === 'the delegates are unknown: no manager answers');
    expect(stateOf(v2)).toBe('Registering');
    fleet.delegates.unknown = '';
    fleet.delegates.connect('a-1', 'acme', 'v1');
    await eventually(() => record().rollout?.rollFixedAt);
    fleet.delegates.connect('a-1', 'acme', 'v2');
    await fleet.world.becomes('v2', 'Primary');
  });

  test('goes on after a restart with the roll that was fixed', async () => {
    await begin();
    fleet.delegates.connect('a-1', 'acme', 'v1');
    await fleet.want('v2');
    await eventually(() => record().rollout?.rollFixedAt);
    fleet.delegates.connect('late', 'initech', 'v1');
    fleet = await fleet.restart();
    fleet.delegates.connect('a-1', 'acme', 'v2');
    await fleet.world.becomes('v2', 'Primary');
    expect(fleet.rollout().delegates).toMatchObject({ ready: 1, expected: 1 });
  });

  test('takes waves in their order; halt stops them, resume goes on', async () => {
    const waves = 'grpc: {}, deadline: 1h, waves: [{name: first, groups: [inner]}, {name: rest}]';
    await begin(waves);
    const outer = fleet.box('o-1', 'acme');
    const inner = fleet.box('i-1', 'acme', {
      group: 'inner',
      takes: (version) => (version === 'v1' ? 'Ready' : 'Starting'),
    });
    await eventually(() => outer.versions.length === 1 && inner.versions.length === 1);
    await fleet.want('v2', { delegates: waves });
    await eventually(() => inner.versions.includes('v2'));
    const shown = fleet.world.operations.waves(manager).flatMap(({ waves: each }) => each);
    expect(shown.map(({ progress, admitted, onTheirWay }) => ({ progress, admitted, onTheirWay }))).toEqual([
      { progress: 'Rest', admitted: 1, onTheirWay: 1 },
      { progress: 'Ahead', admitted: 0, onTheirWay: 0 },
    ]);
    expect(outer.versions).toEqual(['v1']);
    await fleet.world.operations.haltWaves(fleet.world.request());
    expect(fleet.world.operations.waves(manager)[0]).toMatchObject({ halt: { reason: 'Operator' } });
    await fleet.world.operations.resumeWaves(fleet.world.request());
    await fleet.world.operations.skipWave(fleet.world.request());
    await eventually(() => outer.versions.includes('v2'));
  });

  test('a version leaves the goal states before its routes go, and offline boxes are not waited for', async () => {
    await begin();
    const box = fleet.box('a-1', 'acme');
    const away = fleet.box('a-2', 'acme');
    await eventually(() => fleet.delegates.boxes.size === 2);
    await fleet.want('v2');
    await fleet.world.becomes('v2', 'Primary');
    away.stream.cancel();
    fleet.delegates.leave('a-2');
    await eventually(() => fleet.world.controller.fleet.find(manager, boxId('a-2'))?.isConnected === false);
    await fleet.world.operations.drain({
      ...fleet.world.request(),
      version: v1,
      giveUpRollback: true,
      waiveStragglers: false,
    });
    await fleet.world.becomes('v1', 'Drained');
    const steps: string[] = [];
    const follow = fleet.world.operations.subscribe(() => {
      const step = findVersion(record(), v1)?.retirement?.step;
      if (step !== undefined && steps.at(-1) !== step) steps.push(step);
    });
    await fleet.world.operations.retire({
      ...fleet.world.request(),
      version: v1,
      giveUpRollback: true,
      waiveOpenWork: false,
      waiveStragglers: false,
    });
    await fleet.world.becomes('v1', 'Retired');
    follow();
    expect(steps[0]).toBe('LeavingGoalStates');
    expect(box.versions).toEqual(['v2']);
  });

  test('an artifact is published once: the same again changes nothing, another one is refused, a bad one named', async () => {
    await begin();
    const publish = (one: ReturnType<typeof artifact>) =>
      fleet.world.operations.publishArtifact({ ...fleet.world.request(), artifact: one });
    const { generation } = record();
    expect((await publish(artifact('v1'))).message).toMatch(/nothing to change/);
    expect(record().generation).toBe(generation);
    await expect(publish(artifact('v1', { sha256: 'b'.repeat(64) }))).rejects.toThrow(/never changes/);
    await expect(publish(artifact('v3', { url: 'ftp://x' }))).rejects.toThrow(/artifact\.url "ftp:/);
    await expect(publish(artifact('v3', { command: [] }))).rejects.toThrow(/must name a program/);
  });

  test('boxes that have given a version up are told to try it again, and the verb says how many they are', async () => {
    await begin();
    const box = fleet.box('a-1', 'acme', {
      takes: (version) => (version === 'v1' ? 'CrashLooping' : 'Ready'),
    });
    await eventually(() => fleet.world.operations.delegates(manager).boxes.length === 1);
    const attempt = () => box.stream.last?.goalState?.versions.find(({ version }) => version === v1)?.attempt;
    const retry = (version: string) =>
      fleet.world.operations.retryOnBoxes({ ...fleet.world.request(), version: versionName(version) });
    await eventually(
      () => fleet.world.operations.delegates(manager).versions[0]?.states.get('CrashLooping') === 1,
    );
    expect(attempt()).toBe(0);
    expect((await retry('v1')).message).toBe('manager: boxes try v1 again; 1 of 1 say that they gave it up');
    await eventually(() => attempt() === 1);
    await retry('v1');
    await eventually(() => attempt() === 2);
    expect(fleet.world.operations.goalStates(manager).current.because).toContain('v1 (Primary, retry 2)');
    await expect(retry('v9')).rejects.toThrow(/v9 of manager is not wanted on any box; those that are: v1/);
  });

  test('a decommissioned box is told so, with a reason, and the history says when', async () => {
    await begin();
    const box = fleet.box('a-1', 'acme');
    await eventually(() => box.versions.length > 0);
    const request = { ...fleet.world.request(), box: boxId('a-1'), undo: false };
    const unknown = { ...request, box: boxId('never') };
    await expect(fleet.world.operations.decommission(unknown)).rejects.toThrow(
      /knows no watcher of a box never/,
    );
    await fleet.world.operations.decommission(request);
    await eventually(() => box.stream.last?.goalState?.decommission);
    expect(fleet.world.operations.delegates(manager).boxes).toMatchObject([
      { delegate: 'a-1', isDecommissioned: true },
    ]);
    await fleet.world.operations.decommission({ ...request, undo: true });
    await eventually(() => box.stream.last?.goalState?.decommission === false);
    const { current, past } = fleet.world.operations.goalStates(manager);
    expect(current.generation).toBeGreaterThan(past[0]?.generation ?? 0);
  });
});
