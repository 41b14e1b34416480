/** What must hold in every life of a pipeline, each rule by the world's own account. A breach throws. */
import type { NewTask } from '../../../src/model/step.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import { MAX_PAYLOAD_BYTES } from '../../../src/ports/workflow-store.ts';
import { jsonBytes } from '../../../src/workflow/pipeline/bounds.ts';
import { findNode, type StepNode, treeOf } from '../../../src/workflow/pipeline/tree.ts';
import { pipelineView, type StepView } from '../../../src/workflow/pipeline/view.ts';
import { type Applied, isEqual, type PipelineWorld } from './world.ts';

/** What the rules remember of a life. */
export class PipelineRules {
  readonly #world: PipelineWorld;
  readonly #root: StepNode;
  readonly #keys = new Set<string>();
  readonly #begun = new Map<string, number>();
  /** The token of the last result of each step that counted. */
  readonly #tokens = new Map<string, string>();
  /** Times that an operator let it go on after a failure. */
  retries = 0;

  constructor(world: PipelineWorld) {
    this.#world = world;
    this.#root = treeOf(world.pipeline);
  }

  /** After a step was applied and settled. */
  hold({ event, before, step }: Applied): void {
    if (event.kind === 'TaskFinished' && !isEqual(before.data, step.data)) this.#remember(event.payload);
    for (const task of step.tasks) {
      this.#isNew(task);
      this.#isWithinAttempts(task);
      this.#comesAfterThoseBefore(task);
      this.#isFed(task);
    }
    const view = pipelineView(this.#world.execution);
    for (const each of flat(view)) this.#isInOrder(each);
    if (jsonBytes(step.data) > MAX_PAYLOAD_BYTES) throw new Error('its state is larger than a store takes');
    if (step.end !== undefined) this.#isClosed(view);
    if (step.end?.state === 'Succeeded') this.#isWhole(this.#root, view);
  }

  /** An event that came again, late or from nowhere does nothing but be noted. */
  holdStray({ before, step, event }: Applied): void {
    const { data, notes, end, ...effects } = step;
    const hasEffect = Object.values(effects).some((list) => list.length > 0) || end !== undefined;
    if (hasEffect || !isEqual(data, before.data)) {
      throw new Error(
        `a stray ${event.kind} ${JSON.stringify(event.payload)} has an effect: ${JSON.stringify(effects)}`,
      );
    }
    if (before.state === 'Running' && notes.length !== 1)
      throw new Error(`a stray ${event.kind} is not noted`);
  }

  #isNew({ key }: NewTask): void {
    if (this.#keys.has(key)) throw new Error(`the key ${key} was used before`);
    this.#keys.add(key);
  }

  /** No step runs beyond its attempts, times those of the steps around it, for each time that an operator let it go on. */
  #isWithinAttempts({ key }: NewTask): void {
    const path = pathOf(key);
    let allowed = 1 + this.retries;
    for (let node = findNode(this.#root, path); node !== undefined; node = node.parent)
      allowed *= node.step.retry?.attempts ?? 1;
    const begun = (this.#begun.get(path) ?? 0) + 1;
    this.#begun.set(path, begun);
    if (begun > allowed) throw new Error(`${path} began ${begun} times, ${allowed} are allowed`);
  }

  /** Nothing of a step before it is still open, and what must have succeeded has. */
  #comesAfterThoseBefore({ key }: NewTask): void {
    for (let node = findNode(this.#root, pathOf(key)); node?.parent !== undefined; node = node.parent) {
      if (node.parent.step.kind === 'parallel') continue;
      const before = node.parent.children.slice(0, node.parent.children.indexOf(node));
      for (const { path, step } of before) {
        const open = [...this.#world.open.keys()].find((other) => `${pathOf(other)}/`.startsWith(`${path}/`));
        if (open !== undefined) throw new Error(`${key} began while ${open}, before it, is open`);
        const isTask = step.kind === 'shell' || step.kind === 'http';
        if (isTask && step.when === undefined && !this.#tokens.has(path))
          throw new Error(`${key} began, and ${path}, before it, never succeeded`);
      }
    }
  }

  /** A task is fed with the last result of each step that it refers to, and null for one that was skipped. */
  #isFed({ key, payload }: NewTask): void {
    const { env, headers } = payload as { readonly env?: Texts; readonly headers?: Texts };
    const folder = pathOf(key).split('/').slice(0, -1);
    for (const [name, value] of Object.entries<string>({ ...env, ...headers })) {
      const path = [...folder, name.toLowerCase()].join('/');
      const wasSkipped = value === 'null' && findNode(this.#root, path)?.step.when !== undefined;
      if (!wasSkipped && value !== this.#tokens.get(path))
        throw new Error(`${key} was fed ${value} of ${path}, which gave ${this.#tokens.get(path)}`);
    }
  }

  #remember(payload: unknown): void {
    const { key, outcome } = payload as { readonly key: string; readonly outcome: TaskOutcome };
    if (outcome.kind === 'Succeeded') this.#tokens.set(pathOf(key), tokenOf(outcome.result));
  }

  #isInOrder({ path, state, tries, maxTries, waitsFor, until }: StepView): void {
    if (tries > maxTries) throw new Error(`${path} is at attempt ${tries} of ${maxTries}`);
    const goesOn = state === 'Running' || state === 'BackingOff';
    if (goesOn !== (waitsFor !== '')) throw new Error(`${path} is ${state} and waits for "${waitsFor}"`);
    if (!goesOn && until !== undefined) throw new Error(`${path} is ${state} and has a timer`);
  }

  /** After an end nothing is open: the machine has taken back all that it began. */
  #isClosed(view: StepView): void {
    const { open, queue } = this.#world;
    const timer = queue.find(({ kind }) => kind === 'Timer');
    if (open.size > 0 || timer !== undefined)
      throw new Error(`open after the end: ${[...open.keys()].join(', ')} ${JSON.stringify(timer)}`);
    const running = flat(view).find(({ waitsFor }) => waitsFor !== '');
    if (running !== undefined) throw new Error(`${running.path} is ${running.state} after the end`);
  }

  /** A pipeline succeeds only where every step has succeeded or was skipped, or failed where that is let pass. */
  #isWhole(node: StepNode, view: StepView): void {
    if (view.state === 'Skipped') return;
    if (view.state !== 'Succeeded') throw new Error(`it succeeded, and ${view.path} is ${view.state}`);
    const mayFail = node.step.kind === 'parallel' && node.step.onFailure === 'Continue';
    for (const [index, child] of node.children.entries()) {
      const own = view.steps[index];
      if (own === undefined) throw new Error(`${child.path} is not shown`);
      if (!(mayFail && own.state === 'Failed')) this.#isWhole(child, own);
    }
  }
}

type Texts = Readonly<Record<string, string>>;

function* flat(view: StepView): Generator<StepView> {
  yield view;
  for (const step of view.steps) yield* flat(step);
}

function pathOf(key: string): string {
  return key.slice(0, key.lastIndexOf('#'));
}

function tokenOf(result: unknown): string {
  return (result as { readonly json: { readonly token: string } }).json.token;
}
