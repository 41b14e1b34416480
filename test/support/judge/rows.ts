/** The scenarios in which the judges are measured: what the baseline and the candidate do, and what is asked. */
import type { Behaviour, Scenario } from './requests.ts';

export interface Row {
  readonly name: string;
  /** Which metric both judges look at. */
  readonly asks: 'Errors' | 'Latency';
  readonly scenario: Scenario;
  /** The row without a fault, at the same traffic: there false alarms are counted, and Kayenta is brought to ours. */
  readonly quiet: string;
  /** Rows that Kayenta's users complain about, in which ours must clearly miss fewer. */
  readonly isComplaint: boolean;
}

const NORMAL: Behaviour = { median: 80, deviation: 0.5, errors: 0.005 };
/** 1,200 requests of each side in the step: ten windows of six intervals. */
const STEADY = { requests: 20, intervals: 6, badOfTen: 10 };
const LOW = { requests: 2, intervals: 6, badOfTen: 10 };
const FEW_POINTS = { requests: 60, intervals: 1, badOfTen: 10 };

const rows: Row[] = [];

/** A traffic with its quiet row first, then rows in which the candidate differs. */
function group(
  traffic: {
    readonly name: string;
    readonly asks: Row['asks'];
    readonly baseline: Behaviour;
    readonly load: Pick<Scenario, 'requests' | 'intervals' | 'badOfTen'>;
  },
  faults: readonly {
    readonly name: string;
    readonly candidate: Partial<Behaviour>;
    readonly badOfTen?: number;
    readonly isComplaint?: true;
  }[],
): void {
  const { baseline, asks, load } = traffic;
  const quiet = `no change, ${traffic.name}`;
  for (const fault of [{ name: quiet, candidate: {} }, ...faults]) {
    const {
      name,
      candidate,
      badOfTen = load.badOfTen,
      isComplaint = false,
    } = { ...fault } as (typeof faults)[number];
    const scenario = { ...load, badOfTen, baseline, candidate: { ...baseline, ...candidate } };
    rows.push({ name, asks, scenario, quiet, isComplaint });
  }
}

group({ name: 'errors', asks: 'Errors', baseline: NORMAL, load: STEADY }, [
  { name: '1 point more errors', candidate: { errors: 0.015 } },
  { name: '5 points more errors', candidate: { errors: 0.055 } },
  { name: '10 points more errors', candidate: { errors: 0.105 } },
]);
group({ name: 'sparse errors', asks: 'Errors', baseline: { ...NORMAL, errors: 0.0005 }, load: STEADY }, [
  { name: 'sparse errors (0.05 % to 0.8 %)', candidate: { errors: 0.008 }, isComplaint: true },
  {
    name: 'a baseline without errors (to 0.6 %)',
    candidate: { errors: 0.0065 },
    isComplaint: true,
  },
]);
group({ name: 'errors, few points', asks: 'Errors', baseline: NORMAL, load: FEW_POINTS }, [
  { name: '7 of 10 points bad (5 % errors)', candidate: { errors: 0.05 }, badOfTen: 7, isComplaint: true },
]);
group({ name: 'errors, low traffic', asks: 'Errors', baseline: NORMAL, load: LOW }, [
  { name: '10 points more errors, low traffic', candidate: { errors: 0.105 } },
]);
group({ name: 'latency', asks: 'Latency', baseline: NORMAL, load: STEADY }, [
  { name: '1.2x latency', candidate: { median: 96 } },
  { name: '1.5x latency', candidate: { median: 120 } },
  { name: '2x latency', candidate: { median: 160 } },
  { name: 'spread grows, median stays', candidate: { deviation: 0.6 }, isComplaint: true },
]);
group({ name: 'latency, low traffic', asks: 'Latency', baseline: NORMAL, load: LOW }, [
  { name: '1.2x latency, low traffic', candidate: { median: 96 } },
  { name: '1.5x latency, low traffic', candidate: { median: 120 } },
]);

export const ROWS: readonly Row[] = rows;
