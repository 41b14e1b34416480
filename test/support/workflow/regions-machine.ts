/** The machine that docs/pipelines.md shows as an example. */
import type { Json } from '../../../src/model/json.ts';
import type { Step } from '../../../src/model/step.ts';
import type { Execution, TaskOutcome } from '../../../src/model/workflow.ts';
import type { Machine } from '../../../src/workflow/machine.ts';

interface Regions {
  readonly done: readonly string[];
  readonly regions: readonly string[];
}

/** Updates regions one after the other, and ends with the first that fails. */
export const regionsMachine: Machine = {
  name: 'regions',
  step({ execution, event }) {
    const { done, regions } = execution.data as unknown as Regions;
    const [region, ...left] = regions;
    if (event.kind === 'Cancel')
      return { ...nothing(execution), end: { state: 'Cancelled', error: 'as was asked' } };
    if (event.kind === 'Start')
      return region === undefined ? finished({ done, regions }) : update({ done, regions });
    const { key, outcome } = event.payload as unknown as { key: string; outcome: TaskOutcome };
    // An event may come late or for nothing: then the machine changes nothing, and says so.
    if (event.kind !== 'TaskFinished' || key !== region) {
      return { ...nothing(execution), notes: [{ step: event.kind, detail: 'nobody waits for it' }] };
    }
    if (outcome.kind === 'Failed')
      return { ...nothing(execution), end: { state: 'Failed', error: outcome.error } };
    const next = { done: [...done, region], regions: left };
    return left.length === 0 ? finished(next) : update(next);
  },
};

function nothing({ data }: Pick<Execution, 'data'>): Step {
  return { data, events: [], tasks: [], cancelTasks: [], cancelEvents: [], notes: [] };
}

function update(regions: Regions): Step {
  const key = regions.regions[0] ?? '';
  const payload = { command: './update', env: { REGION: key }, workingDirectory: '' };
  const task = { key, kind: 'shell', payload, tags: [], timeout: 60_000, maxAttempts: 3 };
  return { ...nothing({ data: { ...regions } }), tasks: [task] };
}

function finished(regions: Regions): Step {
  const result: Json = regions.done;
  return { ...nothing({ data: { ...regions } }), end: { state: 'Succeeded', result, error: '' } };
}
