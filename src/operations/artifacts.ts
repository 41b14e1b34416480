/** publish: says what watchers fetch and start for a version. Its signature is by a key that no controller has; watchers check it. */
import { goalVersionProblem } from '../goalstate/accept-version.ts';
import { type Artifact, MAX_ARTIFACT_SIZE } from '../model/goal-state.ts';
import { findVersion, MAX_ARTIFACTS, type ServiceRecord } from '../model/state.ts';
import { changeService, type OperationContext } from './context.ts';
import type { PublishArtifactRequest } from './delegate-types.ts';
import { type ChangeOutcome, OperationError } from './types.ts';

/** Keeps the artifact of a version: the same again changes nothing, another one is refused. Throws OperationError. */
export async function publishArtifact(
  context: OperationContext,
  request: PublishArtifactRequest,
): Promise<ChangeOutcome> {
  const { artifact, service } = request;
  const { version } = artifact;
  const problem = goalVersionProblem({ version, artifact, service, maxSize: MAX_ARTIFACT_SIZE });
  if (problem !== undefined) throw new OperationError('InvalidArgument', problem);
  return changeService(context, request, {
    action: 'PublishArtifact',
    reason: 'Published',
    change: (record) => {
      const { artifacts = [] } = record;
      const known = artifacts.find((one) => one.version === version);
      if (known === undefined) return { ...record, artifacts: [...withRoom(record, artifacts), artifact] };
      if (isSame(known, artifact)) return record;
      throw new OperationError(
        'FailedPrecondition',
        `${version} of ${record.name} has an artifact (sha256 ${known.sha256}, ${known.url}), and boxes may run it; what was published never changes: build it as another version`,
      );
    },
    describe: ({ name }) =>
      `${name}: boxes fetch ${version} from ${artifact.url} (sha256 ${artifact.sha256})`,
  });
}

function isSame(one: Artifact, other: Artifact): boolean {
  const facts = ({ url, sha256, size, signature, command }: Artifact): string =>
    JSON.stringify([url, sha256, size, signature, command]);
  return facts(one) === facts(other);
}

/** The oldest of versions that are gone make room. */
function withRoom(record: ServiceRecord, artifacts: readonly Artifact[]): readonly Artifact[] {
  if (artifacts.length < MAX_ARTIFACTS) return artifacts;
  const gone = artifacts.find(({ version }) => findVersion(record, version)?.state === 'Retired');
  if (gone !== undefined) return artifacts.filter((artifact) => artifact !== gone);
  throw new OperationError(
    'FailedPrecondition',
    `${record.name} has ${artifacts.length} artifacts of versions that are not retired, the most there can be; retire some`,
  );
}
