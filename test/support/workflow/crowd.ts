/**
 * Many executions of several tenants on two versions at once, while networks are cut, a delegate starts again and a manager
 * is killed. What was recorded is read from the store, for the history checker.
 */
import type { Delegate } from '../../../examples/delegate/delegate.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { DelegateId, ExecutionId } from '../../../src/model/workflow.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { eventually } from '../eventually.ts';
import { Relay } from '../system/relay.ts';
import type { DelegateWish, ExampleSite } from './example-site.ts';
import type { Recorded } from './history-checker.ts';
import { Customer } from './manager-api.ts';

const TENANTS = ['acme', 'umbrella', 'hooli'];
/** Starts that wait for their answers at the same time. */
const TOGETHER = 20;

const PIPELINE = `
pipeline: little
steps:
  - name: both
    parallel:
      - { name: left, shell: 'printf left', retry: { attempts: 5, backoff: 50ms } }
      - { name: pause, wait: 50ms }
  - { name: last, shell: 'printf "%s and right" "$LEFT"', env: { LEFT: "\${steps.both.output.left.stdout}" } }
output: "\${steps.last.output.stdout}"
`;

/** What each of them comes to. */
export const CROWD_RESULT = 'left and right';

/** Runs so many of them to their ends, whatever these are. */
export async function runCrowd(site: ExampleSite, count: number): Promise<Recorded> {
  const stable = await site.manager({ version: 'v1', instance: 'v1-a', lease: 2_000 });
  const mortal = await site.managerProcess({ version: 'v1', instance: 'v1-b', lease: 2_000 });
  const other = await site.manager({ version: 'v2', instance: 'v2-a', lease: 2_000 });
  // Half of the delegates of v1 come to the manager that dies; then the relay leads to the other one.
  const [toMortal, toStable] = [await Relay.to(mortal.port), await Relay.to(stable.port)];
  site.defer(() => toMortal.close());
  site.defer(() => toStable.close());
  const wishes = TENANTS.flatMap((tenant): DelegateWish[] => [
    { tenant, box: `${tenant}-1`, version: 'v1', port: toMortal.port },
    { tenant, box: `${tenant}-2`, version: 'v1', port: toStable.port },
    { tenant, box: `${tenant}-1`, version: 'v2', port: other.port },
  ]);
  const delegates: Delegate[] = await Promise.all(wishes.map((wish) => site.connected(wish)));

  const customers = TENANTS.flatMap((tenant) => [
    new Customer(stable.port, tenant),
    new Customer(other.port, tenant),
  ]);
  const started: string[] = [];
  const starting = (async () => {
    for (let first = 0; first < count; first += TOGETHER) {
      const part = Array.from({ length: Math.min(TOGETHER, count - first) }, (_, index) => first + index);
      const ids = part.map((index) => (customers[index % customers.length] as Customer).start(PIPELINE));
      started.push(...(await Promise.all(ids)));
    }
  })();

  const store = await site.store();
  const open = async () => (await store.executions({ state: 'Running', limit: 10_000 })).length;
  await eventually(() => started.length >= count / 3, { within: 60_000, what: 'a third of them' });
  toStable.cut();
  toMortal.redirect(stable.port);
  mortal.child.signal('SIGKILL');
  await delegates[0]?.abandon();
  // The second delegate of v1 is cut off until it has noticed.
  await eventually(() => delegates[1]?.health().connected === false);
  toStable.heal();
  await site.connected(wishes[0] as DelegateWish);
  await starting;
  await eventually(async () => (await open()) === 0, { within: 200_000, every: 200, what: 'the end of all' });

  return read(store, started);
}

async function read(store: WorkflowStore, started: readonly string[]): Promise<Recorded> {
  const executions = await store.executions({ limit: 10_000 });
  const history = (await Promise.all(executions.map(({ id }) => store.history(id)))).flat();
  return {
    executions,
    history,
    told: started.map((id) => ({ kind: 'Started', execution: id as ExecutionId })),
    continues: new Map(),
    tenants: new Map(
      TENANTS.flatMap((tenant) =>
        ['1', '2'].map((box) => [`${tenant}-${box}` as DelegateId, tenantName(tenant)] as const),
      ),
    ),
    isOver: true,
  };
}
