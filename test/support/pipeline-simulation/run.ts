/** One seeded life of an execution: events in any order and more than once, failures, decisions, cancels and retries. */
import type { Json } from '../../../src/model/json.ts';
import { pipelineView, type StepView } from '../../../src/workflow/pipeline/view.ts';
import { Chance } from '../rollout-simulation/chance.ts';
import { randomPipeline } from './pipelines.ts';
import { PipelineRules } from './rules.ts';
import { isEqual, PipelineWorld, type Queued } from './world.ts';

/** More than any life takes: one that lasts longer hangs. */
const MAX_TURNS = 20_000;
const MAX_RETRIES = 3;

export interface PipelineLife {
  readonly state: string;
  readonly error: string;
  readonly events: number;
  readonly strays: number;
  readonly retries: number;
}

/** Lives through the seed. Throws where a rule is broken; the message names the seed. */
export function livePipeline(seed: number): PipelineLife {
  const chance = new Chance(seed);
  const world = new PipelineWorld(randomPipeline(chance));
  const life = new Life(chance, world);
  try {
    life.live();
  } catch (error) {
    throw new Error(`seed ${seed} at ${world.now}: ${String(error)}`, { cause: error });
  }
  return {
    state: world.execution.state,
    error: world.execution.error,
    events: world.log.length,
    strays: life.strays,
    retries: life.retries,
  };
}

class Life {
  readonly #chance: Chance;
  readonly #world: PipelineWorld;
  readonly #rules: PipelineRules;
  readonly #failing: number;
  readonly #cancelling: number;
  #tokens = 0;
  strays = 0;

  constructor(chance: Chance, world: PipelineWorld) {
    this.#chance = chance;
    this.#world = world;
    this.#rules = new PipelineRules(world);
    this.#failing = chance.of([0, 0.03, 0.1, 0.3, 0.6]);
    this.#cancelling = chance.of([0, 0, 0, 0.02]);
  }

  get retries(): number {
    return this.#rules.retries;
  }

  live(): void {
    const world = this.#world;
    for (let turn = 0; !(world.isOver && !this.#retries()); turn += 1) {
      if (turn > MAX_TURNS)
        throw new Error(`it has not ended: ${JSON.stringify(pipelineView(world.execution))}`);
      this.#turn();
    }
    for (let late = 0; late < 3; late += 1) this.#stray();
    if (!isEqual(world.replay(), world.execution)) throw new Error('the same events lead to another state');
  }

  /** An operator lets it go on after a failure. */
  #retries(): boolean {
    const world = this.#world;
    if (world.execution.state !== 'Failed' || this.retries >= MAX_RETRIES || this.#chance.in(0.4))
      return false;
    this.#stray();
    this.#rules.retries += 1;
    // What was queued went with the end.
    world.queue = [];
    world.inFlight.clear();
    this.#deliver({ kind: 'Retry', payload: { by: 'ada', reason: '' }, dueAt: world.now });
    return true;
  }

  #turn(): void {
    const chance = this.#chance;
    const world = this.#world;
    const due = world.due();
    if (due.length > 0 && chance.in(0.6)) this.#deliver(chance.of(due));
    else if (world.open.size > 0 && chance.in(0.5)) this.#finish();
    else if (chance.in(0.15)) this.#stray();
    else if (chance.in(0.2)) this.#decide();
    else if (chance.in(this.#cancelling)) this.#deliver(cancelOf(world.now));
    else this.#pass();
  }

  #deliver(queued: Queued): void {
    const applied = this.#world.deliver(queued);
    this.#world.settle(applied.step);
    this.#rules.hold(applied);
  }

  #finish(): void {
    const chance = this.#chance;
    const task = chance.of([...this.#world.open.values()]);
    this.#tokens += 1;
    const json = { token: `t${this.#tokens}` };
    if (chance.in(this.#failing)) {
      this.#world.finish(task, {
        kind: 'Failed',
        error: `status ${this.#tokens}`,
        retryable: chance.in(0.5),
      });
    } else this.#world.finish(task, { kind: 'Succeeded', result: { exitCode: 0, stdout: 'x', json } });
  }

  /** A person decides about an approval that waits, allowed to or not. */
  #decide(): void {
    const chance = this.#chance;
    const waiting = approvals(pipelineView(this.#world.execution));
    if (waiting.length === 0 || this.#world.isOver) return;
    const { path, attempt } = chance.of(waiting);
    const by = chance.of(['ada', 'grace', 'mallory']);
    const decision = chance.in(0.8) ? 'Approve' : 'Reject';
    const payload = { step: path, decision, by, comment: '', attempt };
    this.#deliver({ kind: 'Approve', payload, dueAt: this.#world.now });
  }

  /** What was delivered or taken back comes once more, or something that never was. */
  #stray(): void {
    const chance = this.#chance;
    const { past, now, execution } = this.#world;
    const again = past.filter((queued) => isHarmless(queued, execution.state));
    const nonsense: Queued = { kind: chance.of(KINDS), payload: chance.of(NONSENSE), dueAt: now };
    if (again.length === 0 && execution.state === 'Running' && this.#world.log.length === 0) return;
    const queued = again.length > 0 && chance.in(0.8) ? chance.of(again) : nonsense;
    this.#rules.holdStray(this.#world.apply(queued));
    this.strays += 1;
  }

  /** Time goes by: a little, or until the next event is due. */
  #pass(): void {
    const world = this.#world;
    const next = Math.min(...world.queue.map(({ dueAt }) => dueAt));
    if (next === Number.POSITIVE_INFINITY && world.open.size === 0)
      throw new Error('it waits for nothing, for ever');
    const isIdle = world.open.size === 0 && Number.isFinite(next);
    if (isIdle && this.#chance.in(0.5)) world.now = Math.max(world.now, next);
    else world.now += this.#chance.between(0, 2_000);
  }
}

const KINDS = ['TaskFinished', 'Timer', 'Approve', 'Unheard'];
const NONSENSE: readonly Json[] = [
  null,
  7,
  [],
  'text',
  {},
  { key: 'a#999', outcome: { kind: 'Succeeded', result: 1 } },
  { key: 'constructor#1', outcome: { kind: 'Failed', error: 'x', retryable: true } },
  { key: '#1', outcome: { kind: 'Succeeded', result: 1 } },
  { key: 'a#1' },
  { step: 'a', attempt: 999, purpose: 'wait' },
  { step: '', attempt: 1, purpose: 'backoff' },
  { step: '__proto__', attempt: 1, purpose: 'timeout' },
  { step: 'a', decision: 'Approve' },
  { step: 'nowhere', decision: 'Reject', by: 'ada' },
];

/** A command is appended once by the store: a second one is a second order, which counts after an end. */
function isHarmless({ kind }: Queued, state: string): boolean {
  if (kind === 'Timeout') return state !== 'Running';
  return !(kind === 'Retry' && state === 'Failed') && !(kind === 'Cancel' && state === 'Running');
}

function cancelOf(now: number): Queued {
  return { kind: 'Cancel', payload: { by: 'grace', reason: 'a better idea' }, dueAt: now };
}

function approvals(view: StepView): readonly StepView[] {
  const own = view.kind === 'approval' && view.state === 'Running' ? [view] : [];
  return [...own, ...view.steps.flatMap(approvals)];
}
