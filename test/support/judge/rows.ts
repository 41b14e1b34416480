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

type Load = Pick<Scenario, 'requests' | 'intervals'>;

/** 1,200 requests of each side in ten windows, as sixty points. */
const STEADY: Load = { requests: 20, intervals: 6 };
/** As many requests as ten points: the shape of the series that users complain about. */
const TEN_POINTS: Load = { requests: 120, intervals: 1 };
/** 120 requests of each side in all. */
const LOW: Load = { requests: 2, intervals: 6 };

const NORMAL: Behaviour = { median: 80, deviation: 0.5, errors: 0.005 };
const SPARSE: Behaviour = { ...NORMAL, errors: 0.0005 };

/** The mean of a log-normal distribution is median * exp(deviation^2 / 2): this one has the mean of NORMAL. */
const WIDER = { deviation: 0.66, median: NORMAL.median * Math.exp((NORMAL.deviation ** 2 - 0.66 ** 2) / 2) };

interface Fault {
  readonly name: string;
  /** Where the candidate differs from the baseline. */
  readonly candidate: Partial<Behaviour>;
  /** Another baseline than the group's. */
  readonly baseline?: Behaviour;
  readonly badOfTen?: number;
  readonly isComplaint?: true;
}

/** The rows of one traffic: without a fault first, then the faults. */
function rowsOf(
  traffic: string,
  { asks, baseline, load }: { asks: Row['asks']; baseline: Behaviour; load: Load },
  faults: readonly Fault[],
): readonly Row[] {
  const quiet = `no change, ${traffic}`;
  const all: readonly Fault[] = [{ name: quiet, candidate: {} }, ...faults];
  return all.map((fault) => {
    const before = fault.baseline ?? baseline;
    return {
      name: fault.name,
      asks,
      quiet,
      isComplaint: fault.isComplaint ?? false,
      scenario: {
        ...load,
        badOfTen: fault.badOfTen ?? 10,
        baseline: before,
        candidate: { ...before, ...fault.candidate },
      },
    };
  });
}

/** More errors are percentage points over a base of 0.5 percent; of 2 with low traffic, else no judge has a false alarm. */
export const ROWS: readonly Row[] = [
  ...rowsOf('errors', { asks: 'Errors', baseline: NORMAL, load: STEADY }, [
    { name: '1 point more errors', candidate: { errors: 0.015 } },
    { name: '5 points more errors', candidate: { errors: 0.055 } },
    { name: '10 points more errors', candidate: { errors: 0.105 } },
  ]),
  ...rowsOf('errors, ten points', { asks: 'Errors', baseline: NORMAL, load: TEN_POINTS }, [
    {
      name: '7 of 10 points bad (2.5 % errors)',
      candidate: { errors: 0.025 },
      badOfTen: 7,
      isComplaint: true,
    },
  ]),
  ...rowsOf('sparse errors', { asks: 'Errors', baseline: SPARSE, load: TEN_POINTS }, [
    { name: 'sparse errors (0.05 % to 0.8 %)', candidate: { errors: 0.008 }, isComplaint: true },
    {
      name: 'errors over none (0 to 0.6 %)',
      baseline: { ...NORMAL, errors: 0 },
      candidate: { errors: 0.006 },
      isComplaint: true,
    },
  ]),
  ...rowsOf('errors, low traffic', { asks: 'Errors', baseline: { ...NORMAL, errors: 0.02 }, load: LOW }, [
    { name: '10 points more errors, low traffic', candidate: { errors: 0.12 } },
  ]),
  ...rowsOf('latency', { asks: 'Latency', baseline: NORMAL, load: STEADY }, [
    { name: '1.2x latency', candidate: { median: 96 } },
    { name: '1.5x latency', candidate: { median: 120 } },
    { name: '2x latency', candidate: { median: 160 } },
    { name: 'spread grows by a fifth, median stays', candidate: { deviation: 0.6 } },
    { name: 'spread grows by a third, mean stays', candidate: WIDER, isComplaint: true },
  ]),
  ...rowsOf('latency, low traffic', { asks: 'Latency', baseline: NORMAL, load: LOW }, [
    { name: '1.2x latency, low traffic', candidate: { median: 96 } },
    { name: '1.5x latency, low traffic', candidate: { median: 120 } },
  ]),
];
