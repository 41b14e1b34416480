/** The calls that show rollouts, their measurements and reports, and change nothing. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RolloutViewSchema } from '../gen/switchyard/admin/v1/rollouts_pb.js';
import { type ServiceName, serviceName, versionName } from '../model/names.ts';
import type { RolloutId } from '../model/rollout.ts';
import type { Operations } from '../operations/types.ts';
import type { Handlers } from './contract.ts';
import { invalid, limitOf, named, optionalService } from './parse.ts';
import { measurementToMessage } from './views-measurements.ts';
import {
  replayOutcomeToMessage,
  rolloutToMessage,
  rolloutViewToMessage,
  verifyOutcomeToMessage,
} from './views-rollouts.ts';

export type RolloutReadHandlers = Pick<
  Handlers,
  'getRollout' | 'listRollouts' | 'listMeasurements' | 'getReport' | 'verify' | 'replay'
>;

/** Events that a view of a rollout shows. */
const SHOWN_DECISIONS = 20;

export function rolloutReadHandlers(operations: Operations): RolloutReadHandlers {
  return {
    async getRollout({ service }) {
      return { view: await rolloutMessage(operations, named('service', service, serviceName)) };
    },
    async listRollouts({ service, limit }) {
      const only = optionalService('service', service);
      if (only !== undefined) operations.service(only);
      const rollouts = await operations.rollouts({ ...(only && { service: only }), limit: limitOf(limit) });
      return { rollouts: rollouts.map(rolloutToMessage) };
    },
    async listMeasurements({ rollout }) {
      const measurements = await operations.measurements(rolloutIdOf('rollout', rollout));
      return { measurements: measurements.map(measurementToMessage) };
    },
    async getReport({ subject }) {
      if (subject.case === undefined) throw invalid('rollout', 'is missing; name a rollout or a service');
      const report = await operations.report(
        subject.case === 'rollout'
          ? { rollout: rolloutIdOf('rollout', subject.value) }
          : { service: named('service', subject.value, serviceName) },
      );
      return { json: `${JSON.stringify(report, null, 2)}\n` };
    },
    async verify({ service, version }, { signal }) {
      return verifyOutcomeToMessage(
        await operations.verify({
          service: named('service', service, serviceName),
          version: named('version', version, versionName),
          signal,
        }),
      );
    },
    async replay({ rollout, document }) {
      return replayOutcomeToMessage(
        await operations.replay({
          rollout: rolloutIdOf('rollout', rollout),
          ...(document && { document: { file: document.file, text: document.text } }),
        }),
      );
    },
  };
}

/** The rollout of a service with what belongs to its view. Throws NotFound where there was none. */
export async function rolloutMessage(
  operations: Operations,
  service: ServiceName,
): Promise<MessageInitShape<typeof RolloutViewSchema>> {
  const { versions } = operations.service(service);
  const view = operations.rollout(service);
  const newest = await operations.events({ service, limit: SHOWN_DECISIONS, newest: true });
  const decisions = newest.filter(({ at }) => at >= view.record.startedAt);
  return rolloutViewToMessage({ view, versions, decisions });
}

/** What an id is made of: service, version and generation. */
const ROLLOUT_ID = /^[a-z0-9.-]{1,63}_[a-z0-9.-]{1,63}_\d{1,16}$/;

function rolloutIdOf(field: string, text: string): RolloutId {
  if (!ROLLOUT_ID.test(text))
    throw invalid(field, `${JSON.stringify(text)} must be the id of a rollout, for example manager_v43_17`);
  return text as RolloutId;
}
