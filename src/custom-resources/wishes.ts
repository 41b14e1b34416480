/** The verbs as the admin API has them where wishes are objects: what would change a wish is refused, with where to do it. */
import { OperationError, type Operations } from '../operations/types.ts';

/** `apply` answers dry runs, as `lint` would. */
export function withWishesInObjects(operations: Operations, namespace: string): Operations {
  const refuse = (how: string): never => {
    throw new OperationError(
      'FailedPrecondition',
      `services are VersionedService objects of namespace ${namespace} here, and the controller never writes their specs: ${how}`,
    );
  };
  return {
    ...operations,
    apply: async (request) =>
      request.dryRun ? operations.apply(request) : refuse('apply the document with kubectl'),
    deploy: async ({ service, version }) =>
      refuse(
        `kubectl patch versionedservice ${service} --type merge -p '{"spec":{"version":"${version}"}}', or in Git`,
      ),
    deleteService: async ({ service }) => refuse(`kubectl delete versionedservice ${service}`),
    down: async () => refuse('scale the controller to zero, or delete the objects'),
  };
}
