/**
 * One service in simulated time: rounds of observe, plan, commit and execute as the controller makes them, over a fleet
 * and a Prometheus that fail by chance, with crashes between any two actions. What is committed goes to `onCommit`.
 */

import { guardRuns, guardsOf, measurementsOf, verdictOf } from '../../../src/controller/guards.ts';
import { observeDelegates, observeLeaving } from '../../../src/controller/observe-delegates.ts';
import type { Check } from '../../../src/model/check.ts';
import type { DelegateAnswer } from '../../../src/model/delegates.ts';
import type { MeasuredOutcome, Measurement } from '../../../src/model/measurement.ts';
import type { VersionName } from '../../../src/model/names.ts';
import type { Roll } from '../../../src/model/parity.ts';
import { isOpen, type RolloutId, type RolloutRecord, stepName } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Observation, ShownObservation, WorkObservation } from '../../../src/rollout/observation.ts';
import { isActivity, isRecording, type PlanAction, plan } from '../../../src/rollout/plan.ts';
import { leadsTo } from '../../../src/rollout/primary-service.ts';
import { applyActions } from '../../../src/rollout/record.ts';
import { checkedStepOf } from '../../../src/rollout/steps.ts';
import { serviceRoutes } from '../../../src/routing/table.ts';
import { judge } from '../../../src/verification/judge.ts';
import { Boxes } from './boxes.ts';
import type { Chance } from './chance.ts';
import type { Committed } from './committed.ts';
import { at, Fleet } from './fleet.ts';
import { SimulatedService } from './primary-service.ts';
import { drawRecord, drawTruth, isBad, type Truth } from './setting.ts';

type Prometheus = 'answers' | 'down' | 'nan' | 'empty' | 'lies';

export class SimulatedWorld {
  readonly chance: Chance;
  readonly fleet: Fleet;
  readonly measurements: Measurement[] = [];
  readonly truths = new Map<VersionName, Truth>();
  readonly boxes: Boxes;
  readonly service: SimulatedService;
  /** Kept apart from the record, as the store does. */
  readonly rolls = new Map<RolloutId, Roll>();
  /** What the delegate source said last. */
  answer: DelegateAnswer = { kind: 'unknown', reason: 'not asked yet' };
  record: ServiceRecord;
  now = 0;
  prometheus: Prometheus = 'answers';
  hasLied = false;
  onCommit: (committed: Committed) => void = () => undefined;
  #work = new Map<VersionName, { readonly since: number; readonly seen: WorkObservation }>();
  #measuring: { readonly rollout: RolloutRecord; readonly check: Check; readonly ends: number }[] = [];
  #shown = { text: '', publication: 1 };
  #offDefault = new Map<VersionName, number>();
  #retiring = new Map<VersionName, { readonly step: string; readonly publication: number }>();

  constructor(chance: Chance) {
    this.chance = chance;
    this.fleet = new Fleet(chance);
    this.boxes = new Boxes(chance);
    this.service = new SimulatedService(chance);
    this.record = drawRecord(chance);
    for (const { name } of this.record.versions) this.truths.set(name, 'good');
    this.fleet.want(this.record, -60_000);
    this.boxes.live(this.record, 0, false);
    this.#publish();
  }

  /** A version that an operator deploys: how good it is, nobody knows. */
  introduce(version: VersionName): void {
    if (this.truths.has(version)) return;
    const truth = drawTruth(this.chance);
    this.truths.set(version, truth);
    if (truth === 'neverStarts') this.fleet.stuck.add(version);
  }

