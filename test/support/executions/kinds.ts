/**
 * The executions that customers start: each kind says its pipeline, what its customer does meanwhile, and how it must end.
 * Those that fail do it by design; no death of a process is an excuse.
 */
import { DIARY_ENVIRONMENT, noted } from './diary.ts';

/** What a pipeline of a kind is made with. */
export interface Made {
  /** Different for each execution. */
  readonly number: number;
  /** A path that is this execution's own; nothing is there. */
  readonly mark: string;
  readonly diary: string;
  /** A web server that answers `/plus?n=N` with {"sum": N + 1}. */
  readonly web: string;
  /** From 0 to below 1. */
  readonly chance: number;
}

/** What the customer does once the pipeline waits for it. */
export type Deed = 'Nothing' | 'Approve' | 'Reject' | 'Cancel' | 'Repair';

export interface Kind {
  readonly name: string;
  /** How many of a hundred. */
  readonly share: number;
  readonly deed: Deed;
  readonly ends: 'Succeeded' | 'Failed' | 'Cancelled';
  /** The document, as the manager takes it. */
  pipeline(made: Made): object;
  /** What it comes to where it succeeds. */
  result?(made: Made): unknown;
  /** What its error says where it fails. */
  readonly error?: RegExp;
}

/** Enough attempts that only a fault can use them up. */
const PATIENT = { attempts: 30, backoff: '200ms', factor: 1.3, maxBackoff: '2s' } as const;

export const KINDS: readonly Kind[] = [
  {
    name: 'chain',
    share: 32,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'chain',
      steps: [
        shell(made, 'one', `sleep 0.0${digit(made)}; printf '{"n": %s}' ${made.number}`),
        shell(made, 'two', `sleep 0.${digit(made)}; printf '{"n": %s}' "$((N + 1))"`, from('one')),
        shell(made, 'three', 'printf "%s" "$((N + 1))"', from('two')),
      ],
      output: '${steps.three.output.stdout}',
    }),
    result: ({ number }) => String(number + 2),
  },
  {
    name: 'beside',
    share: 14,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'beside',
      steps: [
        {
          name: 'both',
          parallel: [
            shell(made, 'left', `sleep 0.${digit(made)}; printf '{"n": %s}' ${made.number}`),
            {
              name: 'right',
              sequence: [{ name: 'pause', wait: '300ms' }, shell(made, 'work', `printf '{"n": 5}'`)],
            },
          ],
        },
        shell(made, 'join', 'printf "%s" "$((LEFT + RIGHT))"', {
          LEFT: '${steps.both.output.left.json.n}',
          RIGHT: '${steps.both.output.right.json.n}',
        }),
      ],
      output: '${steps.join.output.stdout}',
    }),
    result: ({ number }) => String(number + 5),
  },
  {
    name: 'flaky',
    share: 10,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'flaky',
      steps: [
        shell(made, 'flaky', `test -e '${made.mark}' || { : > '${made.mark}'; exit 1; }\nprintf 'at last'`),
      ],
      output: '${steps.flaky.output.stdout}',
    }),
    result: () => 'at last',
  },
  {
    name: 'call',
    share: 10,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'call',
      steps: [
        { name: 'ask', retry: PATIENT, http: { url: `${made.web}/plus?n=${made.number}` } },
        { name: 'more', pipeline: 'more', input: { n: '${steps.ask.output.body.sum}' } },
      ],
      output: '${steps.more.output}',
    }),
    result: ({ number }) => String(number + 2),
  },
  {
    name: 'once',
    share: 6,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'once',
      steps: [{ ...shell(made, ONCE, `sleep 0.${digit(made)}; printf done`), maxAttempts: 1 }],
      output: `\${steps.${ONCE}.output.stdout}`,
    }),
    result: () => 'done',
  },
  {
    name: 'long',
    share: 6,
    deed: 'Nothing',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'long',
      steps: [
        shell(made, 'first', `sleep ${2 + Math.round(made.chance * 6)}`),
        { name: 'pause', wait: `${2 + Math.round(made.chance * 10)}s` },
        shell(made, 'last', `sleep ${1 + Math.round(made.chance * 5)}; printf done`),
      ],
      output: '${steps.last.output.stdout}',
    }),
    result: () => 'done',
  },
  {
    name: 'approved',
    share: 6,
    deed: 'Approve',
    ends: 'Succeeded',
    pipeline: asked,
    result: ({ number }) => String(number),
  },
  {
    name: 'rejected',
    share: 2,
    deed: 'Reject',
    ends: 'Failed',
    pipeline: asked,
    error: /reject/i,
  },
  {
    name: 'failing',
    share: 5,
    deed: 'Nothing',
    ends: 'Failed',
    pipeline: (made) => ({
      pipeline: 'failing',
      steps: [
        shell(made, 'before', 'true'),
        { ...shell(made, 'bad', 'echo "no such thing" >&2; exit 3'), retry: undefined, maxAttempts: 30 },
      ],
    }),
    error: /exited with 3: no such thing/,
  },
  {
    name: 'late',
    share: 1,
    deed: 'Nothing',
    ends: 'Failed',
    pipeline: (made) => ({
      pipeline: 'late',
      steps: [{ ...shell(made, 'slow', 'sleep 120'), retry: undefined, maxAttempts: 30, timeout: '1s' }],
    }),
    error: /had not ended after 1000 ms/,
  },
  {
    name: 'cancelled',
    share: 4,
    deed: 'Cancel',
    ends: 'Cancelled',
    pipeline: (made) => ({
      pipeline: 'cancelled',
      steps: [shell(made, 'before', 'true'), { name: WAITING, wait: '2h' }],
    }),
  },
  {
    name: 'cancelled-at-work',
    share: 2,
    deed: 'Cancel',
    ends: 'Cancelled',
    pipeline: (made) => ({ pipeline: 'cancelled-at-work', steps: [shell(made, WAITING, 'sleep 3600')] }),
  },
  {
    name: 'repaired',
    share: 2,
    deed: 'Repair',
    ends: 'Succeeded',
    pipeline: (made) => ({
      pipeline: 'repaired',
      steps: [
        {
          ...shell(made, 'check', `test -e '${made.mark}' || exit 4\nprintf repaired`),
          retry: undefined,
          maxAttempts: 30,
        },
      ],
      output: '${steps.check.output.stdout}',
    }),
    result: () => 'repaired',
  },
];

