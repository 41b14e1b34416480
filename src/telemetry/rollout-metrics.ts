/**
 * Gauges of rollouts, filled anew at each scrape. A service has the state, step and verdict series from the beginning,
 * all 0 before its first rollout; what names a check or a version is there only while the rollout has it.
 */
import { Gauge, type Registry } from 'prom-client';
import { CHECK_STATES } from '../model/check.ts';
import type { Verdict } from '../model/measurement.ts';
import type { ServiceName } from '../model/names.ts';
import { ROLLOUT_STATES, type RolloutRecord, type RolloutStep } from '../model/rollout.ts';
import type { Filler, RolloutFacts } from './facts.ts';

const STEPS = Object.keys({
  Deploy: true,
  Register: true,
  Verify: true,
  Cohort: true,
  Shift: true,
  Soak: true,
} satisfies Record<RolloutStep['kind'], true>) as RolloutStep['kind'][];

const VERDICTS = Object.keys({
  Running: true,
  Passed: true,
  Failed: true,
  Error: true,
  Inconclusive: true,
  NoData: true,
} satisfies Record<Verdict['state'], true>) as Verdict['state'][];

/** Registers the gauges. */
export function rolloutMetrics(registry: Registry): Filler {
  const all: Gauge[] = [];
  const gauge = <Label extends string>(
    name: `switchyard_${string}`,
    help: string,
    ...labels: readonly Label[]
  ): Gauge<'service' | Label> => {
    const made = new Gauge({ name, help, labelNames: ['service', ...labels], registers: [registry] });
    all.push(made);
    return made;
  };

  const state = gauge(
    'switchyard_rollout_state',
    '1 for the state that the rollout of a service is in, 0 for the others; all 0 before the first rollout.',
    'state',
  );
  const step = gauge(
    'switchyard_rollout_step',
    '1 for the step that a rollout is in, or ended in; 0 for the others.',
    'step',
  );
  const verdict = gauge(
    'switchyard_rollout_verdict',
    '1 for what the checks of the present step add up to; all 0 where the step has none.',
    'verdict',
  );
  const info = gauge(
    'switchyard_rollout_info',
    'Always 1; the labels are the candidate and the primary at the beginning. It ends with the next rollout.',
    'version',
    'baseline',
  );
  const attempt = gauge(
    'switchyard_rollout_attempt',
    'Counts from 1; a retry raises it. 0 before the first.',
  );
  const stepsDone = gauge('switchyard_rollout_steps_done', 'Steps of the walk that are done.');
  const steps = gauge('switchyard_rollout_steps', 'Steps of the whole walk; 0 before the first rollout.');
  const started = gauge(
    'switchyard_rollout_started_timestamp_seconds',
    'When the rollout of a service began, in Unix time; 0 before the first.',
  );
  const since = gauge(
    'switchyard_rollout_state_timestamp_seconds',
    'Since when the rollout of a service is in its state, in Unix time; 0 before the first.',
  );
  const setWeight = gauge(
    'switchyard_rollout_set_weight_percent',
    'Share of the default traffic that the candidate was given.',
  );
  const actualWeight = gauge(
    'switchyard_rollout_actual_weight_percent',
    'Share of the default traffic that proxies reported for the candidate; absent where none reported any.',
  );
  const actualRequests = gauge(
    'switchyard_rollout_actual_weight_requests',
    'Default requests that the actual weight was counted from.',
  );
  const score = gauge(
    'switchyard_rollout_score_percent',
    'Weighted share of the checks that have ended and passed; absent while none has ended.',
  );
  const wayBack = gauge(
    'switchyard_rollout_way_back_ready',
    '1 while the default traffic could be moved back at once.',
  );
  const checkState = gauge(
    'switchyard_rollout_check_state',
    '1 for the state that a check is in at the present step, 0 for the others.',
    'check',
    'state',
  );
  const checkValue = gauge(
    'switchyard_rollout_check_value',
    'Last measured value of a check, in its own unit, by side (candidate, baseline); absent where there is none.',
    'check',
    'side',
  );
  const checkLimit = gauge(
    'switchyard_rollout_check_limit',
    'Limit of a check, in its own unit, by bound (min, max); absent where it only compares.',
    'check',
    'bound',
  );
  const checkSamples = gauge(
    'switchyard_rollout_check_samples',
    'Samples in the last measurement of a check, by side (candidate, baseline).',
    'check',
    'side',
  );
  const openWork = gauge(
    'switchyard_version_open_work',
    'Open work of a version that drains; absent where it is unknown.',
    'version',
  );

  function fillService(service: ServiceName, rollout: RolloutFacts | undefined): void {
    const record: RolloutRecord | undefined = rollout?.record;
    for (const each of ROLLOUT_STATES) state.set({ service, state: each }, Number(record?.state === each));
    for (const each of STEPS) step.set({ service, step: each }, Number(record?.step.kind === each));
    for (const each of VERDICTS) {
      verdict.set({ service, verdict: each }, Number(rollout?.verdict?.state === each));
    }
    attempt.set({ service }, record?.attempt ?? 0);
    started.set({ service }, (record?.startedAt ?? 0) / 1000);
    since.set({ service }, (record?.since ?? 0) / 1000);
    steps.set({ service }, rollout?.steps.length ?? 0);
    stepsDone.set({ service }, rollout?.steps.filter(({ progress }) => progress === 'Done').length ?? 0);
    setWeight.set({ service }, rollout?.setWeight ?? 0);
    actualRequests.set({ service }, rollout?.actualWeight?.requests ?? 0);
    wayBack.set({ service }, Number(rollout?.wayBack.isReady === true));
  }

  function fillRollout(service: ServiceName, rollout: RolloutFacts): void {
    const { version, baseline } = rollout.record;
    info.set({ service, version, baseline }, 1);
    if (rollout.actualWeight !== undefined) actualWeight.set({ service }, rollout.actualWeight.percent);
    if (rollout.verdict?.score !== undefined) score.set({ service }, rollout.verdict.score);
    for (const { version: draining, open } of rollout.openWork) {
      if (open !== undefined) openWork.set({ service, version: draining }, open);
    }
    for (const each of rollout.checks) fillCheck(service, each);
  }

  function fillCheck(service: ServiceName, { check, run }: RolloutFacts['checks'][number]): void {
    const labels = { service, check: check.name };
    for (const each of CHECK_STATES) checkState.set({ ...labels, state: each }, Number(run.state === each));
    const { min, max } = check.condition.limit ?? {};
    if (min !== undefined) checkLimit.set({ ...labels, bound: 'min' }, min);
    if (max !== undefined) checkLimit.set({ ...labels, bound: 'max' }, max);
    if (run.last === undefined) return;
    const { value, baseline, samples } = run.last.judgement;
    if (value !== undefined) checkValue.set({ ...labels, side: 'candidate' }, value);
    if (baseline !== undefined) checkValue.set({ ...labels, side: 'baseline' }, baseline);
    checkSamples.set({ ...labels, side: 'candidate' }, samples.candidate);
    if (samples.baseline !== undefined) {
      checkSamples.set({ ...labels, side: 'baseline' }, samples.baseline);
    }
  }

  return {
    begin() {
      for (const each of all) each.reset();
    },
    service({ record, rollout }) {
      fillService(record.name, rollout);
      if (rollout !== undefined) fillRollout(record.name, rollout);
    },
  };
}
