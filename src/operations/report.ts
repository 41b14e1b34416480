/** The zero-impact report of a rollout: gathers what is stored and what the proxies reported; report/ makes the figures. */
import type { AuditEvent } from '../model/audit.ts';
import { instant } from '../model/instant.ts';
import type { RolloutReport } from '../model/report.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import { buildReport, reportWindow } from '../report/build.ts';
import { reportingOf } from './blind-spots.ts';
import type { OperationContext } from './context.ts';
import type { RolloutOperations } from './rollout-types.ts';
import { OperationError } from './types.ts';

type ReportQuery = Parameters<RolloutOperations['report']>[0];

/** By id, or of a service's last rollout. Throws OperationError. */
export async function report(context: OperationContext, query: ReportQuery): Promise<RolloutReport> {
  const { controller, trafficLog } = context;
  const { store, clock } = controller.options;
  const rollout = await findRollout(context, query);
  const { service } = rollout;
  const now = clock.now();
  const window = reportWindow(rollout, now);
  const [counts, coverage, measurements, events] = await Promise.all([
    trafficLog.counts({ service, ...window }),
    trafficLog.coverage({ from: instant(0), to: window.to }),
    store.measurements(rollout.id),
    eventsSince(context, rollout),
  ]);
  const { isReported, blindSpots } = reportingOf({
    service,
    records: [...controller.ledger.records().values()],
    proxies: controller.proxies.views().flatMap(({ progress }) => progress ?? []),
    heard: new Set(trafficLog.reporters().map(({ proxy }) => proxy)),
    window,
  });
  return buildReport({
    rollout,
    events,
    counts,
    measurements,
    coverage,
    isReported: isReported || counts.length > 0,
    blindSpots,
    ...(store.historySince === undefined ? {} : { historySince: store.historySince }),
    now,
  });
}

async function findRollout(
  { controller }: OperationContext,
  { rollout, service }: ReportQuery,
): Promise<RolloutRecord> {
  if (rollout === undefined && service === undefined) {
    throw new OperationError(
      'InvalidArgument',
      'rollout or service: name the rollout, or the service whose last one is meant',
    );
  }
  const [found] = await controller.options.store.rollouts({
    ...(rollout === undefined ? {} : { id: rollout }),
    ...(service === undefined ? {} : { service }),
    limit: 1,
  });
  if (found !== undefined) return found;
  if (rollout === undefined) throw new OperationError('NotFound', `${service} has had no rollout yet`);
  const known = await controller.options.store.rollouts({ limit: 5 });
  const names = known.map(({ id }) => id).join(', ');
  throw new OperationError(
    'NotFound',
    `there is no rollout ${rollout}${service === undefined ? '' : ` of ${service}`}; ${names === '' ? 'there was none yet' : `the last ones: ${names}`}`,
  );
}

const PAGE = 1_000;

/** The events of the rollout's service from its beginning on, oldest first: the newest pages until one reaches back. */
async function eventsSince(
  { controller }: OperationContext,
  { service, startedAt }: RolloutRecord,
): Promise<readonly AuditEvent[]> {
  for (let limit = PAGE; ; limit *= 4) {
    const events = await controller.options.store.events({ service, limit, newest: true });
    const oldest = events[0];
    if (events.length < limit || oldest === undefined || oldest.at < startedAt) return events;
  }
}
