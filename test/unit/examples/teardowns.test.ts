/** What an onlooker of a teardown notes for the judge, and tells of it. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { Teardowns, type TeardownsParts } from '../../../examples/demo/teardowns.ts';
import { RETIREMENT_STEP, VERSION_STATE } from '../../../src/admin/enums.ts';
import { ServiceSchema, type VersionSchema } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import { History } from '../../support/traffic/history.ts';

type Look = Omit<MessageInitShape<typeof VersionSchema>, '$typeName'> & { readonly open?: number };

const DRAINING: Look = { state: VERSION_STATE.Draining, fenced: true };
const DRAINED: Look = { state: VERSION_STATE.Drained, fenced: true, open: 0 };

/** Looks at v1, one look after the other; undefined: no controller answers. The last one stays. */
function lookAt(looks: readonly (Look | undefined)[]) {
  const history = new History({ from: 'v2', to: 'v2', weight: 100, active: ['v1', 'v2'] });
  const said: string[] = [];
  /** Whether pins to v1 are answered, at each look; `either` while that may be. */
  const active: string[] = [];
  let turn = 0;
  const look = () => looks[Math.min(turn, looks.length - 1)];
  const call = async (method: string) => {
    if (method === 'listEvents') {
      const reason = 'v1 was torn down and has no open work, certificate: atomic, 0 counted';
      return { events: [{ action: 'BeginRetirement', reason, at: timestampFromMs(Date.now() + 60_000) }] };
    }
    if (method === 'getOpenWork') {
      const total = BigInt(look()?.open ?? 0);
      return { work: { kind: { case: 'counted', value: { total } } } };
    }
    turn += 1;
    const seen = look();
    if (seen === undefined) throw new Error('nobody answers');
    const now = performance.now();
    const served = history.during(now, now).map((stage) => stage.active.includes('v1'));
    active.push(served.length > 1 ? 'either' : served[0] === true ? 'answered' : 'refused');
    const { open: _, ...version } = seen;
    return { service: create(ServiceSchema, { versions: [{ name: 'v1', ...version }] }) };
  };
  const teardowns = new Teardowns({
    world: { call: call as unknown as TeardownsParts['world']['call'] },
    screen: { say: (text) => void said.push(text) },
    history,
    probe: { afterOneAnswer: async () => performance.now() },
  });
  return { teardowns, said, active };
}

describe('an onlooker of a teardown', () => {
  it('tells what drains, lets pins be refused once they may be, and demands it when the version is gone', async () => {
    const { teardowns, said, active } = lookAt([
      { state: VERSION_STATE.Standby },
      { state: VERSION_STATE.Standby },
      { ...DRAINING, open: 2 },
      undefined,
      { ...DRAINING, open: 1 },
      { ...DRAINED, retirement: RETIREMENT_STEP.LeavingGoalStates },
      { ...DRAINED, retirement: RETIREMENT_STEP.Refusing },
      { ...DRAINED, retirement: RETIREMENT_STEP.RemovingCluster },
      { state: VERSION_STATE.Retired },
      { state: VERSION_STATE.Retired },
    ]);
    const retired = await teardowns.gone('v1');
    await expect.poll(() => active.at(-1)).toBe('refused');
    teardowns.close();
    expect(retired).toMatchObject({ version: 'v1', openWhenFenced: 2, certificate: 'atomic' });
    expect(retired.drainSeconds).toBeGreaterThan(50);
    expect(teardowns.takenAway).toEqual([{ version: 'v1', at: expect.any(Number) }]);
    expect(active.filter((one, index) => one !== active[index - 1])).toEqual([
      'answered',
      'either',
      'refused',
    ]);
    expect(said).toEqual([
      'v1 is fenced: no new work; 2 executions are open on it',
      'v1 drains: 1 execution is open',
      'v1 is drained: its last execution has ended on it',
      'pins to v1 are refused from here on',
      'v1 is gone: routes first, then its cluster, then its instances',
    ]);
  });
});
