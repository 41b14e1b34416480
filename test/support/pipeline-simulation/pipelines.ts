/** Random pipelines: every kind of step, references to steps before, retries, limits, conditions and calls. */
import type { Json } from '../../../src/model/json.ts';
import {
  approval,
  http,
  parallel,
  pipeline,
  retry,
  sequence,
  shell,
  subPipeline,
  unless,
  wait,
  when,
} from '../../../src/workflow/pipeline/build.ts';
import { ON_FAILURE, type Pipeline, type PipelineStep } from '../../../src/workflow/pipeline/definition.ts';
import type { Chance } from '../rollout-simulation/chance.ts';

const MAX_STEPS = 30;
const MAX_LEVELS = 4;

/** A pipeline of at least one step and at most about thirty. */
export function randomPipeline(chance: Chance): Pipeline {
  const random = new RandomSteps(chance);
  const steps = random.siblings(1, true);
  const output = chance.in(0.2) ? { output: { execution: '${execution.id}', input: '${input.flag}' } } : {};
  return pipeline('random', steps, {
    // Some executions come to their deadline.
    timeout: chance.of([30_000, 3_600_000, 86_400_000, 86_400_000]),
    inputs: [{ name: 'flag', default: chance.in(0.5) }],
    ...output,
  });
}

class RandomSteps {
  readonly #chance: Chance;
  #made = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Steps beside each other, named a, b, c. */
  siblings(level: number, inOrder: boolean): readonly PipelineStep[] {
    const count = this.#chance.between(1, 5);
    const steps: PipelineStep[] = [];
    for (let index = 0; index < count; index += 1) {
      const before = inOrder ? steps.filter(({ kind }) => kind === 'shell' || kind === 'http') : [];
      const name = String.fromCodePoint('a'.codePointAt(0)! + index);
      steps.push(
        this.#modified(
          this.#step(
            name,
            level,
            before.map((step) => step.name),
          ),
        ),
      );
    }
    return steps;
  }

  #step(name: string, level: number, before: readonly string[]): PipelineStep {
    const chance = this.#chance;
    this.#made += 1;
    const timeout = chance.in(0.3) ? { timeout: chance.between(1, 60) * 1_000 } : {};
    const isLeaf = level >= MAX_LEVELS || this.#made > MAX_STEPS || chance.in(0.45);
    if (isLeaf) return this.#leaf(name, before);
    const kind = chance.of(['sequence', 'parallel', 'pipeline'] as const);
    if (kind === 'sequence') return sequence(name, this.siblings(level + 1, true), timeout);
    if (kind === 'parallel') {
      const onFailure = chance.of(ON_FAILURE);
      return parallel(name, this.siblings(level + 1, false), { onFailure, ...timeout });
    }
    const called = pipeline(`called-${this.#made}`, this.siblings(level + 1, true), {
      inputs: [
        { name: 'flag', default: true },
        { name: 'fed', default: null },
      ],
      ...(chance.in(0.3) ? { output: '${input.fed}' } : {}),
    });
    const fed: Readonly<Record<string, Json>> =
      before[0] === undefined ? {} : { fed: `\${steps.${before[0]}.output}` };
    return subPipeline(name, called, { input: fed, ...timeout });
  }

  #leaf(name: string, before: readonly string[]): PipelineStep {
    const chance = this.#chance;
    const kind = chance.of(['shell', 'shell', 'shell', 'http', 'wait', 'approval'] as const);
    if (kind === 'wait') return wait(name, chance.between(1, 20_000));
    if (kind === 'approval') {
      return approval(name, {
        approvers: chance.of([[], ['ada'], ['ada', 'grace']]),
        timeout: chance.between(5, 500) * 1_000,
      });
    }
    // Each says what it was fed, so that the world can compare.
    const fed = Object.fromEntries(
      before.map((step) => [step.toUpperCase(), `\${steps.${step}.output.json.token}`]),
    );
    if (kind === 'http') return http(name, 'https://example.com/', { method: 'POST', headers: fed });
    return shell(name, 'work', { env: fed });
  }

  #modified(step: PipelineStep): PipelineStep {
    const chance = this.#chance;
    const guarded = chance.in(0.15) ? chance.of([when, unless])('${input.flag}', true, step) : step;
    if (!chance.in(0.35)) return guarded;
    return retry({ attempts: chance.between(1, 3), backoff: chance.between(0, 5_000), factor: 2 }, guarded);
  }
}
