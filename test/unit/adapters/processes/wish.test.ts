/** What a wish means for the instances that there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedLaunches, planWish, type Slot } from '../../../../src/adapters/processes/wish.ts';
import { versionName } from '../../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../../src/model/spec.ts';

const V1 = versionName('v1');
const V2 = versionName('v2');

function specOf(changes: Partial<ProcessesRuntimeSpec> = {}): ProcessesRuntimeSpec {
  return {
    kind: 'processes',
    command: ['serve', '${version}'],
    environment: {},
    instances: 2,
    ports: { from: 9000, to: 9009 },
    readiness: { kind: 'tcp', interval: 1000, timeout: 1000, failureThreshold: 3 },
    stopGrace: 1000,
    restartBackoff: { initial: 100, max: 1000 },
    ...changes,
  };
}

function slotOf(changes: Partial<Slot> = {}): Slot {
  return { id: 'a', version: V1, slot: 1, spec: specOf(), isStopping: false, ...changes };
}

test('a version that is new begins with all its instances', () => {
  const { stop, start } = planWish({ spec: specOf(), versions: [V1] }, []);
  expect(stop).toEqual([]);
  expect(start.map(({ version, slot }) => `${version}-${slot}`)).toEqual(['v1-1', 'v1-2']);
});

test('more or fewer instances are begun or stopped at the end', () => {
  const slots = [slotOf(), slotOf({ id: 'b', slot: 2 })];
  expect(planWish({ spec: specOf({ instances: 1 }), versions: [V1] }, slots).stop).toEqual(['b']);
  const { start } = planWish({ spec: specOf({ instances: 3 }), versions: [V1] }, slots);
  expect(start.map(({ slot }) => slot)).toEqual([3]);
});

test('an instance that is being stopped does not count, and its version begins anew', () => {
  const { stop, start } = planWish({ spec: specOf({ instances: 1 }), versions: [V1] }, [
    slotOf({ isStopping: true }),
  ]);
  expect(stop).toEqual([]);
  expect(start.map(({ slot }) => slot)).toEqual([1]);
});

test('an instance that joins a running version gets the command of that version, not a newer one', () => {
  const spec = specOf({
    command: ['serve', 'anew'],
    workingDirectory: '/new',
    environment: { A: '2' },
    stopGrace: 5,
  });
  const [started] = planWish({ spec, versions: [V1] }, [slotOf()]).start;
  expect(started?.spec).toEqual(specOf({ stopGrace: 5 }));
  const [fresh] = planWish({ spec, versions: [V2] }, [slotOf()]).start;
  expect(fresh?.spec).toEqual(spec);
});

test('a version that runs another command than the spec now has is named once', () => {
  const slots = [
    slotOf(),
    slotOf({ id: 'b', slot: 2 }),
    slotOf({ id: 'c', version: V2, spec: specOf({ command: ['x'] }) }),
  ];
  expect(changedLaunches(specOf({ command: ['x'] }), slots)).toEqual([
    expect.stringMatching(/^version v1 keeps the command, folder and environment that it was started with/),
  ]);
});

test('the order of variables in the environment is no change', () => {
  const slots = [slotOf({ spec: specOf({ environment: { A: '1', B: '2' } }) })];
  expect(changedLaunches(specOf({ environment: { B: '2', A: '1' } }), slots)).toEqual([]);
});

test('a plan that was carried out leaves nothing to do, and exactly the wished instances', () => {
  const anySlot = fc.record({
    version: fc.constantFrom(V1, V2),
    slot: fc.integer({ min: 1, max: 4 }),
    isStopping: fc.boolean(),
  });
  const wishes = fc.record({ versions: fc.subarray([V1, V2]), instances: fc.integer({ min: 1, max: 4 }) });
  const distinct = fc.uniqueArray(anySlot, {
    selector: ({ version, slot, isStopping }) => `${version}-${slot}-${isStopping}`,
  });
  fc.assert(
    fc.property(distinct, wishes, (parts, { versions, instances }) => {
      const slots = parts.map((part, index) => slotOf({ ...part, id: `${index}` }));
      const wish = { spec: specOf({ instances }), versions };
      const { stop, start } = planWish(wish, slots);
      const after = [
        ...slots.map((slot) => (stop.includes(slot.id) ? { ...slot, isStopping: true } : slot)),
        ...start.map((begun, index) => slotOf({ ...begun, id: `new-${index}` })),
      ];
      expect(planWish(wish, after)).toEqual({ stop: [], start: [] });
      const running = after
        .filter(({ isStopping }) => !isStopping)
        .map(({ version, slot }) => `${version}-${slot}`);
      const wanted = versions.flatMap((version) =>
        Array.from({ length: instances }, (_, index) => `${version}-${index + 1}`),
      );
      expect(running.toSorted()).toEqual(wanted.toSorted());
    }),
  );
});