/** A step that must never run twice under one task. */
export const ONCE = 'once';
/** Where a pipeline that is cancelled waits for it. */
export const WAITING = 'waiting';
/** Where a pipeline waits for its approval. */
export const ASK = 'ask';

/** Other pipelines that a pipeline may call, as documents of the same file. */
export function calledPipelines(made: Made): readonly object[] {
  return [
    {
      pipeline: 'more',
      input: { n: {} },
      steps: [shell(made, 'add', 'printf "%s" "$((N + 1))"', { N: '${input.n}' })],
      output: '${steps.add.output.stdout}',
    },
  ];
}

function asked(made: Made): object {
  return {
    pipeline: 'asked',
    steps: [
      shell(made, 'build', `printf '{"n": %s}' ${made.number}`),
      { name: ASK, approval: { message: 'Go on with ${steps.build.output.json.n}?' } },
      shell(made, 'deploy', 'printf "%s" "$N"', from('build')),
    ],
    output: '${steps.deploy.output.stdout}',
  };
}

function shell(
  { diary }: Made,
  name: string,
  command: string,
  environment: Readonly<Record<string, string>> = {},
): object {
  return {
    name,
    shell: noted(name, diary, command),
    env: { ...DIARY_ENVIRONMENT, ...environment },
    retry: PATIENT,
    timeout: '2m',
  };
}

function from(step: string): Readonly<Record<string, string>> {
  return { N: `\${steps.${step}.output.json.n}` };
}

function digit({ chance }: Made): number {
  return 1 + Math.floor(chance * 4);
}
