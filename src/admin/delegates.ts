/** The calls about delegates: what runs on which box, waves, goal states, artifacts, and the verbs on them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DelegatesViewSchema, PublishedArtifact } from '../gen/switchyard/admin/v1/delegates_pb.js';
import type { Artifact } from '../model/goal-state.ts';
import { type ServiceName, serviceName, versionName } from '../model/names.ts';
import { DELEGATE_ID_RULE, type DelegateId, isDelegateId } from '../model/workflow.ts';
import type { Operations } from '../operations/types.ts';
import { changeRunner } from './change-run.ts';
import type { Handlers } from './contract.ts';
import type { FaultListener } from './definition.ts';
import { exact, invalid, named, optionalService } from './parse.ts';
import { delegatesToMessage, goalStatesToMessage, wavesToMessage } from './views-delegates.ts';

/** The methods of the API that this file answers. */
export type DelegateHandlers = Pick<
  Handlers,
  | 'listDelegates'
  | 'listWaves'
  | 'getGoalStates'
  | 'publishArtifact'
  | 'haltWaves'
  | 'resumeWaves'
  | 'skipWave'
  | 'reassertGoalStates'
  | 'retryOnBoxes'
  | 'decommissionBox'
>;

export function delegateHandlers(operations: Operations, onFault: FaultListener): DelegateHandlers {
  const run = changeRunner(operations, onFault);
  return {
    async listDelegates({ service }) {
      return { views: delegatesMessages(operations, optionalService('service', service)) };
    },
    async listWaves({ service }) {
      const waves = operations.waves(named('service', service, serviceName));
      return { waves: waves.map(wavesToMessage) };
    },
    async getGoalStates({ service }) {
      return goalStatesToMessage(operations.goalStates(named('service', service, serviceName)));
    },
    publishArtifact: (message, call) =>
      run(message, call, (change) =>
        operations.publishArtifact({ ...change, artifact: artifactOf(message.artifact, change.service) }),
      ),
    haltWaves: (message, call) => run(message, call, (change) => operations.haltWaves(change)),
    resumeWaves: (message, call) => run(message, call, (change) => operations.resumeWaves(change)),
    skipWave: (message, call) => run(message, call, (change) => operations.skipWave(change)),
    reassertGoalStates: (message, call) => run(message, call, (change) => operations.reassert(change)),
    retryOnBoxes: (message, call) =>
      run(message, call, (change) =>
        operations.retryOnBoxes({ ...change, version: named('version', message.version, versionName) }),
      ),
    decommissionBox: (message, call) =>
      run(message, call, (change) =>
        operations.decommission({ ...change, box: boxOf(message.box), undo: message.undo }),
      ),
  };
}

/** Of one service, or of all that have delegates. Throws NotFound for one that does not exist. */
export function delegatesMessages(
  operations: Operations,
  service: ServiceName | undefined,
): MessageInitShape<typeof DelegatesViewSchema>[] {
  if (service !== undefined) return [delegatesToMessage(operations.delegates(service))];
  return operations
    .services()
    .map(({ record }) => record.name)
    .filter((name) => operations.delegateNumbers(name) !== undefined)
    .map((name) => delegatesToMessage(operations.delegates(name)));
}

function artifactOf(message: PublishedArtifact | undefined, service: ServiceName): Artifact {
  if (message === undefined) throw invalid('artifact', 'is missing; it says what watchers fetch');
  const { version, url, sha256, size, signature, command } = message;
  return {
    service,
    version: named('artifact.version', version, versionName),
    url,
    sha256: sha256.toLowerCase(),
    size: exact('artifact.size', size),
    signature,
    command: [...command],
  };
}

function boxOf(text: string): DelegateId {
  if (isDelegateId(text)) return text;
  throw invalid('box', `${JSON.stringify(text)} must be ${DELEGATE_ID_RULE}`);
}