  observe(): Observation {
    const { record } = this;
    const now = at(this.now);
    const { rollout } = record;
    const service = this.service.standing;
    const led = service && leadsTo(service);
    const runs =
      rollout !== undefined && isOpen(rollout.state) ? guardRuns(rollout, this.measurements, now) : [];
    const verdict = rollout === undefined ? undefined : verdictOf(rollout, runs);
    this.answer = this.boxes.answer(this.now);
    const facts = { record, answer: this.answer, watchers: () => new Map(), now };
    const delegates =
      rollout === undefined ? undefined : observeDelegates(facts, rollout, this.rolls.get(rollout.id));
    return {
      now,
      instances: this.fleet.instances(record, this.now),
      offered: [],
      work: new Map(
        record.versions.flatMap(({ name, since }) => {
          const noted = this.#work.get(name);
          return noted?.since === since ? [[name, noted.seen]] : [];
        }),
      ),
      stillRouting: new Map(
        [...this.#offDefault].map(([name, publication]) => [
          name,
          [...this.fleet.behind(publication).all, ...(led === name ? ['Service manager'] : [])],
        ]),
      ),
      ...(service === undefined ? {} : { primaryService: service }),
      removals: new Map(
        record.versions.flatMap(({ name, retirement }) => {
          const shown = this.#retiring.get(name);
          if (retirement === undefined || shown?.step !== retirement.step) return [];
          return [[name, { step: retirement.step, waitingFor: this.fleet.behind(shown.publication).all }]];
        }),
      ),
      leaving: observeLeaving(facts),
      ...(rollout === undefined || !isOpen(rollout.state)
        ? {}
        : {
            rollout: {
              runs: runs.map(({ run }) => run),
              ...(verdict === undefined ? {} : { verdict }),
              shown: this.#shownNow(),
              ...(delegates === undefined ? {} : { delegates }),
            },
          }),
    };
  }

  /** Rounds until nothing changes; a crash loses what was not yet done. */
  rounds(): void {
    this.#endMeasurements();
    for (let round = 0; round < 20; round += 1) {
      const observed = this.observe();
      const actions = plan(this.record, observed);
      const recording = actions.filter(isRecording);
      if (this.#mayCrash()) return this.#crash();
      if (recording.length > 0) {
        const { record, rolls } = applyActions({
          record: this.record,
          actions: recording,
          now: at(this.now),
        });
        for (const { rollout, roll } of rolls) this.rolls.set(rollout, roll);
        this.commit(record, 'controller', recording, observed);
      }
      if (this.#mayCrash()) return this.#crash();
      for (const action of actions) {
        if (this.#mayCrash()) return this.#crash();
        this.#execute(action);
      }
      if (recording.length === 0) return;
    }
    throw new Error(`the plan does not settle: ${JSON.stringify(plan(this.record, this.observe()))}`);
  }

  commit(
    after: ServiceRecord,
    by: Committed['by'],
    actions: readonly PlanAction[] = [],
    observed: Observation = this.observe(),
  ): void {
    const before = this.record;
    this.record =
      after.generation > before.generation ? after : { ...after, generation: before.generation + 1 };
    this.#publish();
    this.fleet.want(this.record, this.now);
    this.onCommit({ before, after: this.record, by, actions, observed });
  }

  #shownNow(): ShownObservation {
    const { connected } = this.fleet.behind(this.#shown.publication);
    return {
      isEverywhere: connected.length === 0,
      behind: connected.filter(({ rejects }) => !rejects).map(({ id }) => id),
      rejected: connected.filter(({ rejects }) => rejects).map(({ id }) => `${id} rejected routes`),
    };
  }

  #publish(): void {
    const routes = serviceRoutes(this.record, this.fleet.instances(this.record, this.now));
    const { defaultRoute, cohort, mirror, versions, holds } = routes;
    const access = versions.map((version) => [version.version, version.access]);
    const text = JSON.stringify({ defaultRoute, cohort, mirror, access });
    if (text !== this.#shown.text) {
      this.fleet.publish(this.now);
      this.#shown = { text, publication: this.fleet.publication };
    }
    for (const { version } of versions) {
      const isRouted =
        (defaultRoute.kind === 'Single' && defaultRoute.version === version) ||
        (defaultRoute.kind === 'Split' && [defaultRoute.primary, defaultRoute.candidate].includes(version)) ||
        holds.some((hold) => hold.version === version);
      if (isRouted) this.#offDefault.delete(version);
      else if (!this.#offDefault.has(version)) this.#offDefault.set(version, this.fleet.publication);
    }
    for (const { name, retirement } of this.record.versions) {
      if (retirement === undefined) this.#retiring.delete(name);
      else if (this.#retiring.get(name)?.step !== retirement.step) {
        this.#retiring.set(name, { step: retirement.step, publication: this.fleet.publication });
      }
    }
  }

  #execute(action: PlanAction): void {
    if (isActivity(action)) {
      const version = this.record.versions.find(({ name }) => name === action.version);
      const seen = this.fleet.count(action.version, action.kind === 'FenceAndCount');
      if (version !== undefined) this.#work.set(action.version, { since: version.since, seen });
    } else if (action.kind === 'Measure') {
      const { rollout } = this.record;
      const check =
        rollout === undefined ? undefined : guardsOf(rollout).find(({ name }) => name === action.check);
      const isRunning = this.#measuring.some((one) => one.check.name === action.check);
      if (rollout === undefined || check === undefined || isRunning) return;
      const takes = this.fleet.isHealed ? 0 : this.chance.between(0, 8) * 1_000;
      this.#measuring.push({ rollout, check, ends: this.now + takes });
    }
  }

  #endMeasurements(): void {
    const ended = this.#measuring.filter(({ ends }) => ends <= this.now);
    this.#measuring = this.#measuring.filter(({ ends }) => ends > this.now);
    for (const { rollout, check } of ended) {
      const current = this.record.rollout;
      const isCurrent =
        current?.id === rollout.id &&
        current.attempt === rollout.attempt &&
        stepName(current.step) === stepName(rollout.step) &&
        isOpen(current.state);
      if (isCurrent) this.measurements.push(this.#measured(rollout, check));
    }
  }

  #measured(rollout: RolloutRecord, check: Check): Measurement {
    const { version, baseline, service } = rollout;
    const earlier = measurementsOf(rollout, check, this.measurements);
    const outcome = this.#ask(version);
    const step = checkedStepOf(rollout.step) ?? 'Verify';
    const from = earlier.at(-1)?.window.to ?? at(this.now);
    return {
      rollout: rollout.id,
      attempt: rollout.attempt,
      step: stepName(rollout.step),
      check: check.name,
      service,
      version,
      baseline,
      at: at(this.now),
      window: { from, to: at(this.now) },
      queries: [],
      outcome,
      judgement: judge({ check, step, outcome, earlier, version, baseline }),
    };
  }

  #ask(version: VersionName): MeasuredOutcome {
    switch (this.prometheus) {
      case 'down':
        return { kind: 'Error', reason: 'connection refused' };
      case 'nan':
        return { kind: 'NoData', reason: 'NaN' };
      case 'empty':
        return { kind: 'NoData', reason: 'no series' };
      case 'lies':
        this.hasLied = true;
        return { kind: 'Data', data: { kind: 'ratio', candidate: { events: 500, total: 500 } } };
      case 'answers': {
        const total = this.chance.in(0.1) && !this.fleet.isHealed ? this.chance.between(0, 30) : 500;
        const share = isBad({ truth: this.truths.get(version), traffic: this.record.traffic, version })
          ? 0.9
          : 1;
        const candidate = { events: Math.round(total * share), total };
        return { kind: 'Data', data: { kind: 'ratio', candidate } };
      }
    }
  }

  #mayCrash(): boolean {
    return !this.fleet.isHealed && this.chance.in(0.003);
  }

  /** Everything in memory is gone; proxies come back over new connections and are told again. */
  #crash(): void {
    this.#work.clear();
    this.#measuring = [];
    this.#retiring.clear();
    this.#offDefault.clear();
    this.#shown = { text: '', publication: this.fleet.publication };
    this.fleet.publication += 1_000;
    this.#publish();
  }
}
